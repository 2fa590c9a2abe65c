from __future__ import annotations

from itertools import pairwise
from math import asin, cos, pi, sin, tan

import pytest

from node.errors import PhysicsError
from node.physics.frames import EQUATORIAL_RADIUS_KM, POLAR_RADIUS_KM
from node.physics.orbit import Orbit
from node.physics.shadow import (
    OURS,
    SUN_RADIUS_KM,
    ShadowFigures,
    beta_angle_deg,
    eclipse_events,
    illumination,
    next_sunlight_change,
)
from node.physics.sun import AU_KM

SUN = (1.0, 0.0, 0.0)
EPOCH = 1_742_472_000.0


def lit(x: float, y: float, z: float = 0.0) -> float:
    return illumination((x, y, z), SUN, AU_KM)


def test_day_side_and_umbra() -> None:
    assert lit(6900.0, 0.0) == 1.0
    assert lit(0.0, 6900.0) == 1.0
    assert lit(-6900.0, 0.0) == 0.0
    assert lit(-2000.0, 6600.0) == 1.0


def test_light_falls_from_one_to_zero_across_the_penumbra() -> None:
    across = [lit(-2600.0, 6420.0 - step) for step in range(100)]
    assert across[0] == 1.0
    assert across[-1] == 0.0
    assert all(a >= b for a, b in pairwise(across))
    assert sum(0.0 < value < 1.0 for value in across) == pytest.approx(
        2 * 2600.0 * SUN_RADIUS_KM / AU_KM, abs=1.5
    )


def test_quick_bounds_agree_with_the_full_formula() -> None:
    # The umbra's and the penumbra's edge by their cones behind a sphere, in the equator.
    for sign, outside in ((1.0, 1.0), (-1.0, 0.0)):
        half = asin((SUN_RADIUS_KM + sign * EQUATORIAL_RADIUS_KM) / AU_KM)
        edge = EQUATORIAL_RADIUS_KM / cos(half) + sign * 3000.0 * tan(half)
        for metres in (1.0, 10.0, 100.0, 1000.0):
            assert lit(-3000.0, edge + sign * metres / 1000.0) == outside
        assert 0.0 < lit(-3000.0, edge - sign * 0.2) < 1.0


def test_other_figures_of_earth_and_sun_can_be_given() -> None:
    assert ShadowFigures() == OURS
    sphere = ShadowFigures(6378.1366, 6378.1366, 695_000.0)
    # Over the pole a sphere reaches 21 km higher.
    over_the_pole = (-1000.0, 0.0, POLAR_RADIUS_KM + 12.0)
    assert illumination(over_the_pole, SUN, AU_KM) == 1.0
    assert illumination(over_the_pole, SUN, AU_KM, sphere) == 0.0
    # A smaller Sun has a narrower penumbra.
    point = ShadowFigures(sun_radius_km=0.0)
    inside, outside = ((-2600.0, EQUATORIAL_RADIUS_KM + km, 0.0) for km in (-0.2, 0.2))
    assert (illumination(inside, SUN, AU_KM, point), illumination(outside, SUN, AU_KM, point)) == (
        0.0,
        1.0,
    )
    assert 0.0 < illumination(inside, SUN, AU_KM) < illumination(outside, SUN, AU_KM) < 1.0


@pytest.mark.parametrize(
    ("radii_km", "name"),
    [
        ((5000.0, 5000.0, 1.0), "equatorial_radius_km"),
        ((6378.0, 6379.0, 1.0), "polar_radius_km"),
        ((6378.0, 6357.0, 7e5 + 1.0), "sun_radius_km"),
    ],
)
def test_figures_that_the_bounds_do_not_hold_for_are_refused(
    radii_km: tuple[float, float, float], name: str
) -> None:
    with pytest.raises(PhysicsError, match=name):
        ShadowFigures(*radii_km)


def test_shadow_is_flattened_at_the_poles() -> None:
    # Over the pole the shadow's edge stands 21 km lower than over the equator.
    assert lit(-2600.0, 0.0, POLAR_RADIUS_KM - 5.0) == pytest.approx(
        lit(-2600.0, EQUATORIAL_RADIUS_KM - 5.0, 0.0), abs=0.02
    )
    assert lit(-2600.0, 0.0, POLAR_RADIUS_KM + 15.0) == 1.0
    assert lit(-2600.0, EQUATORIAL_RADIUS_KM - 6.0, 0.0) < 1.0


def test_far_behind_the_earth_a_ring_of_sun_is_left() -> None:
    # Behind the umbra's apex the Earth covers its own apparent area of the Sun's.
    behind_km = 2.0e6
    expected = 1.0 - (EQUATORIAL_RADIUS_KM / behind_km * (AU_KM + behind_km) / SUN_RADIUS_KM) ** 2
    assert lit(-behind_km, 0.0) == pytest.approx(expected, abs=1e-3)


def test_on_the_ground_half_the_sky_is_earth() -> None:
    assert lit(-1.0, 6378.0) < 1.0
    assert lit(-6378.0, 0.0) == 0.0


def test_beta_angle_has_the_sign_of_the_normal() -> None:
    r, v = (7000.0, 0.0, 0.0), (0.0, 7.5, 0.0)
    assert beta_angle_deg(r, v, (0.0, 0.0, 1.0)) == pytest.approx(90.0)
    assert beta_angle_deg(r, v, (0.0, 0.0, -1.0)) == pytest.approx(-90.0)
    assert beta_angle_deg(r, v, (cos(0.3), 0.0, sin(0.3))) == pytest.approx(0.3 * 180 / pi)


def test_events_come_in_fours() -> None:
    orbit = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)
    events = eclipse_events(orbit, EPOCH, EPOCH + 3 * orbit.period_s)
    kinds = [event.kind for event in events]
    order = ["penumbra_entry", "umbra_entry", "umbra_exit", "penumbra_exit"]
    first = order.index(kinds[0])
    assert kinds == [order[(first + k) % 4] for k in range(len(kinds))]
    assert len(kinds) == 12
    assert all(EPOCH < event.utc_s < EPOCH + 3 * orbit.period_s for event in events)


def test_span_that_begins_in_shadow_begins_with_an_exit() -> None:
    orbit = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)
    entry = next(
        event
        for event in eclipse_events(orbit, EPOCH, EPOCH + orbit.period_s)
        if event.kind == "umbra_entry"
    )
    inside = eclipse_events(orbit, entry.utc_s + 600.0, entry.utc_s + 3000.0)
    assert [event.kind for event in inside] == ["umbra_exit", "penumbra_exit"]


def test_dawn_dusk_orbit_in_march_has_no_eclipse() -> None:
    orbit = Orbit.from_sso(650.0, 6.0, 0.001, 0.0, EPOCH)
    assert eclipse_events(orbit, EPOCH, EPOCH + 86_400.0) == []
    change = next_sunlight_change(orbit, EPOCH, 86_400.0)
    assert change.sunset_utc_s is None
    assert change.sunrise_utc_s is None


def test_next_changes_follow_each_other() -> None:
    orbit = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)
    change = next_sunlight_change(orbit, EPOCH, 2 * orbit.period_s)
    assert change.sunset_utc_s is not None
    assert change.sunrise_utc_s is not None
    after_sunset = next_sunlight_change(orbit, change.sunset_utc_s + 1.0, 2 * orbit.period_s)
    assert after_sunset.sunrise_utc_s is not None
    assert after_sunset.sunset_utc_s is not None
    assert after_sunset.sunrise_utc_s < after_sunset.sunset_utc_s
    assert after_sunset.sunset_utc_s - change.sunset_utc_s == pytest.approx(orbit.period_s, abs=20)


def test_horizon_cuts_the_search() -> None:
    orbit = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)
    change = next_sunlight_change(orbit, EPOCH, 2 * orbit.period_s)
    first = min(t for t in (change.sunset_utc_s, change.sunrise_utc_s) if t is not None)
    short = next_sunlight_change(orbit, EPOCH, first - EPOCH - 1.0)
    assert short.sunset_utc_s is short.sunrise_utc_s is None
    assert next_sunlight_change(orbit, EPOCH, 0.0).sunset_utc_s is None
    with pytest.raises(PhysicsError, match="horizon_s"):
        next_sunlight_change(orbit, EPOCH, -1.0)


def test_change_beyond_the_first_orbit_is_found_in_the_next() -> None:
    # Around this time the station's eclipses follow each other later than its nodes do.
    orbit = Orbit.from_tle(
        "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995",
        "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123",
    )
    first = next_sunlight_change(orbit, orbit.epoch_utc_s, 7200.0)
    assert first.sunset_utc_s is not None
    assert first.sunrise_utc_s is not None
    for start in (first.sunset_utc_s + 1.0, first.sunrise_utc_s + 1.0):
        change = next_sunlight_change(orbit, start, 3 * orbit.period_s)
        assert change.sunset_utc_s is not None
        assert change.sunrise_utc_s is not None
        later = max(change.sunset_utc_s, change.sunrise_utc_s)
        assert later > start + orbit.period_s
