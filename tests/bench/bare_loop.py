"""A bare ``session.run`` loop in a process of its own, with the session that the worker makes.

Reads how many runs to do from standard input, line by line, and answers with the seconds of each.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from node.inference.model_folder import load_models
from node.inference.sessions import Sessions, import_runtime


def main() -> None:
    """Serve until standard input ends."""
    models, name, input_file, threads = sys.argv[1:5]
    folders = load_models(Path(models), 1 << 30)
    warm = Sessions(import_runtime(), list(folders.values()), ["CPUExecutionProvider"], {}).get(
        name, int(threads)
    )
    feed = {warm.card.input.name: warm.reader.read(memoryview(Path(input_file).read_bytes()))}
    wanted = [warm.card.output.name]
    warm.session.run(wanted, feed)
    print("ready", flush=True)  # noqa: T201 - read by the parent
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            begun_s = time.monotonic()
            warm.session.run(wanted, feed)
            seconds.append(time.monotonic() - begun_s)
        print(json.dumps(seconds), flush=True)  # noqa: T201 - read by the parent


if __name__ == "__main__":
    main()
