"""A day of light, array power and an ideal battery beside Basilisk, and the Earth's own light.

Basilisk's Earth casts the shadow of a sphere, ours that of the ellipsoid: up to one per cent
lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, load_json, orbit

from node.physics.array import Panel, array_power_w
from node.physics.attitude import AttitudeMode, body_axes_teme
from node.physics.battery import BatterySpec, BatteryState, step
from node.physics.orbit import Orbit
from node.physics.shadow import illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable
from node.physics.surfaces import Surface, surface_heat_w
from node.physics.vectors import dot, unit

POINTING = "bsk_dev.json"
NADIR = "bsk_dev_nadir.json"
SAMPLES = "bsk_dev.csv"
DAY_S = 86_400.0
STEP_S = 10.0
SPHERE_NOTE = "Basilisk's Earth is a sphere"
VOLTS = 10.0


@dataclass(frozen=True)
class PowerCase:
    """A spacecraft for one day: panels, a constant load, a battery without losses."""

    name: str
    orbit: Orbit
    start_utc_s: float
    attitude: AttitudeMode
    panels: tuple[Panel, ...]
    load_w: float
    capacity_wh: float
    initial_wh: float


@dataclass(frozen=True)
class PowerDay:
    """What came of it."""

    lit_ratio: float
    array_energy_wh: float
    array_peak_w: float
    battery_min_wh: float
    battery_end_wh: float


def cells(name: str, normal_body: Sequence[float], area_m2: float, ratio: float) -> Panel:
    """A panel that knows no temperature and no age, as Basilisk's."""
    x, y, z = normal_body
    return Panel(name, "fixed", (x, y, z), area_m2, 1.0, ratio, 0.0, 28.0, 0.0, 0.0)


def reference_case(file: str, name: str, satellite: Orbit, start_utc_s: float) -> PowerCase:
    """The spacecraft of a reference file, flown where the caller says."""
    config = load_json(file)["config"]
    attitude: AttitudeMode = "sun" if config["attitude"] == "sun" else "nadir"
    # The reference turns its x axis to the Sun, we turn z.
    panels = tuple(
        cells(panel, (0.0, 0.0, 1.0) if attitude == "sun" else normal, area_m2, ratio)
        for panel, (normal, area_m2, ratio) in config["panels"].items()
    )
    capacity_wh = config["battery_Wh"]
    return PowerCase(
        name,
        satellite,
        start_utc_s,
        attitude,
        panels,
        config["load_W"],
        capacity_wh,
        capacity_wh * config["soc0"],
    )


def fly(case: PowerCase) -> PowerDay:
    """Basilisk's day by our physics: its step, its rectangle rule, a battery without losses."""
    pack = BatterySpec(
        series=1,
        parallel=1,
        cell_capacity_ah=case.capacity_wh / VOLTS,
        cell_resistance_ohm=1e-12,
        ocv_soc=(0.0, 1.0),
        cell_ocv_v=(VOLTS, VOLTS),
        cell_max_v=1.01 * VOLTS,
        max_charge_c_rate=1e3,
        coulombic_efficiency=1.0,
        capacity_fade=0.0,
        min_charge_temperature_c=-100.0,
        min_bus_v=0.5 * VOLTS,
    )
    table = SunTable()
    state = BatteryState(case.initial_wh / case.capacity_wh)
    count = round(DAY_S / STEP_S)
    lit_sum = energy_wh = peak_w = 0.0
    least_wh = case.initial_wh
    for index in range(count):
        utc_s = case.start_utc_s + index * STEP_S
        r_teme_km, v_teme_km_s = case.orbit.state(utc_s)
        sun, distance_au = table.at(utc_s)
        lit = illumination(r_teme_km, sun, distance_au * AU_KM)
        axes = body_axes_teme(case.attitude, r_teme_km, v_teme_km_s, sun)
        irradiance = SOLAR_CONSTANT_W_PER_M2 / distance_au**2 * lit
        power_w = array_power_w(case.panels, axes, sun, irradiance)
        # Basilisk's battery integrates over the step that has passed: none at the first instant.
        if index:
            state = step(pack, state, power_w - case.load_w, STEP_S, 20.0).state
        lit_sum += lit
        energy_wh += power_w * STEP_S / 3600.0
        peak_w = max(peak_w, power_w)
        least_wh = min(least_wh, state.soc * case.capacity_wh)
    return PowerDay(lit_sum / count, energy_wh, peak_w, least_wh, state.soc * case.capacity_wh)


def beside(
    case: PowerCase, theirs: PowerDay, source: str, *, oblateness_seen: bool = True
) -> list[Comparison]:
    """Our day beside Basilisk's; over the equator there is no oblateness to see."""
    ours = fly(case)
    note = SPHERE_NOTE if oblateness_seen else ""
    share = 0.01 if oblateness_seen else 0.002
    rows = [
        Comparison(
            f"lit part of a day, {case.name}",
            "",
            ours.lit_ratio,
            theirs.lit_ratio,
            0.004 if oblateness_seen else 0.001,
            "absolute",
            source,
            note,
        )
    ]
    rows += [
        Comparison(f"{what}, {case.name}", unit_of, one, other, share, "relative", source, note)
        for what, unit_of, one, other in (
            ("array energy of a day", "Wh", ours.array_energy_wh, theirs.array_energy_wh),
            ("array's greatest power", "W", ours.array_peak_w, theirs.array_peak_w),
            ("battery's least charge", "Wh", ours.battery_min_wh, theirs.battery_min_wh),
            ("battery's charge after a day", "Wh", ours.battery_end_wh, theirs.battery_end_wh),
        )
    ]
    return rows


def reference_days() -> list[Comparison]:
    """Both days of the reference set."""
    rows = []
    for file, what in ((POINTING, "Sun-pointing"), (NADIR, "nadir-pointing")):
        entry: dict[str, Any] = load_json(file)
        satellite = orbit(entry["orbit"])
        name = f"{entry['orbit']}, {what}"
        theirs = PowerDay(
            entry["mean_illum"],
            entry["array_energy_Wh"],
            entry["array_peak_W"],
            entry["battery_min_Wh"],
            entry["battery_end_Wh"],
        )
        case = reference_case(file, name, satellite, satellite.epoch_utc_s)
        rows += beside(case, theirs, file)
    return rows


def earth_light() -> list[Comparison]:
    """Infrared and albedo on a black sphere whose cross-section is one square metre."""
    satellite = orbit(load_json(POINTING)["orbit"])
    sphere = Surface("n", 4.0, 1.0, 1.0, 1.0, "sphere")
    infrared, albedo = [], []
    table = SunTable()
    rows = load_csv(SAMPLES)
    for row in rows:
        utc_s = satellite.epoch_utc_s + float(row["sec"])
        r_teme_km, v_teme_km_s = satellite.state(utc_s)
        sun, distance_au = table.at(utc_s)
        axes = body_axes_teme("nadir", r_teme_km, v_teme_km_s, sun)
        solar = SOLAR_CONSTANT_W_PER_M2 / distance_au**2
        (warm,) = surface_heat_w([sphere], axes, sun, r_teme_km, solar, 0.0, 237.0, 0.0)
        infrared.append(warm / float(row["ir_Wm2"]) - 1.0)
        # Nearer to the terminator the cosine of the point below is no fair model of the albedo.
        if dot(unit(r_teme_km), sun) > cos(radians(60.0)):
            (bright,) = surface_heat_w([sphere], axes, sun, r_teme_km, solar, 0.0, 0.0, 0.3)
            albedo.append(bright / float(row["albedo_Wm2"]) - 1.0)
    worst = "worst ratio to the reference less 1"
    high = f"{len(albedo)} instants with the Sun within 60 deg of the zenith below"
    note = "beside 90 x 180 patches of the Earth"
    infrared_what = f"Earth infrared on a sphere, {len(rows)} instants, {worst}"
    source = f"{SAMPLES}, {POINTING}"
    return [
        worst_of(infrared_what, "", infrared, 0.015, source, note),
        worst_of(f"albedo on a sphere, {high}, {worst}", "", albedo, 0.06, source, note),
    ]
