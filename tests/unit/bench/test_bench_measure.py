"""Figures of series that are made by hand."""

from __future__ import annotations

import pytest

from node.bench.energy import EnergyTrace
from node.bench.figures import Cap, IdleFigures, Spread
from node.bench.measure import evaluate
from node.bench.work import Job, Run, Series
from node.inference.base import Outcome

IDLE = IdleFigures(5.0, Spread(4.0, 0.1), None)


def outcome(seconds: float) -> Outcome:
    return Outcome(
        ok=True,
        result=b"12345",
        model_sha256="",
        provider="CPUExecutionProvider",
        duration_s=seconds,
        inference_s=0.8 * seconds,
        cpu_s=0.9 * seconds,
    )


def series(*durations_s: float, pause: float = 0.0) -> Series:
    runs, now_s = [], 100.0
    for duration_s in durations_s:
        runs.append(Run(now_s, now_s + duration_s, outcome(duration_s)))
        now_s += duration_s * (1 + pause)
    return Series(runs, now_s)


def trace(series: Series, active_w: float, idle_w: float = 4.0) -> EnergyTrace:
    """Readings at every begin and end, of a board that draws this while it works."""
    made, energy_j, now_s = EnergyTrace(), 50.0, 99.0
    made.add(now_s, energy_j)
    for run in [*series.runs, Run(series.ended_s, series.ended_s, outcome(0))]:
        energy_j += idle_w * (run.begun_s - now_s)
        made.add(run.begun_s, energy_j)
        energy_j += active_w * run.duration_s
        made.add(run.ended_s, energy_j)
        now_s = run.ended_s
    return made


def test_joules_are_those_of_the_work_whatever_the_pauses() -> None:
    without, half = series(*[0.5] * 10), series(*[0.5] * 10, pause=1.0)
    for done, duty in ((without, 1.0), (half, 0.5)):
        found = evaluate(done, trace(done, 10.0), Job("m", b"", 2, duty), Cap(duty), IDLE, [])
        assert found.energy is not None
        assert found.energy.gross_j.mean == pytest.approx(5.0)
        assert found.energy.net_j.mean == pytest.approx(3.0)
        assert found.energy.active_w == pytest.approx(10.0)
        assert found.energy.gross_j.half_width == pytest.approx(0.0, abs=1e-9)
        # What is not known of the idle power is not known of what is above it.
        assert found.energy.net_j.half_width == pytest.approx(0.1 * 0.5 / duty)
        assert found.steady
    assert evaluate(half, trace(half, 10.0), Job("m", b"", 2, 0.5), Cap(), None, []).energy is None


def test_durations_and_throughput() -> None:
    done = series(0.1, 0.1, 0.1, 0.1, 0.6, pause=1.0)
    found = evaluate(done, EnergyTrace(), Job("m", b"", 1, 0.5), Cap(0.5, 0.75), None, [])
    assert found.latency.mean_s == pytest.approx(0.2)
    assert found.latency.p50_s == pytest.approx(0.1)
    assert found.latency.p95_s == pytest.approx(0.6)
    assert found.latency.session_p50_s == pytest.approx(0.08)
    assert found.cpu_s == pytest.approx(0.18)
    assert found.throughput_per_s == pytest.approx(5 / 2.0)
    assert (found.inferences, found.windows, found.result_bytes) == (5, 5, 5)
    assert (found.cap.duty_ratio, found.cap.clock_ratio) == (0.5, 0.75)
    assert not found.steady


def test_a_board_that_gets_hot_is_not_steady() -> None:
    done = series(*[0.5] * 10)
    job = Job("m", b"", 1, 1.0)
    assert not evaluate(done, trace(done, 10.0), job, Cap(), IDLE, ["thermal"]).steady
    hotter = EnergyTrace()
    for index, energy_j in enumerate((0.0, 10.0, 20.0, 32.0, 44.0, 56.0)):
        hotter.add(100.0 + index, energy_j)
    found = evaluate(done, hotter, job, Cap(), IDLE, [])
    assert found.power_drift_ratio == pytest.approx(0.2)
    assert not found.steady


def test_what_the_meter_cannot_tell_apart_from_rest_is_nothing() -> None:
    done = series(*[0.001] * 10)
    found = evaluate(done, trace(done, 3.9), Job("m", b"", 1, 1.0), Cap(), IDLE, [])
    assert found.energy is not None
    assert found.energy.net_j.mean == 0.0
    assert found.energy.active_w == pytest.approx(4.0)


def test_a_meter_that_stops_gives_no_joules() -> None:
    done = series(*[0.5] * 10)
    short = EnergyTrace()
    short.add(99.0, 0.0)
    short.add(103.0, 40.0)
    found = evaluate(done, short, Job("m", b"", 1, 1.0), Cap(), IDLE, [])
    assert found.energy is None
    assert found.power_drift_ratio is None


def test_blocks_share_every_inference_and_every_second() -> None:
    done = series(*[0.5] * 7, pause=1.0)
    blocks = done.blocks(3)
    assert [len(block.runs) for block in blocks] == [2, 3, 2]
    assert [run for block in blocks for run in block.runs] == done.runs
    assert [block.ended_s for block in blocks[:-1]] == [block.begun_s for block in blocks[1:]]
    assert sum(block.window_s for block in blocks) == pytest.approx(done.window_s)
