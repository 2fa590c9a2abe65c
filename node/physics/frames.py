"""From TEME to the rotating Earth and to geodetic coordinates (WGS84).

Assumptions: UT1 = UTC (worth at most 0.1 s on a pass), no polar motion (at most 17 m).
"""

from __future__ import annotations

from math import atan2, cos, degrees, pi, radians, sin, sqrt, tau

from node.physics.vectors import Vector

EQUATORIAL_RADIUS_KM = 6378.137
POLAR_RADIUS_KM = 6356.752314245
EARTH_RATE_RAD_PER_S = 7.292115146706979e-5

_POSIX_S_OF_J2000 = 946_728_000.0
_JULIAN_CENTURY_S = 3_155_760_000.0
_RADIANS_PER_SIDEREAL_SECOND = pi / 43200.0
_ECCENTRICITY_SQUARED = 1.0 - (POLAR_RADIUS_KM / EQUATORIAL_RADIUS_KM) ** 2
_AXIS_RATIO = EQUATORIAL_RADIUS_KM / POLAR_RADIUS_KM


def gmst_rad(utc_s: float) -> float:
    """Greenwich mean sidereal time 1982, 0 to 2 pi (Vallado, 4th ed., eq. 3-47)."""
    elapsed_s = utc_s - _POSIX_S_OF_J2000
    t = elapsed_s / _JULIAN_CENTURY_S
    # The polynomial's 876600 h a century is the elapsed time itself: said so, no digit is lost.
    sidereal_s = 67310.54841 + elapsed_s + t * (8640184.812866 + t * (0.093104 - 6.2e-6 * t))
    return sidereal_s * _RADIANS_PER_SIDEREAL_SECOND % tau


def ecef_from_teme(r_teme_km: Vector, gmst: float) -> Vector:
    """Rotate a position to the Earth-fixed frame at Greenwich mean sidereal time ``gmst`` (rad)."""
    c = cos(gmst)
    s = sin(gmst)
    x, y, z = r_teme_km
    return (c * x + s * y, c * y - s * x, z)


def ecef_velocity_from_teme(r_ecef_km: Vector, v_teme_km_s: Vector, gmst: float) -> Vector:
    """Velocity in km/s as the rotating Earth sees it (Vallado, 4th ed., section 3.7)."""
    c = cos(gmst)
    s = sin(gmst)
    vx, vy, vz = v_teme_km_s
    return (
        c * vx + s * vy + EARTH_RATE_RAD_PER_S * r_ecef_km[1],
        c * vy - s * vx - EARTH_RATE_RAD_PER_S * r_ecef_km[0],
        vz,
    )


def geodetic_from_ecef(r_ecef_km: Vector) -> tuple[float, float, float]:
    """Latitude and longitude in degrees, height in km above the ellipsoid.

    Bowring (Survey Review 23, 1976) from a first guess of the reduced latitude, applied twice:
    within 1e-9 degrees from the ground to the geostationary ring.
    """
    x, y, z = r_ecef_km
    p = sqrt(x * x + y * y)
    reduced_rad = atan2(_AXIS_RATIO * z, p)
    latitude_rad = 0.0
    for _ in range(2):
        s = sin(reduced_rad)
        c = cos(reduced_rad)
        latitude_rad = atan2(
            z + _ECCENTRICITY_SQUARED * _AXIS_RATIO * EQUATORIAL_RADIUS_KM * s * s * s,
            p - _ECCENTRICITY_SQUARED * EQUATORIAL_RADIUS_KM * c * c * c,
        )
        reduced_rad = atan2(sin(latitude_rad), _AXIS_RATIO * cos(latitude_rad))
    s = sin(latitude_rad)
    height_km = (
        p * cos(latitude_rad)
        + z * s
        - EQUATORIAL_RADIUS_KM * sqrt(1.0 - _ECCENTRICITY_SQUARED * s * s)
    )
    return (degrees(latitude_rad), degrees(atan2(y, x)), height_km)


def ecef_from_geodetic(latitude_deg: float, longitude_deg: float, altitude_km: float) -> Vector:
    """Position of a place by WGS84 latitude, longitude and height (Vallado, eq. 3-7)."""
    s = sin(radians(latitude_deg))
    c = cos(radians(latitude_deg))
    longitude_rad = radians(longitude_deg)
    curvature_km = EQUATORIAL_RADIUS_KM / sqrt(1.0 - _ECCENTRICITY_SQUARED * s * s)
    p = (curvature_km + altitude_km) * c
    return (
        p * cos(longitude_rad),
        p * sin(longitude_rad),
        (curvature_km * (1.0 - _ECCENTRICITY_SQUARED) + altitude_km) * s,
    )
