"""A day of light, array power and an ideal battery beside Basilisk, and the Earth's own light.

Its eclipse is that of a sphere before a Sun of 695000 km, ours that of the ellipsoid: with its
figures we give its energy within 0.2 per cent, with our own within one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, radians
from typing import Any

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, load_json, orbit

from node.physics.array import Panel, array_power_w
from node.physics.attitude import AttitudeMode, body_axes_teme
from node.physics.battery import BatterySpec, step
from node.physics.orbit import Orbit
from node.physics.shadow import OURS, ShadowFigures, illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable
from node.physics.surfaces import Surface, surface_heat_w
from node.physics.vectors import dot, unit

POINTING = "bsk_dev.json"
NADIR = "bsk_dev_nadir.json"
SAMPLES = "bsk_dev.csv"
DAY_S = 86_400.0
STEP_S = 10.0
BASILISK = ShadowFigures(6378.1366, 6378.1366, 695_000.0)
"""The Earth a sphere, and a smaller Sun."""
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
class Instant:
    """One step's end."""

    lit_ratio: float
    array_w: float
    battery_wh: float


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


@cache
def fly(case: PowerCase, figures: ShadowFigures) -> tuple[Instant, ...]:
    """The day in Basilisk's steps, its end included, with a battery without losses."""
    pack = BatterySpec(
        series=1,
        parallel=1,
        cell_capacity_ah=case.capacity_wh / VOLTS,
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
    table = SunTable()
    soc = case.initial_wh / case.capacity_wh
    day = []
    for index in range(round(DAY_S / STEP_S) + 1):
        utc_s = case.start_utc_s + index * STEP_S
        r_teme_km, v_teme_km_s = case.orbit.state(utc_s)
        sun, distance_au = table.at(utc_s)
        lit = illumination(r_teme_km, sun, distance_au * AU_KM, figures)
        axes = body_axes_teme(case.attitude, r_teme_km, v_teme_km_s, sun)
        irradiance = SOLAR_CONSTANT_W_PER_M2 / distance_au**2 * lit
        array_w = array_power_w(case.panels, axes, sun, irradiance)
        # Basilisk charges a step with the power of its end.
        if index:
            soc = step(pack, soc, array_w - case.load_w, STEP_S, 20.0).soc
        day.append(Instant(lit, array_w, soc * case.capacity_wh))
    return tuple(day)


def sum_up(day: Sequence[Instant]) -> PowerDay:
    """The figures of a day."""
    return PowerDay(
        lit_ratio=sum(instant.lit_ratio for instant in day) / len(day),
        array_energy_wh=sum(instant.array_w for instant in day[:-1]) * STEP_S / 3600.0,
        array_peak_w=max(instant.array_w for instant in day),
        battery_min_wh=min(instant.battery_wh for instant in day),
        battery_end_wh=day[-1].battery_wh,
    )


def beside(
    case: PowerCase, theirs: PowerDay, figures: ShadowFigures, source: str
) -> list[Comparison]:
    """Our day beside Basilisk's: with its Earth and Sun, then with our own."""
    rows = []
    for sizes, of_whom, share in ((figures, "Basilisk's", 0.002), (OURS, "our", 0.01)):
        ours = sum_up(fly(case, sizes))
        name = f"{case.name}, with {of_whom} Earth and Sun"
        rows += [
            Comparison(f"{what}, {name}", unit_of, one, other, share, "relative", source)
            for what, unit_of, one, other in (
                ("lit part of a day", "", ours.lit_ratio, theirs.lit_ratio),
                ("array energy of a day", "Wh", ours.array_energy_wh, theirs.array_energy_wh),
                ("array's greatest power", "W", ours.array_peak_w, theirs.array_peak_w),
                ("battery's least charge", "Wh", ours.battery_min_wh, theirs.battery_min_wh),
                ("battery's charge after a day", "Wh", ours.battery_end_wh, theirs.battery_end_wh),
            )
        ]
    return rows


def reference_days() -> list[Comparison]:
    """Both days of the reference set, and every row of them with Basilisk's figures."""
    rows = []
    for file, what in ((POINTING, "Sun-pointing"), (NADIR, "nadir-pointing")):
        entry: dict[str, Any] = load_json(file)
        satellite = orbit(entry["orbit"])
        theirs = PowerDay(
            entry["mean_illum"],
            entry["array_energy_Wh"],
            entry["array_peak_W"],
            entry["battery_min_Wh"],
            entry["battery_end_Wh"],
        )
        name = f"{entry['orbit']} {what}"
        case = reference_case(file, name, satellite, satellite.epoch_utc_s)
        rows += beside(case, theirs, BASILISK, file)
        rows += _instants(case, theirs, file.replace(".json", ".csv"))
    return rows


def _instants(case: PowerCase, theirs: PowerDay, source: str) -> list[Comparison]:
    """The worst of the day's rows."""
    day = fly(case, BASILISK)
    lit, array_w, battery_wh = [], [], []
    for row in load_csv(source):
        instant = day[round(float(row["sec"]) / STEP_S)]
        lit.append(instant.lit_ratio - float(row["illum"]))
        array_w.append(instant.array_w - float(row["array_W"]))
        battery_wh.append(instant.battery_wh - float(row["battery_Wh"]))
    worst = f"{case.name}, worst of {len(lit)} instants"
    peak_w, capacity_wh = theirs.array_peak_w, case.capacity_wh
    note = "with Basilisk's Earth and Sun"
    return [
        worst_of(f"lit part, {worst}", "", lit, 0.005, source, note),
        worst_of(f"array power, {worst}", "W", array_w, 0.0005 * peak_w, source, note),
        worst_of(f"battery's charge, {worst}", "Wh", battery_wh, 1e-4 * capacity_wh, source, note),
    ]


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
