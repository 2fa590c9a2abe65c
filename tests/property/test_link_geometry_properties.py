"""What must hold for any horizon mask, any pair of satellites and any orbit message."""

from __future__ import annotations

from itertools import pairwise
from math import dist, hypot

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.config.omm import read_message
from node.physics.crosslink import grazing_altitude_km
from node.physics.frames import geodetic_from_ecef
from node.physics.horizon import Horizon, Point
from node.physics.modcods import CODINGS, ladder
from node.physics.orbit import Orbit
from node.physics.passes import Station, find_passes, look_at

EPOCH = 1_742_472_000.0


@st.composite
def masks(draw: st.DrawFn, most: int = 12) -> tuple[Point, ...]:
    azimuths_deg = draw(st.sets(st.floats(0.0, 359.99), min_size=1, max_size=most))
    return tuple((azimuth_deg, draw(st.floats(0.0, 85.0))) for azimuth_deg in sorted(azimuths_deg))


orbits = st.builds(
    Orbit.from_keplerian,
    st.floats(400, 2000),
    st.floats(0, 0.002),
    st.floats(0, 180),
    st.floats(0, 360),
    st.floats(0, 360),
    st.floats(0, 360),
    st.just(EPOCH),
)


@given(masks(), st.floats(0.0, 30.0), st.floats(0.0, 360.0))
def test_mask_lies_between_its_points(
    mask: tuple[Point, ...], floor_deg: float, azimuth_deg: float
) -> None:
    horizon = Horizon(mask, floor_deg)
    elevations_deg = [max(floor_deg, elevation_deg) for _, elevation_deg in mask]
    found_deg = horizon.elevation_deg(azimuth_deg)
    assert min(elevations_deg) - 1e-9 <= found_deg <= max(elevations_deg) + 1e-9
    assert horizon.lowest_deg == pytest.approx(min(elevations_deg))
    for point_deg, elevation_deg in mask:
        assert horizon.elevation_deg(point_deg) == pytest.approx(max(floor_deg, elevation_deg))


@settings(max_examples=25, deadline=None)
@given(orbits, st.floats(-89, 89), st.floats(-180, 180), st.floats(0, 20), masks())
def test_passes_are_what_is_above_the_mask(
    orbit: Orbit,
    latitude_deg: float,
    longitude_deg: float,
    floor_deg: float,
    mask: tuple[Point, ...],
) -> None:
    station = Station("s", latitude_deg, longitude_deg, 0.0, floor_deg, mask)
    assert station.horizon is not None
    end = EPOCH + 12_000.0
    passes = find_passes(orbit, [station], EPOCH, end)
    edges = [EPOCH, *(edge for p in passes for edge in (p.aos_utc_s, p.los_utc_s)), end]
    assert all(a <= b for a, b in pairwise(edges))
    instants = [EPOCH + 17.0 * k for k in range(706)]
    # Beside each edge as well, where a mistake would be.
    instants += [edge + off for edge in edges[1:-1] for off in (-0.5, -0.01, 0.01, 0.5)]
    for utc_s in instants:
        if not EPOCH < utc_s < end or any(abs(utc_s - edge) < 1e-3 for edge in edges):
            continue
        view = look_at(station, orbit, utc_s)
        over_deg = view.elevation_deg - station.horizon.elevation_deg(view.azimuth_deg)
        inside = any(p.aos_utc_s <= utc_s <= p.los_utc_s for p in passes)
        if abs(over_deg) > 1e-6:
            assert inside is (over_deg > 0.0)


places = st.tuples(*[st.floats(-30_000, 30_000)] * 3).filter(lambda r: hypot(*r) > 6500)


@given(places, places, st.floats(0, 1))
def test_no_point_of_a_line_is_lower_than_its_lowest(
    a: tuple[float, float, float], b: tuple[float, float, float], part: float
) -> None:
    assume(dist(a, b) > 1e-3)
    grazing_km = grazing_altitude_km(a, b)
    assume(grazing_km > -3000.0)  # deeper it is the first guess
    assert grazing_altitude_km(b, a) == pytest.approx(grazing_km, abs=1e-5)
    x, y, z = (p + part * (q - p) for p, q in zip(a, b, strict=True))
    assert geodetic_from_ecef((x, y, z))[2] >= grazing_km - 1e-5


@given(st.sampled_from(CODINGS), st.floats(-30, 40), st.floats(0, 20))
def test_more_signal_never_carries_less(coding: str, snr_db: float, more_db: float) -> None:
    weak, strong = ladder(coding).best(snr_db), ladder(coding).best(snr_db + more_db)
    if weak is not None:
        assert weak.threshold_db <= snr_db
        assert strong is not None
        assert strong.efficiency_bit_per_symbol >= weak.efficiency_bit_per_symbol


KEYWORDS = (
    "CCSDS_OMM_VERS",
    "EPOCH",
    "MEAN_MOTION",
    "ECCENTRICITY",
    "INCLINATION",
    "BSTAR",
    "TIME_SYSTEM",
    "EPHEMERIS_TYPE",
)
words = st.sampled_from(["2.0", "UTC", "nan", "-1e9", "1_0", "٣", "2024-127T00:00:00", "", "[]"])
values = words | st.text(max_size=12) | st.floats().map(str)
pairs = st.lists(st.tuples(st.sampled_from(KEYWORDS) | st.text(max_size=8), values), max_size=10)
messages = (
    st.text(max_size=200)
    | pairs.map(lambda rows: "\n".join(f"{key} = {value}" for key, value in rows))
    | pairs.map(lambda rows: "<omm>" + "".join(f"<{k}>{v}</{k}>" for k, v in rows) + "</omm>")
    | st.sampled_from("{[<").flatmap(lambda first: st.text(max_size=60).map(first.__add__))
)


@given(messages)
def test_whatever_stands_there_is_read_or_told(text: str) -> None:
    reading = read_message(text)
    assert (reading.elements is None) == bool(reading.problems)
    for problem in (*reading.problems, reading.object_name):
        assert "\n" not in problem
        assert len(problem) < 300
