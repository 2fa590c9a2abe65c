import math
from itertools import pairwise

import pytest

from groundlink.window import HORIZON_S, LinkState, Schedule
from node.physics.linkbudget import ChannelBudget, one_way_light_time_s, rate_bps
from node.physics.orbit import Orbit
from node.physics.passes import Station, look_at

EPOCH_UTC_S = 1_742_470_200.0
ACQUISITION_S = 15.0
UPLINK = ChannelBudget(2.05, 30.0, -28.0, 3.0, 0.04, 540_000.0, 0.35, 3.0, 2e6)
DOWNLINK = ChannelBudget(2.2, 8.0, 8.0, 3.0, 0.04, 1_500_000.0, 0.35, 3.0, 5e6)
SVALBARD = Station("svalbard", 78.2297, 15.4075, 0.498, 5.0)
KIRUNA = Station("kiruna", 67.8571, 20.9644, 0.402, 5.0)
BACKHAUL_S = {"svalbard": 0.04, "kiruna": 0.025, "equator": 0.0}


def leo() -> Orbit:
    return Orbit.from_sso(550.0, 22.5, 0.0005, 126.0, EPOCH_UTC_S)


def schedule(*stations: Station, orbit: Orbit | None = None) -> Schedule:
    return Schedule(
        orbit or leo(),
        stations,
        (UPLINK, DOWNLINK),
        BACKHAUL_S,
        epoch_utc_s=EPOCH_UTC_S,
        acquisition_s=ACQUISITION_S,
    )


def test_a_window_opens_after_acquisition_and_ends_at_los() -> None:
    window = schedule(SVALBARD).next_window(0.0)
    assert window is not None
    assert window.station == "svalbard"
    assert window.open_s == window.aos_s + ACQUISITION_S
    assert 300.0 < window.los_s - window.aos_s < 800.0
    for edge_s in (window.aos_s, window.los_s):
        assert look_at(SVALBARD, leo(), EPOCH_UTC_S + edge_s).elevation_deg == pytest.approx(
            5.0, abs=0.01
        )


def test_tables_follow_the_geometry_between_samples() -> None:
    window = schedule(SVALBARD).next_window(0.0)
    assert window is not None
    for part in (0.1, 0.333, 0.5, 0.777):
        now = window.open_s + part * (window.los_s - window.open_s) + 0.37
        look = look_at(SVALBARD, leo(), EPOCH_UTC_S + now)
        state = window.state(now)
        assert state.up
        assert state.range_km == pytest.approx(look.range_km, abs=0.05)
        assert state.elevation_deg == pytest.approx(look.elevation_deg, abs=0.02)
        assert state.delay_s == pytest.approx(0.04 + one_way_light_time_s(look.range_km), abs=1e-6)
        # A step of the coding takes one sample; beyond it the table is the link budget.
        near = [
            rate_bps(DOWNLINK, other.range_km, other.elevation_deg)
            for other in (look_at(SVALBARD, leo(), EPOCH_UTC_S + now + s) for s in (-1.0, 1.0))
        ]
        assert min(near) - 1.0 <= state.downlink_bps <= max(near) + 1.0


def test_uplink_and_downlink_have_their_own_budgets() -> None:
    window = schedule(SVALBARD).next_window(0.0)
    assert window is not None
    assert window.uplink_bps.peak == pytest.approx(1_580_628.4, rel=0.01)
    assert window.downlink_bps.peak == pytest.approx(4_947_807.8, rel=0.01)


def test_nothing_flows_before_the_modem_has_locked() -> None:
    window = schedule(SVALBARD).next_window(0.0)
    assert window is not None
    acquiring = window.state(window.aos_s + 7.0)
    assert not acquiring.up
    assert acquiring.range_km > 1000.0
    assert (acquiring.uplink_bps, acquiring.downlink_bps) == (0.0, 0.0)
    assert window.state(window.open_s).up
    assert not window.state(window.los_s).up
    outside = window.state(window.los_s + 1.0)
    assert outside == LinkState(
        up=False,
        station="svalbard",
        range_km=0.0,
        elevation_deg=0.0,
        delay_s=0.0,
        uplink_bps=0.0,
        downlink_bps=0.0,
    )


def test_windows_never_overlap_and_a_station_is_kept_until_its_los() -> None:
    both = list(schedule(SVALBARD, KIRUNA).windows(0.0, HORIZON_S))
    assert {window.station for window in both} == {"svalbard", "kiruna"}
    handed_over = 0
    for earlier, later in pairwise(both):
        assert earlier.los_s <= later.aos_s
        if earlier.los_s == later.aos_s:
            handed_over += 1
            assert earlier.station != later.station
            assert later.open_s == later.aos_s + ACQUISITION_S
    assert handed_over >= 1


def test_a_window_that_goes_on_keeps_its_aos() -> None:
    whole = schedule(SVALBARD).next_window(0.0)
    assert whole is not None
    again = schedule(SVALBARD).next_window(whole.los_s - 60.0)
    assert again is not None
    assert again.aos_s == pytest.approx(whole.aos_s, abs=0.01)
    assert again.los_s == pytest.approx(whole.los_s, abs=0.01)


def test_the_plan_does_not_depend_on_when_it_was_asked_for() -> None:
    one = schedule(SVALBARD)
    windows = list(one.windows(0.0, 2.0 * HORIZON_S))
    assert len(windows) > 15
    for window in windows[::5]:
        fresh = schedule(SVALBARD).next_window(window.aos_s - 1.0)
        assert fresh is not None
        assert fresh.los_s == pytest.approx(window.los_s, abs=0.01)
    # Asked again for an earlier time, it searches again.
    back = one.next_window(0.0)
    assert back is not None
    assert back.aos_s == pytest.approx(windows[0].aos_s, abs=0.01)


def test_windows_that_begin_after_the_span_are_left_out() -> None:
    first = next(schedule(SVALBARD).windows(0.0, HORIZON_S))
    assert list(schedule(SVALBARD).windows(0.0, first.aos_s)) == []
    assert len(list(schedule(SVALBARD).windows(0.0, first.aos_s + 1.0))) == 1


def test_a_los_that_has_passed_is_not_found_again() -> None:
    for window in schedule(SVALBARD).windows(0.0, HORIZON_S):
        following = schedule(SVALBARD).next_window(window.los_s)
        assert following is not None
        assert following.aos_s > window.los_s + 1000.0


def test_a_station_that_never_sees_the_node_gives_no_window() -> None:
    equatorial = Orbit.from_keplerian(550.0, 0.0, 0.0, 0.0, 0.0, 0.0, EPOCH_UTC_S)
    alone = schedule(SVALBARD, orbit=equatorial)
    assert alone.next_window(0.0) is None
    assert list(alone.windows(0.0, HORIZON_S)) == []


def test_a_satellite_that_never_sets_has_one_long_window() -> None:
    # 35786 km above the equator, and a station that sees it all day.
    fixed = Orbit.from_keplerian(35_786.0, 0.0, 0.0, 0.0, 0.0, 0.0, EPOCH_UTC_S)
    station = next(
        place
        for longitude in range(-180, 180, 30)
        if look_at(
            place := Station("equator", 0.0, float(longitude), 0.0, 5.0), fixed, EPOCH_UTC_S
        ).elevation_deg
        > 60.0
    )
    window = schedule(station, orbit=fixed).next_window(0.0)
    assert window is not None
    assert window.open_s <= 0.0
    assert window.los_s == HORIZON_S
    assert math.isclose(window.state(1000.0).range_km, 36_000.0, rel_tol=0.05)


def test_windows_follow_a_horizon_mask() -> None:
    whole = schedule(SVALBARD).next_window(0.0)
    assert whole is not None
    middle = look_at(SVALBARD, leo(), EPOCH_UTC_S + (whole.aos_s + whole.los_s) / 2)
    mountain = (
        (middle.azimuth_deg - 25.0, 5.0),
        (middle.azimuth_deg - 20.0, 85.0),
        (middle.azimuth_deg + 20.0, 85.0),
        (middle.azimuth_deg + 25.0, 5.0),
    )
    masked = Station("svalbard", 78.2297, 15.4075, 0.498, 5.0, mountain)
    before, after = (
        window for window in schedule(masked).windows(0.0, whole.los_s) if window.aos_s > 0.0
    )
    assert before.aos_s == pytest.approx(whole.aos_s, abs=1e-3)
    assert after.los_s == pytest.approx(whole.los_s, abs=1e-3)
    assert before.los_s + 10.0 < after.aos_s
    # Nothing flows while the mountain is in between, and the modem has to lock anew behind it.
    assert not before.state((before.los_s + after.aos_s) / 2).up
    assert after.downlink_bps.integral(after.aos_s, after.aos_s + ACQUISITION_S) == 0.0
    for edge_s in (before.los_s, after.aos_s):
        look = look_at(masked, leo(), EPOCH_UTC_S + edge_s)
        assert masked.horizon is not None
        mask_deg = masked.horizon.elevation_deg(look.azimuth_deg)
        assert look.elevation_deg == pytest.approx(mask_deg, abs=1e-3)
