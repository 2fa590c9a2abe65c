from __future__ import annotations

from math import cos, degrees, hypot, pi, radians, sin

import pytest
from physics_reference import load_csv, load_json, orbit

from node.physics.shadow import (
    beta_angle_deg,
    eclipse_events,
    illumination,
    next_sunlight_change,
)
from node.physics.sun import AU_KM, sun_teme

CASES = {case["name"]: case for case in load_json("eclipse_events.json")["cases"]}
DAY_S = 86_400.0


def reference_events(name: str) -> list[tuple[float, str]]:
    truth = CASES[name]["ellipsoid_cspice_s"]
    events = []
    for key, edge in (("umbra_intervals", "umbra"), ("any_eclipse_intervals", "penumbra")):
        for begin_s, end_s in truth[key]:
            events += [(begin_s, f"{edge}_entry"), (end_s, f"{edge}_exit")]
    # An interval cut by the window has no edge there.
    return sorted(event for event in events if 0.0 < event[0] < DAY_S)


@pytest.mark.parametrize("name", CASES)
def test_eclipse_edges_agree_with_the_ellipsoid_of_spice(name: str) -> None:
    satellite = orbit(name)
    epoch = satellite.epoch_utc_s
    found = eclipse_events(satellite, epoch, epoch + DAY_S)
    expected = reference_events(name)
    assert [event.kind for event in found] == [kind for _, kind in expected]
    for event, (at_s, _) in zip(found, expected, strict=True):
        assert event.utc_s - epoch == pytest.approx(at_s, abs=0.5)


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


def test_lit_part_agrees_with_the_ray_trace() -> None:
    for row in load_csv("penumbra_iss2024.csv"):
        r_km = (float(row["rx_km_tod"]), float(row["ry"]), float(row["rz"]))
        x, y, z = (float(row[key]) for key in ("sunx_km_tod", "suny", "sunz"))
        distance_km = hypot(x, y, z)
        direction = (x / distance_km, y / distance_km, z / distance_km)
        traced = float(row["lit_raytraced_ellipsoid_40000rays"])
        assert illumination(r_km, direction, distance_km) == pytest.approx(traced, abs=0.005)


@pytest.mark.parametrize("name", CASES)
def test_beta_angle_at_epoch(name: str) -> None:
    satellite = orbit(name)
    r_teme_km, v_teme_km_s = satellite.state(satellite.epoch_utc_s)
    direction, _ = sun_teme(satellite.epoch_utc_s)
    found = beta_angle_deg(r_teme_km, v_teme_km_s, direction)
    assert found == pytest.approx(CASES[name]["beta_deg_at_epoch"], abs=0.01)


@pytest.mark.parametrize(
    "row",
    [row for row in load_csv("beta_eclipse_fraction.csv") if float(row["beta_deg"]) <= 55.0],
    ids=lambda row: f"{row['alt_km']}km-{row['beta_deg']}deg",
)
def test_eclipse_fraction_of_a_circular_orbit(row: dict[str, str]) -> None:
    # The closed form is a cylinder behind a sphere; the orbit lies in the equator, where the
    # ellipsoid differs from it only by the Sun's declination.
    radius_km = 6378.137 + float(row["alt_km"])
    beta_rad = radians(float(row["beta_deg"]))
    sun = (cos(beta_rad), 0.0, sin(beta_rad))
    samples = 3600
    dark = sum(
        1.0 - illumination((radius_km * cos(u), radius_km * sin(u), 0.0), sun, AU_KM)
        for u in (2.0 * pi * index / samples for index in range(samples))
    )
    assert dark / samples == pytest.approx(float(row["fraction_closed_form"]), abs=0.004)
    velocity = (0.0, 7.5, 0.0)
    assert beta_angle_deg((radius_km, 0.0, 0.0), velocity, sun) == pytest.approx(degrees(beta_rad))
