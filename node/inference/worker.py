"""The inference worker: ``python -m node.inference.worker``, started by the daemon alone.

A process of its own, because it imports numpy and ONNX Runtime, because native code may crash,
and because a run that does not stop by itself is stopped by killing it. It lives as long as the
daemon: it ends when its channels close, and the kernel kills it where the daemon is killed.

The main thread receives the work and does it; a second thread waits for the order to stop.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from node.errors import ModelError, OrbitnodeError, ProviderError, TensorError
from node.inference.arena import Arena
from node.inference.npz import write_arrays
from node.inference.protocol import (
    Done,
    Failed,
    FrameReader,
    Load,
    Message,
    Ready,
    Refused,
    Run,
    frame,
    to_switch,
    to_worker,
)
from node.inference.sessions import Sessions, WarmModel, import_runtime
from node.inference.tensors import reduce_output

_PR_SET_PDEATHSIG = 1
_RECEIVE_BYTES = 1 << 16
_FATAL_ONLY = 4
"""A run that is stopped would log an error; what fails is reported with its run."""
_OUT_OF_MEMORY_SCORE = "500"


class _StoppedError(Exception):
    """The run was asked to stop between two of its steps."""


class StopSwitch:
    """Carries ``Terminate`` to the run that is going, or to one that has not begun."""

    def __init__(self, channel: socket.socket) -> None:
        self._lock = threading.Lock()
        self._run_id = 0
        self._stopped_id = 0
        self._options: Any = None
        self._thread = threading.Thread(
            target=self._listen, args=(channel,), name="stop", daemon=True
        )
        self._thread.start()

    def arm(self, run_id: int, options: Any) -> None:  # noqa: ANN401 - untyped library
        """From now on ``Terminate`` for this run sets ``options.terminate``."""
        with self._lock:
            self._run_id, self._options = run_id, options
            if self._stopped_id == run_id:
                options.terminate = True

    def check(self) -> None:
        """Raise where the run was asked to stop."""
        if self._stopped_id == self._run_id:
            raise _StoppedError

    def _listen(self, channel: socket.socket) -> None:
        for message in _messages(channel, FrameReader(to_switch)):
            with self._lock:
                self._stopped_id = message.run_id
                if message.run_id == self._run_id and self._options is not None:
                    self._options.terminate = True
        # The daemon is gone or has let go: nobody wants the result of what still runs.
        os._exit(0)


class Worker:
    """Loads the models, then runs one inference after the other until the channel closes."""

    def __init__(
        self, control: socket.socket, stop: socket.socket, given: Arena, made: Arena
    ) -> None:
        self._control = control
        self._given = given
        self._made = made
        self._switch = StopSwitch(stop)
        self._runtime: Any = None
        self._sessions: Any = None

    def serve(self) -> int:
        """Work until the daemon closes the channel; return the exit status."""
        for message in _messages(self._control, FrameReader(to_worker)):
            if isinstance(message, Load):
                if not self._load(message):
                    return os.EX_CONFIG
            else:
                self._send(self._run(message))
        return os.EX_OK

    def _load(self, load: Load) -> bool:
        try:
            self._runtime = import_runtime(load.providers[0])
            sessions = Sessions(self._runtime, load.models, load.providers, load.provider_options)
            placed = {
                model.name: sessions.get(model.name, load.thread_count).provider
                for model in load.models
            }
        except ModelError as error:
            self._send(Refused("model", str(error)))
            return False
        except ProviderError as error:
            self._send(Refused("provider", str(error)))
            return False
        except OrbitnodeError as error:
            self._send(Refused("worker", str(error)))
            return False
        self._sessions = sessions
        self._send(Ready(self._runtime.__version__, placed))
        return True

    def _run(self, run: Run) -> Done | Failed:
        begun_s, cpu_begun_s = time.monotonic(), time.process_time()
        clock = _InferenceClock()
        message, provider, result_bytes = "", "", 0
        try:
            # A flag that was set stays set: every run has its own.
            options = self._runtime.RunOptions()
            options.log_severity_level = _FATAL_ONLY
            self._switch.arm(run.run_id, options)
            warm = self._sessions.get(run.model, run.thread_count)
            provider = warm.provider
            result = self._infer(warm, run, options, clock)
            self._switch.check()
            self._made.write(result)
            result_bytes = len(result)
        except _StoppedError:
            message = "stopped"
        except OrbitnodeError as error:
            message = str(error)
        # Whatever numpy or ONNX Runtime throws, this run failed and the worker lives on.
        except Exception as error:  # noqa: BLE001
            message = f"{type(error).__name__}: {error}"
        duration_s = time.monotonic() - begun_s
        cpu_s = time.process_time() - cpu_begun_s
        if message:
            return Failed(run.run_id, message, provider, duration_s, clock.elapsed_s, cpu_s)
        return Done(run.run_id, result_bytes, provider, duration_s, clock.elapsed_s, cpu_s)

    def _infer(self, warm: WarmModel, run: Run, options: Any, clock: _InferenceClock) -> bytes:  # noqa: ANN401 - untyped library
        tensor = warm.reader.read(self._given.view(run.input_bytes))
        self._switch.check()
        output_name = warm.card.output.name
        with clock:
            (output,) = warm.session.run([output_name], {warm.card.input.name: tensor}, options)
        if not hasattr(output, "dtype"):
            raise TensorError(f"the output {output_name} is not a tensor")
        self._switch.check()
        return write_arrays(reduce_output(warm.card.output, output))

    def _send(self, message: Struct) -> None:
        # Where the daemon is gone, the next read sees the end and the worker ends.
        with contextlib.suppress(OSError):
            self._control.sendall(frame(message))


class _InferenceClock:
    """Times ``session.run``, also where it raises."""

    elapsed_s = 0.0
    _begun_s = 0.0

    def __enter__(self) -> None:
        self._begun_s = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.elapsed_s = time.monotonic() - self._begun_s


def _messages(channel: socket.socket, reader: FrameReader[Message]) -> Iterator[Message]:
    """Yield what arrives until the other end closes."""
    while data := _receive(channel):
        yield from reader.feed(data)


def _receive(channel: socket.socket) -> bytes:
    try:
        return channel.recv(_RECEIVE_BYTES)
    except OSError:
        return b""


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when the daemon dies, however it dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        # It died before the order was in place.
        os._exit(0)


def main() -> int:
    """Serve until the daemon lets go; return the exit status."""
    parser = argparse.ArgumentParser(prog="node.inference.worker")
    for option in ("parent-pid", "control-fd", "stop-fd", "given-fd", "made-fd"):
        parser.add_argument(f"--{option}", type=int, required=True)
    args = parser.parse_args()
    # Only the daemon ends the worker: a stop of the whole service must not cut off a run that
    # the daemon still wants to finish.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(args.parent_pid)
    # Where memory runs out, this process goes and not the daemon.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OUT_OF_MEMORY_SCORE)
    worker = Worker(
        socket.socket(fileno=args.control_fd),
        socket.socket(fileno=args.stop_fd),
        Arena(args.given_fd),
        Arena(args.made_fd),
    )
    return worker.serve()


if __name__ == "__main__":
    sys.exit(main())
