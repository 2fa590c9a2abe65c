"""Runs ONNX models in a worker process that can be stopped at any time.

The daemon itself imports neither numpy nor ONNX Runtime. A run is stopped by asking ONNX Runtime
to end it at the next node of the graph and, where that takes longer than the grace time, by
SIGKILL. A worker that died is started again by the next run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from node.errors import ModelError, OrbitnodeError, ProviderError, WorkerError
from node.inference.base import Outcome
from node.inference.model_folder import ModelFolder, load_models
from node.inference.process import WorkerProcess
from node.inference.protocol import Done, Failed, FromWorker, Load, Ready, Run

logger = logging.getLogger(__name__)

_REFUSALS = {"model": ModelError, "provider": ProviderError, "worker": WorkerError}


class _Pending(Struct, eq=False):
    """The run that is going, from the call until its proof of end."""

    run_id: int
    model: str
    begun_s: float
    ended: asyncio.Event
    sent: bool = False
    cpu_begun_s: float = 0.0
    reply: Done | Failed | None = None
    """None at the end: the worker died."""
    ended_s: float = 0.0
    stop_reason: str = ""
    stop_s: float | None = None

    def end(self, reply: Done | Failed | None) -> None:
        """Note the end; the first one counts."""
        if not self.ended.is_set():
            self.reply = reply
            self.ended_s = time.monotonic()
            self.ended.set()

    @property
    def stop_latency_s(self) -> float | None:
        """Seconds from the request to stop until the proof of it."""
        return None if self.stop_s is None else self.ended_s - self.stop_s


class OnnxExecutor:
    """The executor of a real node. Belongs to one event loop, on the main thread."""

    def __init__(
        self,
        models_folder: Path,
        providers: list[str],
        *,
        names: Sequence[str] | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
        default_threads: int = 0,
        stop_grace_s: float = 0.1,
        max_model_bytes: int = 1 << 30,
        start_timeout_s: float = 900.0,
        on_spawn: Callable[[int], None] | None = None,
    ) -> None:
        """Keep the settings; nothing is read or started yet.

        Args:
            models_folder: its subfolders are the models.
            providers: execution providers in order; exactly these, or it is an error.
            names: the models to load; None for every one in the folder.
            provider_options: by provider, as ONNX Runtime reads them.
            default_threads: threads of a run that does not say; 0 is every core that this
                process may use.
            stop_grace_s: SIGKILL follows a request to stop this much later.
            max_model_bytes: a larger ``model.onnx`` is refused.
            start_timeout_s: a worker that is not ready by then is killed. Generous, because
                TensorRT builds its engines meanwhile.
            on_spawn: told the process id of each worker before it gets any work.
        """
        self._models_folder = models_folder
        self._providers = providers
        self._names = names
        self._provider_options = {
            provider: dict(options) for provider, options in (provider_options or {}).items()
        }
        self._default_threads = default_threads or len(os.sched_getaffinity(0))
        self._stop_grace_s = stop_grace_s
        self._max_model_bytes = max_model_bytes
        self._start_timeout_s = start_timeout_s
        self._on_spawn = on_spawn
        self._models: dict[str, ModelFolder] = {}
        self._placed: dict[str, str] = {}
        self._runtime_version = ""
        self._started = False
        self._starting = asyncio.Lock()
        self._worker: WorkerProcess | None = None
        self._ready: asyncio.Future[None] | None = None
        self._run: _Pending | None = None
        self._last_run_id = 0
        self._kill_count = 0
        self._past_cpu_s = 0.0

    @property
    def models(self) -> dict[str, ModelFolder]:
        """The models that were found by the last start, by name."""
        return self._models

    @property
    def placed(self) -> dict[str, str]:
        """What each model runs on since the last start, by its name."""
        return self._placed

    @property
    def runtime_version(self) -> str:
        """Version of ONNX Runtime; empty before the first start."""
        return self._runtime_version

    @property
    def worker_pid(self) -> int | None:
        """Process id of the live worker."""
        return None if self._worker is None else self._worker.pid

    @property
    def cpu_time_s(self) -> float:
        """CPU seconds of every worker that this executor has had; never falls."""
        live = 0.0 if self._worker is None else self._worker.cpu_time_s
        return self._past_cpu_s + live

    async def start(self) -> None:
        """Check every model, start the worker, return when each has a warm session.

        Does nothing where a worker is ready.

        Raises:
            ModelError: a model folder is wrong.
            ProviderError: a provider was asked for and is not there.
            WorkerError: the worker does not come up; says so where onnxruntime is missing.
        """
        kills = self._kill_count
        # Power comes back and a job begins: the second call waits for the worker of the first.
        async with self._starting:
            if self._started and self._worker is not None:
                return
            # Hashing a gigabyte takes a second in which the daemon's loop must go on.
            models = await asyncio.to_thread(
                load_models, self._models_folder, self._max_model_bytes, self._names
            )
            if self._kill_count != kills:
                raise WorkerError("the worker was killed while it started")
            self._models = models
            await self._launch()
            self._started = True

    async def run(self, model: str, input_npz: bytes, thread_count: int) -> Outcome:
        """Run one inference; how it failed is in the outcome, also where the worker died.

        ``thread_count`` 0 is the default. A cancelled run is stopped before this returns.

        Raises:
            RuntimeError: another run is going.
        """
        if self._run is not None:
            raise RuntimeError("another run is going")
        self._last_run_id += 1
        run = _Pending(self._last_run_id, model, time.monotonic(), asyncio.Event())
        self._run = run
        try:
            return await self._perform(run, input_npz, thread_count or self._default_threads)
        finally:
            self._run = None

    async def abort(self, reason: str) -> None:
        """Stop the run that is going; where none is, do nothing."""
        if self._run is not None:
            self._request_stop(self._run, reason)

    async def kill(self) -> None:
        """SIGKILL the worker and return when it is reaped; it stays dead until ``start``."""
        self._started = False
        self._kill_count += 1
        run, worker = self._run, self._worker
        if run is not None and run.stop_s is None:
            run.stop_reason, run.stop_s = "killed", time.monotonic()
        if worker is not None:
            await _reap(worker)

    async def close(self) -> None:
        """End the worker for good; it holds nothing that a SIGKILL could lose."""
        await self.kill()

    async def _perform(self, run: _Pending, input_npz: bytes, thread_count: int) -> Outcome:
        if not self._started:
            return self._failure(run, "the worker is not started")
        if run.model not in self._models:
            known = ", ".join(sorted(self._models))
            return self._failure(run, f"there is no model {run.model!r}; there are: {known}")
        try:
            worker = self._worker or await self._launch()
        except OrbitnodeError as error:
            return self._failure(run, str(error), worker_killed=isinstance(error, WorkerError))
        if run.stop_s is not None or not self._started:
            return self._failure(run, "stopped before it began")
        try:
            worker.given.write(input_npz)
        except OSError as error:
            return self._failure(run, f"no room for the input: {error.strerror}")
        run.begun_s, run.cpu_begun_s, run.sent = time.monotonic(), worker.cpu_time_s, True
        worker.send(Run(run.run_id, run.model, len(input_npz), thread_count))
        try:
            await run.ended.wait()
        except asyncio.CancelledError:
            self._request_stop(run, "cancelled")
            while not run.ended.is_set():
                try:
                    await run.ended.wait()
                except asyncio.CancelledError:  # noqa: PERF203 - every wait may be cancelled
                    worker.kill()
            raise
        return self._outcome(run, worker)

    def _outcome(self, run: _Pending, worker: WorkerProcess) -> Outcome:
        reply = run.reply
        if reply is None:
            how = f"{run.stop_reason}; " if run.stop_s is not None else ""
            status = worker.exit_status
            return self._failure(
                run,
                f"{how}the worker died with status {status}",
                duration_s=run.ended_s - run.begun_s,
                cpu_s=worker.cpu_time_s - run.cpu_begun_s,
                worker_killed=True,
            )
        if run.stop_s is not None or isinstance(reply, Failed):
            # A result that came in the instant of the stop is dropped: who stopped the run has
            # counted on that already.
            return self._failure(
                run,
                run.stop_reason if run.stop_s is not None else _text(reply),
                provider=reply.provider,
                duration_s=reply.duration_s,
                inference_s=reply.inference_s,
                cpu_s=reply.cpu_s,
            )
        result = worker.result(reply.result_bytes)
        if len(result) != reply.result_bytes:
            return self._failure(run, "the worker's result is not whole", provider=reply.provider)
        return Outcome(
            ok=True,
            result=result,
            model_sha256=self._models[run.model].card.sha256,
            provider=reply.provider,
            duration_s=reply.duration_s,
            inference_s=reply.inference_s,
            cpu_s=reply.cpu_s,
        )

    def _failure(
        self,
        run: _Pending,
        error: str,
        *,
        provider: str = "",
        duration_s: float = 0.0,
        inference_s: float = 0.0,
        cpu_s: float = 0.0,
        worker_killed: bool = False,
    ) -> Outcome:
        run.end(None)
        model = self._models.get(run.model)
        return Outcome(
            ok=False,
            result=b"",
            model_sha256=model.card.sha256 if model else "",
            provider=provider or self._placed.get(run.model, ""),
            duration_s=duration_s,
            inference_s=inference_s,
            cpu_s=cpu_s,
            error=error,
            aborted=run.stop_s is not None,
            worker_killed=worker_killed,
            stop_latency_s=run.stop_latency_s,
        )

    def _request_stop(self, run: _Pending, reason: str) -> None:
        if run.stop_s is not None:
            return
        run.stop_reason, run.stop_s = reason, time.monotonic()
        logger.info("run=%d event=stop reason=%s", run.run_id, reason)
        worker = self._worker
        if worker is None:
            return
        if not run.sent:
            # Loading models cannot be interrupted in any other way.
            worker.kill()
            return
        worker.terminate(run.run_id)
        asyncio.get_running_loop().call_later(self._stop_grace_s, self._kill_if_going, run, worker)

    def _kill_if_going(self, run: _Pending, worker: WorkerProcess) -> None:
        if not run.ended.is_set():
            logger.warning("run=%d event=kill after_s=%g", run.run_id, self._stop_grace_s)
            worker.kill()

    async def _launch(self) -> WorkerProcess:
        loop = asyncio.get_running_loop()
        begun_s = time.monotonic()
        worker = WorkerProcess(self._received, self._exited)
        self._worker = worker
        if self._on_spawn is not None:
            self._on_spawn(worker.pid)
        ready: asyncio.Future[None] = loop.create_future()
        self._ready = ready
        worker.send(
            Load(
                list(self._models.values()),
                self._providers,
                self._provider_options,
                self._default_threads,
            )
        )
        deadline = loop.call_later(self._start_timeout_s, worker.kill)
        try:
            await ready
        except BaseException:
            await _reap(worker)
            raise
        finally:
            deadline.cancel()
        logger.info(
            "worker_pid=%d event=ready after_s=%.3f providers=%s",
            worker.pid,
            time.monotonic() - begun_s,
            self._placed,
        )
        return worker

    def _received(self, worker: WorkerProcess, message: FromWorker) -> None:
        if isinstance(message, Done | Failed):
            run = self._run
            if run is not None and run.sent and run.run_id == message.run_id:
                run.end(message)
            return
        ready = self._ready
        if worker is not self._worker or ready is None or ready.done():
            return
        if isinstance(message, Ready):
            self._placed = message.providers
            self._runtime_version = message.runtime_version
            ready.set_result(None)
        else:
            ready.set_exception(_REFUSALS[message.kind](message.message))

    def _exited(self, worker: WorkerProcess) -> None:
        logger.info("worker_pid=%d event=gone status=%s", worker.pid, worker.exit_status)
        self._past_cpu_s += worker.cpu_time_s
        if worker is not self._worker:
            return
        self._worker = None
        if self._ready is not None and not self._ready.done():
            said = f": {worker.last_line}" if worker.last_line else ""
            self._ready.set_exception(
                WorkerError(f"the worker did not come up (status {worker.exit_status}){said}")
            )
        if self._run is not None and self._run.sent:
            self._run.end(None)


def _text(reply: Done | Failed) -> str:
    return reply.message if isinstance(reply, Failed) else ""


async def _reap(worker: WorkerProcess) -> None:
    """Kill a worker and wait until it is gone, which no cancellation cuts short."""
    worker.kill()
    cancelled: asyncio.CancelledError | None = None
    while not worker.gone.is_set():
        try:
            await worker.gone.wait()
        except asyncio.CancelledError as error:  # noqa: PERF203 - every wait may be cancelled
            cancelled = error
    if cancelled is not None:
        raise cancelled
