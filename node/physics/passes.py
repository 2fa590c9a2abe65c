"""When a ground station sees the node, and where in its sky.

Geometric elevation on the WGS84 ellipsoid: no refraction, which would lengthen a pass at an
elevation mask of 5 degrees by about 2 s. Held to 0.25 s on AOS and LOS against Skyfield.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import asin, atan2, cos, degrees, radians, sin, sqrt, tau
from typing import NamedTuple

from node.physics.checks import require
from node.physics.frames import (
    ecef_from_geodetic,
    ecef_from_teme,
    ecef_velocity_from_teme,
    gmst_rad,
)
from node.physics.orbit import Orbit
from node.physics.search import crossings, maximum_within, sample_times
from node.physics.vectors import Vector

_SCAN_S = 30.0


@dataclass(frozen=True, slots=True)
class Station:
    """An antenna on the ground with its local axes, Earth-fixed."""

    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_km: float
    min_elevation_deg: float
    position_ecef_km: Vector = field(init=False, repr=False, compare=False)
    east_ecef: Vector = field(init=False, repr=False, compare=False)
    north_ecef: Vector = field(init=False, repr=False, compare=False)
    up_ecef: Vector = field(init=False, repr=False, compare=False)
    min_elevation_sine: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require("latitude_deg", self.latitude_deg, -90.0, 90.0)
        require("longitude_deg", self.longitude_deg)
        require("altitude_km", self.altitude_km, -10.0)
        require("min_elevation_deg", self.min_elevation_deg, -90.0, 90.0)
        latitude_rad = radians(self.latitude_deg)
        longitude_rad = radians(self.longitude_deg)
        sin_latitude, cos_latitude = sin(latitude_rad), cos(latitude_rad)
        sin_longitude, cos_longitude = sin(longitude_rad), cos(longitude_rad)
        derived: dict[str, object] = {
            "position_ecef_km": ecef_from_geodetic(
                self.latitude_deg, self.longitude_deg, self.altitude_km
            ),
            "east_ecef": (-sin_longitude, cos_longitude, 0.0),
            "north_ecef": (
                -sin_latitude * cos_longitude,
                -sin_latitude * sin_longitude,
                cos_latitude,
            ),
            "up_ecef": (cos_latitude * cos_longitude, cos_latitude * sin_longitude, sin_latitude),
            "min_elevation_sine": sin(radians(self.min_elevation_deg)),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


class Look(NamedTuple):
    """Where the node stands in a station's sky."""

    azimuth_deg: float
    """From north over east, 0 to 360."""
    elevation_deg: float
    range_km: float
    range_rate_km_s: float
    """Positive while the node moves away."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One stay of the node above a station's elevation mask."""

    station: Station
    aos_utc_s: float
    tca_utc_s: float
    """When the elevation is greatest."""
    los_utc_s: float
    max_elevation_deg: float


def elevation_sine(station: Station, r_ecef_km: Vector) -> float:
    """Sine of the node's elevation over the station's horizon."""
    x, y, z = r_ecef_km
    px, py, pz = station.position_ecef_km
    ux, uy, uz = station.up_ecef
    x -= px
    y -= py
    z -= pz
    return (ux * x + uy * y + uz * z) / sqrt(x * x + y * y + z * z)


def is_visible(station: Station, r_ecef_km: Vector) -> bool:
    """Whether the node stands at or above the station's elevation mask."""
    return elevation_sine(station, r_ecef_km) >= station.min_elevation_sine


def look(station: Station, r_ecef_km: Vector, v_ecef_km_s: Vector) -> Look:
    """Azimuth, elevation, slant range and range rate (Vallado, 4th ed., algorithm 27)."""
    x, y, z = r_ecef_km
    px, py, pz = station.position_ecef_km
    x -= px
    y -= py
    z -= pz
    range_km = sqrt(x * x + y * y + z * z)
    vx, vy, vz = v_ecef_km_s
    ex, ey, _ = station.east_ecef
    nx, ny, nz = station.north_ecef
    ux, uy, uz = station.up_ecef
    azimuth_rad = atan2(ex * x + ey * y, nx * x + ny * y + nz * z)
    return Look(
        degrees(azimuth_rad % tau),
        degrees(asin((ux * x + uy * y + uz * z) / range_km)),
        range_km,
        (x * vx + y * vy + z * vz) / range_km,
    )


def look_at(station: Station, orbit: Orbit, utc_s: float) -> Look:
    """`look` at an instant of an orbit."""
    r_teme_km, v_teme_km_s = orbit.state(utc_s)
    gmst = gmst_rad(utc_s)
    r_ecef_km = ecef_from_teme(r_teme_km, gmst)
    return look(station, r_ecef_km, ecef_velocity_from_teme(r_ecef_km, v_teme_km_s, gmst))


def find_passes(
    orbit: Orbit, stations: list[Station], start_utc_s: float, end_utc_s: float
) -> list[Pass]:
    """Every pass over every station in the span, in order of AOS.

    A pass that is under way at ``start_utc_s`` has its AOS there, one that is not over at
    ``end_utc_s`` its LOS. The orbit is sampled every 30 s, each maximum of elevation between
    samples is refined by golden section, edges by bisection; a pass is missed only where it hides
    between two samples of an elevation that has no maximum there.
    """
    times = sample_times(start_utc_s, end_utc_s, _SCAN_S)
    track = [ecef_from_teme(orbit.state(utc_s)[0], gmst_rad(utc_s)) for utc_s in times]
    passes = [found for station in stations for found in _passes_over(orbit, station, times, track)]
    return sorted(passes, key=lambda found: found.aos_utc_s)


def _passes_over(
    orbit: Orbit, station: Station, times: list[float], track: list[Vector]
) -> list[Pass]:
    """The passes over one station; ``track`` is the node's Earth-fixed position at ``times``."""

    def margin(utc_s: float) -> float:
        r_ecef_km = ecef_from_teme(orbit.state(utc_s)[0], gmst_rad(utc_s))
        return elevation_sine(station, r_ecef_km) - station.min_elevation_sine

    values = [elevation_sine(station, r) - station.min_elevation_sine for r in track]
    edges = crossings(margin, times, values)
    rises = [utc_s for utc_s, rising in edges if rising]
    sets = [utc_s for utc_s, rising in edges if not rising]
    if values[0] >= 0.0:
        rises.insert(0, times[0])
    if values[-1] >= 0.0:
        sets.append(times[-1])
    passes = []
    for aos_utc_s, los_utc_s in zip(rises, sets, strict=True):
        tca_utc_s = maximum_within(margin, aos_utc_s, los_utc_s, times)
        max_elevation_deg = look_at(station, orbit, tca_utc_s).elevation_deg
        passes.append(Pass(station, aos_utc_s, tca_utc_s, los_utc_s, max_elevation_deg))
    return passes
