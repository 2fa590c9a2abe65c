"""The daemon's end of one worker process: start it, talk to it, stop it, know that it is gone.

No threads and no child watcher: the event loop watches the channel, the worker's output and the
process itself (by pidfd), so that the instant of its death is known without polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

import node
from node.errors import MessageError, WorkerError
from node.inference.arena import Arena
from node.inference.protocol import FrameReader, FromWorker, Terminate, frame, from_worker

logger = logging.getLogger(__name__)

_RECEIVE_BYTES = 1 << 16
_MAX_LINE_BYTES = 4096
_PACKAGE_ROOT = str(Path(node.__file__).resolve().parent.parent)


class WorkerProcess:
    """One worker, from its start until it is reaped.

    The kernel kills the worker when the *thread* that started it ends, so this belongs on the
    main thread.
    """

    def __init__(
        self,
        on_message: Callable[[WorkerProcess, FromWorker], None],
        on_exit: Callable[[WorkerProcess], None],
    ) -> None:
        """Start the process.

        Raises:
            WorkerError: the system does not give what it takes.
        """
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_exit = on_exit
        self._reader = FrameReader(from_worker)
        self._line = bytearray()
        self._last_cpu_s = 0.0
        self.last_line = ""
        """What the worker wrote last, for the message where it does not come up."""
        self.exit_status: int | None = None
        self.gone = asyncio.Event()
        """Set once the process is reaped."""
        with contextlib.ExitStack() as here, contextlib.ExitStack() as there:
            try:
                self._start(here, there)
            except OSError as error:
                raise WorkerError(f"the worker cannot be started: {error.strerror}") from error
            self._resources = here.pop_all()
        self._loop.add_reader(self._control, self._receive)
        self._loop.add_reader(self._output, self._read_output)
        self._loop.add_reader(self._pidfd, self._reap)

    def _start(self, here: contextlib.ExitStack, there: contextlib.ExitStack) -> None:
        self._control, control = socket.socketpair()
        here.callback(self._control.close)
        there.callback(control.close)
        self._stop, stop = socket.socketpair()
        here.callback(self._stop.close)
        there.callback(stop.close)
        self._output, output = os.pipe()
        here.callback(os.close, self._output)
        there.callback(os.close, output)
        self.given = Arena.create("given")
        here.callback(self.given.close)
        self._made = Arena.create("made")
        here.callback(self._made.close)
        for channel in (self._control, self._stop):
            channel.setblocking(False)
        os.set_blocking(self._output, False)
        fds = {
            "control": control.fileno(),
            "stop": stop.fileno(),
            "given": self.given.fd,
            "made": self._made.fd,
        }
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                sys.executable,
                "-m",
                "node.inference.worker",
                f"--parent-pid={os.getpid()}",
                *(f"--{name}-fd={fd}" for name, fd in fds.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=tuple(fds.values()),
            # With -m the working directory heads the import path; / holds no modules.
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        here.callback(os.close, self._pidfd)

    @property
    def cpu_time_s(self) -> float:
        """CPU seconds of the process, all threads, until now or until its end."""
        if self.exit_status is None:
            # The kernel's id for the CPU clock of another process (clock_getcpuclockid(3)).
            clock_id = (~self.pid << 3) | 2
            with contextlib.suppress(OSError):
                self._last_cpu_s = time.clock_gettime(clock_id)
        return self._last_cpu_s

    def send(self, message: Struct) -> None:
        """Send work; a dead worker is not an error here, its exit will be told."""
        self._put(self._control, message)

    def terminate(self, run_id: int) -> None:
        """Ask the worker to end a run at its next chance."""
        self._put(self._stop, Terminate(run_id))

    def kill(self) -> None:
        """SIGKILL the worker and what it started; ``gone`` tells when that is done."""
        if self.exit_status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def result(self, size_bytes: int) -> bytes:
        """Copy the result out of shared memory."""
        return self._made.read(size_bytes)

    def _put(self, channel: socket.socket, message: Struct) -> None:
        if self.exit_status is not None:
            return
        data = frame(message)
        try:
            sent = channel.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return
        if sent != len(data):
            # The buffer takes hundreds of messages, and there is at most one of each kind.
            logger.error("worker_pid=%d event=not_reading action=kill", self.pid)
            self.kill()

    def _receive(self) -> None:
        while True:
            try:
                data = self._control.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                # Without a channel the process is of no use, whether it is dying or not.
                self._loop.remove_reader(self._control)
                self.kill()
                return
            try:
                for message in self._reader.feed(data):
                    self._on_message(self, message)
            except MessageError as error:
                logger.warning(
                    "worker_pid=%d event=bad_message error=%r action=kill", self.pid, error
                )
                self._loop.remove_reader(self._control)
                self.kill()
                return
            if len(data) < _RECEIVE_BYTES:
                return

    def _read_output(self) -> None:
        try:
            data = os.read(self._output, _RECEIVE_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._output)
        self._line += data
        *lines, rest = self._line.split(b"\n")
        if len(rest) > _MAX_LINE_BYTES or not data:
            lines, rest = [*lines, rest], bytearray()
        self._line = rest
        for line in lines:
            text = line.decode(errors="replace").strip()
            if text:
                self.last_line = text[:_MAX_LINE_BYTES]
                logger.warning("worker_pid=%d output=%s", self.pid, self.last_line)

    def _reap(self) -> None:
        # What it said before it died still counts.
        self._receive()
        self._read_output()
        self._last_cpu_s = self.cpu_time_s
        self.exit_status = self._process.wait()
        for fd in (self._control, self._output, self._pidfd):
            self._loop.remove_reader(fd)
        self._resources.close()
        self.gone.set()
        self._on_exit(self)


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{_PACKAGE_ROOT}{os.pathsep}{path}" if path else _PACKAGE_ROOT
    environment["PYTHONUNBUFFERED"] = "1"
    # numpy's linear algebra is not used; without this it starts a thread a core.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    return environment
