"""Where the node is: SGP4 from a two-line element set, an orbit message or mean elements.

Every orbit is propagated by SGP4 (Vallado, Crawford, Hujsak, Kelso, AIAA 2006-6753; WGS72,
improved mode) and so lives in the TEME frame of date. Synthetic orbits enter through ``sgp4init``
without drag. Limits: a published element set is good for about two weeks around its epoch; TEME is
used as the true equator of date, UT1 as UTC.
"""

from __future__ import annotations

import re
from math import acos, atan2, cos, isfinite, pi, radians, sin, sqrt, tau
from typing import NamedTuple

from sgp4.api import SGP4_ERRORS, WGS72, Satrec

from node.errors import PhysicsError, PropagationError
from node.physics.checks import require, require_positive
from node.physics.frames import gmst_rad
from node.physics.vectors import Vector

EARTH_RADIUS_KM = 6378.137
"""Equatorial radius (WGS84); altitudes of synthetic orbits count from it."""

_JULIAN_DATE_OF_POSIX_EPOCH = 2440587.5
_JULIAN_DATE_OF_SGP4_EPOCH = 2433281.5  # 1949-12-31 00:00 UTC
_TROPICAL_YEAR_DAY = 365.2421897
_MINUTES_PER_DAY = 1440.0

# WGS72, the constants that SGP4 itself uses.
_MU_KM3_PER_S2 = 398600.8
_WGS72_RADIUS_KM = 6378.135
_J2 = 0.001082616

_TLE_LENGTH = 69
# Columns of both lines by kind of character: SGP4 itself reads nonsense without a word.
_TLE_COLUMNS = (
    re.compile(
        r"1 [ \dA-Z][ \d]{4}[A-Z ] .{8} \d\d[ \d]{2}\d\.\d{8} [-+ 0]\.\d{8}"
        r" [-+ ][ \d]{5}[-+ ]\d [-+ ][ \d]{5}[-+ ]\d [ \d] [ \d]{4}\d",
        re.ASCII,
    ),
    re.compile(
        r"2 [ \dA-Z][ \d]{4} [ \d]{2}\d\.\d{4} [ \d]{2}\d\.\d{4} [ \d]{7}"
        r" [ \d]{2}\d\.\d{4} [ \d]{2}\d\.\d{4} [ \d]\d\.\d{8}[ \d]{5}\d",
        re.ASCII,
    ),
)
_NOT_A_NUMBER = 0
"""Error code where SGP4 itself reports none."""


class MeanElements(NamedTuple):
    """Mean elements of SGP4 in TEME, as two-line sets and orbit messages state them."""

    epoch_utc_s: float
    mean_motion_rev_per_day: float
    """Kozai's, as these messages state it."""
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float
    """Drag; SGP4 uses no other derivative."""


class Orbit:
    """A propagator for one satellite; construct it with one of the ``from_*`` methods."""

    __slots__ = ("_propagate", "epoch_utc_s", "period_s")

    epoch_utc_s: float
    """POSIX seconds of the elements' epoch."""
    period_s: float
    """Nodal period: from one ascending node to the next, by the secular rates at epoch."""

    def __init__(self, satellite: Satrec, epoch_utc_s: float) -> None:
        """Take an initialised SGP4 record; raises `PropagationError` if it is none."""
        self._propagate = satellite.sgp4_tsince
        self.epoch_utc_s = epoch_utc_s
        # First, since elements that give no state may give no rate either.
        self.state(epoch_utc_s)
        self.period_s = tau / (satellite.mdot + satellite.argpdot) * 60.0

    @classmethod
    def from_tle(cls, line1: str, line2: str) -> Orbit:
        """Read a two-line element set; raises `PhysicsError` where a line is malformed."""
        lines = (line1.rstrip(), line2.rstrip())
        for number, line in enumerate(lines, start=1):
            check_tle_line(number, line)
        if lines[0][2:7] != lines[1][2:7]:
            raise PhysicsError(
                f"TLE: line 1 is of satellite {lines[0][2:7]}, line 2 of {lines[1][2:7]}"
            )
        satellite = Satrec.twoline2rv(*lines, WGS72)
        days = satellite.jdsatepoch - _JULIAN_DATE_OF_POSIX_EPOCH
        return cls(satellite, days * 86400.0 + satellite.jdsatepochF * 86400.0)

    @classmethod
    def from_omm(cls, elements: MeanElements) -> Orbit:
        """Take the elements of a CCSDS orbit mean-elements message (502.0-B)."""
        require("epoch_utc_s", elements.epoch_utc_s)
        require_positive("mean_motion_rev_per_day", elements.mean_motion_rev_per_day)
        require("eccentricity", elements.eccentricity, 0.0, 0.999999)
        require("inclination_deg", elements.inclination_deg, 0.0, 180.0)
        require("raan_deg", elements.raan_deg)
        require("argument_of_perigee_deg", elements.argument_of_perigee_deg)
        require("mean_anomaly_deg", elements.mean_anomaly_deg)
        require("bstar_per_earth_radius", elements.bstar_per_earth_radius)
        satellite = _initialised(
            elements.mean_motion_rev_per_day * tau / _MINUTES_PER_DAY,
            elements.eccentricity,
            radians(elements.inclination_deg),
            radians(elements.raan_deg),
            radians(elements.argument_of_perigee_deg),
            radians(elements.mean_anomaly_deg),
            elements.bstar_per_earth_radius,
            elements.epoch_utc_s,
        )
        return cls(satellite, elements.epoch_utc_s)

    @classmethod
    def from_sso(
        cls,
        altitude_km: float,
        ltan_h: float,
        eccentricity: float,
        argument_of_latitude_deg: float,
        epoch_utc_s: float,
    ) -> Orbit:
        """Sun-synchronous orbit by altitude and mean local time of the ascending node.

        The inclination makes J2's secular drift of the node follow the mean Sun (Vallado,
        Fundamentals of Astrodynamics and Applications, 4th ed., eq. 11-15); the right ascension of
        the node is the mean Sun's plus the local time. The perigee lies at argument 90 degrees, so
        that ``argument_of_latitude_deg`` places the node on its orbit for any eccentricity.
        """
        require("altitude_km", altitude_km, 0.0)
        require("ltan_h", ltan_h, 0.0, 24.0)
        require("eccentricity", eccentricity, 0.0, 0.99)
        require("argument_of_latitude_deg", argument_of_latitude_deg)
        require("epoch_utc_s", epoch_utc_s)
        semi_major_axis_km = EARTH_RADIUS_KM + altitude_km
        inclination_rad = _sun_synchronous_inclination_rad(semi_major_axis_km, eccentricity)
        # The mean Sun's right ascension is the mean sidereal time less the hour angle of mean Sun.
        hour_of_day = epoch_utc_s % 86400.0 / 3600.0
        raan_rad = gmst_rad(epoch_utc_s) + radians(15.0 * (ltan_h - hour_of_day))
        argument_of_perigee_rad = pi / 2.0
        true_anomaly_rad = radians(argument_of_latitude_deg) - argument_of_perigee_rad
        satellite = _from_mean_elements(
            semi_major_axis_km,
            eccentricity,
            inclination_rad,
            raan_rad,
            argument_of_perigee_rad,
            _mean_from_true_anomaly_rad(true_anomaly_rad, eccentricity),
            epoch_utc_s,
        )
        return cls(satellite, epoch_utc_s)

    @classmethod
    def from_keplerian(
        cls,
        altitude_km: float,
        eccentricity: float,
        inclination_deg: float,
        raan_deg: float,
        argument_of_perigee_deg: float,
        mean_anomaly_deg: float,
        epoch_utc_s: float,
    ) -> Orbit:
        """Mean (Brouwer) elements in TEME; ``altitude_km`` is the semi-major axis less 6378.137."""
        require("altitude_km", altitude_km, 0.0)
        require("eccentricity", eccentricity, 0.0, 0.99)
        require("inclination_deg", inclination_deg, 0.0, 180.0)
        require("raan_deg", raan_deg)
        require("argument_of_perigee_deg", argument_of_perigee_deg)
        require("mean_anomaly_deg", mean_anomaly_deg)
        require("epoch_utc_s", epoch_utc_s)
        satellite = _from_mean_elements(
            EARTH_RADIUS_KM + altitude_km,
            eccentricity,
            radians(inclination_deg),
            radians(raan_deg),
            radians(argument_of_perigee_deg),
            radians(mean_anomaly_deg),
            epoch_utc_s,
        )
        return cls(satellite, epoch_utc_s)

    def state(self, utc_s: float) -> tuple[Vector, Vector]:
        """Position in km and velocity in km/s, TEME; raises `PropagationError`."""
        code, r_teme_km, v_teme_km_s = self._propagate((utc_s - self.epoch_utc_s) / 60.0)
        if code:
            raise PropagationError(code, SGP4_ERRORS[code])
        if not isfinite(r_teme_km[0]):
            raise PropagationError(_NOT_A_NUMBER, f"no state at {utc_s} s")
        return r_teme_km, v_teme_km_s


def tle_checksum(line: str) -> int:
    """Sum of the digits of the first 68 characters, a minus counting one, modulo ten."""
    return sum(int(c) if c in "0123456789" else c == "-" for c in line[: _TLE_LENGTH - 1]) % 10


def check_tle_line(number: int, line: str) -> None:
    """Raise `PhysicsError` unless length, columns, checksum and day of a TLE's line are right."""
    if len(line) != _TLE_LENGTH:
        raise PhysicsError(f"TLE line {number}: expected {_TLE_LENGTH} characters, got {len(line)}")
    if not _TLE_COLUMNS[number - 1].fullmatch(line):
        raise PhysicsError(
            f"TLE line {number}: a column does not hold what belongs there: {line!r}"
        )
    expected = tle_checksum(line)
    if line[-1] != str(expected):
        raise PhysicsError(f"TLE line {number}: checksum is {expected}, the line says {line[-1]}")
    # Of the years 1957 to 2056 every fourth is a leap year. SGP4 would count on into another year.
    if number == 1 and not 1.0 <= float(line[20:32]) < (366.0 if int(line[18:20]) % 4 else 367.0):
        raise PhysicsError(f"TLE line 1: the year has no day {line[20:32].strip()}")


def _sun_synchronous_inclination_rad(semi_major_axis_km: float, eccentricity: float) -> float:
    """Inclination at which J2 turns the node once a tropical year, eastward."""
    mean_motion_rad_per_s = sqrt(_MU_KM3_PER_S2 / semi_major_axis_km**3)
    semi_latus_rectum_km = semi_major_axis_km * (1.0 - eccentricity**2)
    drift_rad_per_s = tau / (_TROPICAL_YEAR_DAY * 86400.0)
    cosine = -drift_rad_per_s / (
        1.5 * mean_motion_rad_per_s * _J2 * (_WGS72_RADIUS_KM / semi_latus_rectum_km) ** 2
    )
    if cosine < -1.0:
        raise PhysicsError(
            f"altitude_km: no Sun-synchronous orbit at {semi_major_axis_km - EARTH_RADIUS_KM:g} km"
        )
    return acos(cosine)


def _mean_from_true_anomaly_rad(true_anomaly_rad: float, eccentricity: float) -> float:
    """Kepler's equation read from the position (Vallado, algorithms 5 and 4 in reverse)."""
    eccentric_anomaly_rad = atan2(
        sqrt(1.0 - eccentricity**2) * sin(true_anomaly_rad), eccentricity + cos(true_anomaly_rad)
    )
    return eccentric_anomaly_rad - eccentricity * sin(eccentric_anomaly_rad)


def _from_mean_elements(
    semi_major_axis_km: float,
    eccentricity: float,
    inclination_rad: float,
    raan_rad: float,
    argument_of_perigee_rad: float,
    mean_anomaly_rad: float,
    epoch_utc_s: float,
) -> Satrec:
    """Initialise SGP4 without drag."""
    return _initialised(
        _kozai_mean_motion_rad_per_min(semi_major_axis_km, eccentricity, inclination_rad),
        eccentricity,
        inclination_rad,
        raan_rad,
        argument_of_perigee_rad,
        mean_anomaly_rad,
        0.0,
        epoch_utc_s,
    )


def _initialised(
    kozai_mean_motion_rad_per_min: float,
    eccentricity: float,
    inclination_rad: float,
    raan_rad: float,
    argument_of_perigee_rad: float,
    mean_anomaly_rad: float,
    bstar_per_earth_radius: float,
    epoch_utc_s: float,
) -> Satrec:
    satellite = Satrec()
    satellite.sgp4init(
        WGS72,
        "i",
        1,
        epoch_utc_s / 86400.0 + _JULIAN_DATE_OF_POSIX_EPOCH - _JULIAN_DATE_OF_SGP4_EPOCH,
        bstar_per_earth_radius,
        0.0,
        0.0,
        eccentricity,
        argument_of_perigee_rad % tau,
        inclination_rad,
        mean_anomaly_rad % tau,
        kozai_mean_motion_rad_per_min,
        raan_rad % tau,
    )
    return satellite


def _kozai_mean_motion_rad_per_min(
    semi_major_axis_km: float, eccentricity: float, inclination_rad: float
) -> float:
    """Mean motion as a TLE writes it, for a Brouwer semi-major axis.

    SGP4 turns Kozai's mean motion into Brouwer's at initialisation (Spacetrack Report 3, section
    6); this inverts it by iteration, which contracts with a factor of J2.
    """
    brouwer = sqrt(_MU_KM3_PER_S2 / semi_major_axis_km**3)
    root_mu = sqrt(_MU_KM3_PER_S2) / _WGS72_RADIUS_KM**1.5
    d1 = 0.75 * _J2 * (3.0 * cos(inclination_rad) ** 2 - 1.0) / (1.0 - eccentricity**2) ** 1.5
    kozai = brouwer
    for _ in range(10):
        radii = (root_mu / kozai) ** (2.0 / 3.0)
        delta = d1 / radii**2
        radii *= 1.0 - delta * delta - delta * (1.0 / 3.0 + 134.0 * delta * delta / 81.0)
        kozai = brouwer * (1.0 + d1 / radii**2)
    return kozai * 60.0
