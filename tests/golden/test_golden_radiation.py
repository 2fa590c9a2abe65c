from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from physics_reference import ELEMENTS, load_json, orbit, utc_s

from node.physics.frames import ecef_from_teme, geodetic_from_ecef, gmst_rad
from node.physics.proton_map import (
    PEAK_FLUX_PER_CM2_S,
    TOP_KM,
    proton_flux_per_cm2_s,
)
from node.physics.radiation import ACTIVE_SUN_GV, QUIET_SUN_GV, above_cutoff_ratio

MAP = load_json("saa_ap8min.json")
MAP_UTC_S = utc_s("2025-05-26T20:24:00Z")
"""2025.4, counted in Julian years from J2000."""
LAYERS = {
    float(name.partition("_")[0]): rows
    for name, rows in MAP["maps"].items()
    if name.endswith(">30")
}
COSMIC_RAYS = load_json("gcr_cutoff.json")["table"]


@pytest.mark.parametrize("altitude_km", sorted(LAYERS))
def test_every_node_of_the_map_is_exact(altitude_km: float) -> None:
    for latitude_deg, row in zip(MAP["lat"], LAYERS[altitude_km], strict=True):
        for longitude_deg, expected in zip(MAP["lon"], row, strict=True):
            place = (latitude_deg, longitude_deg, altitude_km)
            found = proton_flux_per_cm2_s(*place, MAP_UTC_S)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-12), place


def test_the_map_is_known_to_its_top_and_its_peak() -> None:
    assert max(LAYERS) == TOP_KM
    assert max(max(row) for rows in LAYERS.values() for row in rows) == PEAK_FLUX_PER_CM2_S


@pytest.mark.parametrize(
    "expected", load_json("proton_orbit_averages.json")["orbits"], ids=lambda e: e["name"]
)
def test_means_over_orbits(expected: dict[str, Any]) -> None:
    path = orbit(expected["name"])
    start_utc_s = utc_s(ELEMENTS[expected["name"]]["epoch_utc"])
    fluxes, altitudes_km = [], []
    for index in range(3 * 2880 + 1):
        at_s = start_utc_s + 30.0 * index
        r_teme_km, _ = path.state(at_s)
        place = geodetic_from_ecef(ecef_from_teme(r_teme_km, gmst_rad(at_s)))
        altitudes_km.append(place[2])
        fluxes.append(proton_flux_per_cm2_s(*place, at_s))
    assert sum(altitudes_km) / len(fluxes) == pytest.approx(expected["mean_alt_km"], abs=0.02)
    mean = sum(fluxes) / len(fluxes)
    # 15 % is what the map's mesh allows; a wrong sign, epoch or altitude shows far below that.
    assert mean == pytest.approx(expected["mean_flux_E>30_cm2s"], rel=0.05, abs=0.02)
    inside = sum(flux > 10.0 for flux in fluxes) / len(fluxes)
    assert inside == pytest.approx(expected["time_fraction_flux>10cm2s_E>30"], abs=0.008)


def test_every_node_of_the_cosmic_ray_table_is_exact() -> None:
    for rigidity_gv, quiet, active in COSMIC_RAYS:
        assert above_cutoff_ratio(rigidity_gv) == quiet
        assert above_cutoff_ratio(rigidity_gv, ACTIVE_SUN_GV) == active
        between = above_cutoff_ratio(rigidity_gv, 0.5 * (QUIET_SUN_GV + ACTIVE_SUN_GV))
        assert between == pytest.approx(0.5 * (quiet + active))


@pytest.mark.parametrize("modulation_gv", [QUIET_SUN_GV, 0.6, ACTIVE_SUN_GV])
def test_fewer_cosmic_rays_come_through_a_higher_cutoff(modulation_gv: float) -> None:
    last_gv = COSMIC_RAYS[-1][0]
    parts = [above_cutoff_ratio(last_gv * n / 1000, modulation_gv) for n in range(1001)]
    assert all(before > after for before, after in pairwise(parts))
    assert above_cutoff_ratio(60.0, modulation_gv) == parts[-1]
