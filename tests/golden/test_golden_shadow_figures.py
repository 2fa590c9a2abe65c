"""Each row of Basilisk's day of light, power and charge, with its figures of Earth and Sun.

Its eclipse is that of a sphere before a Sun of 695000 km, ours that of the ellipsoid: with its
figures we give its energy within 0.2 per cent, with our own within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
from physics_reference import load_csv, load_json, orbit

from node.physics.array import Panel, array_power_w
from node.physics.attitude import AttitudeMode, body_axes_teme
from node.physics.battery import BatterySpec, BatteryState, step
from node.physics.shadow import OURS, ShadowFigures, illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable

STEP_S = 10.0
DAY_S = 86_400.0
BASILISK = ShadowFigures(6378.1366, 6378.1366, 695_000.0)
ATTITUDES: dict[str, AttitudeMode] = {"bsk_dev": "sun", "bsk_dev_nadir": "nadir"}
VOLTS = 10.0


@dataclass(frozen=True)
class Instant:
    lit: float
    array_w: float
    battery_wh: float


def lossless(capacity_wh: float) -> BatterySpec:
    """A pack that gives back what it was given, and takes whatever fits."""
    return BatterySpec(
        series=1,
        parallel=1,
        cell_capacity_ah=capacity_wh / VOLTS,
        cell_resistance_ohm=1e-9,
        ocv_soc=(0.0, 1.0),
        cell_ocv_v=(VOLTS, VOLTS),
        cell_max_v=2.0 * VOLTS,
        max_charge_c_rate=1000.0,
        coulombic_efficiency=1.0,
        capacity_fade=0.0,
        min_charge_temperature_c=0.0,
        min_bus_v=0.1 * VOLTS,
    )


def cells(name: str, attitude: AttitudeMode, area_m2: float, ratio: float) -> Panel:
    normal = (0.0, 0.0, 1.0)
    if attitude == "nadir":
        signs = {"+": 1.0, "-": -1.0}
        normal = tuple(signs[name[0]] * float(axis == name[1]) for axis in "xyz")  # type: ignore[assignment]  # three
    return Panel(name, "fixed", normal, area_m2, 1.0, ratio, 0.0, 28.0, 0.0, 0.0)


@cache
def fly(name: str, figures: ShadowFigures) -> tuple[Instant, ...]:
    """The day in Basilisk's steps, its end included."""
    case = load_json(f"{name}.json")
    config, attitude = case["config"], ATTITUDES[name]
    panels = [
        cells(face, attitude, area_m2, ratio)
        for face, (_, area_m2, ratio) in config["panels"].items()
    ]
    battery = lossless(config["battery_Wh"])
    state = BatteryState(config["soc0"])
    satellite = orbit(case["orbit"])
    table = SunTable()
    day = []
    for index in range(round(DAY_S / STEP_S) + 1):
        utc_s = satellite.epoch_utc_s + index * STEP_S
        r_teme_km, v_teme_km_s = satellite.state(utc_s)
        sun, distance_au = table.at(utc_s)
        lit = illumination(r_teme_km, sun, distance_au * AU_KM, figures)
        axes = body_axes_teme(attitude, r_teme_km, v_teme_km_s, sun)
        irradiance = SOLAR_CONSTANT_W_PER_M2 / distance_au**2 * lit
        array_w = array_power_w(panels, axes, sun, irradiance)
        if index:
            # Basilisk charges a step with the power of its end.
            state = step(battery, state, array_w - config["load_W"], STEP_S, 20.0).state
        day.append(Instant(lit, array_w, state.soc * config["battery_Wh"]))
    return tuple(day)


def energy_wh(day: tuple[Instant, ...]) -> float:
    return sum(instant.array_w for instant in day[:-1]) * STEP_S / 3600.0


@pytest.mark.parametrize("name", ATTITUDES)
@pytest.mark.parametrize(
    ("figures", "tolerance"), [(BASILISK, 0.002), (OURS, 0.01)], ids=["its figures", "ours"]
)
def test_energy_of_a_day(name: str, figures: ShadowFigures, tolerance: float) -> None:
    case, day = load_json(f"{name}.json"), fly(name, figures)
    assert energy_wh(day) == pytest.approx(case["array_energy_Wh"], rel=tolerance)
    assert max(instant.array_w for instant in day) == pytest.approx(
        case["array_peak_W"], rel=tolerance
    )
    lit = sum(instant.lit for instant in day) / len(day)
    assert lit == pytest.approx(case["mean_illum"], rel=tolerance)


@pytest.mark.parametrize("name", ATTITUDES)
def test_each_row_of_the_day(name: str) -> None:
    config, day = load_json(f"{name}.json")["config"], fly(name, BASILISK)
    rows = load_csv(f"{name}.csv")
    assert len(rows) == 361
    peak_w = max(float(row["array_W"]) for row in rows)
    for row in rows:
        instant = day[round(float(row["sec"]) / STEP_S)]
        assert instant.lit == pytest.approx(float(row["illum"]), abs=0.005), row
        assert instant.array_w == pytest.approx(float(row["array_W"]), abs=0.0005 * peak_w), row
        charge_wh = float(row["battery_Wh"])
        assert instant.battery_wh == pytest.approx(charge_wh, abs=0.0001 * config["battery_Wh"]), (
            row
        )
    assert min(instant.battery_wh for instant in day) == pytest.approx(
        load_json(f"{name}.json")["battery_min_Wh"], rel=0.001
    )


def test_the_figures_tell_a_sphere_from_an_ellipsoid() -> None:
    its, ours = (energy_wh(fly("bsk_dev", figures)) for figures in (BASILISK, OURS))
    assert 0.001 < ours / its - 1.0 < 0.01
