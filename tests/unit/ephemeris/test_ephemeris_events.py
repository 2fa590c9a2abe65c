from __future__ import annotations

from itertools import pairwise

import pytest
from listed_scenario import demo, ephemeris, geostationary, station, with_neighbours

from node.config.build import build_orbit, build_stations
from node.ephemeris import events as events_module
from node.ephemeris.events import Event, find_events
from node.physics.crosslink import crosslink_at
from node.physics.passes import find_passes, look_at
from node.physics.shadow import eclipse_events
from node.span import Span

EPOCH_UTC_S = 1_742_470_200.0
DAY = Span(0.0, 86_400.0)


def key(event: Event) -> tuple[str, str | None, str | None]:
    return event.kind, event.station, event.neighbour


def test_pass_events_are_the_passes_of_physics() -> None:
    scenario = demo()
    found = find_events(ephemeris(scenario), DAY)
    wide = EPOCH_UTC_S - 10_000.0, EPOCH_UTC_S + 96_400.0
    passes = find_passes(build_orbit(scenario), list(build_stations(scenario)), *wide)
    expected = sorted(
        (utc_s - EPOCH_UTC_S, kind, one.station.name)
        for one in passes
        for utc_s, kind in ((one.aos_utc_s, "aos"), (one.tca_utc_s, "tca"), (one.los_utc_s, "los"))
        if 0.0 <= utc_s - EPOCH_UTC_S < 86_400.0
    )
    listed = [event for event in found if event.station]
    assert [(event.kind, event.station) for event in listed] == [each[1:] for each in expected]
    for event, (mission_s, kind, _) in zip(listed, expected, strict=True):
        assert event.mission_s == pytest.approx(mission_s, abs=0.02 if kind == "tca" else 0.001)
    assert len(listed) > 50


def test_pass_events_carry_the_look_angles_of_their_instant() -> None:
    scenario = demo()
    places = {each.name: each for each in build_stations(scenario)}
    for event in find_events(ephemeris(scenario, "svalbard"), DAY):
        if event.station is None:
            assert event.azimuth_deg is event.elevation_deg is event.range_km is None
            continue
        assert event.station == "svalbard"
        view = look_at(places["svalbard"], build_orbit(scenario), EPOCH_UTC_S + event.mission_s)
        assert event.azimuth_deg == pytest.approx(view.azimuth_deg, abs=1e-4)
        assert event.elevation_deg == pytest.approx(view.elevation_deg, abs=1e-4)
        assert event.range_km == pytest.approx(view.range_km, abs=1e-2)
        if event.kind != "tca":
            assert event.elevation_deg == pytest.approx(5.0, abs=1e-3)


def test_shadow_events_are_those_of_physics() -> None:
    scenario = demo()
    found = [each for each in find_events(ephemeris(scenario), DAY) if each.station is None]
    expected = eclipse_events(build_orbit(scenario), EPOCH_UTC_S, EPOCH_UTC_S + 86_400.0)
    assert [event.kind for event in found] == [event.kind for event in expected]
    assert len(found) == 60
    for event, direct in zip(found, expected, strict=True):
        assert event.mission_s == pytest.approx(direct.utc_s - EPOCH_UTC_S, abs=0.001)
    assert [event.utc for event in found[:2]] == [
        "2025-03-20T12:14:16.633Z",
        "2025-03-20T12:14:26.162Z",
    ]


def test_events_are_in_order_and_each_pass_in_its_own() -> None:
    found = find_events(ephemeris(demo()), DAY)
    assert all(earlier.mission_s <= later.mission_s for earlier, later in pairwise(found))
    for name in ("svalbard", "maspalomas"):
        kinds = [event.kind for event in found if event.station == name]
        assert kinds[:6] == ["aos", "tca", "los"] * 2


def test_a_long_span_in_pieces_gives_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = ephemeris(with_neighbours())
    span = Span(-1000.0, 20_000.0)
    whole = find_events(computed, span)
    at = {key(event): event.mission_s for event in reversed(whole)}
    last_aos_s = max(each.mission_s for each in whole if key(each) == ("aos", "svalbard", None))
    # A seam right onto an AOS, one right onto an entry into the penumbra, and one whose margin
    # ends in a pass before its TCA.
    seams = [
        at["aos", "maspalomas", None],
        at["penumbra_entry", None, None],
        last_aos_s + 60.0 - 2.0 * computed.orbit.period_s,
    ]
    for piece_s in (900.0, *(mission_s - span.start_s for mission_s in seams)):
        monkeypatch.setattr(events_module, "_PIECE_S", piece_s)
        found = find_events(computed, span)
        assert [key(event) for event in found] == [key(event) for event in whole]
        for event, direct in zip(found, whole, strict=True):
            assert event.mission_s == pytest.approx(direct.mission_s, abs=0.02)


def test_a_pass_under_way_has_only_what_lies_inside() -> None:
    computed = ephemeris(demo(), "maspalomas")
    assert [each.kind for each in find_events(computed, Span(131.0, 714.0))] == [
        "aos",
        "tca",
        "los",
    ]
    assert [each.kind for each in find_events(computed, Span(200.0, 714.0))] == ["tca", "los"]
    assert [each.kind for each in find_events(computed, Span(200.0, 500.0))] == ["tca"]
    assert find_events(computed, Span(430.0, 700.0)) == []


def test_a_satellite_that_never_sets_and_one_that_never_rises_have_no_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events_module, "_PIECE_S", 86_400.0)
    below_deg = ephemeris(geostationary(station("any", 0.0, 0.0))).at(0.0).longitude_deg
    for longitude_deg in (below_deg, below_deg - 180.0 if below_deg > 0 else below_deg + 180.0):
        computed = ephemeris(geostationary(station("there", 0.0, longitude_deg)))
        found = find_events(computed, Span(0.0, 6 * 86_400.0))
        assert [each for each in found if each.station] == []


def test_lines_of_sight_begin_and_end_where_their_limits_are_met() -> None:
    computed = ephemeris(with_neighbours(), "kiruna")
    crossing = computed.neighbours[0]
    found = [each for each in find_events(computed, DAY) if each.neighbour]
    assert {each.neighbour for each in found} == {"crossing"}
    assert len(found) > 10
    kinds = [each.kind for each in found]
    assert all(earlier != later for earlier, later in pairwise(kinds))
    for event in found:
        link = crosslink_at(computed.orbit, crossing, EPOCH_UTC_S + event.mission_s)
        slack_km = min(link.grazing_altitude_km - 80.0, 5000.0 - link.range_km)
        assert slack_km == pytest.approx(0.0, abs=0.01)
        assert event.range_km == pytest.approx(link.range_km, abs=0.01)
        before = computed.at(event.mission_s - 1.0).neighbours["crossing"].line_of_sight
        after = computed.at(event.mission_s + 1.0).neighbours["crossing"].line_of_sight
        assert (before, after) == (
            (False, True) if event.kind == "line_of_sight_begin" else (True, False)
        )
