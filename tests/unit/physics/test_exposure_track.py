"""The rates along an orbit: a function of time alone, near the rates of each place."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest

from node.physics.exposure_track import SPAN_S, ExposureTrack
from node.physics.frames import ecef_from_teme, gmst_rad
from node.physics.orbit import Orbit
from node.physics.radiation import Exposure, RadiationSpec, exposure

UTC_S = 1_748_291_040.0
SPEC = RadiationSpec(1e10, 1e-14, 1e-9, 0.75, 1e-5, 1.0, 1.0)
DAY_S = 86_400
STEP_S = 2.5


def orbit(altitude_km: float = 550.0) -> Orbit:
    return Orbit.from_sso(altitude_km, 22.5, 0.0005, 0.0, UTC_S)


def at_place(flown: Orbit, utc_s: float) -> Exposure:
    return exposure(SPEC, ecef_from_teme(flown.state(utc_s)[0], gmst_rad(utc_s)), utc_s)


@pytest.mark.parametrize("altitude_km", [420.0, 550.0, 800.0])
def test_a_day_of_rates_is_near_those_of_the_places(altitude_km: float) -> None:
    flown = orbit(altitude_km)
    track = ExposureTrack(SPEC, flown)
    instants = [UTC_S + STEP_S * number for number in range(int(DAY_S / STEP_S))]
    pairs = [(track.at(utc_s), at_place(flown, utc_s)) for utc_s in instants]
    for field, worst, mean in ((0, 0.02, 2e-3), (1, 2e-4, 1e-4), (2, 0.02, 2e-3), (3, 0.02, 2e-3)):
        found = [here[field] for here, _ in pairs]
        true = [there[field] for _, there in pairs]
        errors = [abs(a - b) for a, b in zip(found, true, strict=True)]
        assert max(errors) < worst * max(true)
        assert fmean(errors) < mean * fmean(true)
        assert fmean(found) == pytest.approx(fmean(true), rel=1e-4)


def test_on_the_grid_the_rates_are_those_of_the_place() -> None:
    flown = orbit()
    track = ExposureTrack(SPEC, flown)
    for number in (0, 1, 2, 50, 51, 7):
        utc_s = UTC_S + number * SPAN_S
        assert track.at(utc_s) == at_place(flown, utc_s)


def test_the_rates_are_those_of_the_instant_whatever_was_asked_before() -> None:
    track = ExposureTrack(SPEC, orbit())
    instants = [UTC_S + t for t in (3000.0, 3.0, 3007.5, 12.0, 11.0, 3000.0)]
    for utc_s in instants:
        assert track.at(utc_s) == ExposureTrack(SPEC, orbit()).at(utc_s)


@pytest.mark.parametrize("step_s", [0.3, 1.0, 7.0, 10.0, 60.0, 86_400.0])
def test_what_is_expected_does_not_hang_on_the_steps(step_s: float) -> None:
    whole = ExposureTrack(SPEC, orbit()).expected(UTC_S + 1.5, UTC_S + 6001.5)
    track = ExposureTrack(SPEC, orbit())
    edges = [UTC_S + 1.5 + step_s * number for number in range(int(6000.0 / step_s) + 1)]
    edges.append(UTC_S + 6001.5)
    parts = [track.expected(a, b) for a, b in pairwise(edges) if b > a]
    for field in (0, 1):
        assert sum(part[field] for part in parts) == pytest.approx(whole[field], rel=1e-9)
    assert whole[0] > 0.3


def test_what_is_expected_is_the_integral_of_the_rates() -> None:
    track = ExposureTrack(SPEC, orbit())
    begin_utc_s = UTC_S + 31_000.0
    memory, device = track.expected(begin_utc_s, begin_utc_s + 1200.0)
    # Linear between whole seconds, so that the trapezoids are exact.
    rates = [track.at(begin_utc_s + second) for second in range(1201)]
    for found, field in ((memory, 2), (device, 3)):
        area = sum(0.5 * (a[field] + b[field]) for a, b in pairwise(rates))
        assert found == pytest.approx(area, rel=1e-9)
