"""The core of the node: events in, effects out.

One object owns all state, one method changes it, and time is an argument. What the shell does with
the effects comes back as events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from node.core import effects, events
from node.core.almanac import Almanac
from node.core.comms import Comms
from node.core.craft import Spacecraft
from node.core.effects import Effect
from node.core.emulation import Emulation, EmulationState
from node.core.enforcement import Enforcement
from node.core.events import Event, Readings
from node.core.governor import Supply
from node.core.jobs import JobState, ModelEstimate
from node.core.modes import (
    LIMITS,
    OperatingMode,
    Trigger,
    standing_trigger,
    transition,
)
from node.core.payload import Payload, PayloadLimits, PayloadTotals, new_totals
from node.core.picture import take_picture
from node.core.snapshot import NodeSnapshot
from node.core.throttle import ClockLimit
from node.core.upsets import Upsets
from node.icd import EventReport, Housekeeping, Receipt

_HOUSEKEEPING_EVERY_S = 10.0
_SAFE_COMMAND = "safe"
_MODE_COMMANDS = {
    "nominal": Trigger.COMMAND_NOMINAL,
    "reduced": Trigger.COMMAND_REDUCED,
    _SAFE_COMMAND: Trigger.COMMAND_SAFE,
}


class NodeCore:
    """Decides for the node. Pure: the same events at the same times give the same effects."""

    payload: Payload
    comms: Comms

    def __init__(
        self,
        craft: Spacecraft,
        limits: PayloadLimits,
        boot_id: str,
        start: EmulationState,
        now: float = 0.0,
    ) -> None:
        """Begin in the mode of ``start``: OFF if the battery was empty, BOOT otherwise.

        Args:
            craft: what flies.
            limits: what the payload computer takes in.
            boot_id: identity of this run of the daemon; each emulated boot adds its number.
            start: where the emulation goes on.
            now: mission seconds of the start.
        """
        self.craft = craft
        self.almanac = Almanac(craft)
        self.emulation = Emulation(craft, start, now)
        self._limits = limits
        self._boot_id = boot_id
        self._models = {
            name: ModelEstimate(
                figures.max_duration_s,
                figures.duration_s,
                figures.duration_s * max(0.0, figures.active_w - craft.board_idle_w),
            )
            for name, figures in craft.models.items()
        }
        self._totals: PayloadTotals = new_totals(self._models)
        self.enforcement = Enforcement(craft, limits, start.throttled_s)
        self.ticks = 0
        self.tick_slips = 0
        self.boots = start.boots
        self.payload_bytes_before = (0, 0)
        self.sessions_before = 0
        self._enter(OperatingMode(start.mode))
        self.mode_since_s = now
        self.mode_cause = "start"
        self.readings = Readings()
        self._held_safe = False
        self._restored = False
        self._boot_until_s = now + craft.boot_s
        self._next_tick_s = now
        self._next_edge_s = now
        self._plan_stands_until_s = now
        self._next_housekeeping_s = now
        self._housekeeping_sequence = 0
        self._faults_to_come = [fault for fault in craft.faults if fault.at_s >= now]
        self._boot_effects: list[Effect] = []
        self._handlers: dict[type[Event], Callable[[Any, float], list[Effect]]] = {
            events.Tick: self._tick,
            events.Restored: self._restore,
            events.ManifestReceived: self._manifest_received,
            events.ManifestStored: self._manifest_stored,
            events.ChunkStored: self._chunk_stored,
            events.ObjectRefused: self._object_refused,
            events.JobStarted: self._job_started,
            events.JobFinished: self._job_finished,
            events.JobFailed: self._job_failed,
            events.ResultStored: self._result_stored,
            events.ResultReleased: self._result_released,
            events.LinkUp: self._link_up,
            events.LinkDown: self._link_down,
            events.HelloReceived: self._hello,
            events.ReceiptReceived: self._receipt,
            events.Telecommand: self._telecommand,
            events.FaultInjected: self._fault,
        }
        if self.mode is OperatingMode.OFF:
            self._lose_ram()
        else:
            self._boot_effects = self._boot(now)

    def start(self) -> list[Effect]:
        """Return the effects that begin the run; call once, before the first event."""
        begin, self._boot_effects = self._boot_effects, []
        return begin

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event at mission time ``now`` and return what is to be done.

        Raises:
            TransitionError: a telecommand asks for a mode that cannot follow; nothing changes.
        """
        if not self._allowed.powered and not isinstance(event, (events.Tick, events.FaultInjected)):
            return []  # without power nothing on board hears anything
        done = self._handlers[type(event)](event, now)
        if self._allowed.powered and self._restored:
            if self.payload.run is None and self.payload.jobs.waiting:
                done += self.payload.dispatch(self._supply(now), now)
            if self.comms.link_up:
                done += self.comms.pump(now, *self.link_rates_bps())
            done += self.enforcement.limit_activity(now, self.readings, self.payload)
        return done

    def next_deadline(self) -> float:
        """Mission time at which a ``Tick`` is due at the latest."""
        due_s = self._next_tick_s
        payload, comms = self.payload, self.comms
        if self._allowed.powered and (
            payload.run is not None or payload.deferral is not None or comms.link_up
        ):
            for other_s in (
                payload.next_deadline(),
                comms.next_deadline(),
                self.enforcement.look_s(payload),
            ):
                if other_s is not None and other_s < due_s:
                    due_s = other_s
        if self._faults_to_come:
            due_s = min(due_s, self._faults_to_come[0].at_s)
        return due_s

    def snapshot(self) -> NodeSnapshot:
        """Take one frozen, consistent picture of the present state."""
        return take_picture(self)

    def emulation_state(self) -> EmulationState:
        """Return what has to survive a restart of the daemon."""
        state = self.emulation.state(self.mode.value, self.boots)
        return state if self.clock is None else replace(state, throttled_s=self.clock.throttled_s)

    @property
    def clock(self) -> ClockLimit | None:
        """What the emulated firmware makes of the board's heat; None without a throttle."""
        return self.enforcement.clock

    def link_rates_bps(self) -> tuple[float, float]:
        """Expected rates of uplink and downlink at this instant, from the link budget."""
        contact = self.comms.contact
        return (0.0, 0.0) if contact is None else self.emulation.link_rates_bps(contact.station)

    @property
    def limits(self) -> PayloadLimits:
        """What the payload computer takes in."""
        return self._limits

    @property
    def totals(self) -> PayloadTotals:
        """Counts that outlive a boot."""
        return self._totals

    # Time

    def _tick(self, event: events.Tick, now: float) -> list[Effect]:
        self.ticks += 1
        self.readings = event.readings
        done: list[Effect] = []
        while self._faults_to_come and self._faults_to_come[0].at_s <= now:
            fault = self._faults_to_come.pop(0)
            done += self._fault(events.FaultInjected(fault.kind, fault.value), now)
        emulation = self.emulation
        step_s = now - emulation.now
        emulation.advance(
            now,
            event.readings.power,
            rate=self._limits.rate,
            powered=self._allowed.powered,
            transmitting=self.comms.link_up,
            running=self.payload.run is not None,
        )
        if emulation.upsets is not None and emulation.upsets.has_news:
            done += self._upset(emulation.upsets, now)
        self._next_tick_s = now + self.craft.tick_s
        for notice in self.enforcement.watch(now, step_s, self.readings, emulation, self.payload):
            done += self._report(now, *notice)
        done += self._judge_mode(now)
        if self._allowed.powered:
            if (clock := self.enforcement.clock) is not None:
                done += self.enforcement.limit_clock(clock, step_s, self.readings, emulation)
            if self.payload.run is not None:
                done += self.payload.stop_if_over_budget(now)
            if now >= self._plan_stands_until_s:
                done += self._follow_plan(now)
                self._next_edge_s = self.almanac.next_edge(now)
                self._plan_stands_until_s = self.almanac.stands_until(now)
            if self._next_edge_s < self._next_tick_s:  # noqa: PLR1730 - min() would cost more
                self._next_tick_s = self._next_edge_s
            if self.comms.link_up:
                done += self._housekeeping(now)
        return done

    def _judge_mode(self, now: float) -> list[Effect]:
        trigger = standing_trigger(
            self.mode,
            self.craft.thresholds,
            self.emulation.state_of_charge,
            self.emulation.temperatures_c[self.craft.board_node],
            brown_out=self.emulation.brown_out,
            booted=self._restored and now >= self._boot_until_s,
            held_safe=self._held_safe,
            ceiling_unmet=self.enforcement.ceiling_unmet,
        )
        return [] if trigger is None else self._change_mode(trigger, now)

    def _change_mode(self, trigger: Trigger, now: float) -> list[Effect]:
        before, after = self.mode, transition(self.mode, trigger)
        self._enter(after)
        if after is OperatingMode.REDUCED:
            self.enforcement.ceiling.engage(now, self.emulation.board_consumed_j)
        else:
            self.enforcement.ceiling.release()
        self.mode_since_s = now
        self.mode_cause = trigger.value
        rising = before in {OperatingMode.BOOT, OperatingMode.OFF} or after is OperatingMode.NOMINAL
        severity = "info" if rising else "warning"
        done = self._report(
            now, severity, "mode", f"{before.value} to {after.value}: {trigger.value}"
        )
        if after is OperatingMode.OFF:
            self._lose_ram()
            return [*done, effects.PowerOff()]
        if after is OperatingMode.BOOT:
            return [effects.PowerOn(), *done, *self._boot(now)]
        ceiling_w = self.craft.reduced_power_ceiling_w if after is OperatingMode.REDUCED else None
        done.append(effects.ApplyPowerMode(ceiling_w))
        return [*done, *self.payload.mode_changed(after), *self._follow_plan(now)]

    def _enter(self, mode: OperatingMode) -> None:
        self.mode = mode
        # Kept beside it: an enumeration's hash is slow, and every step asks.
        self._allowed = LIMITS[mode]

    def _boot(self, now: float) -> list[Effect]:
        self._lose_ram()
        self.boots += 1
        self._enter(OperatingMode.BOOT)
        self._boot_until_s = now + self.craft.boot_s
        return [effects.Restore()]

    def _lose_ram(self) -> None:
        if hasattr(self, "comms"):
            up, down = self.payload_bytes_before
            self.payload_bytes_before = (
                up + self.comms.uplink.confirmed_bytes,
                down + self.comms.downlink.confirmed_bytes,
            )
            self.sessions_before += self.comms.sessions
        self.payload = Payload(
            self._limits,
            self.craft.thresholds,
            self._models,
            self._totals,
            self.enforcement.ceiling.headroom_w,
        )
        self.comms = Comms(f"{self._boot_id}-{self.boots + 1}", self._limits.rate)
        self.enforcement.reset()
        self._restored = False
        self._held_safe = False

    def _follow_plan(self, now: float) -> list[Effect]:
        contact = self.almanac.contact(now)
        open_now = contact is not None and (
            contact.open_s <= now < contact.los_s - self.craft.stop_before_los_s
        )
        return self.comms.follow_plan(contact if open_now else None, allowed=self._allowed.radio)

    def _supply(self, now: float) -> Supply:
        emulation = self.emulation
        _, sunrise_s = self.almanac.sunlight(now)
        return Supply(
            mode=self.mode,
            state_of_charge=emulation.state_of_charge,
            capacity_j=emulation.capacity_j,
            solar_w=emulation.solar_w,
            standing_load_w=emulation.standing_load_w(transmitting=self.comms.link_up),
            next_sunrise_s=sunrise_s if emulation.illumination < 1.0 else None,
            board_c=emulation.temperatures_c[self.craft.board_node],
            board_capacity_j_per_k=self.craft.board_capacity_j_per_k,
        )

    # The store and the payload

    def _restore(self, event: events.Restored, now: float) -> list[Effect]:
        self._restored = True
        for stored in event.jobs:
            job = self.payload.restore(stored)
            if job.state is JobState.RECEIVED:
                self.comms.uplink.add(job.manifest, stored.held)
            elif job.state is JobState.STORED and job.result is not None:
                self.comms.downlink.add(job.result)
        return self._report(now, "info", "restored", f"{len(event.jobs)} jobs from disk")

    def _manifest_received(self, event: events.ManifestReceived, now: float) -> list[Effect]:
        return self.payload.offered(event.manifest, now)

    def _job_started(self, event: events.JobStarted, now: float) -> list[Effect]:
        self.payload.started(event.job_id, now)
        return []

    def _job_finished(self, event: events.JobFinished, now: float) -> list[Effect]:
        return self.payload.finished(event, now)

    def _job_failed(self, event: events.JobFailed, now: float) -> list[Effect]:
        return self.payload.failed(event, now)

    def _manifest_stored(self, event: events.ManifestStored, now: float) -> list[Effect]:
        done, pull = self.payload.offer_stored(event, now)
        if pull:
            self.comms.uplink.add(event.manifest, event.held)
        return done

    def _chunk_stored(self, event: events.ChunkStored, now: float) -> list[Effect]:
        self.comms.uplink.confirm(event.object_id, [event.span], now)
        if not event.complete:
            return []
        self.comms.uplink.remove(event.object_id)
        whole = Receipt(object_id=event.object_id, held=[], complete=True)
        return [effects.SendReceipt(whole), *self.payload.input_complete(event.object_id, now)]

    def _object_refused(self, event: events.ObjectRefused, now: float) -> list[Effect]:
        self.comms.uplink.replace_held(event.object_id, ())
        return self._report(now, "warning", "object-refused", f"{event.reason}")

    def _result_stored(self, event: events.ResultStored, now: float) -> list[Effect]:
        done = self.payload.result_stored(event.result, now)
        if done:
            self.comms.downlink.add(event.result)
        return done

    def _result_released(self, event: events.ResultReleased, _now: float) -> list[Effect]:
        self.payload.result_released(event.job_id)
        return []

    # The link

    def _link_up(self, _event: events.LinkUp, now: float) -> list[Effect]:
        self._next_housekeeping_s = now
        return self.comms.link_came_up(now)

    def _link_down(self, _event: events.LinkDown, _now: float) -> list[Effect]:
        self.comms.link_went_down()
        return []

    def _hello(self, event: events.HelloReceived, now: float) -> list[Effect]:
        return self.comms.hello_received(event.hello, now)

    def _receipt(self, event: events.ReceiptReceived, now: float) -> list[Effect]:
        return [
            effects.ReleaseResult(result.job.job_id, result.object_id)
            for result in self.comms.receipt_received(event.receipt, now)
        ]

    # Orders and faults

    def _telecommand(self, event: events.Telecommand, now: float) -> list[Effect]:
        # Raises before anything changes where the table has no such transition.
        done = self._change_mode(_MODE_COMMANDS[event.argument], now)
        self._held_safe = event.argument == _SAFE_COMMAND
        return done

    def _fault(self, event: events.FaultInjected, now: float) -> list[Effect]:
        done = self._report(now, "warning", "fault", f"{event.fault} {event.value:g}")
        if event.fault == "array_loss":
            self.emulation.array_health = 1.0 - event.value
        elif event.fault == "worker_kill":
            done.append(effects.KillWorker())
        elif self.mode in {OperatingMode.NOMINAL, OperatingMode.REDUCED}:
            self._held_safe = True
            done += self._change_mode(Trigger.FAULT_SAFE, now)
        return done

    def _upset(self, upsets: Upsets, now: float) -> list[Effect]:
        uncorrected, interrupts = upsets.take_news()
        done: list[Effect] = []
        if uncorrected:
            done += self._report(
                now, "warning", "memory-upset", f"{uncorrected} uncorrected, modelled"
            )
        if interrupts:
            text = f"{interrupts} modelled, the worker is killed"
            done += self._report(now, "warning", "functional-interrupt", text)
            done.append(effects.KillWorker())
        return done

    # Telemetry

    def _report(self, now: float, severity: str, code: str, text: str) -> list[Effect]:
        return [
            effects.Publish(EventReport(mission_s=now, severity=severity, code=code, text=text))
        ]

    def _housekeeping(self, now: float) -> list[Effect]:
        if now < self._next_housekeeping_s:
            return []
        self._next_housekeeping_s = now + _HOUSEKEEPING_EVERY_S
        self._housekeeping_sequence += 1
        return [
            effects.Publish(
                Housekeeping(
                    mission_s=now,
                    mode=self.mode.value,
                    state_of_charge=self.emulation.state_of_charge,
                    illumination=self.emulation.illumination,
                    solar_w=self.emulation.solar_w,
                    load_w=self.emulation.load_w,
                    temperatures_c=dict(
                        zip(self.craft.thermal_names, self.emulation.temperatures_c, strict=True)
                    ),
                    jobs=self.payload.jobs.counts(),
                    sequence=self._housekeeping_sequence,
                )
            )
        ]
