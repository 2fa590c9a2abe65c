"""A simulated inference under a changing clock, alone and in a whole mission."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from node.config.load import load_scenario
from node.config.scenario import ModelFigures, Scenario, Workload
from node.config.spacecraft import Throttle
from node.core.node import NodeCore
from node.simulation.mission import Mission
from node.simulation.progress import Progress

DEMO = Path(__file__).parents[2] / "scenarios" / "demo.toml"
_replace = msgspec.structs.replace


def run(clock_ratio: float = 1.0, power_ratio: float = 1.0) -> Progress:
    return Progress("a", "clouds", 100.0, 30.0, 4.0, clock_ratio, power_ratio)


def test_at_the_full_clock_a_run_takes_its_work() -> None:
    progress = run()
    assert (progress.duration_s, progress.end_s) == (30.0, 130.0)
    assert progress.energy_at_end_j == 120.0
    assert progress.energy_until_j(110.0) == 40.0


def test_a_lower_clock_stretches_what_is_left() -> None:
    progress = run()
    progress.change_clock(110.0, 0.5, 0.25)
    assert (progress.duration_s, progress.end_s) == (50.0, 150.0)
    assert progress.energy_until_j(120.0) == pytest.approx(40.0 + 10.0)
    assert progress.energy_at_end_j == pytest.approx(40.0 + 40.0)
    progress.change_clock(130.0, 1.0, 1.0)
    assert (progress.duration_s, progress.end_s) == (40.0, 140.0)
    assert progress.energy_at_end_j == pytest.approx(40.0 + 20.0 + 40.0)


def test_a_run_may_begin_at_a_low_clock() -> None:
    progress = run(0.8, 0.6)
    assert progress.end_s == pytest.approx(137.5)
    assert progress.energy_at_end_j == pytest.approx(37.5 * 4.0 * 0.6)


def scenario(throttle: Throttle | None, active_w: float | None = None) -> Scenario:
    """Fly one long job in the first pass of the demo."""
    demo = load_scenario(DEMO)
    return _replace(
        demo,
        mission=_replace(demo.mission, duration_s=900.0),
        board=_replace(demo.board, throttle=throttle),
        model=[ModelFigures("long", 100.0, 400.0, 100, active_w)],
        workload=[Workload("long", 1, 0.0, 1.0, 1000)],
        requirement=[],
    )


def fly(given: Scenario) -> tuple[NodeCore, float]:
    """Return the core at the end and the highest board power of a tick."""
    highest_w = 0.0

    def observe(core: NodeCore) -> None:
        nonlocal highest_w
        highest_w = max(highest_w, core.emulation.board_w)

    mission = Mission(given, observe=observe)
    asyncio.run(mission.fly())
    return mission.core, highest_w


def spent_j(core: NodeCore) -> float:
    return core.totals.inference_energy_j["long"]


def test_a_hot_board_works_longer_at_less_power() -> None:
    # From the beginning on at half the clock, and at a quarter of the power above idle.
    half = Throttle(1800.0, 900.0, -100.0, 1800.0, 0.0, 2.0)
    cool, cool_w = fly(scenario(None))
    core, highest_w = fly(scenario(half))
    assert core.totals.inferences["long|ok"] == cool.totals.inferences["long|ok"] == 1
    assert cool_w == pytest.approx(15.0)
    assert highest_w == pytest.approx(4.5 + 10.5 / 4)
    assert spent_j(cool) == pytest.approx(100.0 * 10.5)
    assert spent_j(core) == pytest.approx(200.0 * 10.5 / 4)


def test_a_clock_that_changes_while_a_run_goes_on_changes_it() -> None:
    # The idle board stays below 16 C; the run heats it by more than three kelvin.
    law = Throttle(1800.0, 600.0, 16.0, 300.0, 0.0, 2.0)
    core, highest_w = fly(scenario(law))
    clock = core.snapshot().clock
    assert clock is not None
    assert clock.throttled_s > 0.0
    assert core.totals.inferences["long|ok"] == 1
    assert highest_w == pytest.approx(15.0)
    # Between all at the full clock and all at the lowest.
    assert 300.0 * 10.5 / 9 < spent_j(core) < 0.999 * 100.0 * 10.5


def test_a_model_draws_its_own_power() -> None:
    core, highest_w = fly(scenario(None, active_w=7.5))
    assert highest_w == pytest.approx(7.5)
    assert spent_j(core) == pytest.approx(100.0 * 3.0)


def test_a_board_that_draws_no_more_at_work_can_be_flown() -> None:
    given = scenario(None)
    core, highest_w = fly(_replace(given, board=_replace(given.board, active_w=4.5)))
    assert highest_w == pytest.approx(4.5)
    assert spent_j(core) == 0.0
