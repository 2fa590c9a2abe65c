from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from node.config.load import load_scenario
from node.config.scenario import Mission, Scenario, Workload
from node.forecast.plan import plan
from node.simulation.ground import workload_jobs

DEMO = load_scenario(Path(__file__).parents[3] / "scenarios" / "demo.toml")
replace = msgspec.structs.replace


def scenario(*workload: Workload, duration_s: float = 100.0, tick_s: float = 1.0) -> Scenario:
    mission = replace(DEMO.mission, duration_s=duration_s, tick_s=tick_s)
    return replace(DEMO, mission=mission, workload=list(workload))


def days(seconds: float) -> float:
    return seconds / 86_400.0


WITHIN = Workload("dlr-cloud-unet", 3, 10.0, 40.0, 1000, 3, 50.0)
BEYOND = Workload("dlr-cloud-unet", 3, 10.0, 60.0, 1000)


def test_without_days_the_scenario_flies_as_written() -> None:
    planned = plan(scenario(WITHIN, BEYOND), None, None)

    assert planned.scenario.mission == Mission(
        DEMO.mission.name, DEMO.mission.epoch, 100.0, DEMO.mission.seed, 1.0
    )
    assert planned.scenario.workload == [WITHIN, BEYOND]
    assert (planned.repeats, planned.workload_text) == (1, "as written")


def test_the_workload_repeats_for_as_long_as_a_whole_repetition_fits() -> None:
    planned = plan(scenario(WITHIN), days(350.0), None)

    jobs = list(workload_jobs(planned.scenario.workload))
    assert planned.repeats == 3
    assert [submitted_s for submitted_s, _ in jobs] == pytest.approx(
        [10, 50, 90, 110, 150, 190, 210, 250, 290]
    )
    assert len({manifest.job.job_id for _, manifest in jobs}) == 9
    assert jobs[-1][1].job.deadline_s == pytest.approx(340.0)
    assert planned.workload_text == "repeats every 100 s (mission.duration_s), 3 times"


def test_jobs_that_go_on_after_the_mission_do_not_repeat() -> None:
    planned = plan(scenario(WITHIN, BEYOND), days(350.0), None)
    assert len(planned.scenario.workload) == 4
    assert planned.scenario.workload[-1] == BEYOND


def test_a_shorter_flight_keeps_the_workload() -> None:
    planned = plan(scenario(WITHIN), days(50.0), None)
    assert planned.scenario.workload == [WITHIN]
    assert planned.scenario.mission.duration_s == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("flown_days", "step_s", "tick_s", "chosen_s", "reason"),
    [
        (2.0, None, 1.0, 1.0, "the scenario's tick"),
        (2.1, None, 1.0, 10.0, "coarser than the scenario's 1 s"),
        (2.1, None, 30.0, 30.0, "the scenario's tick"),
        (30.0, 2.5, 1.0, 2.5, "as asked for"),
        (0.0001, 60.0, 1.0, 8.64, "as asked for"),
    ],
)
def test_the_step(
    flown_days: float, step_s: float | None, tick_s: float, chosen_s: float, reason: str
) -> None:
    planned = plan(scenario(tick_s=tick_s), flown_days, step_s)

    assert planned.scenario.mission.tick_s == pytest.approx(chosen_s)
    assert planned.step_reason.startswith(reason)
