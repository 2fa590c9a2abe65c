from __future__ import annotations

from math import nan

import pytest

from node.errors import PhysicsError
from node.physics.horizon import Horizon, Point


@pytest.mark.parametrize(
    ("azimuth_deg", "elevation_deg"),
    [
        (90.0, 10.0),
        (135.0, 15.0),
        (180.0, 20.0),
        (225.0, 20.0),
        (270.0, 20.0),
        # From 270 over north to 90.
        (315.0, 17.5),
        (0.0, 15.0),
        (360.0, 15.0),
        (45.0, 12.5),
    ],
)
def test_straight_lines_all_the_way_round(azimuth_deg: float, elevation_deg: float) -> None:
    horizon = Horizon(((90.0, 10.0), (180.0, 20.0), (270.0, 20.0)), 0.0)
    assert horizon.elevation_deg(azimuth_deg) == pytest.approx(elevation_deg)
    assert horizon.azimuths_deg == (90.0, 180.0, 270.0)
    assert horizon.lowest_deg == 10.0


def test_one_point_is_the_same_all_round() -> None:
    horizon = Horizon(((0.0, 7.0),), 5.0)
    assert [horizon.elevation_deg(az) for az in (0.0, 1.0, 200.0, 359.9, 360.0)] == [7.0] * 5


def test_nowhere_below_the_lowest_elevation() -> None:
    horizon = Horizon(((0.0, 0.0), (100.0, 20.0), (200.0, 0.0)), 5.0)
    assert horizon.lowest_deg == 5.0
    # The mask leaves the level at a quarter of each slope.
    assert horizon.azimuths_deg == pytest.approx((0.0, 25.0, 100.0, 175.0, 200.0))
    assert horizon.elevation_deg(24.9) == pytest.approx(5.0)
    assert horizon.elevation_deg(26.0) == pytest.approx(5.2)
    assert horizon.elevation_deg(174.0) == pytest.approx(5.2)
    assert horizon.elevation_deg(300.0) == 5.0


def test_level_that_is_met_at_a_point_adds_none() -> None:
    assert Horizon(((0.0, 0.0), (100.0, 5.0), (200.0, 20.0)), 5.0).azimuths_deg == pytest.approx(
        (0.0, 100.0, 200.0, 320.0)
    )
    # The slope is so short that the meeting falls on its end.
    wall = Horizon(((0.0, 0.0), (5e-324, 80.0)), 40.0)
    assert wall.elevation_deg(180.0) == pytest.approx(40.0)


def test_level_above_all_points_is_the_mask() -> None:
    horizon = Horizon(((10.0, 3.0), (200.0, 4.0)), 6.0)
    assert horizon.lowest_deg == 6.0
    assert horizon.elevation_deg(100.0) == 6.0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((), "at least one point"),
        (((10.0, 5.0), (10.0, 6.0)), "azimuths that rise"),
        (((20.0, 5.0), (10.0, 6.0)), "azimuths that rise"),
        (((0.0, 5.0), (360.0, 6.0)), "all below 360"),
        (((-1.0, 5.0),), "azimuth"),
        (((nan, 5.0),), "azimuth"),
        (((0.0, 91.0),), "elevation"),
        (((0.0, nan),), "elevation"),
    ],
)
def test_points_that_make_no_mask(points: tuple[Point, ...], message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        Horizon(points, 5.0)


def test_lowest_elevation_is_refused_by_name() -> None:
    with pytest.raises(PhysicsError, match="min_elevation_deg"):
        Horizon(((0.0, 5.0),), nan)
