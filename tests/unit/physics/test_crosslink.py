from __future__ import annotations

from math import dist, inf, nan

import pytest

from node.errors import PhysicsError
from node.physics.crosslink import (
    Crosslink,
    Neighbour,
    crosslink,
    crosslink_at,
    grazing_altitude_km,
    has_line_of_sight,
)
from node.physics.frames import EQUATORIAL_RADIUS_KM, POLAR_RADIUS_KM, geodetic_from_ecef
from node.physics.orbit import Orbit
from node.physics.vectors import Vector

EPOCH = 1_742_472_000.0
ORBIT = Orbit.from_keplerian(550.0, 0.001, 97.6, 40.0, 90.0, 270.0, EPOCH)
AHEAD = Orbit.from_keplerian(550.0, 0.001, 97.6, 40.0, 90.0, 290.0, EPOCH)
CROSSING = Orbit.from_keplerian(560.0, 0.001, 53.0, 60.0, 90.0, 270.0, EPOCH)


def lowest_of_many(a: Vector, b: Vector) -> float:
    parts = [k / 5000 for k in range(5001)]
    return min(
        geodetic_from_ecef(
            (
                a[0] + p * (b[0] - a[0]),
                a[1] + p * (b[1] - a[1]),
                a[2] + p * (b[2] - a[2]),
            )
        )[2]
        for p in parts
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((7000.0, 0.0, 0.0), (0.0, 0.0, 7000.0)),
        ((6900.0, 100.0, 300.0), (-2000.0, 5000.0, -4500.0)),
        ((100.0, 2000.0, 6600.0), (-300.0, -2500.0, 6500.0)),
        ((42_164.0, 0.0, 0.0), (-3000.0, 4000.0, 5000.0)),
        ((7000.0, 0.0, 1.0), (7001.0, 3.0, 0.0)),
    ],
)
def test_grazing_altitude_is_the_lowest_over_the_ellipsoid(a: Vector, b: Vector) -> None:
    found_km, of_many_km = grazing_altitude_km(a, b), lowest_of_many(a, b)
    # The search steps over the very lowest point: by 4 km at most, where the line is longest.
    assert of_many_km - 2e-3 < found_km <= of_many_km + 1e-6


def test_line_over_the_pole_is_measured_from_the_pole() -> None:
    height_km = 300.0
    z_km = POLAR_RADIUS_KM + height_km
    across = grazing_altitude_km((-3000.0, 0.0, z_km), (3000.0, 0.0, z_km))
    assert across == pytest.approx(height_km, abs=1e-6)
    x_km = EQUATORIAL_RADIUS_KM + height_km
    beside = grazing_altitude_km((x_km, 0.0, -3000.0), (x_km, 0.0, 3000.0))
    assert beside == pytest.approx(height_km, abs=1e-6)


def test_line_straight_up_is_lowest_at_its_lower_end() -> None:
    low, high = (EQUATORIAL_RADIUS_KM + 500.0, 0.0, 0.0), (EQUATORIAL_RADIUS_KM + 900.0, 0.0, 0.0)
    assert grazing_altitude_km(low, high) == pytest.approx(500.0, abs=1e-6)
    assert grazing_altitude_km(high, low) == pytest.approx(500.0, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((0.0, 0.0, 14_475.5), (0.0, 0.0, -9797.0)),
        ((7000.0, 0.0, 0.0), (-7000.0, 100.0, 0.0)),
        ((5000.0, 4000.0, 4000.0), (-5000.0, -4000.0, -3000.0)),
    ],
)
def test_line_through_the_middle_of_the_earth(a: Vector, b: Vector) -> None:
    depth_km = lowest_of_many(a, b)
    assert depth_km < -3000.0
    assert grazing_altitude_km(a, b) == pytest.approx(depth_km, rel=0.01)


def test_range_rate_is_the_derivative_of_range() -> None:
    neighbour = Neighbour("other", CROSSING, 100.0, 5000.0)
    half_s = 0.5
    for utc_s in (EPOCH, EPOCH + 700.0, EPOCH + 2900.0):
        link = crosslink_at(ORBIT, neighbour, utc_s)
        ahead, behind = (
            dist(ORBIT.state(utc_s + s)[0], CROSSING.state(utc_s + s)[0]) for s in (half_s, -half_s)
        )
        assert link.range_rate_km_s == pytest.approx((ahead - behind) / (2 * half_s), abs=1e-5)
        assert link.range_km == pytest.approx(0.5 * (ahead + behind), abs=1e-2)
        assert link.delay_s == pytest.approx(link.range_km / 299_792.458)


def test_follower_in_the_same_plane_stays_in_sight() -> None:
    neighbour = Neighbour("ahead", AHEAD, 100.0, 5000.0)
    links = [crosslink_at(ORBIT, neighbour, EPOCH + 60.0 * k) for k in range(95)]
    assert all(has_line_of_sight(neighbour, link) for link in links)
    # 20 degrees apart at a radius of 6928 km.
    assert all(link.range_km == pytest.approx(2406.0, abs=15.0) for link in links)
    assert all(abs(link.range_rate_km_s) < 0.02 for link in links)


@pytest.mark.parametrize(
    ("range_km", "grazing_km", "seen"),
    [
        (4000.0, 100.0, True),
        (4000.1, 100.0, False),
        (4000.0, 99.9, False),
        (100.0, 500.0, True),
    ],
)
def test_line_of_sight_ends_at_either_limit(range_km: float, grazing_km: float, seen: bool) -> None:
    neighbour = Neighbour("other", CROSSING, 100.0, 4000.0)
    link = Crosslink(range_km, 0.0, range_km / 299_792.458, grazing_km)
    assert has_line_of_sight(neighbour, link) is seen


@pytest.mark.parametrize("place", [(7000.0, 0.0, 0.0), (nan, 0.0, 0.0)])
def test_two_in_one_place_are_refused(place: Vector) -> None:
    with pytest.raises(PhysicsError, match="in one place"):
        crosslink(place, (0.0, 7.5, 0.0), place, (0.0, 0.0, 7.5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_grazing_altitude_km": -1.0}, "min_grazing_altitude_km"),
        ({"max_range_km": 0.0}, "max_range_km"),
        ({"max_range_km": inf}, "max_range_km"),
    ],
)
def test_neighbour_figures_are_refused_by_name(change: dict[str, float], message: str) -> None:
    figures = {"min_grazing_altitude_km": 100.0, "max_range_km": 5000.0}
    with pytest.raises(PhysicsError, match=message):
        Neighbour("other", CROSSING, **{**figures, **change})
