from __future__ import annotations

from math import degrees, dist, hypot, pi, radians

import pytest

from node.physics.frames import (
    EARTH_RATE_RAD_PER_S,
    EQUATORIAL_RADIUS_KM,
    POLAR_RADIUS_KM,
    ecef_from_geodetic,
    ecef_from_teme,
    ecef_velocity_from_teme,
    geodetic_from_ecef,
    gmst_rad,
)
from node.physics.sun import SunTable, sun_teme

J2000_UTC_S = 946_728_000.0


def test_sidereal_time_of_a_textbook() -> None:
    # Vallado, Fundamentals of Astrodynamics, example 3-5: 1992-08-20 12:14 UT1, 152.578788 degrees.
    assert degrees(gmst_rad(714_312_840.0)) == pytest.approx(152.578788, abs=1e-5)


def test_sidereal_day_is_shorter_than_the_solar_day() -> None:
    turned = gmst_rad(J2000_UTC_S + 86_400.0) - gmst_rad(J2000_UTC_S)
    assert degrees(turned) % 360.0 == pytest.approx(0.98565, abs=1e-4)
    assert 0.0 <= gmst_rad(-1e9) < 2.0 * pi


def test_rotation_to_the_earth() -> None:
    quarter = pi / 2.0
    assert ecef_from_teme((7000.0, 0.0, 100.0), quarter) == pytest.approx((0.0, -7000.0, 100.0))
    r_ecef_km = ecef_from_teme((7000.0, 0.0, 100.0), quarter)
    v_ecef_km_s = ecef_velocity_from_teme(r_ecef_km, (0.0, 7.5, 1.0), quarter)
    assert v_ecef_km_s == pytest.approx((7.5 - 7000.0 * EARTH_RATE_RAD_PER_S, 0.0, 1.0))


def test_velocity_is_the_derivative_of_the_position() -> None:
    r_km, v_km_s = (5000.0, -4000.0, 2500.0), (3.0, 6.0, -2.0)
    utc_s, h = 1_742_472_000.0, 0.5

    def place(t: float) -> tuple[float, float, float]:
        x, y, z = (r + v * t for r, v in zip(r_km, v_km_s, strict=True))
        return ecef_from_teme((x, y, z), gmst_rad(utc_s + t))

    numeric = [(b - a) / (2 * h) for a, b in zip(place(-h), place(h), strict=True)]
    gmst = gmst_rad(utc_s)
    exact = ecef_velocity_from_teme(ecef_from_teme(r_km, gmst), v_km_s, gmst)
    assert exact == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("altitude_km", [-0.4, 0.0, 550.0, 35_786.0])
@pytest.mark.parametrize("longitude_deg", [-179.0, 0.0, 15.4])
@pytest.mark.parametrize("latitude_deg", [-90.0, -53.1, 0.0, 45.0, 78.23, 89.999])
def test_geodetic_round_trip(latitude_deg: float, longitude_deg: float, altitude_km: float) -> None:
    place = ecef_from_geodetic(latitude_deg, longitude_deg, altitude_km)
    found = geodetic_from_ecef(place)
    assert found[0] == pytest.approx(latitude_deg, abs=1e-9)
    assert found[2] == pytest.approx(altitude_km, abs=1e-8)
    if abs(latitude_deg) < 90.0:
        assert found[1] == pytest.approx(longitude_deg, abs=1e-9)


def test_ellipsoid_has_its_axes() -> None:
    assert ecef_from_geodetic(0.0, 0.0, 0.0) == pytest.approx((EQUATORIAL_RADIUS_KM, 0.0, 0.0))
    assert ecef_from_geodetic(90.0, 0.0, 0.0)[2] == pytest.approx(POLAR_RADIUS_KM)


def test_sun_passes_the_equator_and_the_solstice() -> None:
    equinox, _ = sun_teme(1_742_461_260.0)  # 2025-03-20 09:01 UTC
    assert equinox == pytest.approx((1.0, 0.0, 0.0), abs=3e-4)
    solstice, _ = sun_teme(1_750_473_720.0)  # 2025-06-21 02:42 UTC
    assert solstice[2] == pytest.approx(0.39777, abs=1e-4)


def test_sun_is_nearest_in_january() -> None:
    assert sun_teme(1_736_000_880.0).distance_au == pytest.approx(0.98333, abs=2e-4)
    assert sun_teme(1_751_572_500.0).distance_au == pytest.approx(1.01664, abs=2e-4)


def test_sun_table_is_a_function_of_time_alone() -> None:
    times = [1_742_472_000.0 + 977.0 * k for k in range(40)]
    forward, backward = SunTable(), SunTable()
    there = [forward.at(utc_s) for utc_s in times]
    back = [backward.at(utc_s) for utc_s in reversed(times)]
    assert there == back[::-1]
    for utc_s, found in zip(times, there, strict=True):
        exact = sun_teme(utc_s)
        assert dist(found.direction_teme, exact.direction_teme) < radians(1e-5)
        assert found.distance_au == pytest.approx(exact.distance_au, abs=1e-9)
        assert hypot(*found.direction_teme) == pytest.approx(1.0, abs=2e-8)
