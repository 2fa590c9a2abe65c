"""Every scenario of a day meets its requirements, and the stress variants do what they are for.

The same designs beside the prototype's figures: ``comparisons/default_scenarios.py``, which
``test_golden_comparisons.py`` runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec.structs
import pytest
from comparisons.default_scenarios import ENTRIES, FILES, SCENARIOS, contacts_s, fly, minutes

from node.config.build import build_channels, build_spacecraft
from node.config.load import load_scenario_with_warnings
from node.config.scenario import Scenario
from node.core.node import NodeCore
from node.physics.linkbudget import rate_bps
from node.report.metrics import compute_metrics, divide
from node.report.run import JobRecord
from node.report.verdict import evaluate
from node.simulation.mission import Mission

STRESS = ("stress_body_panels", "stress_energy", "stress_heat")
DESIGNS = tuple(sorted(ENTRIES.keys() - FILES.keys()))

TICK_S = 20.0
"""The files say 1 s; a verdict does not hang on it, and a day takes a fifth of the time."""

DOWNLINK_MBPS = {
    "cubesat3u_rpi_cm4": (0.5, 4.0),
    "cubesat6u_rpi5": (0.5, 4.0),
    "cubesat6u_orin_nano": (25.0, 150.0),
    "cubesat16u_orin_nx": (150.0, 500.0),
    "smallsat100_agx_orin": (150.0, 500.0),
    "smallsat100_thor": (150.0, 500.0),
    "starcloud1_like_h100": (150.0, 500.0),
    "suncatcher_like_dd650": (1000.0, 1200.0),
}
"""Rates that the class of each radio is known for, from a pass's edge to overhead."""


class Flown(NamedTuple):
    failed: list[str]
    modes: list[str]
    decisions: dict[str, int]
    states: set[str]


def scenario_of(name: str) -> Scenario:
    scenario, warnings = load_scenario_with_warnings(SCENARIOS / f"{name}.toml")
    assert not warnings
    return scenario


async def simulate(name: str) -> Flown:
    scenario = scenario_of(name)
    mission = msgspec.structs.replace(scenario.mission, tick_s=TICK_S)
    scenario = msgspec.structs.replace(scenario, mission=mission)
    modes: list[str] = []

    def note(core: NodeCore) -> None:
        if not modes or modes[-1] != core.mode.value:
            modes.append(core.mode.value)

    flight = Mission(scenario, digest=False, observe=note)
    result = await flight.fly()
    jobs = [
        JobRecord(
            job_id=job_id,
            model=entry.manifest.job.model,
            state=entry.state,
            submitted_s=entry.manifest.job.submitted_s,
            delivered_s=entry.delivered_s,
            deliveries=entry.deliveries,
        )
        for job_id, entry in result.ledger.items()
    ]
    metrics = compute_metrics(
        result.snapshots, jobs, board_node=scenario.thermal.board_node, masks=None
    )
    judged, not_judged = divide(scenario.requirement, "simulate")
    assert judged
    assert not not_judged
    failed = [
        f"{verdict.metric} {verdict.operator} {verdict.value}: {verdict.actual}"
        for verdict in evaluate(judged, metrics)
        if not verdict.passed
    ]
    payload = flight.core.payload
    assert payload is not None
    return Flown(failed, modes, payload.totals.decisions, {job.state for job in jobs})


@pytest.mark.parametrize("name", DESIGNS)
async def test_a_design_meets_its_requirements(name: str) -> None:
    flown = await simulate(name)

    assert not flown.failed
    assert flown.states == {"delivered"}
    assert "off" not in flown.modes


async def test_the_governor_paces_where_the_array_gives_too_little() -> None:
    flown = await simulate("stress_energy")

    assert not flown.failed
    assert flown.modes.count("reduced") > 5
    assert flown.decisions["defer:pacing"] > 5
    assert flown.states == {"delivered", "deferred", "queued", "submitted"}


async def test_cells_on_the_body_alone_end_in_safe_and_not_in_off() -> None:
    flown = await simulate("stress_body_panels")

    assert not flown.failed
    after_boot = flown.modes[flown.modes.index("nominal") :]
    assert after_boot[:3] == ["nominal", "reduced", "safe"]
    assert "off" not in after_boot
    assert flown.decisions["defer:energy"] > 0
    assert flown.decisions["defer:mode"] > 0


async def test_the_governor_holds_a_board_that_its_radiator_cannot() -> None:
    flown = await simulate("stress_heat")

    assert not flown.failed
    assert flown.modes.count("reduced") > 5
    assert flown.decisions["defer:heat"] > 5
    assert flown.decisions["defer:energy"] == 0


def test_without_the_governor_that_board_passes_a_hundred_degrees() -> None:
    craft = build_spacecraft(scenario_of("stress_heat"))

    flight = fly(
        craft,
        duty_ratio=1.0,
        duty_period_s=600.0,
        active_w=craft.board_active_w,
        idle_w=craft.board_idle_w,
        contacts=[],
    )

    assert flight.max_c[craft.board_node] > 100.0
    assert flight.min_soc > 0.6


@pytest.mark.parametrize("name", DESIGNS)
def test_rates_are_those_of_the_radios_class(name: str) -> None:
    scenario = scenario_of(name)
    craft = build_spacecraft(scenario)
    _, downlink = build_channels(scenario)
    low_mbps, high_mbps = DOWNLINK_MBPS[name]
    radius_km = 6378.137
    altitude_km = ENTRIES[name]["params"]["alt"]

    overhead_mbps = rate_bps(downlink, altitude_km, 90.0) / 1e6
    # Slant range at an elevation of 10 degrees.
    sine, cosine = 0.17364817766693033, 0.984807753012208
    outer_km = radius_km + altitude_km
    edge_km = (outer_km**2 - (radius_km * cosine) ** 2) ** 0.5 - radius_km * sine
    edge_mbps = rate_bps(downlink, edge_km, 10.0) / 1e6

    assert low_mbps <= edge_mbps <= overhead_mbps <= high_mbps
    assert 30.0 < minutes(contacts_s(craft, [each.name for each in craft.stations])) < 200.0


@pytest.mark.parametrize("name", [*DESIGNS, *STRESS])
def test_a_scenario_has_the_name_of_its_file_and_says_where_its_figures_come_from(
    name: str,
) -> None:
    scenario = scenario_of(name)

    assert scenario.mission.name == name
    assert scenario.mission.duration_s == 86_400.0
    said = {path.partition(".")[0] for entry in scenario.provenance for path in entry.of}
    told = set(msgspec.structs.asdict(scenario))
    assert said <= told
    assert said >= {
        "orbit",
        "array",
        "power",
        "battery",
        "thermal",
        "ground_station",
        "radio",
        "modes",
        "board",
        "model",
        "workload",
        "radiation",
        "terrestrial",
    }


def test_every_scenario_is_told_of_in_the_readme() -> None:
    text = (SCENARIOS / "README.md").read_text(encoding="utf-8")

    files = {path.name for path in Path(SCENARIOS).glob("*.toml")}
    assert {name for name in files if f"({name})" in text} == files
