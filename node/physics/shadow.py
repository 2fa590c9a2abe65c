"""How much of the Sun the node sees: conical shadow of an oblate Earth without atmosphere.

The Earth's ellipsoid becomes a sphere when the polar axis is stretched by a/b; shadow lines stay
lines, so position and Sun are stretched alike and the spherical formula holds (a spherical Earth is
6 to 22 s off at each crossing; this is within 0.3 s of a ray trace on the ellipsoid). The lit part
is the overlap of two discs (Montenbruck and Gill, Satellite Orbits, section 3.4.2). Other figures
of Earth and Sun can be given, to compare with tools that have others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import acos, asin, degrees, pi, sqrt
from typing import Literal

from node.physics.checks import require
from node.physics.frames import EQUATORIAL_RADIUS_KM, POLAR_RADIUS_KM
from node.physics.orbit import Orbit
from node.physics.search import Function, crossings, sample_times
from node.physics.sun import AU_KM, SunTable
from node.physics.vectors import Vector, cross, dot, unit

SUN_RADIUS_KM = 695_700.0

EclipseKind = Literal["penumbra_entry", "umbra_entry", "umbra_exit", "penumbra_exit"]

# A bound around both cones: tangent of a half-angle never reached (0.0048 at perihelion).
_CONE_SLOPE = 0.005
# Above the radius of the cones where they pass the Earth's centre.
_CONE_WIDENING = 1.00002

_SCAN_S = 60.0


@dataclass(frozen=True, slots=True)
class ShadowFigures:
    """Sizes of what casts the shadow and of what is hidden."""

    equatorial_radius_km: float = EQUATORIAL_RADIUS_KM
    polar_radius_km: float = POLAR_RADIUS_KM
    """Of an oblate Earth, or a sphere where it is the same."""
    sun_radius_km: float = SUN_RADIUS_KM
    stretch: float = field(init=False, repr=False, compare=False)
    stretch_squared: float = field(init=False, repr=False, compare=False)
    cone_radius_km: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Beyond these the bounds of the cones would not hold.
        require("equatorial_radius_km", self.equatorial_radius_km, 6000.0, 7000.0)
        require("polar_radius_km", self.polar_radius_km, 6000.0, self.equatorial_radius_km)
        require("sun_radius_km", self.sun_radius_km, 0.0, 700_000.0)
        stretch = self.equatorial_radius_km / self.polar_radius_km
        object.__setattr__(self, "stretch", stretch)
        object.__setattr__(self, "stretch_squared", stretch * stretch)
        object.__setattr__(self, "cone_radius_km", self.equatorial_radius_km * _CONE_WIDENING)


OURS = ShadowFigures()
"""WGS 84 and the Sun of the IAU."""


@dataclass(frozen=True, slots=True)
class EclipseEvent:
    """One crossing of a shadow's edge."""

    utc_s: float
    kind: EclipseKind


@dataclass(frozen=True, slots=True)
class SunlightChange:
    """The next time that the Sun's centre sets and rises behind the Earth's limb."""

    sunset_utc_s: float | None
    sunrise_utc_s: float | None


def illumination(
    r_teme_km: Vector,
    sun_direction_teme: Vector,
    sun_distance_km: float,
    figures: ShadowFigures = OURS,
) -> float:
    """Part of the Sun's disc that is seen, 0 in the umbra to 1 in full light."""
    x, y, z = r_teme_km
    sx, sy, sz = sun_direction_teme
    stretch_squared = figures.stretch_squared
    # All in the stretched space. Sunward of the Earth's centre there is no shadow.
    along = x * sx + y * sy + stretch_squared * z * sz
    if along >= 0.0:
        return 1.0
    sun_squared = 1.0 + (stretch_squared - 1.0) * sz * sz
    depth_squared = along * along / sun_squared
    width_squared = x * x + y * y + stretch_squared * z * z - depth_squared
    taper_km = _CONE_SLOPE * sqrt(depth_squared)
    outer_km = figures.cone_radius_km + taper_km
    if width_squared >= outer_km * outer_km:
        return 1.0
    inner_km = figures.equatorial_radius_km - taper_km
    if inner_km > 0.0 and width_squared <= inner_km * inner_km:
        return 0.0
    sun, earth, apart = _apparent_angles(r_teme_km, sun_direction_teme, sun_distance_km, figures)
    return _lit_part(sun, earth, apart)


def beta_angle_deg(r_teme_km: Vector, v_teme_km_s: Vector, sun_direction_teme: Vector) -> float:
    """Angle of the Sun above the orbit plane, positive on the side of the orbit normal."""
    sine = dot(unit(cross(r_teme_km, v_teme_km_s)), sun_direction_teme)
    return degrees(asin(max(-1.0, min(1.0, sine))))


def eclipse_events(
    orbit: Orbit, start_utc_s: float, end_utc_s: float, figures: ShadowFigures = OURS
) -> list[EclipseEvent]:
    """Every crossing of the penumbra's and the umbra's edge in the span, in order of time.

    A span that begins in shadow begins with an exit. Edges are refined to 0.1 ms; the model
    is good to 0.3 s. A shadow that is grazed between two samples is found by its minimum.
    """
    scene = _Scene(orbit, figures)
    times = sample_times(start_utc_s, end_utc_s, _SCAN_S)
    events = [
        EclipseEvent(utc_s, "penumbra_exit" if rising else "penumbra_entry")
        for utc_s, rising in _crossings(scene.penumbra_margin, times)
    ] + [
        EclipseEvent(utc_s, "umbra_exit" if rising else "umbra_entry")
        for utc_s, rising in _crossings(scene.umbra_margin, times)
    ]
    return sorted(events, key=lambda event: event.utc_s)


def next_sunlight_change(orbit: Orbit, utc_s: float, horizon_s: float) -> SunlightChange:
    """The first sunset and the first sunrise after ``utc_s``, None beyond ``horizon_s``.

    Both are where the Sun's centre stands on the limb: an illumination of 0.5 within 0.001.
    """
    require("horizon_s", horizon_s, 0.0)
    scene = _Scene(orbit, OURS)
    sunset: float | None = None
    sunrise: float | None = None
    end_utc_s = utc_s + horizon_s
    # One orbit at a time: the answer is nearly always in the first.
    while utc_s < end_utc_s and (sunset is None or sunrise is None):
        until_utc_s = min(end_utc_s, utc_s + orbit.period_s)
        edges = _crossings(scene.limb_margin, sample_times(utc_s, until_utc_s, _SCAN_S))
        if sunset is None:
            sunset = next((edge for edge, rising in edges if not rising), None)
        if sunrise is None:
            sunrise = next((edge for edge, rising in edges if rising), None)
        utc_s = until_utc_s
    return SunlightChange(sunset, sunrise)


def _apparent_angles(
    r_teme_km: Vector,
    sun_direction_teme: Vector,
    sun_distance_km: float,
    figures: ShadowFigures,
) -> tuple[float, float, float]:
    """Angular radius of Sun and Earth and the angle between their centres, stretched space, rad."""
    x, y, z = r_teme_km
    z *= figures.stretch
    sx, sy, sz = sun_direction_teme
    dx = sx * sun_distance_km - x
    dy = sy * sun_distance_km - y
    dz = sz * sun_distance_km * figures.stretch - z
    sun_km = sqrt(dx * dx + dy * dy + dz * dz)
    earth_km = sqrt(x * x + y * y + z * z)
    cosine = -(x * dx + y * dy + z * dz) / (sun_km * earth_km)
    return (
        asin(figures.sun_radius_km / sun_km),
        asin(min(1.0, figures.equatorial_radius_km / earth_km)),
        acos(max(-1.0, min(1.0, cosine))),
    )


def _lit_part(sun: float, earth: float, apart: float) -> float:
    """Part of a disc of angular radius ``sun`` that one of ``earth`` leaves free."""
    if apart >= sun + earth:
        return 1.0
    if apart <= earth - sun:
        return 0.0
    if apart <= sun - earth:
        # The Earth stands inside the Sun's disc: more than 1.4 million km away.
        return 1.0 - earth * earth / (sun * sun)
    chord = (apart * apart + sun * sun - earth * earth) / (2.0 * apart)
    half = sqrt(max(0.0, sun * sun - chord * chord))
    covered = (
        sun * sun * acos(max(-1.0, min(1.0, chord / sun)))
        + earth * earth * acos(max(-1.0, min(1.0, (apart - chord) / earth)))
        - apart * half
    )
    return 1.0 - covered / (pi * sun * sun)


class _Scene:
    """Margins, in radians, from the shadow's edges along an orbit; negative in shadow."""

    def __init__(self, orbit: Orbit, figures: ShadowFigures) -> None:
        self._orbit = orbit
        self._figures = figures
        self._sun = SunTable()

    def _angles(self, utc_s: float) -> tuple[float, float, float]:
        direction, distance_au = self._sun.at(utc_s)
        return _apparent_angles(
            self._orbit.state(utc_s)[0], direction, distance_au * AU_KM, self._figures
        )

    def penumbra_margin(self, utc_s: float) -> float:
        sun, earth, apart = self._angles(utc_s)
        return apart - earth - sun

    def limb_margin(self, utc_s: float) -> float:
        _, earth, apart = self._angles(utc_s)
        return apart - earth

    def umbra_margin(self, utc_s: float) -> float:
        sun, earth, apart = self._angles(utc_s)
        return apart - earth + sun


def _crossings(margin: Function, times: list[float]) -> list[tuple[float, bool]]:
    """Zeros of a margin and whether the node comes out of shadow there."""
    return crossings(margin, times, [margin(utc_s) for utc_s in times])
