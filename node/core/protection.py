"""Whether the real board is so near to a limit of its own that nothing may be raised.

The board's own firmware and kernel protect it, and they come first: within five kelvin of the trip
at which they begin to slow it down, or while the supply's voltage is too low, whatever is enforced
for the orbit's sake may only ever be lowered further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.core.events import Hardware, Readings, ThrottleReading

MARGIN_K = 5.0
HYSTERESIS_K = 2.0
UNDER_VOLTAGE = "under-voltage"
UNDER_VOLTAGE_FOR_S = 10.0
"""An event of under-voltage counts for this many real seconds; a flag for as long as it stands."""


@dataclass(frozen=True, slots=True)
class BoardLimits:
    """What the real board protects itself at, and by which sensor its own temperature is known."""

    trips_c: Mapping[str, float] = field(default_factory=dict)
    """By sensor, where kernel or firmware begins to slow the board down."""
    die_limit_c: float | None = None
    """The same for the hottest place of the processor."""
    board_sensor: str | None = None
    """Temperature of the board beside the die; None: it has no such sensor."""


class Protection:
    """Watches the real board; ``reason`` is why nothing may be raised now, or None."""

    def __init__(self, limits: BoardLimits, rate: float) -> None:
        """Begin with a board that is well."""
        self._limits = limits
        self._rate = rate
        self._low_until_s = float("-inf")
        self._events: int | None = None
        self.reason: str | None = None

    def follow(self, readings: Readings, now: float) -> bool:
        """Take the readings of a tick; say whether protection began or ended."""
        held = self.reason is not None
        hardware = readings.hardware or Hardware()
        margin_k = MARGIN_K + held * HYSTERESIS_K
        self.reason = self._too_hot(readings, hardware, margin_k) or self._low(hardware, now)
        return held != (self.reason is not None)

    def _too_hot(self, readings: Readings, hardware: Hardware, margin_k: float) -> str | None:
        for reading in readings.temperatures:
            trip_c = self._limits.trips_c.get(reading.sensor)
            if trip_c is not None and reading.temperature_c >= trip_c - margin_k:
                return f"{reading.sensor} at {reading.temperature_c:.1f} C, trip at {trip_c:g} C"
        limit_c, die_c = self._limits.die_limit_c, hardware.die_c
        if limit_c is not None and die_c is not None and die_c >= limit_c - margin_k:
            return f"die at {die_c:.1f} C, limit at {limit_c:g} C"
        return None

    def _low(self, hardware: Hardware, now: float) -> str | None:
        for each in hardware.throttles:
            if each.reason == UNDER_VOLTAGE and (each.active or self._counted(each)):
                self._low_until_s = now + (each.active is None) * UNDER_VOLTAGE_FOR_S * self._rate
        return UNDER_VOLTAGE if now <= self._low_until_s else None

    def _counted(self, reading: ThrottleReading) -> bool:
        """Say whether the board's counter has grown; the first count is only where it begins."""
        before, self._events = self._events, reading.events
        return None not in {before, reading.events} and before != reading.events


def die_offset_k(readings: Readings, board_sensor: str | None) -> float | None:
    """Measured temperature of the die above that of the board, or None where that is not measured.

    Args:
        readings: of the real board.
        board_sensor: which of its temperatures is that of the board; None: it has none.
    """
    die_c = None if readings.hardware is None else readings.hardware.die_c
    if die_c is None:
        return None
    for reading in readings.temperatures:
        if reading.sensor == board_sensor:
            return max(0.0, die_c - reading.temperature_c)
    return None
