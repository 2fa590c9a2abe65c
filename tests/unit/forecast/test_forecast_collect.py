from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from node.config.load import load_scenario
from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.forecast.collect import Collector
from node.forecast.model import Series
from node.simulation.mission import Mission

SCENARIO = load_scenario(Path(__file__).parents[3] / "scenarios" / "brownout.toml")


class Tick(NamedTuple):
    now: float
    mode: OperatingMode
    charge: float
    illumination: float
    linked: bool


class Flown(NamedTuple):
    seen: Collector
    series: Series
    ticks: list[Tick]


@pytest.fixture(scope="module")
def flown() -> Flown:
    """Two orbits in which the node loses power twice, watched tick by tick as well."""
    ticks: list[Tick] = []

    def observe(core: NodeCore) -> None:
        seen.observe(core)
        seen.observe(core)  # no time has passed: this counts for nothing
        emulation = core.emulation
        state = (emulation.state_of_charge, emulation.illumination, core.comms.link_up)
        ticks.append(Tick(emulation.now, core.mode, *state))

    mission = msgspec.structs.replace(SCENARIO.mission, tick_s=5.0)
    flight = Mission(
        msgspec.structs.replace(SCENARIO, mission=mission),
        digest=False,
        snapshots=False,
        observe=observe,
    )
    seen = Collector(flight.core, flight.hands.milestones, mission.duration_s)
    result = asyncio.run(flight.fly())
    assert len(result.snapshots) == 1, "the last one alone"
    return Flown(seen, seen.finish(flight.core), ticks)


def test_time_in_each_mode_is_that_between_the_ticks(flown: Flown) -> None:
    times: dict[OperatingMode, float] = {}
    for before, after in pairwise(flown.ticks):
        times[before.mode] = times.get(before.mode, 0.0) + after.now - before.now
    assert flown.seen.mode_s == pytest.approx(times)
    assert flown.seen.mode_entries == {
        OperatingMode.BOOT: 3,
        OperatingMode.SAFE: 5,
        OperatingMode.REDUCED: 5,
        OperatingMode.NOMINAL: 3,
        OperatingMode.OFF: 2,
    }


def test_lack_of_charge_holds_the_node_from_its_first_fall_until_nominal(flown: Flown) -> None:
    held_s = 0.0
    was_nominal = False
    for before, after in pairwise(flown.ticks):
        was_nominal = was_nominal or before.mode is OperatingMode.NOMINAL
        if was_nominal and before.mode is not OperatingMode.NOMINAL:
            held_s += after.now - before.now
    assert flown.seen.held_s == {"energy": pytest.approx(held_s), "heat": 0.0}


def test_charge_and_eclipses_are_those_of_the_ticks(flown: Flown) -> None:
    charges = [tick.charge for tick in flown.ticks[1:]]
    assert flown.seen.whole.charge.minimum == min(charges)
    assert flown.seen.whole.charge.maximum == max(charges)
    assert flown.seen.eclipses == 2
    first, second, rest = flown.seen.orbits
    assert (first.whole, second.whole, rest.whole) == (True, True, False)
    assert first.start_s == 0.0
    assert (first.stop_s, second.stop_s) == (second.start_s, rest.start_s)
    assert first.min_state_of_charge == min(
        tick.charge for tick in flown.ticks[1:] if tick.now <= first.stop_s
    )
    dark_s = sum(
        after.now - before.now
        for before, after in pairwise(flown.ticks)
        if after.illumination < 0.5
    )
    assert sum(orbit.eclipse_s for orbit in flown.seen.orbits) == pytest.approx(dark_s)
    turns = flown.seen.turns.points()
    assert turns[0] == SCENARIO.battery.initial_soc
    assert min(turns) == pytest.approx(min(charges), abs=1e-3)
    assert len(turns) < 40


def test_a_contact_is_linked_while_the_session_stands(flown: Flown) -> None:
    linked_s = sum(
        after.now - before.now for before, after in pairwise(flown.ticks) if after.linked
    )
    passes = flown.seen.passes
    assert sum(tally.linked_s for tally in passes) == pytest.approx(linked_s)
    for before, after in pairwise(passes):
        assert before.contact.los_s <= after.contact.aos_s
    assert sum(tally.down_bytes for tally in passes) == 16 * 20_000


def test_bins_cover_the_flight(flown: Flown) -> None:
    series = flown.series
    assert series.time_s[-1] == SCENARIO.mission.duration_s
    assert len(series.time_s) == SCENARIO.mission.duration_s // 10.0
    assert set(series.mode) == {mode.value for mode in OperatingMode}
    assert min(series.min_state_of_charge) == round(flown.seen.whole.charge.minimum, 5)
    mean_w = sum(series.load_w) / len(series.load_w)
    consumed_wh = sum(orbit.energy.consumed_wh for orbit in flown.seen.orbits)
    assert mean_w == pytest.approx(consumed_wh * 3600.0 / SCENARIO.mission.duration_s, rel=1e-3)
    assert series.downlink_queue_bytes[-1] == 0
    assert series.uplink_queue_bytes[-1] == 0
    assert max(series.uplink_queue_bytes) >= 12_000_000
    assert series.clock_ratio is None
