"""When a ground station sees the node, and where in its sky.

Geometric elevation on the WGS84 ellipsoid: no refraction, which would lengthen a pass at an
elevation mask of 5 degrees by about 2 s. Held to 0.25 s on AOS and LOS against Skyfield. Where a
station has a horizon mask by azimuth, the node is seen above that mask, and what rises between may
split one pass into several.
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
from node.physics.horizon import Horizon, Point
from node.physics.orbit import Orbit
from node.physics.search import crossings, maximum_within, piecewise_crossings, sample_times
from node.physics.vectors import Vector

_SCAN_S = 30.0
_MIN_SCANS_OF_A_PASS = 8


@dataclass(frozen=True, slots=True)
class Station:
    """An antenna on the ground with its local axes, Earth-fixed."""

    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_km: float
    min_elevation_deg: float
    horizon_mask: tuple[Point, ...] = ()
    """Azimuths and lowest elevations, as `Horizon` takes them; empty: the same all round."""
    position_ecef_km: Vector = field(init=False, repr=False, compare=False)
    east_ecef: Vector = field(init=False, repr=False, compare=False)
    north_ecef: Vector = field(init=False, repr=False, compare=False)
    up_ecef: Vector = field(init=False, repr=False, compare=False)
    min_elevation_sine: float = field(init=False, repr=False, compare=False)
    """Of the lowest elevation that is seen at any azimuth."""
    horizon: Horizon | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require("latitude_deg", self.latitude_deg, -90.0, 90.0)
        require("longitude_deg", self.longitude_deg)
        require("altitude_km", self.altitude_km, -10.0)
        require("min_elevation_deg", self.min_elevation_deg, -90.0, 90.0)
        horizon: Horizon | None = None
        lowest_deg = self.min_elevation_deg
        if self.horizon_mask:
            horizon = Horizon(self.horizon_mask, self.min_elevation_deg)
            lowest_deg = horizon.lowest_deg
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
            "min_elevation_sine": sin(radians(lowest_deg)),
            "horizon": horizon,
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
    if station.horizon is None:
        return elevation_sine(station, r_ecef_km) >= station.min_elevation_sine
    return _height_over_horizon_deg(station.horizon, _local_km(station, r_ecef_km)) >= 0.0


def look(station: Station, r_ecef_km: Vector, v_ecef_km_s: Vector) -> Look:
    """Azimuth, elevation, slant range and range rate (Vallado, 4th ed., algorithm 27)."""
    x, y, z = r_ecef_km
    px, py, pz = station.position_ecef_km
    x -= px
    y -= py
    z -= pz
    range_km = sqrt(x * x + y * y + z * z)
    vx, vy, vz = v_ecef_km_s
    east_km, north_km, up_km = _local_km(station, r_ecef_km)
    return Look(
        degrees(atan2(east_km, north_km) % tau),
        degrees(asin(up_km / range_km)),
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
    between two samples of an elevation that has no maximum there. Behind a horizon mask by azimuth
    the search goes on within each pass over the mask's lowest point.
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
        return elevation_sine(station, _ecef_km(orbit, utc_s)) - station.min_elevation_sine

    values = [elevation_sine(station, r) - station.min_elevation_sine for r in track]
    spans = _spans(crossings(margin, times, values), times[0], times[-1], values[0] >= 0.0)
    if station.horizon is not None:
        spans = [
            inner
            for outer in spans
            for inner in _spans_over_horizon(orbit, station, station.horizon, *outer)
        ]
    passes = []
    for aos_utc_s, los_utc_s in spans:
        tca_utc_s = maximum_within(margin, aos_utc_s, los_utc_s, times)
        max_elevation_deg = look_at(station, orbit, tca_utc_s).elevation_deg
        passes.append(Pass(station, aos_utc_s, tca_utc_s, los_utc_s, max_elevation_deg))
    return passes


def _spans(
    edges: list[tuple[float, bool]], start_s: float, end_s: float, begins_above: bool
) -> list[tuple[float, float]]:
    """From edges, each with whether it rises there, to the spans above."""
    bounds = [utc_s for utc_s, _ in edges]
    if begins_above:
        bounds.insert(0, start_s)
    if len(bounds) % 2:
        bounds.append(end_s)
    return list(zip(bounds[::2], bounds[1::2], strict=True))


def _spans_over_horizon(
    orbit: Orbit, station: Station, horizon: Horizon, start_s: float, end_s: float
) -> list[tuple[float, float]]:
    """The parts of a pass over the mask's lowest point in which the node is above the mask.

    At each kink of the mask the height over it has one too. So first the instants are found at
    which the node crosses the vertical planes through the kinks; between these the height is
    smooth, and as the node's way through the sky bends down against any straight piece of the
    mask, it has one hump at most.
    """
    span_s = min(_SCAN_S, (end_s - start_s) / _MIN_SCANS_OF_A_PASS)
    times = sample_times(start_s, end_s, span_s)
    track = [_local_km(station, _ecef_km(orbit, utc_s)) for utc_s in times]
    breaks = set(times)
    for azimuth_deg in horizon.azimuths_deg:
        s, c = sin(radians(azimuth_deg)), cos(radians(azimuth_deg))

        def aside_km(utc_s: float, s: float = s, c: float = c) -> float:
            east_km, north_km, _ = _local_km(station, _ecef_km(orbit, utc_s))
            return east_km * c - north_km * s

        values = [east_km * c - north_km * s for east_km, north_km, _ in track]
        breaks.update(utc_s for utc_s, _ in crossings(aside_km, times, values))

    def margin_deg(utc_s: float) -> float:
        return _height_over_horizon_deg(horizon, _local_km(station, _ecef_km(orbit, utc_s)))

    edges = piecewise_crossings(margin_deg, sorted(breaks))
    return _spans(edges, start_s, end_s, margin_deg(start_s) >= 0.0)


def _height_over_horizon_deg(horizon: Horizon, local_km: Vector) -> float:
    east_km, north_km, up_km = local_km
    elevation_rad = atan2(up_km, sqrt(east_km * east_km + north_km * north_km))
    azimuth_rad = atan2(east_km, north_km) % tau
    return degrees(elevation_rad) - horizon.elevation_deg(degrees(azimuth_rad))


def _ecef_km(orbit: Orbit, utc_s: float) -> Vector:
    return ecef_from_teme(orbit.state(utc_s)[0], gmst_rad(utc_s))


def _local_km(station: Station, r_ecef_km: Vector) -> Vector:
    """East, north and up from the station."""
    x, y, z = r_ecef_km
    px, py, pz = station.position_ecef_km
    x -= px
    y -= py
    z -= pz
    ex, ey, _ = station.east_ecef
    nx, ny, nz = station.north_ecef
    ux, uy, uz = station.up_ecef
    return (ex * x + ey * y, nx * x + ny * y + nz * z, ux * x + uy * y + uz * z)
