"""One day of a whole power and heat environment against Basilisk.

Basilisk's eclipse is that of a sphere, ours of the ellipsoid: one per cent between them.
"""

from __future__ import annotations

from math import cos, radians
from typing import Any

import pytest
from physics_reference import load_csv, load_json, orbit

from node.physics.array import Panel, array_power_w
from node.physics.attitude import AttitudeMode, body_axes_teme
from node.physics.shadow import illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable
from node.physics.surfaces import Surface, surface_heat_w
from node.physics.vectors import dot, unit

STEP_S = 30.0
DAY_S = 86_400.0


def fly(case: dict[str, Any], attitude: AttitudeMode, panels: list[Panel]) -> tuple[float, float]:
    satellite = orbit(case["orbit"])
    table = SunTable()
    energy_wh = lit_sum = 0.0
    count = round(DAY_S / STEP_S)
    for index in range(count):
        utc_s = satellite.epoch_utc_s + index * STEP_S
        r_teme_km, v_teme_km_s = satellite.state(utc_s)
        sun, distance_au = table.at(utc_s)
        lit = illumination(r_teme_km, sun, distance_au * AU_KM)
        axes = body_axes_teme(attitude, r_teme_km, v_teme_km_s, sun)
        irradiance = SOLAR_CONSTANT_W_PER_M2 / distance_au**2 * lit
        energy_wh += array_power_w(panels, axes, sun, irradiance) * STEP_S / 3600.0
        lit_sum += lit
    return energy_wh, lit_sum / count


def cells(name: str, normal: tuple[float, float, float], area_m2: float, ratio: float) -> Panel:
    return Panel(name, "fixed", normal, area_m2, 1.0, ratio, 0.0, 28.0, 0.0, 0.0)


def test_energy_of_a_day_pointing_at_the_sun() -> None:
    case = load_json("bsk_dev.json")
    _, area_m2, ratio = case["config"]["panels"]["sa"]
    energy_wh, lit = fly(case, "sun", [cells("sa", (0.0, 0.0, 1.0), area_m2, ratio)])
    assert energy_wh == pytest.approx(case["array_energy_Wh"], rel=0.01)
    assert lit == pytest.approx(case["mean_illum"], abs=0.004)


def test_energy_of_a_day_pointing_at_the_nadir() -> None:
    case = load_json("bsk_dev_nadir.json")
    panels = [
        cells(name, tuple(normal), area_m2, ratio)
        for name, (normal, area_m2, ratio) in case["config"]["panels"].items()
    ]
    energy_wh, _ = fly(case, "nadir", panels)
    assert energy_wh == pytest.approx(case["array_energy_Wh"], rel=0.01)


def test_earth_light_on_a_sphere() -> None:
    case = load_json("bsk_dev.json")
    satellite = orbit(case["orbit"])
    # A black sphere whose cross-section is one square metre.
    sphere = Surface("n", 4.0, 1.0, 1.0, 1.0, "sphere")
    rows = load_csv("bsk_dev.csv")
    high_sun_rows = 0
    for row in rows:
        utc_s = satellite.epoch_utc_s + float(row["sec"])
        r_teme_km, v_teme_km_s = satellite.state(utc_s)
        sun, distance_au = SunTable().at(utc_s)
        axes = body_axes_teme("nadir", r_teme_km, v_teme_km_s, sun)
        solar = SOLAR_CONSTANT_W_PER_M2 / distance_au**2
        (infrared,) = surface_heat_w([sphere], axes, sun, r_teme_km, solar, 0.0, 237.0, 0.0)
        assert infrared == pytest.approx(float(row["ir_Wm2"]), rel=0.015)
        (albedo,) = surface_heat_w([sphere], axes, sun, r_teme_km, solar, 0.0, 0.0, 0.3)
        if dot(unit(r_teme_km), sun) > cos(radians(60.0)):
            high_sun_rows += 1
            assert albedo == pytest.approx(float(row["albedo_Wm2"]), rel=0.06)
    assert high_sun_rows > len(rows) / 5
