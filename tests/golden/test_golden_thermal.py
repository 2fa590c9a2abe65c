from __future__ import annotations

from math import cos, inf, pi, radians
from typing import Any, Literal

import pytest
from physics_reference import load_csv, load_json

from node.physics.attitude import BodyAxes
from node.physics.frames import EQUATORIAL_RADIUS_KM
from node.physics.surfaces import Surface, plate_view_factor, sphere_view_factor, surface_heat_w
from node.physics.thermal import (
    ZERO_CELSIUS_K,
    Heater,
    Link,
    Node,
    ThermalNetwork,
    ThermalSpec,
    ThermalState,
)

FORMS = load_json("thermal_closed_forms.json")
AXES: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
SUN = (1.0, 0.0, 0.0)
FAR_KM = (1e9, 0.0, 0.0)
DAY_S = 86_400.0


def face(
    facing: Literal["sphere", "sun", "anti_sun", "zenith"],
    *,
    area_m2: float = 1.0,
    emissivity: float = 1.0,
    absorptance: float = 1.0,
) -> Surface:
    return Surface("n", area_m2, emissivity, absorptance, 1.0, facing)


def settled_k(
    surfaces: list[Surface],
    *,
    heat_w: float = 0.0,
    solar_w_per_m2: float = 1361.0,
    lit: float = 1.0,
    r_km: tuple[float, float, float] = FAR_KM,
    infrared_w_per_m2: float = 0.0,
    albedo: float = 0.0,
) -> float:
    network = ThermalNetwork(ThermalSpec((Node("n", 100.0),), surfaces=tuple(surfaces)))
    absorbed_w = surface_heat_w(
        surfaces, AXES, SUN, r_km, solar_w_per_m2, lit, infrared_w_per_m2, albedo
    )
    state = network.initial_state([20.0])
    settled = network.step(state, [heat_w], absorbed_w, 2 * DAY_S).state
    return settled.temperatures_c[0] + ZERO_CELSIUS_K


@pytest.mark.parametrize(
    ("solar_w_per_m2", "key"),
    [(1361.0, "sphere_1AU_K"), (1366.1, "sphere_1AU_K_S1366p1"), (1371.0, "sphere_1AU_K_S1371")],
)
def test_sphere_at_one_astronomical_unit(solar_w_per_m2: float, key: str) -> None:
    found_k = settled_k([face("sphere")], solar_w_per_m2=solar_w_per_m2)
    assert found_k == pytest.approx(FORMS[key], abs=0.01)


def test_plates_in_the_sun() -> None:
    both = settled_k([face("sun"), face("anti_sun")])
    assert both == pytest.approx(FORMS["plate_two_sided_K"], abs=0.01)
    insulated = settled_k([face("sun")])
    assert insulated == pytest.approx(FORMS["plate_insulated_back_K"], abs=0.01)


@pytest.mark.parametrize(
    ("heat_w", "area_m2", "emissivity", "key"),
    [
        (25.0, 0.25, 0.88, "radiator_25W_eps088_A025_K"),
        (700.0, 2.0, 0.9, "radiator_700W_eps09_A2p0_deepspace_K"),
    ],
)
def test_radiator_in_deep_space(heat_w: float, area_m2: float, emissivity: float, key: str) -> None:
    radiator = face("zenith", area_m2=area_m2, emissivity=emissivity)
    assert settled_k([radiator], heat_w=heat_w, lit=0.0) == pytest.approx(FORMS[key], abs=0.01)


def test_sphere_over_the_subsolar_point_and_in_eclipse() -> None:
    sphere = face("sphere", emissivity=0.8, absorptance=0.9)
    radius_km = EQUATORIAL_RADIUS_KM + 550.0
    assert sphere_view_factor(radius_km / EQUATORIAL_RADIUS_KM) == pytest.approx(
        FORMS["leo_sphere"]["F"]
    )
    subsolar = settled_k([sphere], r_km=(radius_km, 0.0, 0.0), infrared_w_per_m2=237.0, albedo=0.3)
    assert subsolar == pytest.approx(FORMS["leo_sphere"]["T_subsolar_K"], abs=0.01)
    eclipse = settled_k(
        [sphere], lit=0.0, r_km=(-radius_km, 0.0, 0.0), infrared_w_per_m2=237.0, albedo=0.3
    )
    assert eclipse == pytest.approx(FORMS["leo_sphere"]["T_eclipse_K"], abs=0.01)


@pytest.mark.parametrize("dt_s", [1.0, 20.0, 60.0])
def test_free_cooling_follows_its_law(dt_s: float) -> None:
    network = ThermalNetwork(
        ThermalSpec((Node("n", 1000.0),), surfaces=(face("zenith", area_m2=0.1),))
    )
    state = network.initial_state([350.0 - ZERO_CELSIUS_K])
    law = {time_s: kelvin for time_s, kelvin in FORMS["cooling"]["T"] if time_s <= 3600}
    for index in range(1, round(3600 / dt_s) + 1):
        state = network.step(state, [0.0], [0.0], dt_s).state
        expected_k = law.pop(round(index * dt_s), None)
        if expected_k is not None:
            # The law's space is at 0 K; ours adds microwatts.
            assert state.temperatures_c[0] + ZERO_CELSIUS_K == pytest.approx(expected_k, abs=0.01)
    assert not law


def test_black_body_at_300_k() -> None:
    network = ThermalNetwork(ThermalSpec((Node("n", 1000.0),), surfaces=(face("zenith"),)))
    found = network.radiated_w([300.0 - ZERO_CELSIUS_K])
    assert found == pytest.approx(FORMS["blackbody_300K_Wm2"], abs=1e-3)


@pytest.mark.parametrize(
    "row",
    load_csv("earth_view_factor_plate.csv"),
    ids=lambda row: f"{row['alt_km']}km-{row['tilt_from_nadir_deg']}deg",
)
def test_plate_view_factor(row: dict[str, str]) -> None:
    ratio = (EQUATORIAL_RADIUS_KM + float(row["alt_km"])) / EQUATORIAL_RADIUS_KM
    found = plate_view_factor(ratio, cos(radians(float(row["tilt_from_nadir_deg"]))))
    assert found == pytest.approx(float(row["F"]), abs=1e-4)


NETWORKS = load_json("thermal_networks.json")


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
            self.state = result.state
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


@pytest.mark.parametrize(("dt_s", "tolerance_k"), [(0.5, 0.05), (1.0, 0.05), (60.0, 0.5)])
@pytest.mark.parametrize(
    "entry",
    [entry for entry in NETWORKS if "heater" not in entry["case"]],
    ids=lambda entry: entry["case"]["name"],
)
def test_networks_follow_the_integrated_equations(
    entry: dict[str, Any], dt_s: float, tolerance_k: float
) -> None:
    flight = Flight(entry["case"])
    # A short step is flown for one orbit only: four say no more and take four times as long.
    rows = entry["table"] if dt_s > 1.0 else entry["table"][:21]
    for at_s, *expected_k in rows[1:]:
        flight.fly_until(at_s, dt_s)
        assert flight.kelvin == pytest.approx(expected_k, abs=tolerance_k)


@pytest.mark.parametrize("dt_s", [2.0, 60.0])
def test_thermostats_hold_the_same_band_for_the_same_energy(dt_s: float) -> None:
    entry = next(entry for entry in NETWORKS if "heater" in entry["case"])
    reference, found = ([inf, -inf], [inf, -inf])
    battery = entry["columns"].index("battery")
    fine, coarse = Flight(entry["case"]), Flight(entry["case"])
    for row in entry["table"][1:]:
        fine.fly_until(row[0], 1.0)
        coarse.fly_until(row[0], dt_s)
        for bounds, kelvin in (
            (reference, row[battery]),
            (found, coarse.kelvin[battery - 1]),
        ):
            bounds[0] = min(bounds[0], kelvin)
            bounds[1] = max(bounds[1], kelvin)
    assert found == pytest.approx(reference, abs=0.3)
    assert coarse.heater_j == pytest.approx(fine.heater_j, rel=0.02)
