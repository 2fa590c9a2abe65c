"""Where the Sun is, seen from the Earth's centre, in the TEME frame of date.

Meeus, Astronomical Algorithms, 2nd ed., chapter 25, low accuracy, apparent place: within 0.009
degrees of JPL's DE421 from 2000 to 2050. The place is of date, so it fits TEME vectors as it is;
read as J2000 it would be 0.4 degrees off. Terrestrial time is taken as UTC (69 s: 0.0008 degrees).
"""

from __future__ import annotations

from math import cos, floor, radians, sin
from typing import NamedTuple

from node.physics.vectors import Vector

SOLAR_CONSTANT_W_PER_M2 = 1361.0
"""Total solar irradiance at 1 au (Kopp and Lean, 2011)."""
AU_KM = 149_597_870.7

_POSIX_S_OF_J2000 = 946_728_000.0
_JULIAN_CENTURY_S = 3_155_760_000.0
_new = tuple.__new__
"""Makes a named tuple in half the time that its own constructor, Python code, takes."""


class SunPosition(NamedTuple):
    """The Sun at one instant."""

    direction_teme: Vector
    """Unit vector from the Earth's centre."""
    distance_au: float


def sun_teme(utc_s: float) -> SunPosition:
    """Apparent place of the Sun at ``utc_s``."""
    t = (utc_s - _POSIX_S_OF_J2000) / _JULIAN_CENTURY_S
    anomaly = radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - 0.000042037 * t
    centre = (
        (1.914602 - t * (0.004817 + 0.000014 * t)) * sin(anomaly)
        + (0.019993 - 0.000101 * t) * sin(2.0 * anomaly)
        + 0.000289 * sin(3.0 * anomaly)
    )
    node = radians(125.04 - 1934.136 * t)
    # Aberration and nutation in longitude are the last two terms.
    longitude = radians(
        280.46646 + t * (36000.76983 + 0.0003032 * t) + centre - 0.00569 - 0.00478 * sin(node)
    )
    obliquity = radians(23.439291 - 0.0130042 * t + 0.00256 * cos(node))
    distance_au = (
        1.000001018
        * (1.0 - eccentricity * eccentricity)
        / (1.0 + eccentricity * cos(anomaly + radians(centre)))
    )
    s = sin(longitude)
    return SunPosition((cos(longitude), cos(obliquity) * s, sin(obliquity) * s), distance_au)


class SunTable:
    """`sun_teme` for a clock that moves on: interpolated between instants 1800 s apart.

    The instants lie on a fixed grid, so the answer is a function of ``utc_s`` alone, whatever was
    asked before. A chord of 1800 s leaves the arc by at most 2e-8 rad, in direction and in length.
    """

    __slots__ = ("_direction", "_distance_au", "_distance_slope", "_from_utc_s", "_slope")

    _SPAN_S = 1800.0

    def __init__(self) -> None:
        self._load(0.0)

    def at(self, utc_s: float) -> SunPosition:
        """The Sun at ``utc_s``, within 2e-8 rad of `sun_teme`."""
        elapsed_s = utc_s - self._from_utc_s
        if not 0.0 <= elapsed_s < self._SPAN_S:
            self._load(utc_s)
            elapsed_s = utc_s - self._from_utc_s
        x, y, z = self._direction
        dx, dy, dz = self._slope
        return _new(
            SunPosition,
            (
                (x + dx * elapsed_s, y + dy * elapsed_s, z + dz * elapsed_s),
                self._distance_au + self._distance_slope * elapsed_s,
            ),
        )

    def _load(self, utc_s: float) -> None:
        """Take the two grid instants around ``utc_s``."""
        span_s = self._SPAN_S
        self._from_utc_s = floor(utc_s / span_s) * span_s
        (x0, y0, z0), self._distance_au = self._direction, _ = sun_teme(self._from_utc_s)
        (x1, y1, z1), distance_au = sun_teme(self._from_utc_s + span_s)
        self._slope = ((x1 - x0) / span_s, (y1 - y0) / span_s, (z1 - z0) / span_s)
        self._distance_slope = (distance_au - self._distance_au) / span_s
