from __future__ import annotations

from dataclasses import replace
from math import cos, nextafter, radians, sin

import pytest

from node.errors import PhysicsError
from node.physics.frames import EQUATORIAL_RADIUS_KM, ecef_from_geodetic
from node.physics.proton_map import (
    NORTH_DEG,
    PEAK_FLUX_PER_CM2_S,
    SOUTH_DEG,
    proton_flux_per_cm2_s,
)
from node.physics.radiation import (
    RadiationSpec,
    above_cutoff_ratio,
    cutoff_rigidity_gv,
    exposure,
    free_sky_ratio,
    l_shell,
)

MAP_UTC_S = 1_748_291_040.0
YEAR_S = 31_557_600.0
ANOMALY = (-35.0, -60.0)
SPEC = RadiationSpec(
    memory_bits=1e9,
    memory_proton_cross_section_cm2_per_bit=1e-12,
    memory_cosmic_ray_upsets_per_bit_day=1e-7,
    corrected_ratio=0.9,
    device_proton_cross_section_cm2=1e-6,
    device_cosmic_ray_interrupts_per_day=2.0,
    flux_ratio=1.0,
)
# The pole of the dipole of IGRF-14 for 2025.0, as published: 80.8 N, 72.8 W.
POLE_LATITUDE_DEG, POLE_LONGITUDE_DEG = 80.8, -72.8


def flux(altitude_km: float, utc_s: float = MAP_UTC_S) -> float:
    return proton_flux_per_cm2_s(*ANOMALY, altitude_km, utc_s)


def on_dipole(latitude_deg: float, radius_km: float) -> tuple[float, float, float]:
    """A place by its latitude in the dipole, a quarter turn from the geographic pole."""
    turned, east = radians(POLE_LATITUDE_DEG), radians(POLE_LONGITUDE_DEG)
    up, across = sin(radians(latitude_deg)), cos(radians(latitude_deg))
    return (
        radius_km * (up * cos(turned) * cos(east) - across * sin(east)),
        radius_km * (up * cos(turned) * sin(east) + across * cos(east)),
        radius_km * up * sin(turned),
    )


def test_the_anomaly_drifts_west() -> None:
    latitude_deg, longitude_deg = ANOMALY
    then_s = MAP_UTC_S + 10.0 * YEAR_S
    moved = proton_flux_per_cm2_s(latitude_deg, longitude_deg - 3.0, 550.0, then_s)
    assert moved == pytest.approx(flux(550.0), rel=1e-9)
    assert flux(550.0, then_s) != pytest.approx(flux(550.0), rel=1e-3)


def test_longitude_has_no_seam() -> None:
    for turns in (-720.0, -360.0, 360.0):
        turned = proton_flux_per_cm2_s(-30.0, -55.0 + turns, 600.0, MAP_UTC_S)
        assert turned == pytest.approx(proton_flux_per_cm2_s(-30.0, -55.0, 600.0, MAP_UTC_S))


def test_between_two_layers_the_flux_follows_a_power_law() -> None:
    middle_km = (550.0 * 650.0) ** 0.5
    assert flux(middle_km) == pytest.approx((flux(550.0) * flux(650.0)) ** 0.5, rel=1e-3)


def test_above_a_layer_without_flux_it_rises_from_nothing() -> None:
    place = (-55.0, -55.0)
    low, middle, high = (
        proton_flux_per_cm2_s(*place, altitude_km, MAP_UTC_S)
        for altitude_km in (400.0, (400.0 * 550.0) ** 0.5, 550.0)
    )
    assert low == 0.0
    assert 0.0 < middle == pytest.approx((1.0 + high) ** 0.5 - 1.0)
    assert proton_flux_per_cm2_s(*place, 390.0, MAP_UTC_S) == 0.0


def test_below_the_map_the_law_goes_on_and_above_it_the_top_is_held() -> None:
    below_km = 400.0 * 400.0 / 550.0
    assert flux(below_km) == pytest.approx((1.0 + flux(400.0)) ** 2 / (1.0 + flux(550.0)) - 1.0)
    assert flux(10.0) == flux(0.0) == flux(-5.0) == 0.0
    assert flux(800.0) == flux(1200.0) == flux(36_000.0) > flux(790.0)


@pytest.mark.parametrize(
    "place", [(31.0, -50.0), (-66.0, -50.0), (90.0, 0.0), (-90.0, 0.0), (-30.0, 60.0), (0.0, 180.0)]
)
def test_there_is_nothing_outside_the_map(place: tuple[float, float]) -> None:
    assert proton_flux_per_cm2_s(*place, 800.0, MAP_UTC_S) == 0.0


def test_the_last_figure_below_the_rim_is_inside() -> None:
    south, north = nextafter(SOUTH_DEG, 0.0), nextafter(NORTH_DEG, 0.0)
    west, east = nextafter(-125.0, 0.0), nextafter(50.0, 0.0)
    for place in ((south, west), (south, east), (north, west), (north, east)):
        assert proton_flux_per_cm2_s(*place, 800.0, MAP_UTC_S) == pytest.approx(0.0, abs=1e-9)


def test_the_edge_of_the_map_is_no_step() -> None:
    # 3 at the map's southern edge, at 60 S.
    inside = proton_flux_per_cm2_s(-60.0, -50.0, 800.0, MAP_UTC_S)
    half = proton_flux_per_cm2_s(-62.5, -50.0, 800.0, MAP_UTC_S)
    assert inside == pytest.approx(3.0)
    assert half == pytest.approx(1.5)


def test_dipole_shells() -> None:
    assert l_shell(on_dipole(0.0, 6371.2)) == pytest.approx(1.0, abs=1e-4)
    assert l_shell(on_dipole(60.0, 6371.2)) == pytest.approx(4.0, rel=5e-3)
    assert l_shell(on_dipole(0.0, 3.0 * 6371.2)) == pytest.approx(3.0, abs=1e-3)
    assert l_shell(on_dipole(-45.0, 2.0 * 6371.2)) == pytest.approx(4.0, rel=5e-3)
    assert l_shell(on_dipole(89.9, 6371.2)) > 1e4


def test_the_cutoff_falls_from_the_equator_to_the_poles_of_the_dipole() -> None:
    assert cutoff_rigidity_gv(on_dipole(0.0, 6371.2)) == pytest.approx(14.9, rel=1e-3)
    assert cutoff_rigidity_gv(on_dipole(45.0, 6371.2)) == pytest.approx(14.9 / 4.0, rel=5e-3)
    assert cutoff_rigidity_gv(on_dipole(90.0, 6371.2)) < 1e-9


def test_on_the_axis_of_the_dipole_everything_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.physics.radiation._AXIS_ECEF", (0.0, 0.0, 1.0))
    assert l_shell((0.0, 0.0, 7000.0)) == float("inf")
    assert cutoff_rigidity_gv((0.0, 0.0, -7000.0)) == 0.0


def test_the_earth_covers_half_the_sky_at_the_ground() -> None:
    assert free_sky_ratio(EQUATORIAL_RADIUS_KM) == 0.5
    assert free_sky_ratio(6357.0) == 0.5
    assert free_sky_ratio(2.0 * EQUATORIAL_RADIUS_KM) == pytest.approx(0.5 * (1.0 + 0.75**0.5))
    assert free_sky_ratio(1e9) == pytest.approx(1.0)


def test_rates_are_flux_times_cross_section() -> None:
    r_ecef_km = ecef_from_geodetic(*ANOMALY, 550.0)
    found = exposure(SPEC, r_ecef_km, MAP_UTC_S)
    cosmic_rays = above_cutoff_ratio(cutoff_rigidity_gv(r_ecef_km)) * free_sky_ratio(
        sum(part * part for part in r_ecef_km) ** 0.5
    )
    assert found.proton_flux_per_cm2_s == pytest.approx(flux(550.0), rel=1e-6)
    assert found.cutoff_rigidity_gv == cutoff_rigidity_gv(r_ecef_km)
    assert found.memory_upsets_per_s == pytest.approx(
        1e-3 * flux(550.0) + 100.0 / 86400.0 * cosmic_rays, rel=1e-6
    )
    assert found.device_interrupts_per_s == pytest.approx(
        1e-6 * flux(550.0) + 2.0 / 86400.0 * cosmic_rays, rel=1e-6
    )


@pytest.mark.parametrize("latitude_deg", [-75.0, 70.0, 90.0])
def test_near_the_poles_only_cosmic_rays_come_in(latitude_deg: float) -> None:
    found = exposure(SPEC, ecef_from_geodetic(latitude_deg, -60.0, 700.0), MAP_UTC_S)
    assert found.proton_flux_per_cm2_s == 0.0
    assert 0.0 < found.memory_upsets_per_s < 100.0 / 86400.0


def test_the_flux_ratio_scales_everything() -> None:
    r_ecef_km = ecef_from_geodetic(*ANOMALY, 550.0)
    quiet = exposure(SPEC, r_ecef_km, MAP_UTC_S)
    storm = exposure(replace(SPEC, flux_ratio=7.0), r_ecef_km, MAP_UTC_S)
    assert storm.proton_flux_per_cm2_s == pytest.approx(7.0 * quiet.proton_flux_per_cm2_s)
    assert storm.memory_upsets_per_s == pytest.approx(7.0 * quiet.memory_upsets_per_s)
    assert storm.device_interrupts_per_s == pytest.approx(7.0 * quiet.device_interrupts_per_s)
    assert storm.cutoff_rigidity_gv == quiet.cutoff_rigidity_gv


def test_an_active_sun_leaves_a_harder_spectrum() -> None:
    equator = ecef_from_geodetic(0.0, 120.0, 550.0)
    quiet = exposure(SPEC, equator, MAP_UTC_S)
    active = exposure(replace(SPEC, solar_modulation_gv=0.9), equator, MAP_UTC_S)
    assert active.memory_upsets_per_s > 1.5 * quiet.memory_upsets_per_s


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"memory_bits": -1.0}, "memory_bits"),
        ({"memory_proton_cross_section_cm2_per_bit": float("nan")}, "memory_proton"),
        ({"memory_cosmic_ray_upsets_per_bit_day": -1.0}, "memory_cosmic_ray"),
        ({"corrected_ratio": 1.1}, "corrected_ratio"),
        ({"device_proton_cross_section_cm2": -1.0}, "device_proton"),
        ({"device_cosmic_ray_interrupts_per_day": -1.0}, "device_cosmic_ray"),
        ({"flux_ratio": float("inf")}, "flux_ratio"),
        ({"solar_modulation_gv": 0.4}, "solar_modulation_gv"),
    ],
)
def test_impossible_figures_are_refused(changes: dict[str, float], name: str) -> None:
    with pytest.raises(PhysicsError, match=name):
        replace(SPEC, **changes)


def test_more_upsets_than_can_be_counted_are_refused() -> None:
    most = 1000.0 / PEAK_FLUX_PER_CM2_S
    replace(SPEC, device_proton_cross_section_cm2=0.99 * most)
    with pytest.raises(PhysicsError, match=r"^device: .* 1000 upsets a second .* got 1\.01e\+03"):
        replace(SPEC, device_proton_cross_section_cm2=1.01 * most)
    with pytest.raises(PhysicsError, match=r"^memory: "):
        replace(SPEC, memory_bits=1e13)
