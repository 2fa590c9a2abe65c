"""The scenarios that ship do what their comments say."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from node.clock import epoch_utc_s
from node.config.build import build_orbit, build_stations
from node.config.load import load_scenario
from node.config.scenario import Scenario
from node.core.contacts import Contact, plan_contacts
from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.physics.passes import find_passes
from node.physics.shadow import eclipse_events
from node.simulation.mission import Mission, MissionResult

SCENARIOS = Path(__file__).parents[2] / "scenarios"


class Flown(NamedTuple):
    result: MissionResult
    modes: list[OperatingMode]
    min_soc: float


async def fly(scenario: Scenario) -> Flown:
    modes: list[OperatingMode] = []
    charges: list[float] = []

    def note(core: NodeCore) -> None:
        charges.append(core.emulation.state_of_charge)
        if not modes or modes[-1] is not core.mode:
            modes.append(core.mode)

    return Flown(await Mission(scenario, observe=note).fly(), modes, min(charges))


def umbras(scenario: Scenario) -> list[tuple[float, float]]:
    start = epoch_utc_s(scenario.mission.epoch)
    events = eclipse_events(build_orbit(scenario), start, start + scenario.mission.duration_s)
    entries = [each.utc_s - start for each in events if each.kind == "umbra_entry"]
    exits = [each.utc_s - start for each in events if each.kind == "umbra_exit"]
    return list(zip(entries, exits, strict=True))


def contacts(scenario: Scenario) -> tuple[Contact, ...]:
    start = epoch_utc_s(scenario.mission.epoch)
    passes = find_passes(
        build_orbit(scenario),
        list(build_stations(scenario)),
        start,
        start + scenario.mission.duration_s,
    )
    return plan_contacts(passes, start, scenario.radio.acquisition_s)


def test_the_demo_sees_a_pass_an_eclipse_and_a_pass() -> None:
    scenario = load_scenario(SCENARIOS / "demo.toml")

    first, second = contacts(scenario)
    [(dusk_s, dawn_s)] = umbras(scenario)

    assert (first.station.name, second.station.name) == ("maspalomas", "svalbard")
    assert 120 <= first.aos_s <= 300
    assert first.los_s - first.aos_s >= 7 * 60
    assert first.los_s < dusk_s < dawn_s < second.aos_s
    assert second.los_s <= scenario.mission.duration_s - 200
    for figure_s in (first.aos_s, first.los_s, dusk_s, dawn_s, second.aos_s, second.los_s):
        assert f"{figure_s:.0f} s" in (SCENARIOS / "demo.toml").read_text().replace("\n# ", " ")


async def test_the_demo_delivers_every_job() -> None:
    scenario = load_scenario(SCENARIOS / "demo.toml")

    flown = await fly(scenario)

    assert [entry.state for entry in flown.result.ledger.values()] == ["delivered"] * 9
    assert flown.min_soc >= 0.5
    assert OperatingMode.OFF not in flown.modes


async def test_the_brownout_loses_power_and_no_job() -> None:
    scenario = load_scenario(SCENARIOS / "brownout.toml")

    flown = await fly(scenario)

    falls = ["nominal", "reduced", "safe", "off"]
    rises = ["boot", "safe", "reduced", "nominal"]
    down_and_up = falls[1:] + rises
    assert [mode.value for mode in flown.modes] == rises + down_and_up + down_and_up
    assert len(flown.result.ledger) == 16
    assert {entry.state for entry in flown.result.ledger.values()} == {"delivered"}
    cut = flown.result.ledger["w2-000000"]
    assert cut.delivered_s is not None
    assert cut.delivered_s > umbras(scenario)[0][1]


# In bupt1.toml one comment stands before several tables.
@pytest.mark.parametrize(
    "name", sorted({path.name for path in SCENARIOS.glob("*.toml")} - {"bupt1.toml"})
)
def test_every_table_has_a_comment(name: str) -> None:
    lines = (SCENARIOS / name).read_text().splitlines()

    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("["):
            assert before.startswith("# "), line
