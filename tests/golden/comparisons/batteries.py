"""The pack's charge, voltage, current and losses beside an integration to eleven digits."""

from __future__ import annotations

from typing import Any

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_json

from node.physics.battery import BatterySpec, step

SOURCE = "battery.json"
ENTRIES = load_json(SOURCE)
STEPS_S = (1.0, 30.0, 300.0)


def pack(entry: dict[str, Any]) -> BatterySpec:
    """The reference's pack."""
    case, table = entry["case"], entry["ocv_table"]
    return BatterySpec(
        series=case["series"],
        parallel=case["parallel"],
        cell_capacity_ah=case["cell_Ah"],
        cell_resistance_ohm=case["cell_R_ohm"],
        ocv_soc=tuple(table["soc"]),
        cell_ocv_v=tuple(table["cell_V"]),
        cell_max_v=4.25,
        max_charge_c_rate=1.0,
        coulombic_efficiency=case["coulombic_eff"],
        capacity_fade=0.0,
        min_charge_temperature_c=0.0,
        min_bus_v=5.0,
    )


def discharges_and_cycles() -> list[Comparison]:
    """Every profile in short, middle and long steps."""
    return [one for entry in ENTRIES for dt_s in STEPS_S for one in _profile(entry, dt_s)]


def _profile(entry: dict[str, Any], dt_s: float) -> list[Comparison]:
    """One profile in one length of step."""
    case, spec = entry["case"], pack(entry)
    rows = {round(row[0]): row for row in entry["table"]}
    soc = case["soc0"]
    elapsed_s = joule_ws = 0.0
    charges, volts, amperes = [], [], []
    unserved = 0
    for span_s, load_w in case["profile"]:
        count = round(span_s / dt_s)
        for index in range(count):
            result = step(spec, soc, -load_w, dt_s, 20.0)
            soc = result.soc
            elapsed_s += dt_s
            joule_ws += result.current_a**2 * spec.resistance_ohm * dt_s
            unserved += result.brown_out or result.curtailed_w > 1e-9
            expected = rows.get(round(elapsed_s))
            if expected is None:
                continue
            charges.append(soc - expected[1])
            # Where the load changes, the reference's voltage and current are of the next load.
            if index + 1 < count:
                volts.append(result.terminal_v - expected[2])
                amperes.append(result.current_a - expected[3])
    charges.append(soc - entry["table"][-1][1])
    what = f"{case['name']} in steps of {dt_s:g} s"
    return [
        worst_of(f"state of charge, {what}, worst", "", charges, 1e-5, SOURCE),
        worst_of(f"terminal voltage, {what}, worst", "V", volts, 0.02, SOURCE),
        worst_of(f"current, {what}, worst", "A", amperes, 0.02, SOURCE),
        Comparison(
            f"heat of the resistance, {what}",
            "Wh",
            joule_ws / 3600.0,
            entry["joule_loss_Wh"],
            1e-3,
            "relative",
            SOURCE,
        ),
        Comparison(
            f"steps browned out or curtailed, {what}", "", unserved, 0.0, 0.0, "absolute", SOURCE
        ),
    ]


def resistances() -> list[Comparison]:
    """The pack's resistance from its cells'."""
    return [
        Comparison(
            f"resistance, {entry['case']['name']}",
            "ohm",
            pack(entry).resistance_ohm,
            entry["pack_R_ohm"],
            1e-6,
            "relative",
            SOURCE,
        )
        for entry in ENTRIES
    ]
