"""Energy between any two instants, from the readings of a board's own meter."""

from __future__ import annotations

from bisect import bisect_left


class EnergyTrace:
    """Cumulative joules over monotonic time.

    Between two readings the power is taken as constant, which for a counter of energy is exact at
    the readings themselves and for a sensor that averages is what it reports.
    """

    def __init__(self) -> None:
        """Begin without a reading."""
        self._wall_s: list[float] = []
        self._energy_j: list[float] = []

    def add(self, wall_s: float, energy_j: float) -> None:
        """Take a reading; one that is no later than that before says nothing new."""
        if not self._wall_s or wall_s > self._wall_s[-1]:
            self._wall_s.append(wall_s)
            self._energy_j.append(energy_j)

    @property
    def until_s(self) -> float:
        """Time of the last reading; minus infinity where there is none."""
        return self._wall_s[-1] if self._wall_s else float("-inf")

    def sample_s(self) -> float | None:
        """Mean time between two readings; None before there are two."""
        if len(self._wall_s) < 2:  # noqa: PLR2004 - a pair
            return None
        return (self._wall_s[-1] - self._wall_s[0]) / (len(self._wall_s) - 1)

    def between_j(self, from_s: float, until_s: float) -> float | None:
        """Joules of a window; None where readings do not reach over it."""
        begin_j, end_j = self._at_j(from_s), self._at_j(until_s)
        return None if begin_j is None or end_j is None else end_j - begin_j

    def _at_j(self, wall_s: float) -> float | None:
        index = bisect_left(self._wall_s, wall_s)
        if index == len(self._wall_s):
            return None
        if self._wall_s[index] == wall_s:
            return self._energy_j[index]
        if index == 0:
            return None
        before_s, after_s = self._wall_s[index - 1 : index + 1]
        before_j, after_j = self._energy_j[index - 1 : index + 1]
        part = (wall_s - before_s) / (after_s - before_s)
        return before_j + part * (after_j - before_j)
