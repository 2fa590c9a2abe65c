"""Sunset and sunrise between the edges of CSPICE; the edges themselves: ``comparisons/``."""

from __future__ import annotations

from math import cos, radians, sin

import pytest
from comparisons.shadows import DAY_S, reference_events
from physics_reference import orbit

from node.physics.shadow import beta_angle_deg, illumination, next_sunlight_change
from node.physics.sun import AU_KM, sun_teme


@pytest.mark.parametrize("name", ["ISS_2024", "SSO550_1030_EQX", "SSO550_DD_EQX"])
def test_next_sunlight_change_lies_between_the_edges(name: str) -> None:
    satellite = orbit(name)
    epoch = satellite.epoch_utc_s
    change = next_sunlight_change(satellite, epoch + 2000.0, DAY_S / 2)
    events = [event for event in reference_events(name) if event[0] > 2000.0]
    if not events:
        assert change.sunset_utc_s is change.sunrise_utc_s is None
        return
    for found, (first, second) in (
        (change.sunset_utc_s, ("penumbra_entry", "umbra_entry")),
        (change.sunrise_utc_s, ("umbra_exit", "penumbra_exit")),
    ):
        assert found is not None
        early = next(at_s for at_s, kind in events if kind == first)
        late = next(at_s for at_s, kind in events if kind == second)
        assert early < found - epoch < late
        direction, distance_au = sun_teme(found)
        lit = illumination(satellite.state(found)[0], direction, distance_au * AU_KM)
        assert lit == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("beta_deg", [-75.0, 0.0, 30.0])
def test_beta_angle_of_a_plane_in_the_equator(beta_deg: float) -> None:
    sun = (cos(radians(beta_deg)), 0.0, sin(radians(beta_deg)))
    found_deg = beta_angle_deg((6928.137, 0.0, 0.0), (0.0, 7.5, 0.0), sun)
    assert found_deg == pytest.approx(beta_deg)
