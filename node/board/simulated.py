"""A board that exists in the scenario alone: idle or active power, no sensors."""

from __future__ import annotations

from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.core.events import PowerReading, Readings, Source


class SimulatedBoard:
    """Draws ``idle_w``, or ``active_w`` while busy; energy is exact between the calls.

    Who runs the simulated work tells the board by ``set_busy``. Times are whatever the caller
    counts in, so long as they never run backwards: an earlier time than the last one counts as it.
    """

    family = "simulated"
    identity = Identity("simulated")

    def __init__(self, idle_w: float, active_w: float, wall_s: float | None = None) -> None:
        """Take the two powers; counting begins at ``wall_s`` or, without it, at the first call."""
        self._idle_w = idle_w
        self._active_w = active_w
        self._busy_ratio = 0.0
        self._wall_s = wall_s
        self._energy_j = 0.0
        self._busy_s = 0.0
        self._last = (wall_s, 0.0, 0.0)

    @property
    def idle_power_w(self) -> float:
        """Power of the board at rest."""
        return self._idle_w

    def set_busy(self, busy: float, wall_s: float) -> None:
        """From this time on the board is busy (1 or True), idle (0 or False) or in between.

        Raises:
            ValueError: not a share from 0 to 1.
        """
        if not 0.0 <= busy <= 1.0:
            raise ValueError(f"busy share {busy} is not between 0 and 1")
        self._advance(wall_s)
        self._busy_ratio = float(busy)

    def read(self, wall_s: float) -> Readings:
        """Report mean power and utilisation since the read before."""
        self._advance(wall_s)
        last_wall_s, last_energy_j, last_busy_s = self._last
        if last_wall_s is not None and wall_s > last_wall_s:
            interval_s = wall_s - last_wall_s
            power_w = (self._energy_j - last_energy_j) / interval_s
            utilisation_ratio = (self._busy_s - last_busy_s) / interval_s
        else:
            power_w = self._power_w()
            utilisation_ratio = self._busy_ratio
        self._last = (wall_s, self._energy_j, self._busy_s)
        return Readings(
            power=PowerReading(power_w, self._energy_j, wall_s, 0.0, Source.MODELLED, "board"),
            cpu_utilisation_ratio=utilisation_ratio,
        )

    def sensor_health(self) -> tuple[ReaderHealth, ...]:
        """No sensors, no health."""
        return ()

    def close(self) -> None:
        """Nothing is open."""

    def _power_w(self) -> float:
        return self._idle_w + (self._active_w - self._idle_w) * self._busy_ratio

    def _advance(self, wall_s: float) -> None:
        if self._wall_s is not None and wall_s > self._wall_s:
            interval_s = wall_s - self._wall_s
            self._energy_j += self._power_w() * interval_s
            self._busy_s += self._busy_ratio * interval_s
            self._wall_s = wall_s
        elif self._wall_s is None:
            self._wall_s = wall_s
            self._last = (wall_s, 0.0, 0.0)
