"""The clock that a board's firmware would allow at the die temperature that the emulation gives.

    T_die = T_board + offset P,    f = f_full - slope (T_die - begin), from f_min to f_full

A proportional law, as the soft limit of the Raspberry Pi's firmware looks from outside: the clock
hops between its steps many times a second and its mean falls with the temperature. Power above idle
goes with the clock to a power between 1 (voltage constant) and 3 (voltage with the clock). Limits:
one clock for the whole board, and the die follows the board's power at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_LEAST_CHANGE_RATIO = 0.01
"""A smaller change of the clock is not worth an order to the board, but for that back to full."""


@dataclass(frozen=True, slots=True)
class ThrottleLaw:
    """How the board's firmware lowers its clock when it is hot."""

    clock_mhz: float
    """At full speed."""
    min_clock_mhz: float
    begins_c: float
    slope_mhz_per_k: float
    die_offset_k_per_w: float
    power_exponent: float

    def die_c(self, board_c: float, board_w: float) -> float:
        """Temperature of the die over that of the board's thermal node."""
        return board_c + self.die_offset_k_per_w * board_w

    def allowed_ratio(self, die_c: float) -> float:
        """Clock that the firmware allows, of the full one."""
        excess_k = max(0.0, die_c - self.begins_c)
        allowed_mhz = self.clock_mhz - self.slope_mhz_per_k * excess_k
        return max(self.min_clock_mhz, allowed_mhz) / self.clock_mhz

    def power_ratio(self, clock_ratio: float) -> float:
        """Power above idle at this clock, of that at the full one."""
        return math.pow(clock_ratio, self.power_exponent)

    def loop_gain(self, above_idle_w: float) -> float:
        """How strongly a lower clock cools its own die at once; from 1 on the two would swing."""
        heating_k = self.die_offset_k_per_w * self.power_exponent * above_idle_w
        return self.slope_mhz_per_k / self.clock_mhz * heating_k


class ClockLimit:
    """The limit that stands, and how long there has been one."""

    def __init__(self, law: ThrottleLaw, throttled_s: float) -> None:
        """Begin at the full clock; ``throttled_s`` is the time below it so far."""
        self.law = law
        self.ratio = 1.0
        self.throttled_s = throttled_s
        self._offset_k: float | None = None

    @property
    def offset_measured(self) -> bool:
        """The die's temperature over that of the board is the real board's."""
        return self._offset_k is not None

    def die_c(self, board_c: float, board_w: float) -> float:
        """Temperature of the die, with the offset that the last step had."""
        if self._offset_k is not None:
            return board_c + self._offset_k
        return self.law.die_c(board_c, board_w)

    def follow(
        self, board_c: float, board_w: float, step_s: float, offset_k: float | None = None
    ) -> bool:
        """Take a step that ended at this temperature and power; say whether the limit changed.

        Args:
            board_c: emulated.
            board_w: drawn by the board.
            step_s: how long the step was.
            offset_k: measured temperature of the die over that of the board; None: by the law.
        """
        if self.ratio < 1.0:
            self.throttled_s += step_s
        self._offset_k = offset_k
        allowed = self.law.allowed_ratio(self.die_c(board_c, board_w))
        if allowed == self.ratio or (
            allowed < 1.0 and abs(allowed - self.ratio) < _LEAST_CHANGE_RATIO
        ):
            return False
        self.ratio = allowed
        return True

    def release(self) -> None:
        """The board lost power: it will boot at its full clock."""
        self.ratio = 1.0
        self._offset_k = None
