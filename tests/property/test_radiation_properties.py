"""Upsets come as a Poisson process does, whatever the step; every place has finite figures."""

from __future__ import annotations

from math import exp, isfinite, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.physics.draws import hazard_to_event, run_down
from node.physics.frames import ecef_from_geodetic
from node.physics.proton_map import PEAK_FLUX_PER_CM2_S, proton_flux_per_cm2_s
from node.physics.radiation import RadiationSpec, exposure

SPEC = RadiationSpec(1e9, 1e-13, 1e-7, 0.9, 1e-7, 2.0, 1.0)
CLOSED_GV = 14.95
"""The highest cut-off, at the lowest place of the dipole's equator."""
utc = st.floats(0.0, 2.5e9)


@given(
    latitude_deg=st.one_of(st.floats(-90.0, 90.0), st.sampled_from((-90.0, 90.0, 0.0))),
    longitude_deg=st.one_of(st.floats(-180.0, 180.0), st.sampled_from((-180.0, 180.0))),
    altitude_km=st.floats(0.0, 50_000.0),
    utc_s=utc,
)
def test_everywhere_has_a_value(
    latitude_deg: float, longitude_deg: float, altitude_km: float, utc_s: float
) -> None:
    place = (latitude_deg, longitude_deg, altitude_km)
    found = exposure(SPEC, ecef_from_geodetic(*place), utc_s)
    of_map = proton_flux_per_cm2_s(*place, utc_s)
    assert found.proton_flux_per_cm2_s == pytest.approx(of_map, rel=1e-6, abs=1e-6)
    assert all(isfinite(figure) for figure in found)
    assert 0.0 <= found.proton_flux_per_cm2_s <= PEAK_FLUX_PER_CM2_S * (1.0 + 1e-12)
    assert 0.0 <= found.cutoff_rigidity_gv < CLOSED_GV
    # Cosmic rays reach every place; outside the magnetosphere come the most.
    assert 0.0 < found.memory_upsets_per_s < 1e-4 * PEAK_FLUX_PER_CM2_S + 100.0 / 86400.0
    assert found.device_interrupts_per_s > 0.0


@given(
    latitude_deg=st.floats(-90.0, 90.0),
    longitude_deg=st.floats(-180.0, 180.0),
    altitude_km=st.floats(200.0, 1000.0),
    utc_s=utc,
)
def test_the_proton_flux_has_no_jumps(
    latitude_deg: float, longitude_deg: float, altitude_km: float, utc_s: float
) -> None:
    here = proton_flux_per_cm2_s(latitude_deg, longitude_deg, altitude_km, utc_s)
    for step in (
        (latitude_deg + 1e-4, longitude_deg, altitude_km),
        (latitude_deg, longitude_deg + 1e-4, altitude_km),
        (latitude_deg, longitude_deg, altitude_km + 1e-3),
    ):
        assert proton_flux_per_cm2_s(*step, utc_s) == pytest.approx(here, rel=1e-3, abs=0.1)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    steps=st.lists(st.floats(0.0, 5.0), max_size=60),
    pieces=st.integers(1, 7),
)
def test_events_fall_where_they_fall_however_time_is_cut(
    seed: int, steps: list[float], pieces: int
) -> None:
    whole, whole_left = 0, hazard_to_event(seed, 0, 0)
    cut, cut_left = 0, whole_left
    for hazard in steps:
        struck, whole_left = run_down(whole_left, hazard, seed, 0, whole)
        whole += struck
        for _ in range(pieces):
            struck, cut_left = run_down(cut_left, hazard / pieces, seed, 0, cut)
            cut += struck
        if min(whole_left, cut_left) > 1e-9 and abs(whole_left - cut_left) < 1e-9:
            assert cut == whole
    # At the very instant of an event, rounding may put it on either side.
    assert abs(whole_left - cut_left) < 1e-9 or abs(cut - whole) == 1
    events = sum(1 for _ in _arrivals(seed, sum(steps)))
    assert abs(events - whole) <= 1


def _arrivals(seed: int, until: float) -> list[float]:
    arrivals, at, number = [], 0.0, 0
    while (at := at + hazard_to_event(seed, 0, number)) <= until:
        arrivals.append(at)
        number += 1
    return arrivals


@pytest.mark.parametrize(("hazard", "steps"), [(0.002, 1000), (0.05, 40), (2.0, 1), (7.3, 3)])
def test_counts_are_those_of_a_poisson_process(hazard: float, steps: int) -> None:
    trials, mean = 2000, hazard * steps
    counts = []
    for seed in range(trials):
        count, left = 0, hazard_to_event(seed, 1, 0)
        for _ in range(steps):
            struck, left = run_down(left, hazard, seed, 1, count)
            count += struck
        counts.append(count)
    found = sum(counts) / trials
    variance = sum((count - found) ** 2 for count in counts) / (trials - 1)
    # Four standard errors of either.
    assert found == pytest.approx(mean, abs=4.0 * sqrt(mean / trials))
    assert variance == pytest.approx(mean, abs=4.0 * mean * sqrt((2.0 + 1.0 / mean) / trials))


def test_the_times_between_events_are_exponential() -> None:
    draws = sorted(hazard_to_event(5, 2, number) for number in range(4000))
    # Kolmogorov and Smirnov, at one in ten thousand.
    worst = max(abs(1.0 - exp(-x) - (i + 0.5) / len(draws)) for i, x in enumerate(draws))
    assert worst < 2.2 / sqrt(len(draws))
