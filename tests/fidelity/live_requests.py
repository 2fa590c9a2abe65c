"""What the live tools are asked: reference orbits and the scenarios that ship, for a day each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from math import floor
from pathlib import Path
from typing import Any

from comparisons.power_days import DAY_S, NADIR, POINTING, PowerCase, reference_case
from comparisons.power_days import STEP_S as POWER_STEP_S
from physics_reference import ELEMENTS, load_json, orbit, station

from node.clock import epoch_utc_s
from node.config.build import build_orbit, build_spacecraft, build_stations
from node.config.load import load_scenario
from node.config.scenario import Scenario
from node.physics.array import Panel, array_power_w
from node.physics.orbit import Orbit
from node.physics.passes import Station
from node.physics.sun import SOLAR_CONSTANT_W_PER_M2

SCENARIOS = Path(__file__).parents[2] / "scenarios"
DEMO = "demo.toml"
MASK_DEG = 5.0
SKY_STEP_S = 60.0
POWER_ORBIT = "SSO550_1030_EQX"
EQUATORIAL_ORBIT = "EQUAT500_EQX"


@dataclass(frozen=True)
class Flown:
    """An orbit of ours and the same as the tools are told it."""

    name: str
    orbit: Orbit
    start_utc_s: float
    elements: dict[str, Any]
    sites: tuple[Station, ...]
    stations: tuple[dict[str, Any], ...]


@cache
def flown() -> dict[str, Flown]:
    """Every reference orbit, then the scenarios' orbits, the same orbit once."""
    places = load_json("stations.json")
    stations = tuple(
        {
            "name": name,
            "latitude_deg": place["lat_deg"],
            "longitude_deg": place["lon_deg"],
            "altitude_m": place["alt_m"],
            "min_elevation_deg": MASK_DEG,
            "horizon_mask": [],
        }
        for name, place in places.items()
    )
    sites = tuple(station(name, MASK_DEG) for name in places)
    cases = {
        name: Flown(
            name,
            orbit(name),
            floor(orbit(name).epoch_utc_s),
            {"line1": entry["line1"], "line2": entry["line2"]},
            sites,
            stations,
        )
        for name, entry in ELEMENTS.items()
    }
    seen = []
    # The demo first: others that fly the same orbit add nothing.
    for file in sorted(SCENARIOS.glob("*.toml"), key=lambda file: (file.name != DEMO, file.name)):
        case = _scenario_case(file.name, load_scenario(file))
        place = (case.elements, case.start_utc_s, case.stations)
        if place not in seen:
            seen.append(place)
            cases[file.name] = case
    return cases


def _scenario_case(name: str, scenario: Scenario) -> Flown:
    satellite = build_orbit(scenario)
    stations = tuple(
        {
            "name": place.name,
            "latitude_deg": place.latitude_deg,
            "longitude_deg": place.longitude_deg,
            "altitude_m": place.altitude_m,
            "min_elevation_deg": place.min_elevation_deg,
            "horizon_mask": place.horizon_mask,
        }
        for place in scenario.ground_station
    )
    start_utc_s = epoch_utc_s(scenario.mission.epoch)
    return Flown(
        name, satellite, start_utc_s, _mean_elements(satellite), build_stations(scenario), stations
    )


def _mean_elements(satellite: Orbit) -> dict[str, Any]:
    """The elements with which SGP4 was initialised: they are not part of the orbit's interface."""
    record = satellite._propagate.__self__
    return {
        "epoch_jd": record.jdsatepoch,
        "epoch_jd_fraction": record.jdsatepochF,
        "bstar": record.bstar,
        "eccentricity": record.ecco,
        "argument_of_perigee_rad": record.argpo,
        "inclination_rad": record.inclo,
        "mean_anomaly_rad": record.mo,
        "kozai_mean_motion_rad_per_min": record.no_kozai,
        "raan_rad": record.nodeo,
    }


def skyfield_request() -> dict[str, Any]:
    """The question to ``run_skyfield.py``."""
    orbits = []
    for case in flown().values():
        start = datetime.fromtimestamp(case.start_utc_s, timezone.utc)
        orbits.append(
            {
                "name": case.name,
                **case.elements,
                "start_utc": [*start.timetuple()[:5], start.second + start.microsecond * 1e-6],
                "span_s": DAY_S,
                "step_s": SKY_STEP_S,
                "stations": case.stations,
            }
        )
    return {"orbits": orbits}


@dataclass(frozen=True)
class LivePower:
    """A day of power of ours on an orbit that Basilisk is told."""

    case: PowerCase
    flown: Flown


@cache
def live_power_cases() -> dict[str, LivePower]:
    """The reference's spacecraft, one over the equator, which sees no oblateness, and the demo."""
    craft = build_spacecraft(load_scenario(SCENARIOS / DEMO))
    demo = flown()[DEMO]
    cases = [
        _of_reference(POINTING, POWER_ORBIT, "Sun-pointing"),
        _of_reference(NADIR, POWER_ORBIT, "nadir-pointing"),
        _of_reference(POINTING, EQUATORIAL_ORBIT, "Sun-pointing"),
        LivePower(
            PowerCase(
                DEMO,
                demo.orbit,
                demo.start_utc_s,
                craft.attitude,
                craft.panels,
                craft.bus_load_w + craft.board_active_w / craft.board_converter_efficiency,
                craft.battery.capacity_wh,
                craft.battery.capacity_wh * craft.initial_soc,
            ),
            demo,
        ),
    ]
    return {live.case.name: live for live in cases}


def _of_reference(file: str, name: str, what: str) -> LivePower:
    place = flown()[name]
    case = reference_case(file, f"{name} {what}", place.orbit, place.start_utc_s)
    return LivePower(case, place)


def basilisk_request(skyfield: dict[str, Any]) -> dict[str, Any]:
    """The question to ``run_basilisk.py``, with the Sun of Skyfield's answer."""
    return {
        "cases": [
            {
                "name": name,
                "orbit": live.flown.elements,
                "start_utc_s": live.case.start_utc_s,
                "span_s": DAY_S,
                "step_s": POWER_STEP_S,
                "attitude": live.case.attitude,
                "panels": [_panel(panel) for panel in live.case.panels],
                "load_w": live.case.load_w,
                "capacity_wh": live.case.capacity_wh,
                "initial_wh": live.case.initial_wh,
                "sun_s": [SKY_STEP_S * index for index in range(round(DAY_S / SKY_STEP_S) + 1)],
                "sun_teme_km": skyfield["orbits"][live.flown.name]["sun_teme_km"],
            }
            for name, live in live_power_cases().items()
        ]
    }


def _panel(panel: Panel) -> dict[str, Any]:
    """Basilisk's panel has one efficiency: what ours makes of light from straight ahead.

    Raises:
        ValueError: The panel turns or follows a temperature, which Basilisk's does not.
    """
    if panel.mounting != "fixed" or panel.thermal_node is not None:
        raise ValueError(f"panel {panel.name}: Basilisk's panel neither turns nor warms up")
    ahead = panel.normal_body
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    power_w = array_power_w([panel], axes, ahead, SOLAR_CONSTANT_W_PER_M2)
    return {
        "normal_body": list(ahead),
        "area_m2": panel.area_m2,
        "efficiency_ratio": power_w / (SOLAR_CONSTANT_W_PER_M2 * panel.area_m2),
    }
