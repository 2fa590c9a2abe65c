"""Sunset and sunrise between the edges of CSPICE; the edges themselves: ``comparisons/``."""

from __future__ import annotations

from math import cos, pi, radians, sin

import pytest
from comparisons.shadows import DAY_S, reference_events
from physics_reference import load_csv, orbit

from node.physics.shadow import (
    ShadowFigures,
    beta_angle_deg,
    illumination,
    next_sunlight_change,
)
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


CYLINDER = ShadowFigures(6378.137, 6378.137, 0.0)
"""A sphere before a point: with the Sun far away its shadow is the closed form's cylinder."""
FAR_KM = 1e15


@pytest.mark.parametrize(
    "row",
    load_csv("beta_eclipse_fraction.csv"),
    ids=lambda row: f"{row['alt_km']}km-{row['beta_deg']}deg",
)
def test_eclipse_fraction_is_the_closed_form_at_every_beta(row: dict[str, str]) -> None:
    radius_km = 6378.137 + float(row["alt_km"])
    beta = radians(float(row["beta_deg"]))
    sun = (cos(beta), 0.0, sin(beta))

    def dark(before_opposition: float) -> bool:
        angle = pi - before_opposition
        r_km = (radius_km * cos(angle), radius_km * sin(angle), 0.0)
        return illumination(r_km, sun, FAR_KM, CYLINDER) == 0.0

    inside, outside = 0.0, pi / 2.0
    while outside - inside > 1e-9:
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if dark(middle) else (inside, middle)
    fraction = inside / pi if dark(0.0) else 0.0
    assert fraction == pytest.approx(float(row["fraction_closed_form"]), abs=1e-6)
    assert fraction == pytest.approx(float(row["fraction_bruteforce_cylinder"]), abs=1e-4)
