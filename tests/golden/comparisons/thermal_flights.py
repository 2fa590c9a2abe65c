"""Networks of lumps through four orbits beside an integration to ten digits."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, inf, pi
from typing import Any

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_json

from node.physics.surfaces import Surface
from node.physics.thermal import (
    ZERO_CELSIUS_K,
    Heater,
    Link,
    Node,
    ThermalNetwork,
    ThermalSpec,
    ThermalState,
)

SOURCE = "thermal_networks.json"
NETWORKS = load_json(SOURCE)
ONE_ORBIT_ROWS = 21
STEPS = ((0.1, 0.05), (1.0, 0.05), (60.0, 0.5))
"""Length of step in s, tolerance in K."""


class Flight:
    """One reference network flown with steps that do not straddle an eclipse edge."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.names = list(case["nodes"])
        self.case = case
        self.elapsed_s = 0.0
        self.heater_j = 0.0
        self.network = ThermalNetwork(
            ThermalSpec(
                nodes=tuple(Node(name, node["C"]) for name, node in case["nodes"].items()),
                links=tuple(
                    [Link((a, b), watts_per_k) for a, b, watts_per_k in case.get("lin", [])]
                    + [Link((a, b), 0.0, area_m2) for a, b, area_m2 in case.get("rad", [])]
                ),
                surfaces=tuple(
                    Surface(name, area_m2, 1.0, 1.0, 1.0, "zenith")
                    for name, area_m2 in case["space"].items()
                ),
                heaters=tuple(
                    Heater(name, watts, low_k - ZERO_CELSIUS_K, high_k - ZERO_CELSIUS_K)
                    for name, (low_k, high_k, watts) in case.get("heater", {}).items()
                ),
            )
        )
        self.state: ThermalState = self.network.initial_state(
            [node["T0"] - ZERO_CELSIUS_K for node in case["nodes"].values()]
        )

    @property
    def kelvin(self) -> list[float]:
        return [celsius + ZERO_CELSIUS_K for celsius in self.state.temperatures_c]

    def fly_until(self, until_s: float, dt_s: float) -> None:
        scene = self.case["environment"]
        period_s = scene["period"]
        while self.elapsed_s < until_s - 1e-6:
            start_s = self.elapsed_s - self.elapsed_s % period_s
            edges = [start_s + scene["ecl_in"], start_s + scene["ecl_out"], start_s + period_s]
            ahead = [edge for edge in edges if edge > self.elapsed_s + 1e-6]
            end_s = min([*ahead, until_s, self.elapsed_s + dt_s])
            span_s = end_s - self.elapsed_s
            result = self.network.step(
                self.state,
                self.heat_w(0.5 * (self.elapsed_s + end_s)),
                [0.0] * len(self.case["space"]),
                span_s,
            )
            self.state = result
            self.heater_j += result.heater_w * span_s
            self.elapsed_s = end_s

    def heat_w(self, at_s: float) -> list[float]:
        scene = self.case["environment"]
        phase_s = at_s % scene["period"]
        lit = not scene["ecl_in"] < phase_s < scene["ecl_out"]
        subsolar = cos(2.0 * pi * (phase_s - scene["t_subsolar"]) / scene["period"])
        heat_w = []
        for name in self.names:
            faces = self.case["env"].get(name, {})
            heat_w.append(
                self.case["heat"].get(name, 0.0)
                + faces.get("sol", 0.0) * scene["S"] * lit
                + faces.get("ir", 0.0) * scene["OLR"]
                + faces.get("alb", 0.0) * scene["albedo"] * scene["S"] * max(0.0, subsolar)
            )
        return heat_w


def networks() -> list[Comparison]:
    """Every network without a thermostat, in short and in long steps."""
    rows = []
    for entry in NETWORKS:
        case = entry["case"]
        if "heater" in case:
            continue
        for dt_s, tolerance_k in STEPS:
            flight = Flight(case)
            # The shortest step is flown for one orbit only: four say no more and take longer.
            table = entry["table"] if dt_s >= 1.0 else entry["table"][:ONE_ORBIT_ROWS]
            errors_k = []
            for at_s, *expected_k in table[1:]:
                flight.fly_until(at_s, dt_s)
                errors_k += [a - b for a, b in zip(flight.kelvin, expected_k, strict=True)]
            what = f"temperatures of {case['name']} in steps of {dt_s:g} s, worst"
            rows.append(worst_of(what, "K", errors_k, tolerance_k, SOURCE))
    return rows


def thermostats() -> list[Comparison]:
    """The band and the energy of a thermostat, which is a phase and not a path."""
    rows = []
    for entry in NETWORKS:
        case = entry["case"]
        if "heater" not in case:
            continue
        battery = entry["columns"].index("battery")
        reference = _band(row[battery] for row in entry["table"][1:])
        fine = _heated(case, entry["table"], 1.0, battery)
        for dt_s in (2.0, 60.0):
            coarse = _heated(case, entry["table"], dt_s, battery)
            what = f"{case['name']} in steps of {dt_s:g} s"
            rows += [
                Comparison(f"battery {end}, {what}", "K", ours, theirs, 0.3, "absolute", SOURCE)
                for end, ours, theirs in zip(
                    ("coldest", "warmest"), coarse[0], reference, strict=True
                )
            ]
            rows.append(
                Comparison(
                    f"heater's energy, {what}",
                    "Wh",
                    coarse[1] / 3600.0,
                    fine[1] / 3600.0,
                    0.02,
                    "relative",
                    SOURCE,
                    "beside our own in steps of 1 s: the reference has no energy",
                )
            )
    return rows


def _heated(
    case: dict[str, Any], table: list[list[float]], dt_s: float, battery: int
) -> tuple[tuple[float, float], float]:
    """Lowest and highest temperature at the reference's instants, and the heater's energy in J."""
    flight = Flight(case)
    found_k = []
    for row in table[1:]:
        flight.fly_until(row[0], dt_s)
        found_k.append(flight.kelvin[battery - 1])
    return _band(found_k), flight.heater_j


def _band(temperatures_k: Iterable[float]) -> tuple[float, float]:
    """The lowest and the highest."""
    low, high = inf, -inf
    for kelvin in temperatures_k:
        low, high = min(low, kelvin), max(high, kelvin)
    return low, high
