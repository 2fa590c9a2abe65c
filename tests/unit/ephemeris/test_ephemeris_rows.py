from __future__ import annotations

import pytest
from listed_scenario import STATIONS, demo, ephemeris, with_neighbours

from node.config.build import build_neighbours, build_orbit, build_stations
from node.ephemeris.rows import row_count
from node.physics.crosslink import crosslink_at, has_line_of_sight
from node.physics.frames import ecef_from_teme, geodetic_from_ecef, gmst_rad
from node.physics.linkbudget import doppler_hz
from node.physics.passes import is_visible, look_at
from node.physics.shadow import beta_angle_deg, illumination
from node.physics.sun import AU_KM, sun_teme
from node.span import Span

EPOCH_UTC_S = 1_742_470_200.0


@pytest.mark.parametrize("mission_s", [0.0, 500.0, 2661.0, 3000.0, -86_400.0])
def test_a_row_is_what_physics_says(mission_s: float) -> None:
    scenario = with_neighbours()
    row = ephemeris(scenario).at(mission_s)
    orbit = build_orbit(scenario)
    utc_s = EPOCH_UTC_S + mission_s
    r_teme_km, v_teme_km_s = orbit.state(utc_s)
    r_ecef_km = ecef_from_teme(r_teme_km, gmst_rad(utc_s))
    sun = sun_teme(utc_s)
    assert row.mission_s == mission_s
    assert (row.r_teme_km, row.v_teme_km_s) == (r_teme_km, v_teme_km_s)
    assert (row.latitude_deg, row.longitude_deg, row.altitude_km) == geodetic_from_ecef(r_ecef_km)
    assert (row.sun_direction_teme, row.sun_distance_au) == sun
    lit = illumination(r_teme_km, sun.direction_teme, sun.distance_au * AU_KM)
    assert row.illumination_ratio == lit
    assert row.beta_angle_deg == beta_angle_deg(r_teme_km, v_teme_km_s, sun.direction_teme)
    assert tuple(row.stations) == STATIONS
    for station in build_stations(scenario):
        view, direct = row.stations[station.name], look_at(station, orbit, utc_s)
        assert (view.azimuth_deg, view.elevation_deg) == direct[:2]
        assert (view.range_km, view.range_rate_km_s) == direct[2:]
        assert view.downlink_doppler_hz == doppler_hz(direct.range_rate_km_s, 2.2)
        assert view.visible is is_visible(station, r_ecef_km)
    for neighbour in build_neighbours(scenario):
        seen, link = row.neighbours[neighbour.name], crosslink_at(orbit, neighbour, utc_s)
        assert (seen.range_km, seen.range_rate_km_s) == (link.range_km, link.range_rate_km_s)
        assert seen.grazing_altitude_km == link.grazing_altitude_km
        assert seen.line_of_sight is has_line_of_sight(neighbour, link)


def test_rows_meet_sun_shadow_and_a_station() -> None:
    computed = ephemeris(demo())
    assert computed.at(500.0).illumination_ratio == 1.0
    assert 0.0 < computed.at(2661.0).illumination_ratio < 1.0
    assert computed.at(3000.0).illumination_ratio == 0.0
    assert [computed.at(time_s).stations["maspalomas"].visible for time_s in (100.0, 200.0)] == [
        False,
        True,
    ]


def test_rows_stand_on_even_steps_and_end_before_the_span_does() -> None:
    computed = ephemeris(demo(), "kiruna")
    rows = list(computed.rows(Span(0.1, 1.0), 0.3))
    assert [row.mission_s for row in rows] == [0.1, 0.4, 0.7]
    assert [row.utc[17:] for row in rows] == ["00.100Z", "00.400Z", "00.700Z"]
    assert [tuple(row.stations) for row in rows] == [("kiruna",)] * 3
    assert rows[1] == computed.at(0.4)


@pytest.mark.parametrize(
    ("stop_s", "step_s", "count"),
    [
        (86_400.0, 1.0, 86_400),
        (86_400.0, 60.0, 1440),
        (1.1 * 86_400.0, 0.001, 95_040_000),
        (100.0, 60.0, 2),
    ],
)
def test_a_span_has_so_many_rows(stop_s: float, step_s: float, count: int) -> None:
    assert row_count(Span(0.0, stop_s), step_s) == count


def test_a_step_longer_than_the_span_gives_its_first_row() -> None:
    assert row_count(Span(0.0, 1.0), 1e9) == 1
    assert row_count(Span(3.2e8, 3.2e8), 1.0) == 1
