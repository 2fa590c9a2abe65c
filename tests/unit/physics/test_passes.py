from __future__ import annotations

from math import atan2, degrees, nan, radians, sin
from typing import Any

import pytest

from node.errors import PhysicsError
from node.physics.frames import ecef_from_geodetic, ecef_from_teme, gmst_rad
from node.physics.orbit import Orbit
from node.physics.passes import (
    Pass,
    Station,
    elevation_sine,
    find_passes,
    is_visible,
    look,
    look_at,
)

EPOCH = 1_742_472_000.0
DAY_S = 86_400.0
SVALBARD = Station("svalbard", 78.2297, 15.4075, 0.498, 5.0)
MASPALOMAS = Station("maspalomas", 27.7629, -15.6338, 0.205, 10.0)
ORBIT = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)


def elevation_deg(station: Station, utc_s: float) -> float:
    return look_at(station, ORBIT, utc_s).elevation_deg


def highest_pass() -> Pass:
    passes = find_passes(ORBIT, [SVALBARD], EPOCH, EPOCH + DAY_S)
    return max(passes, key=lambda one: one.max_elevation_deg)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latitude_deg": 91.0}, "latitude_deg"),
        ({"longitude_deg": nan}, "longitude_deg"),
        ({"altitude_km": nan}, "altitude_km"),
        ({"min_elevation_deg": 91.0}, "min_elevation_deg"),
    ],
)
def test_station_figures_are_refused_by_name(change: dict[str, float], message: str) -> None:
    figures: dict[str, Any] = {
        "latitude_deg": 10.0,
        "longitude_deg": 20.0,
        "altitude_km": 0.0,
        "min_elevation_deg": 5.0,
    }
    with pytest.raises(PhysicsError, match=message):
        Station("s", **{**figures, **change})


def test_overhead_is_the_zenith() -> None:
    above = ecef_from_geodetic(78.2297, 15.4075, 550.498)
    view = look(SVALBARD, above, (0.0, 0.0, 1.0))
    assert view.elevation_deg == pytest.approx(90.0, abs=1e-5)
    assert view.range_km == pytest.approx(550.0, abs=1e-6)
    assert view.range_rate_km_s == pytest.approx(sin(radians(78.2297)), abs=1e-9)


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "azimuth_deg"),
    [(1.0, 0.0, 0.0), (0.0, 1.0, 90.0), (-1.0, 0.0, 180.0), (0.0, -1.0, 270.0)],
)
def test_azimuth_runs_from_north_over_east(
    latitude_deg: float, longitude_deg: float, azimuth_deg: float
) -> None:
    station = Station("equator", 0.0, 0.0, 0.0, 0.0)
    view = look(station, ecef_from_geodetic(latitude_deg, longitude_deg, 500.0), (0.0, 0.0, 0.0))
    assert abs((view.azimuth_deg - azimuth_deg + 180.0) % 360.0 - 180.0) < 1e-6
    assert view.range_rate_km_s == 0.0


def test_range_rate_is_the_derivative_of_range() -> None:
    h = 0.5
    for utc_s in (EPOCH + 500.0, EPOCH + 2500.0):
        ahead, behind = (look_at(SVALBARD, ORBIT, utc_s + s) for s in (h, -h))
        numeric = (ahead.range_km - behind.range_km) / (2 * h)
        assert look_at(SVALBARD, ORBIT, utc_s).range_rate_km_s == pytest.approx(numeric, abs=1e-5)


def test_visibility_is_elevation_over_the_mask() -> None:
    seen = 0
    for utc_s in (EPOCH + 30.0 * k for k in range(400)):
        r_ecef_km = ecef_from_teme(ORBIT.state(utc_s)[0], gmst_rad(utc_s))
        height_deg = elevation_deg(SVALBARD, utc_s)
        assert is_visible(SVALBARD, r_ecef_km) is (height_deg >= 5.0)
        assert elevation_sine(SVALBARD, r_ecef_km) == pytest.approx(sin(radians(height_deg)))
        seen += height_deg >= 5.0
    assert 0 < seen < 100


def test_passes_begin_and_end_on_the_mask() -> None:
    passes = find_passes(ORBIT, [SVALBARD, MASPALOMAS], EPOCH, EPOCH + DAY_S)
    assert [p.aos_utc_s for p in passes] == sorted(p.aos_utc_s for p in passes)
    assert {p.station.name for p in passes} == {"svalbard", "maspalomas"}
    whole = [p for p in passes if p.aos_utc_s > EPOCH and p.los_utc_s < EPOCH + DAY_S]
    assert len(whole) > 10
    for one in whole:
        mask_deg = one.station.min_elevation_deg
        assert elevation_deg(one.station, one.aos_utc_s) == pytest.approx(mask_deg, abs=1e-3)
        assert elevation_deg(one.station, one.los_utc_s) == pytest.approx(mask_deg, abs=1e-3)
        assert one.aos_utc_s < one.tca_utc_s < one.los_utc_s
        assert one.max_elevation_deg >= mask_deg
        for off_s in (-2.0, 2.0):
            assert elevation_deg(one.station, one.tca_utc_s + off_s) < one.max_elevation_deg


def test_every_visible_instant_lies_in_a_pass() -> None:
    passes = find_passes(ORBIT, [MASPALOMAS], EPOCH, EPOCH + 2 * DAY_S)
    for utc_s in (EPOCH + 7.0 * k for k in range(int(2 * DAY_S / 7.0))):
        height_deg = elevation_deg(MASPALOMAS, utc_s)
        inside = any(p.aos_utc_s <= utc_s <= p.los_utc_s for p in passes)
        if abs(height_deg - 10.0) > 1e-3:
            assert inside is (height_deg > 10.0)


def test_span_inside_a_pass_is_cut_at_both_ends() -> None:
    first = highest_pass()
    begin, end = first.aos_utc_s + 60.0, first.los_utc_s - 60.0
    (cut,) = find_passes(ORBIT, [SVALBARD], begin, end)
    assert (cut.aos_utc_s, cut.los_utc_s) == (begin, end)
    assert cut.tca_utc_s == pytest.approx(first.tca_utc_s, abs=0.05)
    # After the highest point the elevation only falls: it is highest where the span begins.
    (late,) = find_passes(ORBIT, [SVALBARD], first.tca_utc_s + 30.0, first.los_utc_s + 600.0)
    assert late.tca_utc_s == pytest.approx(first.tca_utc_s + 30.0, abs=0.05)
    assert late.los_utc_s == pytest.approx(first.los_utc_s, abs=1e-3)


def test_pass_shorter_than_the_scan_is_found() -> None:
    high = highest_pass()
    mask_deg = high.max_elevation_deg - 0.02
    narrow = Station("narrow", 78.2297, 15.4075, 0.498, mask_deg)
    for shift_s in range(0, 30, 5):
        begin = high.aos_utc_s - 100.0 + shift_s
        (found,) = find_passes(ORBIT, [narrow], begin, high.los_utc_s + 100.0)
        assert found.los_utc_s - found.aos_utc_s < 15.0
        assert found.max_elevation_deg == pytest.approx(high.max_elevation_deg, abs=1e-3)


def test_geostationary_node_is_one_long_pass() -> None:
    geostationary = Orbit.from_keplerian(35_786.0, 0.0001, 0.05, 0.0, 0.0, 0.0, EPOCH)
    x, y, _ = ecef_from_teme(geostationary.state(EPOCH)[0], gmst_rad(EPOCH))
    below = Station("below", 0.0, degrees(atan2(y, x)), 0.0, 5.0)
    (found,) = find_passes(geostationary, [below], EPOCH, EPOCH + DAY_S)
    assert (found.aos_utc_s, found.los_utc_s) == (EPOCH, EPOCH + DAY_S)
    assert found.max_elevation_deg == pytest.approx(90.0, abs=0.5)
    far = Station("far", 0.0, degrees(atan2(y, x)) + 180.0, 0.0, 5.0)
    assert find_passes(geostationary, [far], EPOCH, EPOCH + DAY_S) == []


# Two mountains with a valley between, and a mast of a fifth of a degree in the south-west.
MOUNTAINS = (
    (10.0, 5.0),
    (30.0, 35.0),
    (50.0, 5.0),
    (90.0, 5.0),
    (120.0, 40.0),
    (160.0, 5.0),
    (224.9, 5.0),
    (225.0, 80.0),
    (225.1, 80.0),
    (225.2, 5.0),
)
MASKED = Station("svalbard", 78.2297, 15.4075, 0.498, 5.0, MOUNTAINS)


def over_mask_deg(utc_s: float) -> float:
    assert MASKED.horizon is not None
    view = look_at(MASKED, ORBIT, utc_s)
    return view.elevation_deg - MASKED.horizon.elevation_deg(view.azimuth_deg)


def test_mask_by_azimuth_splits_passes() -> None:
    flat = find_passes(ORBIT, [SVALBARD], EPOCH, EPOCH + DAY_S)
    masked = find_passes(ORBIT, [MASKED], EPOCH, EPOCH + DAY_S)
    inside = [
        [one for one in masked if whole.aos_utc_s - 1e-3 <= one.aos_utc_s < whole.los_utc_s]
        for whole in flat
    ]
    assert sum(map(len, inside)) == len(masked)
    assert {0, 1, 2} <= {len(parts) for parts in inside}
    for whole, parts in zip(flat, inside, strict=True):
        for one in parts:
            assert one.aos_utc_s < one.los_utc_s <= whole.los_utc_s + 1e-3
            assert one.aos_utc_s <= one.tca_utc_s <= one.los_utc_s
            assert one.max_elevation_deg <= whole.max_elevation_deg + 1e-6
            # A tenth of a millisecond to either side of an edge the sign is another.
            for edge_s, sign in ((one.aos_utc_s, 1.0), (one.los_utc_s, -1.0)):
                if EPOCH < edge_s < EPOCH + DAY_S:
                    assert over_mask_deg(edge_s + sign * 1e-4) >= 0.0
                    assert over_mask_deg(edge_s - sign * 1e-4) <= 0.0
                    assert over_mask_deg(edge_s + sign * 0.02) > 0.0


def test_every_instant_above_the_mask_lies_in_a_pass() -> None:
    passes = find_passes(ORBIT, [MASKED], EPOCH, EPOCH + DAY_S / 2)
    hidden = 0
    for utc_s in (EPOCH + 1.7 * k for k in range(int(DAY_S / 2 / 1.7))):
        height_deg = elevation_deg(MASKED, utc_s)
        if height_deg < 5.0:
            continue
        over_deg = over_mask_deg(utc_s)
        inside = any(p.aos_utc_s <= utc_s <= p.los_utc_s for p in passes)
        if abs(over_deg) > 1e-3:
            assert inside is (over_deg > 0.0)
        hidden += not inside
    assert hidden > 100


def test_visibility_follows_the_mask() -> None:
    found = set()
    for utc_s in (EPOCH + 11.0 * k for k in range(3000)):
        height_deg = elevation_deg(MASKED, utc_s)
        r_ecef_km = ecef_from_teme(ORBIT.state(utc_s)[0], gmst_rad(utc_s))
        assert is_visible(MASKED, r_ecef_km) is (over_mask_deg(utc_s) >= 0.0)
        found.add((height_deg >= 5.0, is_visible(MASKED, r_ecef_km)))
    assert found == {(False, False), (True, False), (True, True)}


def test_gap_behind_a_mast_is_found_between_samples() -> None:
    whole = find_passes(ORBIT, [SVALBARD], EPOCH, EPOCH + DAY_S)
    crossed = 0
    for one in whole[1:-1]:
        middle_s = 0.5 * (one.aos_utc_s + one.tca_utc_s) + 3.21
        azimuth_deg = look_at(SVALBARD, ORBIT, middle_s).azimuth_deg
        if not 1.0 < azimuth_deg < 359.0:
            continue
        mast = ((azimuth_deg - 0.011, 0.0), (azimuth_deg - 0.01, 89.0), (azimuth_deg + 0.01, 89.0))
        station = Station("mast", 78.2297, 15.4075, 0.498, 5.0, (*mast, (azimuth_deg + 0.011, 0.0)))
        first, second = find_passes(ORBIT, [station], one.aos_utc_s - 60.0, one.los_utc_s + 60.0)
        assert first.los_utc_s < middle_s < second.aos_utc_s
        assert second.aos_utc_s - first.los_utc_s < 2.0
        assert first.aos_utc_s == pytest.approx(one.aos_utc_s, abs=1e-3)
        assert second.los_utc_s == pytest.approx(one.los_utc_s, abs=1e-3)
        crossed += 1
    assert crossed > 5


def test_flat_mask_is_the_elevation_alone() -> None:
    flat = Station("svalbard", 78.2297, 15.4075, 0.498, 0.0, ((0.0, 5.0), (180.0, 5.0)))
    expected = find_passes(ORBIT, [SVALBARD], EPOCH, EPOCH + DAY_S)
    found = find_passes(ORBIT, [flat], EPOCH, EPOCH + DAY_S)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.aos_utc_s == pytest.approx(other.aos_utc_s, abs=1e-3)
        assert one.los_utc_s == pytest.approx(other.los_utc_s, abs=1e-3)
        assert one.tca_utc_s == pytest.approx(other.tca_utc_s, abs=0.05)


def test_mask_that_is_no_mask_is_refused() -> None:
    with pytest.raises(PhysicsError, match="horizon_mask"):
        Station("s", 0.0, 0.0, 0.0, 5.0, ((20.0, 1.0), (10.0, 1.0)))
