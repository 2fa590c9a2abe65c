"""Watches the core of a flight, tick by tick, and keeps sums instead of snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from node.core.modes import OperatingMode, Trigger
from node.core.node import NodeCore
from node.forecast.model import Energy, Series
from node.forecast.series import SeriesBuilder
from node.forecast.stretch import Row, Stretch
from node.forecast.tallies import Falls, Meters, PassTally, TurningPoints
from node.report.timeline import ECLIPSE_BELOW_ILLUMINATION
from node.simulation.milestones import Milestones

_HELD_BY: dict[str, str] = {
    Trigger.BROWN_OUT.value: "energy",
    Trigger.CHARGE_EMPTY.value: "energy",
    Trigger.CHARGE_CRITICAL.value: "energy",
    Trigger.CHARGE_LOW.value: "energy",
    Trigger.BOARD_TOO_HOT.value: "heat",
    Trigger.BOARD_WARM.value: "heat",
}
"""What keeps the node from NOMINAL after a change of mode with this cause."""


@dataclass(slots=True)
class OrbitTally:
    """One orbit as it ends."""

    start_s: float
    stop_s: float
    whole: bool
    energy: Energy
    min_state_of_charge: float
    end_state_of_charge: float
    depth_of_discharge: float
    eclipse_s: float
    contact_s: float
    max_board_c: float


class Collector:
    """Sums up a flight; hand ``observe`` to the mission."""

    def __init__(self, core: NodeCore, milestones: Milestones, duration_s: float) -> None:
        """Begin before the flight does.

        Args:
            core: flies; its present state is the beginning.
            milestones: of the jobs.
            duration_s: of the whole flight.
        """
        emulation = core.emulation
        self._milestones = milestones
        self._now = emulation.now
        self.start_s = emulation.now
        self.start_meters = Meters.read(emulation)
        self.initial_state_of_charge = emulation.state_of_charge
        self.turns = TurningPoints(emulation.state_of_charge)
        self.mode_s: dict[OperatingMode, float] = {}
        self.mode_entries: dict[OperatingMode, int] = {core.mode: 1}
        self._mode = core.mode
        self._mode_since_s = self._now
        self._held_by: str | None = None
        self.held_s = {"energy": 0.0, "heat": 0.0}
        """Time below NOMINAL by what keeps the node there."""
        self._dark = emulation.illumination < ECLIPSE_BELOW_ILLUMINATION
        self.eclipses = int(self._dark)
        self.passes: list[PassTally] = []
        self._no_contact_until_s = self._now
        self._bytes = (0, 0)
        self.anomaly_s = 0.0
        """Time within the South Atlantic Anomaly."""
        self.running_s = 0.0
        self.running_clock_s = 0.0
        self.orbits: list[OrbitTally] = []
        self._falls = Falls(emulation.state_of_charge)
        self._orbit_start = (self._now, self.start_meters)
        self._period_s = core.craft.orbit.period_s
        self._series = SeriesBuilder(core, duration_s)
        self.whole = Stretch()
        """Once the flight is finished, all of it."""
        self._orbit = Stretch()
        self._rows: list[Row] = []
        self._contact_s = 0.0
        self._stretch_end_s = self._next_end_s()

    @property
    def now(self) -> float:
        """Mission seconds of the last tick."""
        return self._now

    def observe(self, core: NodeCore) -> None:
        """Take a tick into account."""
        emulation = core.emulation
        before_s, now = self._now, emulation.now
        step_s = now - before_s
        if step_s <= 0.0:
            return
        self._now = now
        clock = core.clock
        self._rows.append(
            (
                step_s,
                emulation.state_of_charge,
                emulation.temperatures_c,
                emulation.illumination,
                1.0 if clock is None else clock.ratio,
            )
        )
        if clock is not None and core.payload.run is not None:
            self.running_s += step_s
            self.running_clock_s += clock.ratio * step_s
        if emulation.upsets is not None and emulation.upsets.in_anomaly:
            self.anomaly_s += step_s
        if core.mode is not self._mode:
            self._change_mode(core)
        if now >= self._no_contact_until_s:
            self._contact_s += self._count_contact(core, before_s, now)
        if now >= self._stretch_end_s:
            self._end_stretch(core)

    def finish(self, core: NodeCore) -> Series:
        """End what is going on, if any of it was flown, and return the series."""
        if self._rows:
            self._end_stretch(core)
        if self._now > self._orbit_start[0]:
            self._end_orbit(core, whole=False)
        self._end_mode()
        return self._series.build()

    def _change_mode(self, core: NodeCore) -> None:
        self._end_mode()
        self._mode = core.mode
        self.mode_entries[core.mode] = self.mode_entries.get(core.mode, 0) + 1
        if core.mode is OperatingMode.NOMINAL:
            self._held_by = None
        else:
            self._held_by = _HELD_BY.get(core.mode_cause, self._held_by)
        self._series.mode_changed(core.mode)

    def _end_mode(self) -> None:
        # The mode is judged at the end of a step: the one before holds for the step.
        lasted_s = self._now - self._mode_since_s
        self._mode_since_s = self._now
        self.mode_s[self._mode] = self.mode_s.get(self._mode, 0.0) + lasted_s
        if self._held_by is not None:
            self.held_s[self._held_by] += lasted_s

    def _count_contact(self, core: NodeCore, before_s: float, now: float) -> float:
        """Count what belongs to contacts; return the seconds of the step within one."""
        contact = core.almanac.contact(now)
        passes = self.passes
        if contact is not None and (not passes or passes[-1].contact is not contact):
            passes.append(PassTally(contact, contact.los_s - core.craft.stop_before_los_s))
        contact_s = 0.0
        for tally in passes[-2:]:
            within_s = min(now, tally.contact.los_s) - max(before_s, tally.contact.aos_s)
            if within_s > 0.0:
                contact_s += within_s
                rates_bps = core.emulation.link_rates_bps(tally.contact.station)
                tally.carry(before_s, now, rates_bps)
        if passes:
            self._count_bytes(core, passes[-1], now - before_s)
        if contact is None and not core.comms.link_up:
            coming = core.almanac.next_contact(now)
            stands_s = core.almanac.stands_until(now)
            self._no_contact_until_s = stands_s if coming is None else min(coming.aos_s, stands_s)
        return contact_s

    def _count_bytes(self, core: NodeCore, tally: PassTally, step_s: float) -> None:
        up_before, down_before = core.payload_bytes_before
        up = up_before + core.comms.uplink.confirmed_bytes
        down = down_before + core.comms.downlink.confirmed_bytes
        tally.up_bytes += up - self._bytes[0]
        tally.down_bytes += down - self._bytes[1]
        self._bytes = (up, down)
        if core.comms.link_up:
            tally.linked_s += step_s

    def _next_end_s(self) -> float:
        # Orbits are counted, so that the delays of their ends do not add up.
        return min(self._series.next_end_s, self.start_s + (len(self.orbits) + 1) * self._period_s)

    def _end_stretch(self, core: NodeCore) -> None:
        """Sum up the rows; a bin and an orbit end with the first tick that is not within them."""
        rows, self._rows = self._rows, []
        charges = [row[1] for row in rows]
        self.turns.extend(charges)
        self._falls.extend(charges)
        for *_, lit, _ in rows:
            dark = lit < ECLIPSE_BELOW_ILLUMINATION
            self.eclipses += dark and not self._dark
            self._dark = dark
        stretch = Stretch.of(rows, self._contact_s)
        self._contact_s = 0.0
        self.whole.merge(stretch)
        self._orbit.merge(stretch)
        self._series.add(core, self._milestones, stretch)
        if self._now >= self.start_s + (len(self.orbits) + 1) * self._period_s:
            self._end_orbit(core, whole=True)
        self._stretch_end_s = self._next_end_s()

    def _end_orbit(self, core: NodeCore, *, whole: bool) -> None:
        orbit, (start_s, start_meters) = self._orbit, self._orbit_start
        meters = Meters.read(core.emulation)
        self.orbits.append(
            OrbitTally(
                start_s=start_s,
                stop_s=self._now,
                whole=whole,
                energy=start_meters.until(meters, core.craft.board_converter_efficiency),
                min_state_of_charge=orbit.charge.minimum,
                end_state_of_charge=core.emulation.state_of_charge,
                depth_of_discharge=self._falls.next_orbit(),
                eclipse_s=orbit.eclipse_s,
                contact_s=orbit.contact_s,
                max_board_c=orbit.temperatures[core.craft.board_node].maximum,
            )
        )
        self._orbit_start = (self._now, meters)
        self._orbit = Stretch()
