"""Rewrites reference/history.json: ``python tests/golden/update_history.py``, on x86-64."""

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2])]

from history_figures import NAMES, REFERENCE, fly  # noqa: E402 - the path comes first

NOTE = (
    "What the scenarios that ship give in freerun. The digests hold on x86-64, for every Python "
    "version; on another architecture libm may round differently, so that there the figures are "
    "compared to 1e-9 and the digests are not. Rewritten by update_history.py."
)

if __name__ == "__main__":
    found = {"note": NOTE, "scenarios": {name: fly(name) for name in NAMES}}
    REFERENCE.write_text(json.dumps(found, indent=2) + "\n")
