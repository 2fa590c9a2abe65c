from __future__ import annotations

from typing import Any

import msgspec
import pytest
import run_samples as sample

from node.config.rules import REQUIREMENT_METRICS
from node.config.rules_mission import FORECAST_METRICS, RUN_METRICS
from node.config.scenario import Requirement
from node.core.modes import OperatingMode
from node.core.snapshot import NodeSnapshot
from node.report.metrics import METRICS, compute_metrics, divide
from node.report.run import MaskCheck
from node.report.timeline import (
    counter_total,
    eclipse_intervals,
    mode_intervals,
    pass_intervals,
)


def test_every_metric_is_computed_and_described() -> None:
    metrics = compute_metrics(
        sample.telemetry(),
        [sample.job(n) for n in range(9)],
        board_node="board",
        masks=MaskCheck(9, 0, 0),
    )
    assert set(metrics) == RUN_METRICS


def test_figures_of_the_node() -> None:
    metrics = compute_metrics(sample.telemetry(), [], board_node="board", masks=None)
    assert metrics["contacts"] == 2, "a pass without a session is no contact"
    assert metrics["eclipses"] == 2
    assert metrics["time_in_safe_s"] == pytest.approx(sample.SAFE_S[1] - sample.SAFE_S[0])
    assert metrics["time_in_reduced_s"] == 0
    assert metrics["time_in_off_s"] == 0
    assert metrics["modes_visited"] == 2
    assert metrics["boots"] == 1
    assert metrics["min_clock_mhz"] == 1650.0
    assert metrics["time_throttled_s"] == 2 * sample.ECLIPSE_S
    assert metrics["min_state_of_charge"] == pytest.approx(0.42, abs=1e-3)
    assert metrics["max_board_temperature_c"] == pytest.approx(40.0, abs=0.01)
    assert metrics["min_board_temperature_c"] == pytest.approx(22.0, abs=0.01)


def test_a_board_without_a_throttle_has_no_clock_to_tell_of() -> None:
    bare = [replace(each, clock=None) for each in sample.telemetry(300.0)]
    metrics = compute_metrics(bare, [], board_node="board", masks=None)
    assert "boots" in metrics
    assert "min_clock_mhz" not in metrics
    assert "time_throttled_s" not in metrics


def test_upsets_are_those_of_the_whole_run() -> None:
    metrics = compute_metrics(sample.telemetry(), [], board_node="board", masks=None)
    assert metrics["upsets"] == 16 + 2 + 1
    assert metrics["uncorrected_upsets"] == 2
    assert metrics["interrupts"] == 1


def test_without_radiation_there_are_no_upsets_to_tell_of() -> None:
    bare = [replace(each, radiation=None) for each in sample.telemetry(300.0)]
    metrics = compute_metrics(bare, [], board_node="board", masks=None)
    assert "boots" in metrics
    assert not metrics.keys() & {"upsets", "uncorrected_upsets", "interrupts"}


def test_figures_of_the_jobs() -> None:
    jobs = [
        sample.job(0),
        sample.job(1, deliveries=3),
        sample.job(2, state="stored", deliveries=0),
        sample.job(3, state="lost", deliveries=0),
    ]
    metrics = compute_metrics([], jobs, board_node="board", masks=MaskCheck(1, 1, 2))
    assert metrics == {
        "jobs_submitted": 4,
        "jobs_delivered": 2,
        "jobs_delivered_ratio": 0.5,
        "jobs_lost": 1,
        "jobs_duplicated": 2,
        "masks_equal_ratio": 0.5,
    }


def test_nothing_is_claimed_without_material() -> None:
    metrics = compute_metrics([], [], board_node="board", masks=MaskCheck(0, 0, 9))
    assert "jobs_delivered_ratio" not in metrics
    assert "masks_equal_ratio" not in metrics
    assert "min_state_of_charge" not in metrics


def test_mode_edges_come_from_the_snapshot_not_from_the_sample() -> None:
    found = [(i.label, i.start_s, i.stop_s) for i in mode_intervals(sample.telemetry(30.0))]
    assert found == [
        ("nominal", 0.0, 5321.0),
        ("safe", 5321.0, 6017.0),
        ("nominal", 6017.0, 11_400.0),
    ]


def test_a_mode_edge_outside_its_two_samples_is_not_believed() -> None:
    first = sample.snapshot(0.0)
    second = replace(sample.snapshot(30.0), mode=OperatingMode.SAFE, mode_since_s=-500.0)
    assert [i.start_s for i in mode_intervals([first, second])] == [0.0, 0.0]


def test_eclipse_edges_are_those_that_were_foretold() -> None:
    found = [(i.start_s, i.stop_s) for i in eclipse_intervals(sample.telemetry(70.0))]
    assert found == [(s, s + sample.ECLIPSE_S) for s in sample.SUNSETS_S]


def test_pass_edges_are_those_that_were_foretold() -> None:
    found = pass_intervals(sample.telemetry(40.0))
    assert [(p.label, p.start_s, p.stop_s) for p in found] == [
        (p.station, p.aos_s, p.los_s) for p in sample.PASSES
    ]
    assert [p.contact for p in found] == [True, False, True]
    assert [p.max_elevation_deg for p in found] == [47.0, 21.0, 71.0]
    assert all(p.payload_down_bytes > 0 for p in found)


def test_two_stations_without_a_gap_are_two_passes() -> None:
    base = sample.snapshot(1300.0)
    samples = [
        replace(base, mission_s=float(n), link=replace(base.link, station=name))
        for n, name in enumerate(["kiruna", "kiruna", "svalbard", None])
    ]
    assert [(p.label, p.start_s, p.stop_s) for p in pass_intervals(samples)] == [
        ("kiruna", 0.0, 2.0),
        ("svalbard", 2.0, 3.0),
    ]


@pytest.mark.parametrize(
    ("values", "start", "total"),
    [
        ([], 0, 0),
        ([5, 7, 7], 0, 7),
        ([5, 7, 2, 4], 0, 11),
        ([5, 7, 7], None, 2),
    ],
)
def test_counters_survive_a_restart(values: list[int], start: int | None, total: int) -> None:
    assert counter_total(values, start) == total


def replace(value: Any, **changes: object) -> Any:
    return msgspec.structs.replace(value, **changes)


def test_snapshots_pass_through_json() -> None:
    snapshot = sample.snapshot(1300.0)
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=NodeSnapshot) == snapshot


def test_scenarios_may_require_exactly_these_metrics() -> None:
    assert set(METRICS) == REQUIREMENT_METRICS


def test_a_requirement_is_left_to_the_commands_that_can_judge_it() -> None:
    lines = [
        Requirement("masks_equal_ratio", "==", 1.0),
        Requirement("jobs_per_day", ">=", 0.5),
        Requirement("boots", "<", 2.0),
    ]

    assert divide(lines, "simulate") == (
        [lines[2]],
        [
            "masks_equal_ratio == 1: only groundlink demo can tell",
            "jobs_per_day >= 0.5: only orbitnode forecast can tell",
        ],
    )
    assert divide(lines, "forecast")[0] == lines[1:]
    assert divide(lines, "demo")[0] == [lines[0], lines[2]]


def test_a_forecast_alone_judges_its_own_metrics() -> None:
    alone = {name for name, metric in METRICS.items() if metric.judges == ("forecast",)}
    assert alone == FORECAST_METRICS
    assert all("forecast" in METRICS[name].judges for name in RUN_METRICS - {"masks_equal_ratio"})
