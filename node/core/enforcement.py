"""What is held back on the real board: the run's share of time, the joules, the clock.

Brings the ceiling's loop, the emulated firmware's clock and the protection of the real board
together and orders what has changed. Nothing is raised while the real board protects itself; what
was to be raised meanwhile is raised when that is over.
"""

from __future__ import annotations

from typing import NamedTuple

from node.core import effects
from node.core.ceiling import Ceiling, Look
from node.core.craft import Spacecraft
from node.core.effects import Effect
from node.core.emulation import Emulation
from node.core.events import Readings
from node.core.governor import Reason
from node.core.payload import Payload, PayloadLimits, Run
from node.core.protection import Protection, die_offset_k
from node.core.throttle import ClockLimit

_LEAST_CHANGE = 0.005
"""A smaller change of the worker's share is not worth an order, but for that to the whole."""


class Notice(NamedTuple):
    """Something that the ground should hear of."""

    severity: str
    code: str
    text: str


class Enforcement:
    """Outlives a boot: what was learned of the board stays true."""

    def __init__(self, craft: Spacecraft, limits: PayloadLimits, throttled_s: float) -> None:
        """Begin with nothing held back; ``throttled_s`` is the time below the full clock so far."""
        self.ceiling = Ceiling(
            craft.reduced_power_ceiling_w, craft.board_idle_w, craft.board_active_w, limits.rate
        )
        self.clock = None if craft.throttle is None else ClockLimit(craft.throttle, throttled_s)
        self.protection = Protection(limits.board, limits.rate)
        self.share = 1.0
        """Of the worker's time, as it was ordered last."""
        self._board_node = craft.board_node
        # At another rate the watts that heat the real die are not those of the emulation.
        self._board_sensor = limits.board.board_sensor if limits.rate == 1.0 else None
        self._clock_ordered = 1.0
        self._run: Run | None = None

    @property
    def ceiling_unmet(self) -> bool:
        """The board draws more than the ceiling with nothing left to lower."""
        return self.ceiling.unmet and not self.ceiling.fits

    def reset(self) -> None:
        """The board lost power: whatever was ordered died with the worker."""
        if self.clock is not None:
            self.clock.release()
        self._clock_ordered = self.share = 1.0
        self._run = None

    def look_s(self, payload: Payload) -> float | None:
        """When the ceiling's loop wants a tick, or None where any will do."""
        return self.ceiling.next_s if _long(payload.run) else None

    def watch(
        self, now: float, step_s: float, readings: Readings, emulation: Emulation, payload: Payload
    ) -> list[Notice]:
        """Take a tick into account; return what the ground should hear of."""
        notices: list[Notice] = []
        protection = self.protection
        if (
            readings.temperatures or readings.hardware is not None or protection.reason is not None
        ) and protection.follow(readings, now):
            notices.append(self._protected())
        ceiling, was_unmet = self.ceiling, self.ceiling.unmet
        run, deferral, reading = payload.run, payload.deferral, readings.power
        if run is not None:
            payload.slow(run, now, self.share, step_s)
        age_s = None if reading is None else reading.age_s
        if ceiling.engaged:
            ceiling.observe(
                Look(
                    now=now,
                    energy_j=emulation.board_consumed_j,
                    reading_age_s=age_s,
                    run_began_s=None if run is None else run.started_s,
                    long_run=_long(run),
                    paced=deferral is not None and deferral.reason is Reason.PACING,
                    hold=protection.reason is not None,
                )
            )
        else:
            ceiling.follow(now, emulation.board_consumed_j, age_s)
        payload.bucket.refill_at(now, ceiling.headroom_w)
        if ceiling.unmet and not was_unmet:
            text = f"{ceiling.mean_w:.2f} W, nothing left to lower, ceiling {ceiling.ceiling_w:g} W"
            notices.append(Notice("warning", "ceiling-unmet", text))
        return notices

    def limit_clock(
        self, clock: ClockLimit, step_s: float, readings: Readings, emulation: Emulation
    ) -> list[Effect]:
        """Follow the emulated firmware after a step."""
        board_c = emulation.temperatures_c[self._board_node]
        offset_k = die_offset_k(readings, self._board_sensor)
        clock.follow(board_c, emulation.board_w, step_s, offset_k)
        if clock.ratio == self._clock_ordered or self._must_wait(clock.ratio, self._clock_ordered):
            return []
        self._clock_ordered = clock.ratio
        return [effects.LimitClock(clock.ratio)]

    def limit_activity(self, now: float, readings: Readings, payload: Payload) -> list[Effect]:
        """Give the run that goes on its share, and none that has ended."""
        run, reading = payload.run, readings.power
        if run is None and self._run is None and self.share == 1.0:
            return []
        long = _long(run)
        if run is not self._run:
            self._run = run
            if long:
                self.ceiling.run_begins(now, None if reading is None else reading.age_s)
        share = self.ceiling.share if long and self.ceiling.engaged else 1.0
        small = share < 1.0 and abs(share - self.share) < _LEAST_CHANGE
        if small or share == self.share or self._must_wait(share, self.share):
            return []
        self.share = share
        return [effects.LimitActivity(share)]

    def _protected(self) -> Notice:
        reason = self.protection.reason
        if reason is None:
            return Notice("info", "board-protected", "over")
        return Notice("warning", "board-protected", f"{reason}: no limit is raised")

    def _must_wait(self, ratio: float, ordered: float) -> bool:
        return ratio > ordered and self.protection.reason is not None


def _long(run: Run | None) -> bool:
    return run is not None and run.long
