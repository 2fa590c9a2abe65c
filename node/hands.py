"""The real hands: carry out effects on the store, the worker and the radio.

Nothing here decides. What takes time runs as a task of the composition root's group and answers
with an event. After an emulated power loss the answers of the time before are not posted: the
board that asked for them is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from node._compat import TaskGroup
from node.board.base import Board
from node.clock import MissionClock
from node.core import effects, events
from node.core.effects import Effect
from node.core.events import PowerReading
from node.enforcement.enforcer import Enforcer
from node.errors import OrbitnodeError, StoreError, WorkerError
from node.icd import Ack, EventReport, InferenceReport, JobSpec, Message
from node.inference.base import Executor, Outcome
from node.metrics import NodeMetrics
from node.radio.radio import CHUNK_PRIORITY, SUFFIXES, Radio
from node.store.node_store import NodeStore
from node.timeline import LiveTimeline

_log = logging.getLogger(__name__)
_RETRY_STORE_S = 1.0


class RealHands:
    """Carries out effects for real."""

    def __init__(
        self,
        group: TaskGroup,
        timeline: LiveTimeline,
        clock: MissionClock,
        store: NodeStore,
        executor: Executor,
        board: Board,
        metrics: NodeMetrics,
        enforcer: Enforcer,
    ) -> None:
        self._group = group
        self._timeline = timeline
        self._clock = clock
        self._store = store
        self._executor = executor
        self._board = board
        self._metrics = metrics
        self._enforcer = enforcer
        self._radio: Radio | None = None
        self._clock_ratio = self._share = 1.0
        self._power_cycle = 0
        """Grows with each power loss and at the stop; answers of an older cycle are dropped."""
        self._results: dict[str, bytes] = {}
        self._stop_reasons: dict[str, str] = {}
        """By job: stopped, perhaps before the executor has heard of it."""
        self._carry: dict[type[Effect], Callable[[Any], None]] = {
            effects.Restore: lambda _effect: self._spawn(self._restore(self._power_cycle)),
            effects.StoreManifest: lambda effect: self._spawn(
                self._store_manifest(effect, self._power_cycle)
            ),
            effects.StoreJobState: lambda effect: self._spawn(
                self._store_job_state(effect.ack, self._power_cycle)
            ),
            effects.SendAck: lambda effect: self._send(effect.ack),
            effects.StartJob: self._start_job,
            effects.AbortJob: self._abort_job,
            effects.StoreResult: self._store_result,
            effects.ReleaseResult: lambda effect: self._spawn(
                self._release(effect.job_id, self._power_cycle)
            ),
            effects.OpenLink: lambda _effect: self.radio.open(),
            effects.CloseLink: lambda _effect: self.radio.close(),
            effects.SendHello: lambda effect: self._send(effect.hello),
            effects.SendManifest: lambda effect: self._send(effect.manifest),
            effects.SendChunk: lambda effect: self.radio.send_chunk(
                effect.object_id, effect.span, CHUNK_PRIORITY
            ),
            effects.SendPull: lambda effect: self._send(effect.pull),
            effects.SendReceipt: lambda effect: self._send(effect.receipt),
            effects.PowerOff: lambda _effect: self._power_off(),
            effects.PowerOn: lambda _effect: self._spawn(self._start_worker(self._power_cycle)),
            effects.ApplyPowerMode: lambda effect: _log.info(
                "power_ceiling_w=%s", effect.power_ceiling_w
            ),
            effects.LimitActivity: self._limit_activity,
            effects.LimitClock: self._limit_clock,
            effects.KillWorker: lambda _effect: self._spawn(self._executor.kill()),
            effects.Publish: lambda effect: self._publish(effect.message),
        }

    @property
    def radio(self) -> Radio:
        """The radio; ``attach_radio`` comes first."""
        if self._radio is None:
            raise RuntimeError("the radio is not attached")
        return self._radio

    def attach_radio(self, radio: Radio) -> None:
        """Give the hands their radio, which posts to the same timeline."""
        self._radio = radio

    async def stop(self) -> None:
        """End the run and every task, also one that still waits for the disk or the worker."""
        self._power_cycle += 1
        await self._executor.close()

    def carry_out(self, effect: Effect, now: float) -> None:  # noqa: ARG002 - simulated hands need it
        """Begin to do what the core wants done."""
        self._carry[type(effect)](effect)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work, name=getattr(work, "__qualname__", None))

    def _post(self, power_cycle: int, event: events.Event) -> None:
        if power_cycle == self._power_cycle:
            self._timeline.post(event)

    def _send(self, message: Message) -> None:
        suffix, priority = SUFFIXES[type(message)]
        self.radio.send(suffix, message, priority)

    def _publish(self, message: Message) -> None:
        if isinstance(message, EventReport):
            _log.info("event=%s severity=%s %s", message.code, message.severity, message.text)
        self._send(message)

    # Power

    def _power_off(self) -> None:
        self._power_cycle += 1
        self._results.clear()
        self._stop_reasons.clear()
        self._clock_ratio = self._share = 1.0
        self._enforcer.release()
        self.radio.drop()
        self._spawn(self._executor.kill())

    def _limit_activity(self, effect: effects.LimitActivity) -> None:
        if (effect.ratio < 1.0) != (self._share < 1.0):
            _log.info("worker_share=%.3f", effect.ratio)
        self._share = effect.ratio
        self._enforcer.limit_activity(effect.ratio)

    def _limit_clock(self, effect: effects.LimitClock) -> None:
        """Make the clock that the emulated firmware allows that of the real board.

        The limit itself stands in the snapshot, what was achieved in the metrics.
        """
        if (effect.ratio < 1.0) != (self._clock_ratio < 1.0):
            state = "throttled" if effect.ratio < 1.0 else "full"
            _log.info("clock=%s ratio=%.3f", state, effect.ratio)
        self._clock_ratio = effect.ratio
        self._enforcer.limit_clock(effect.ratio)

    async def _start_worker(self, cycle: int) -> None:
        if cycle != self._power_cycle:
            return
        try:
            await self._executor.start()
        except OrbitnodeError as error:
            # A power loss during the start is a reason to stop, anything else is news.
            if cycle == self._power_cycle:
                _log.error("worker=failed error=%s", error)

    # Store

    async def _restore(self, cycle: int) -> None:
        self._post(cycle, await self._persist(self._store.restore, cycle))

    async def _store_manifest(self, effect: effects.StoreManifest, cycle: int) -> None:
        manifest = effect.manifest
        try:
            state, known = await self._store.insert_job(manifest, effect.state, effect.reason)
            reason = await self._store.reason(manifest.job.job_id) if known else effect.reason
            held = await self._store.held(manifest.object_id)
        except StoreError as error:
            # Not accepted, so the ground keeps the job and offers it again.
            _log.warning("job=%s custody=refused error=%s", manifest.job.job_id, error)
            return
        self._post(cycle, events.ManifestStored(manifest, state, tuple(held.held), known, reason))

    async def _store_job_state(self, ack: Ack, cycle: int) -> None:
        await self._persist(
            lambda: self._store.set_job_state(ack.job_id, ack.state, ack.reason, ack.mission_s),
            cycle,
        )
        self._send(ack)

    def _store_result(self, effect: effects.StoreResult) -> None:
        # Taken now: a power loss in the same instant clears what is in RAM.
        data = self._results.pop(effect.job.job_id)
        self._spawn(self._keep_result(effect.job, effect.report, data, self._power_cycle))

    async def _keep_result(
        self, job: JobSpec, report: InferenceReport, data: bytes, cycle: int
    ) -> None:
        result = await self._persist(lambda: self._store.store_result(job, report, data), cycle)
        self._post(cycle, events.ResultStored(result))

    async def _release(self, job_id: str, cycle: int) -> None:
        await self._persist(lambda: self._store.release_result(job_id), cycle)
        self._post(cycle, events.ResultReleased(job_id))

    async def _persist(self, write: Callable[[], Coroutine[Any, Any, Any]], cycle: int) -> Any:  # noqa: ANN401
        """Write until the disk takes it; a result is never given up while there is power."""
        refused = False
        while True:
            try:
                return await write()
            except StoreError as error:
                if cycle != self._power_cycle:
                    raise asyncio.CancelledError from error
                if not refused:
                    _log.warning("store=refused error=%s (trying again)", error)
                refused = True
            await asyncio.sleep(_RETRY_STORE_S)

    # Inference

    def _start_job(self, effect: effects.StartJob) -> None:
        self._stop_reasons.pop(effect.job.job_id, None)
        self._spawn(self._run_job(effect, self._power_cycle))

    def _abort_job(self, effect: effects.AbortJob) -> None:
        self._stop_reasons[effect.job_id] = effect.reason
        self._enforcer.let_stop()
        self._spawn(self._executor.abort(effect.reason))

    async def _run_job(self, effect: effects.StartJob, cycle: int) -> None:
        job = effect.job
        started_s = self._clock.now()
        power_before = self._power()
        try:
            outcome = await self._infer(effect, cycle)
        except OrbitnodeError as error:
            dead = isinstance(error, WorkerError)
            outcome = Outcome(
                False, b"", "", "", 0.0, 0.0, 0.0, error=str(error), worker_killed=dead
            )
        energy_j, source = self._energy_above_idle_j(power_before)
        if outcome is None or cycle != self._power_cycle:
            return
        verdict = "ok" if outcome.ok else "aborted" if outcome.aborted else "failed"
        self._metrics.observe_inference(job.model, verdict, outcome.duration_s, energy_j)
        if outcome.stop_latency_s is not None:
            self._metrics.observe_stop(outcome.stop_latency_s)
        if not outcome.ok:
            _log.warning("job=%s outcome=%s error=%s", job.job_id, verdict, outcome.error)
            self._timeline.post(
                events.JobFailed(
                    job_id=job.job_id,
                    reason=outcome.error[:512],
                    aborted=outcome.aborted,
                    stop_latency_s=outcome.stop_latency_s,
                    energy_j=energy_j,
                    worker_killed=outcome.worker_killed,
                )
            )
            return
        self._results[job.job_id] = outcome.result
        report = InferenceReport(
            model=job.model,
            model_sha256=outcome.model_sha256,
            provider=outcome.provider,
            duration_s=outcome.duration_s,
            inference_s=outcome.inference_s,
            energy_j=energy_j,
            energy_source=source,
            started_s=started_s,
            finished_s=self._clock.now(),
        )
        self._timeline.post(events.JobFinished(job.job_id, report))

    async def _infer(self, effect: effects.StartJob, cycle: int) -> Outcome | None:
        """Run the job, unless power is lost or the job is stopped before it has begun."""
        job_id = effect.job.job_id
        data = await self._store.input_bytes(job_id)
        if cycle == self._power_cycle:
            await self._executor.start()
        if cycle != self._power_cycle:
            return None
        reason = self._stop_reasons.get(job_id)
        if reason is not None:
            return Outcome(False, b"", "", "", 0.0, 0.0, 0.0, error=reason, aborted=True)
        self._enforcer.resume()
        self._timeline.post(events.JobStarted(job_id))
        self._board.set_busy(1.0, self._timeline.wall_s())
        try:
            return await self._executor.run(effect.job.model, data, effect.thread_count)
        finally:
            self._board.set_busy(0.0, self._timeline.wall_s())

    def _power(self) -> PowerReading | None:
        return self._board.read(self._timeline.wall_s()).power

    def _energy_above_idle_j(self, before: PowerReading | None) -> tuple[float, str]:
        after = self._power()
        if before is None or after is None:
            return 0.0, events.Source.MODELLED.value
        idle_j = self._board.idle_power_w * (after.wall_s - before.wall_s)
        return max(0.0, after.energy_j - before.energy_j - idle_j), after.source.value
