"""What stands around a ground station: the lowest elevation at each azimuth.

Straight lines between the points given, in degrees of azimuth and elevation, all the way round;
nowhere less than a lowest elevation that holds for every azimuth.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from node.errors import PhysicsError
from node.physics.checks import require

_AROUND_DEG = 360.0

Point = tuple[float, float]
"""Azimuth and elevation in degrees."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """An elevation mask by azimuth."""

    points: tuple[Point, ...]
    """Azimuths from 0 to below 360, rising."""
    min_elevation_deg: float
    azimuths_deg: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """Where the mask has a kink: between two of these, and on from the last to the first, it is
    straight."""
    lowest_deg: float = field(init=False, repr=False, compare=False)
    _knots: tuple[Point, ...] = field(init=False, repr=False, compare=False)
    """The mask from the last point before azimuth 0 to the first one after 360."""
    _knot_azimuths_deg: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require("min_elevation_deg", self.min_elevation_deg, -90.0, 90.0)
        if not self.points:
            raise PhysicsError("horizon_mask: expected at least one point")
        for azimuth_deg, elevation_deg in self.points:
            require("horizon_mask azimuth", azimuth_deg, 0.0, _AROUND_DEG)
            require("horizon_mask elevation", elevation_deg, -90.0, 90.0)
        azimuths_deg = [azimuth_deg for azimuth_deg, _ in self.points]
        if azimuths_deg[-1] >= _AROUND_DEG or any(b <= a for a, b in pairwise(azimuths_deg)):
            raise PhysicsError("horizon_mask: expected azimuths that rise, all below 360")
        first, last = self.points[0], self.points[-1]
        around = (
            (last[0] - _AROUND_DEG, last[1]),
            *self.points,
            (first[0] + _AROUND_DEG, first[1]),
        )
        knots = _raised(around, self.min_elevation_deg)
        derived = {
            "azimuths_deg": tuple(
                azimuth_deg for azimuth_deg, _ in knots if 0.0 <= azimuth_deg < _AROUND_DEG
            ),
            "lowest_deg": min(elevation_deg for _, elevation_deg in knots),
            "_knots": knots,
            "_knot_azimuths_deg": tuple(azimuth_deg for azimuth_deg, _ in knots),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def elevation_deg(self, azimuth_deg: float) -> float:
        """Lowest elevation at an azimuth from 0 to 360."""
        after = min(bisect_right(self._knot_azimuths_deg, azimuth_deg), len(self._knots) - 1)
        (a0, e0), (a1, e1) = self._knots[after - 1], self._knots[after]
        return e0 + (e1 - e0) * (azimuth_deg - a0) / (a1 - a0)


def _raised(points: tuple[Point, ...], floor_deg: float) -> tuple[Point, ...]:
    """The greater of a polyline and a level, with a point wherever the two meet."""
    raised = [(points[0][0], max(points[0][1], floor_deg))]
    for (a0, e0), (a1, e1) in pairwise(points):
        if (e0 < floor_deg) != (e1 < floor_deg):
            meeting_deg = a0 + (a1 - a0) * (floor_deg - e0) / (e1 - e0)
            if a0 < meeting_deg < a1:
                raised.append((meeting_deg, floor_deg))
        raised.append((a1, max(e1, floor_deg)))
    return tuple(raised)
