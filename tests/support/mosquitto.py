"""A real Mosquitto on a free port."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextlib.contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run Mosquitto, open to anyone on this machine."""
    assert PROGRAM is not None, "Mosquitto is missing: apt-get install mosquitto"
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen(
        [PROGRAM, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for_port(port)
            yield process
        finally:
            process.kill()


def wait_for_port(port: int, seconds: float = 10.0) -> None:
    """Return once something listens there."""
    until_s = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:  # noqa: PERF203 - it is a loop of attempts
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
        else:
            return
