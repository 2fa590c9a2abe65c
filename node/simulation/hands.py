"""Hands that touch nothing: every effect becomes an entry of the agenda."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from node.board.simulated import SimulatedBoard
from node.config.scenario import Scenario
from node.core import effects, events
from node.core.effects import Effect
from node.core.events import Event
from node.core.jobs import ENDED_BADLY, JobState
from node.core.node import NodeCore
from node.icd import Hello, InferenceReport, Manifest, Receipt, encode
from node.physics.linkbudget import one_way_light_time_s
from node.simulation.disk import SimulatedDisk
from node.simulation.ground import SimulatedGround, workload_jobs
from node.simulation.link import Chaos, Geometry, SimulatedLink
from node.simulation.milestones import Milestones
from node.simulation.progress import Progress
from node.timeline import Agenda

_CONNECT_S = 1.0
"""From the modem's lock to the MQTT session."""
_STOP_S = 0.01
"""How long a simulated run takes to stop."""
_NO_MODEL = "0" * 64


class SimulatedHands:
    """Carries out effects in virtual time: disk, executor, link and ground in one place."""

    def __init__(
        self,
        scenario: Scenario,
        core: NodeCore,
        agenda: Agenda,
        board: SimulatedBoard,
        chaos: Chaos | None,
    ) -> None:
        self._core = core
        self._agenda = agenda
        self._board = board
        self._chaos = chaos
        self._backhaul_s = {
            station.name: station.backhaul_delay_s for station in scenario.ground_station
        }
        self.ground = SimulatedGround()
        self.disk = SimulatedDisk()
        self.milestones = Milestones()
        self.link = SimulatedLink(self._geometry)
        self._manifests: dict[str, Manifest] = {}
        self._run_number = 0
        self._running: Progress | None = None
        self._clock_ratio = 1.0
        for submitted_s, manifest in workload_jobs(scenario.workload):
            agenda.at(submitted_s, partial(self._submit, manifest))
        self._carry: dict[type[Effect], Callable[[Any, float], None]] = {
            effects.Restore: self._restore,
            effects.StoreManifest: self._store_manifest,
            effects.StoreJobState: self._store_job_state,
            effects.SendAck: self._send_ack,
            effects.StartJob: self._start_job,
            effects.AbortJob: self._abort_job,
            effects.StoreResult: self._store_result,
            effects.ReleaseResult: self._release_result,
            effects.OpenLink: self._open_link,
            effects.CloseLink: self._close_link,
            effects.SendHello: self._send_hello,
            effects.SendManifest: self._send_manifest,
            effects.SendChunk: self._send_chunk,
            effects.SendPull: self._send_pull,
            effects.SendReceipt: lambda _effect, _now: None,
            effects.PowerOff: self._power_off,
            effects.PowerOn: lambda _effect, _now: None,
            effects.ApplyPowerMode: lambda _effect, _now: None,
            effects.LimitClock: self._limit_clock,
            effects.KillWorker: self._kill_worker,
            effects.Publish: self._publish,
        }

    def carry_out(self, effect: Effect, now: float) -> None:
        """Put the consequences of an effect on the agenda."""
        self._carry[type(effect)](effect, now)

    # Disk

    def _restore(self, _effect: effects.Restore, now: float) -> None:
        self._post(now, self.disk.restore())

    def _store_manifest(self, effect: effects.StoreManifest, now: float) -> None:
        manifest = effect.manifest
        self._manifests[manifest.object_id] = manifest
        self.milestones.offered(manifest.job.job_id, now)
        state, known = self.disk.insert_job(manifest, effect.state)
        self._note_end(manifest.job.job_id, state)
        held = self.disk.held(manifest.object_id)
        self._post(
            now, events.ManifestStored(manifest, state, held, known, "" if known else effect.reason)
        )

    def _store_job_state(self, effect: effects.StoreJobState, now: float) -> None:
        self.disk.set_state(effect.ack.job_id, effect.ack.state)
        self._note_end(effect.ack.job_id, effect.ack.state)
        self._send_ack(effects.SendAck(effect.ack), now)

    def _store_result(self, effect: effects.StoreResult, now: float) -> None:
        size_bytes = self._core.craft.models[effect.job.model].result_bytes
        result = self.disk.store_result(effect.job, effect.report, size_bytes)
        self.milestones.stored(effect.job.job_id, size_bytes)
        self._post(now, events.ResultStored(result))

    def _release_result(self, effect: effects.ReleaseResult, now: float) -> None:
        self.disk.set_state(effect.job_id, "delivered")
        self._post(now, events.ResultReleased(effect.job_id))

    def _note_end(self, job_id: str, state: str) -> None:
        if JobState(state) in ENDED_BADLY:
            self.milestones.turned_away(job_id)

    # Executor

    def _start_job(self, effect: effects.StartJob, now: float) -> None:
        craft = self._core.craft
        figures = craft.models[effect.job.model]
        self._running = Progress(
            job_id=effect.job.job_id,
            model=effect.job.model,
            started_s=now,
            work_left_s=figures.duration_s,
            above_idle_w=max(0.0, figures.active_w - craft.board_idle_w),
            clock_ratio=self._clock_ratio,
            power_ratio=self._power_ratio(),
        )
        self.milestones.started(effect.job.job_id, now)
        self._post(now, events.JobStarted(effect.job.job_id))
        self._go_on(self._running, now)

    def _go_on(self, run: Progress, now: float) -> None:
        """Draw the run's power from now on, and put its end on the agenda."""
        craft = self._core.craft
        span_w = craft.board_active_w - craft.board_idle_w
        share = run.above_idle_w * run.power_ratio / span_w if span_w > 0.0 else 1.0
        self._board.set_busy(share, now)
        self._run_number += 1
        number = self._run_number
        report = InferenceReport(
            model=run.model,
            model_sha256=_NO_MODEL,
            provider="simulated",
            duration_s=run.duration_s,
            inference_s=run.duration_s,
            energy_j=run.energy_at_end_j,
            energy_source=events.Source.MODELLED.value,
            started_s=run.started_s,
            finished_s=run.end_s,
        )

        def finish(at: float) -> Event | None:
            if number != self._run_number:
                return None
            self._end_run(at)
            self.milestones.finished(run.job_id, at, report.energy_j)
            return events.JobFinished(run.job_id, report)

        self._agenda.at(run.end_s, finish)

    def _limit_clock(self, effect: effects.LimitClock, now: float) -> None:
        self._clock_ratio = effect.ratio
        run = self._running
        if run is not None:
            run.change_clock(now, effect.ratio, self._power_ratio())
            self._go_on(run, now)

    def _power_ratio(self) -> float:
        law = self._core.craft.throttle
        return 1.0 if law is None else law.power_ratio(self._clock_ratio)

    def _abort_job(self, effect: effects.AbortJob, now: float) -> None:
        self._fail_run(now, effect.reason, aborted=True)

    def _kill_worker(self, _effect: effects.KillWorker, now: float) -> None:
        self._fail_run(now, "the worker died", aborted=False)

    def _fail_run(self, now: float, reason: str, *, aborted: bool) -> None:
        if self._running is None:
            return
        run = self._running
        self._end_run(now)
        failed = events.JobFailed(
            job_id=run.job_id,
            reason=reason,
            aborted=aborted,
            stop_latency_s=_STOP_S if aborted else None,
            energy_j=run.energy_until_j(now),
            worker_killed=not aborted,
        )
        self._post(now + _STOP_S, failed)

    def _end_run(self, now: float) -> None:
        self._run_number += 1
        self._running = None
        self._board.set_busy(0.0, now)

    def _power_off(self, _effect: effects.PowerOff, now: float) -> None:
        self._end_run(now)
        self._clock_ratio = 1.0
        self._cut(now)

    # Link

    def _open_link(self, _effect: effects.OpenLink, now: float) -> None:
        self._connect(now)

    def _connect(self, now: float) -> None:
        self.link.open()
        self.milestones.linked(now)
        session = self.link.session
        self._agenda.at(now + _CONNECT_S, self._in_session(session, lambda _at: events.LinkUp()))
        if self._chaos is not None:
            broken_s = now + _CONNECT_S + self._chaos.session_length_s()
            self._agenda.at(broken_s, self._in_session(session, self._break))

    def _break(self, now: float) -> Event:
        self._cut(now)
        self._connect(now)
        return events.LinkDown("broken")

    def _close_link(self, _effect: effects.CloseLink, now: float) -> None:
        self._cut(now)
        self._post(now, events.LinkDown("goodbye"))

    def _cut(self, now: float) -> None:
        self.link.close()
        self.milestones.cut(now)
        self.ground.responder.handle_lost()

    def _geometry(self) -> Geometry:
        contact = self._core.comms.contact
        if contact is None:
            return Geometry(0.0, 0.0, 0.0, 0.0)
        uplink_bps, downlink_bps = self._core.link_rates_bps()
        range_km = self._core.emulation.look(contact.station).range_km
        return Geometry(uplink_bps, downlink_bps, range_km, self._backhaul_s[contact.station.name])

    def _delays_s(self) -> tuple[float, float]:
        """Light time and backhaul of the link that stands."""
        geometry = self._geometry()
        return one_way_light_time_s(geometry.range_km), geometry.backhaul_s

    def _in_session(
        self, session: int, action: Callable[[float], Event | None]
    ) -> Callable[[float], Event | None]:
        """Do it only if the session still stands by then."""
        return lambda at: action(at) if session == self.link.session else None

    def _down(self, size_bytes: int, now: float, action: Callable[[float], Event | None]) -> None:
        arrival_s = self.link.downlink_arrival_s(size_bytes, now)
        self._agenda.at(arrival_s, self._in_session(self.link.session, action))

    def _up(self, size_bytes: int, now: float, event: Event) -> None:
        arrival_s = self.link.uplink_arrival_s(size_bytes, now)
        self._agenda.at(arrival_s, self._in_session(self.link.session, lambda _at: event))

    def _submit(self, manifest: Manifest, now: float) -> None:
        self.milestones.submitted(manifest, now)
        for offer in self.ground.submit(manifest):
            self._up(len(encode(offer)), now, events.ManifestReceived(offer))

    def _send_ack(self, effect: effects.SendAck, now: float) -> None:
        if self.link.up:
            self._down(
                len(encode(effect.ack)), now, lambda _at: self.ground.acknowledged(effect.ack)
            )

    def _send_hello(self, effect: effects.SendHello, now: float) -> None:
        self._down(len(encode(effect.hello)), now, lambda at: self._hello(effect.hello, at))

    def _hello(self, hello: Hello, now: float) -> None:
        for message in self.ground.responder.handle_hello(hello, now):
            size_bytes = len(encode(message))
            if isinstance(message, Hello):
                self._up(size_bytes, now, events.HelloReceived(message))
            else:
                self._up(size_bytes, now, events.ManifestReceived(message))

    def _send_manifest(self, effect: effects.SendManifest, now: float) -> None:
        self.milestones.announced(effect.manifest.job.job_id, now)
        self._down(
            len(encode(effect.manifest)),
            now,
            lambda at: self._answer(self.ground.result_offered(effect.manifest, at), at),
        )

    def _send_chunk(self, effect: effects.SendChunk, now: float) -> None:
        size_bytes = effect.span[1] - effect.span[0]
        self._down(
            size_bytes,
            now,
            lambda at: self._answer(
                self.ground.chunk_arrived(effect.object_id, effect.span, at), at
            ),
        )

    def _answer(self, receipt: Receipt | None, now: float) -> None:
        if receipt is None:
            return
        if receipt.complete:
            for job_id in receipt.jobs:
                self.milestones.delivered(job_id, now, *self._delays_s())
        self._up(len(encode(receipt)), now, events.ReceiptReceived(receipt))

    def _send_pull(self, effect: effects.SendPull, now: float) -> None:
        def serve(at: float) -> None:
            for object_id, span in self.ground.responder.handle_pull(effect.pull):
                arrival_s = self.link.uplink_arrival_s(span[1] - span[0], at)
                arrived = partial(self._chunk, object_id, span)
                self._agenda.at(arrival_s, self._in_session(self.link.session, arrived))

        self._down(len(encode(effect.pull)), now, serve)

    def _chunk(self, object_id: str, span: tuple[int, int], now: float) -> Event:
        complete = self.disk.write(self._manifests[object_id], span)
        if complete:
            self.milestones.uploaded(object_id, now, *self._delays_s())
        return events.ChunkStored(object_id, span, complete)

    def _publish(self, effect: effects.Publish, now: float) -> None:
        if self.link.up:
            self._down(len(encode(effect.message)), now, lambda _at: None)

    def _post(self, time_s: float, event: Event) -> None:
        self._agenda.at(time_s, lambda _at: event)
