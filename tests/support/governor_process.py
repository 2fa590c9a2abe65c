"""The helper as a real process over a real socket, on a copied board."""

from __future__ import annotations

import json
import os
import pwd
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from board_tree import BoardTree

ROOT = Path(__file__).parents[2]
LIMITS = (
    "sys/devices/system/cpu/cpufreq/policy*/scaling_m??_freq",
    "sys/devices/platform/bus@0/17000000.gpu/devfreq/17000000.gpu/m??_freq",
    "sys/kernel/nvpmodel_clk_cap/emc",
    "sys/devices/virtual/powercap/*/*/constraint_*_power_limit_uw",
)
PATIENCE_S = 10.0
OWN_USER = pwd.getpwuid(os.geteuid()).pw_name
"""Who the tests run as."""


class Connection:
    """One client, line by line."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))
        self._lines = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> dict[str, Any]:
        """Read the next answer; an empty one at the end of the stream."""
        line = self._lines.readline()
        return json.loads(line) if line else {}

    def ask(self, verb: str, **fields: object) -> dict[str, Any]:
        self.send(json.dumps({"verb": verb, **fields}).encode() + b"\n")
        return self.answer()

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


class Governor:
    """The helper's process, its board and its journal."""

    def __init__(self, board: BoardTree, folder: Path) -> None:
        self.board = board
        self.state = folder / "state"
        self.state.mkdir()
        self.socket_path = folder / "governor.sock"
        self.boot_id = folder / "boot_id"
        self.boot_id.write_text("boot-1\n")
        self.found = self.limits()
        self.process: subprocess.Popen[bytes] | None = None
        self.connections: list[Connection] = []
        # A pipe and no file, so that a limit to the size of files does not silence the log.
        self._log_in, self._log_out = os.pipe()
        os.set_blocking(self._log_in, False)
        self._log = b""

    def command(self, *arguments: str) -> list[str]:
        return [
            *(sys.executable, "-W", "error", "-m", "node.limits"),
            *("--root", str(self.board.root), "--state", str(self.state)),
            *("--boot-id-file", str(self.boot_id), *arguments),
        ]

    def start(self, *arguments: str, user: str = OWN_USER) -> None:
        """Start it and wait until it listens."""
        before = self.log_text.count(" listening ")
        self.process = subprocess.Popen(
            self.command("--socket", str(self.socket_path), "--allow-user", user, *arguments),
            cwd=ROOT,
            stderr=self._log_out,
        )
        self.wait_for(lambda: self.log_text.count(" listening ") > before)

    def limit_files(self, most_bytes: int) -> None:
        """Let the process write no longer file from now on: a disk that is full."""
        assert self.process is not None
        pid = self.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, hard))

    def connect(self) -> Connection:
        connection = Connection(self.socket_path)
        self.connections.append(connection)
        return connection

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        self.process = None
        return status

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        os.close(self._log_in)
        os.close(self._log_out)

    def restore(self) -> int:
        """Run what the service manager runs after a helper that was killed."""
        done = subprocess.run(
            self.command("--restore"),
            cwd=ROOT,
            check=False,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        return done.returncode

    def limits(self) -> dict[str, int]:
        """Every limit of the board, by its path; -1 while a file is being written."""
        root = self.board.root
        return {
            str(path.relative_to(root)): int(path.read_text() or -1)
            for pattern in LIMITS
            for path in sorted(root.glob(pattern))
        }

    @property
    def as_found(self) -> bool:
        return self.limits() == self.found

    @property
    def log_text(self) -> str:
        with suppress(BlockingIOError):
            while data := os.read(self._log_in, 65_536):
                self._log += data
        return self._log.decode()

    def wait_for(self, happened: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        end_s = time.monotonic() + timeout_s
        while not happened():
            assert self.process is None or self.process.poll() is None, self.log_text
            assert time.monotonic() < end_s, self.log_text
            time.sleep(0.005)
