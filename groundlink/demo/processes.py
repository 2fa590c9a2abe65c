"""Starts the processes of a run, watches them and ends them in a fixed order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from node.errors import ProcessError

STOP_GRACE_S = 10.0
"""After SIGTERM a process has this long until SIGKILL."""
TAIL_LINES = 15
_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Member:
    """One process of a crew, the leader of its own process group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def died(self) -> ProcessError:
        """Say that it ended when it should not have, with the end of its log."""
        status = self.process.returncode
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return ProcessError(f"{self.name} ended with {how}; {self.log}:\n{tail(self.log)}")


class Crew:
    """The processes of one run. Use with ``contextlib.closing``: no process outlives the run.

    Each is a process group of its own: Ctrl-C in the terminal reaches the launcher alone, which
    ends the others in order.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._members: list[Member] = []

    def start(self, name: str, command: Sequence[str]) -> Member:
        """Start a process; what it says goes to ``<name>.log``.

        Raises:
            ProcessError: it cannot be started at all.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            try:
                process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessError(f"{name} cannot be started: {error}") from error
        member = Member(name, process, log)
        self._members.append(member)
        return member

    def check(self) -> None:
        """Make sure that all are alive.

        Raises:
            ProcessError: one has ended; the text has the end of its log.
        """
        for member in self._members:
            if member.process.poll() is not None:
                raise member.died()

    def wait_until(self, name: str, ready: Callable[[], bool], limit_s: float) -> None:
        """Wait until a process serves, while all stay alive.

        Raises:
            ProcessError: one has ended, or the time is over.
        """
        end_s = time.monotonic() + limit_s
        while not ready():
            self.check()
            if time.monotonic() > end_s:
                (member,) = (m for m in self._members if m.name == name)
                raise ProcessError(
                    f"{name} was not ready in {limit_s:g} s; {member.log}:\n{tail(member.log)}"
                )
            time.sleep(0.05)

    def close(self) -> None:
        """End every process, the last started first: SIGTERM, and SIGKILL after the grace time.

        A second Ctrl-C does not interrupt it; it ends in bounded time by itself.
        """
        with ExitStack() as stack:
            with suppress(ValueError):  # not the main thread: no signal reaches us here
                before = signal.signal(signal.SIGINT, signal.SIG_IGN)
                stack.callback(signal.signal, signal.SIGINT, before)
            while self._members:
                _end(self._members.pop().process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        # The leader is alive, so its group is still its own: children go with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def tail(path: Path) -> str:
    """Return the last lines of a log, indented."""
    try:
        text = path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except OSError as error:
        text = str(error)
    lines = text.splitlines()[-TAIL_LINES:] or ["(nothing was logged)"]
    return "\n".join(f"    {line}" for line in lines)


def free_ports(count: int) -> list[int]:
    """Find different TCP ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def listens(port: int) -> bool:
    """Whether someone takes TCP connections on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
