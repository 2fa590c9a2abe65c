"""The line from one satellite to another: its length, and how near it comes to the Earth.

Both positions are in one frame whose z axis is the Earth's (TEME here, Earth-fixed as well). The
lowest point of the line is that of the straight segment between them over the WGS84 ellipsoid,
without refraction. The first guess scales z by the ratio of the axes, which makes the Earth a
sphere of 6378.137 km; Newton's method on the slope of the geodetic height then takes out what is
left, which is up to a 300th of the height. Held to 1 m against a dense search. Limits: both ends
are taken at one instant, so what they move while the light is under way (at most 15 km/s over some
20 ms) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from typing import NamedTuple

from node.errors import PhysicsError
from node.physics.checks import require, require_positive
from node.physics.frames import (
    EQUATORIAL_RADIUS_KM,
    POLAR_RADIUS_KM,
    geodetic_from_ecef,
)
from node.physics.linkbudget import one_way_light_time_s
from node.physics.orbit import Orbit
from node.physics.vectors import Vector, dot

_Z_SCALE = EQUATORIAL_RADIUS_KM / POLAR_RADIUS_KM
_DEEP_KM = -3000.0
"""Below this the first guess will do: that the Earth is in between is all there is to say."""
_NEWTON_STEPS = 3
"""Each leaves about a hundredth of the error along the line; the height goes with its square."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another satellite, and what a link to it asks of the geometry."""

    name: str
    orbit: Orbit
    min_grazing_altitude_km: float
    """The line of sight stays this far above the ellipsoid."""
    max_range_km: float

    def __post_init__(self) -> None:
        require("min_grazing_altitude_km", self.min_grazing_altitude_km, 0.0)
        require_positive("max_range_km", self.max_range_km)


class Crosslink(NamedTuple):
    """The geometry between two satellites at one instant."""

    range_km: float
    range_rate_km_s: float
    """Positive while they move apart."""
    delay_s: float
    """One way, at the speed of light."""
    grazing_altitude_km: float
    """Of the line's lowest point, over the ellipsoid; negative where the Earth is in between."""


def crosslink(r_a_km: Vector, v_a_km_s: Vector, r_b_km: Vector, v_b_km_s: Vector) -> Crosslink:
    """Range, range rate, delay and grazing altitude between two satellites.

    Args:
        r_a_km: position of one, in an inertial frame with the Earth's z axis.
        v_a_km_s: its velocity in that frame.
        r_b_km: position of the other.
        v_b_km_s: its velocity.

    Raises:
        PhysicsError: both are in one place.
    """
    line_km = _difference(r_b_km, r_a_km)
    range_km = sqrt(dot(line_km, line_km))
    if not range_km > 0.0:
        raise PhysicsError(f"two satellites in one place, or in none: {r_a_km} and {r_b_km}")
    return Crosslink(
        range_km,
        dot(line_km, _difference(v_b_km_s, v_a_km_s)) / range_km,
        one_way_light_time_s(range_km),
        grazing_altitude_km(r_a_km, r_b_km),
    )


def crosslink_at(orbit: Orbit, neighbour: Neighbour, utc_s: float) -> Crosslink:
    """`crosslink` from the satellite on ``orbit`` to a neighbour; raises `PropagationError`."""
    return crosslink(*orbit.state(utc_s), *neighbour.orbit.state(utc_s))


def has_line_of_sight(neighbour: Neighbour, link: Crosslink) -> bool:
    """Whether the line clears the Earth and is no longer than the neighbour's link allows."""
    return (
        link.grazing_altitude_km >= neighbour.min_grazing_altitude_km
        and link.range_km <= neighbour.max_range_km
    )


def grazing_altitude_km(r_a_km: Vector, r_b_km: Vector) -> float:
    """Height over the ellipsoid of the lowest point of the line between two positions.

    Where that is more than 3000 km under the ground it is told within a hundredth only.
    """
    line_km = _difference(r_b_km, r_a_km)
    length_squared = dot(line_km, line_km)
    scaled_a_km = (r_a_km[0], r_a_km[1], r_a_km[2] * _Z_SCALE)
    scaled_line_km = (line_km[0], line_km[1], line_km[2] * _Z_SCALE)
    part = _within(-dot(scaled_a_km, scaled_line_km) / dot(scaled_line_km, scaled_line_km))
    latitude_deg, longitude_deg, height_km = _geodetic_at(r_a_km, line_km, part)
    if height_km < _DEEP_KM:
        return height_km
    for _ in range(_NEWTON_STEPS):
        latitude_rad, longitude_rad = radians(latitude_deg), radians(longitude_deg)
        up = (
            cos(latitude_rad) * cos(longitude_rad),
            cos(latitude_rad) * sin(longitude_rad),
            sin(latitude_rad),
        )
        # The height's slope along the line is that of the line against the vertical; its second
        # derivative is what the vertical turns, with the Earth taken as round for that alone.
        slope_km = dot(up, line_km)
        bend_km = (length_squared - slope_km * slope_km) / (EQUATORIAL_RADIUS_KM + height_km)
        if bend_km <= 0.0:
            # The line is vertical: its lower end is its lowest point, and that is the guess.
            break
        part = _within(part - slope_km / bend_km)
        latitude_deg, longitude_deg, height_km = _geodetic_at(r_a_km, line_km, part)
    return height_km


def _geodetic_at(r_a_km: Vector, line_km: Vector, part: float) -> tuple[float, float, float]:
    return geodetic_from_ecef(
        (
            r_a_km[0] + part * line_km[0],
            r_a_km[1] + part * line_km[1],
            r_a_km[2] + part * line_km[2],
        )
    )


def _within(part: float) -> float:
    return min(1.0, max(0.0, part))


def _difference(a: Vector, b: Vector) -> Vector:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])
