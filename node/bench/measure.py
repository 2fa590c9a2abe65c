"""From inferences and readings to the figures of one operating point."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from statistics import fmean

from node.bench.energy import EnergyTrace
from node.bench.figures import (
    Cap,
    EnergyFigures,
    IdleFigures,
    LatencyFigures,
    PointFigures,
    Spread,
)
from node.bench.sampler import PowerSampler
from node.bench.statistics import drift, estimate, quantile
from node.bench.work import STEADY_WITHIN, Job, Series, run_for, warm_up
from node.board.base import Board
from node.inference.base import Executor

_WINDOWS = 5
_LEAST_INFERENCES = 3


async def measure_idle(board: Board, sample_s: float, seconds: float) -> IdleFigures | None:
    """Measure the board at rest; None where nothing tells its power."""
    sampler = PowerSampler(board, sample_s)
    async with sampler.running():
        await sampler.past(time.monotonic())
        begun_s = time.monotonic()
        await sampler.past(begun_s + seconds)
    step_s = seconds / _WINDOWS
    edges_s = [begun_s + index * step_s for index in range(_WINDOWS + 1)]
    joules = [sampler.trace.between_j(from_s, until_s) for from_s, until_s in pairwise(edges_s)]
    known = [each_j / step_s for each_j in joules if each_j is not None]
    if len(known) < len(joules):
        return None
    return IdleFigures(seconds, Spread(*estimate(known)), sampler.cpu_utilisation_ratio)


async def measure_point(
    executor: Executor,
    sampler: PowerSampler,
    job: Job,
    cap: Cap,
    idle: IdleFigures | None,
    warm_up_s: float,
    seconds: float,
) -> PointFigures:
    """Warm up, measure and evaluate one operating point.

    Args:
        executor: started.
        sampler: of the board; runs only meanwhile.
        job: what is run.
        cap: what holds the board back meanwhile.
        idle: the board at rest; None where nothing tells its power.
        warm_up_s: of one round.
        seconds: of the measurement.

    Raises:
        WorkerError: an inference failed.
    """
    await warm_up(executor, job, warm_up_s)
    async with sampler.running():
        await sampler.past(time.monotonic())
        series = await run_for(executor, job, seconds, _LEAST_INFERENCES)
        await sampler.past(series.ended_s)
    return evaluate(series, sampler.trace, job, cap, idle, sorted(sampler.throttled_by))


def evaluate(
    series: Series,
    trace: EnergyTrace,
    job: Job,
    cap: Cap,
    idle: IdleFigures | None,
    throttled_by: list[str],
) -> PointFigures:
    """Sum a series up. Pure."""
    durations_s = [run.duration_s for run in series.runs]
    blocks = series.blocks(min(_WINDOWS, len(series.runs)))
    powers_w = [_power_w(block, trace) for block in blocks]
    latency_drift = drift([block.duration_s for block in blocks])
    known_w = [power_w for power_w in powers_w if power_w is not None]
    power_drift = drift(known_w) if len(known_w) == len(blocks) else None
    drifts = (latency_drift, power_drift)
    outcomes = [run.outcome for run in series.runs]
    return PointFigures(
        threads=job.threads,
        cap=cap,
        provider=outcomes[-1].provider,
        inferences=len(series.runs),
        window_s=series.window_s,
        windows=len(blocks),
        throughput_per_s=len(series.runs) / series.window_s,
        latency=LatencyFigures(
            fmean(durations_s),
            quantile(durations_s, 0.5),
            quantile(durations_s, 0.95),
            quantile(durations_s, 0.99),
            quantile([outcome.inference_s for outcome in outcomes], 0.5),
        ),
        cpu_s=fmean(outcome.cpu_s for outcome in outcomes),
        energy=None if idle is None else _energy(series, blocks, trace, idle),
        latency_drift_ratio=latency_drift,
        power_drift_ratio=power_drift,
        steady=all(each is None or abs(each) <= STEADY_WITHIN for each in drifts)
        and not throttled_by,
        throttled_by=throttled_by,
        result_bytes=len(outcomes[-1].result),
    )


def _power_w(block: Series, trace: EnergyTrace) -> float | None:
    energy_j = trace.between_j(block.begun_s, block.ended_s)
    return None if energy_j is None else energy_j / block.window_s


def _energy(
    series: Series, blocks: list[Series], trace: EnergyTrace, idle: IdleFigures
) -> EnergyFigures | None:
    """Joules of one inference; pauses are charged with the power at rest.

    The interval of the net joules has that of the power at rest in it, since that is taken off.
    """
    idle_w = idle.power_w.mean
    whole_j = _net_j(series, trace, idle_w)
    parts_j = [_net_j(block, trace, idle_w) for block in blocks]
    if whole_j is None or None in parts_j:
        return None
    # What a meter cannot resolve is nothing, not less than nothing.
    net_j = max(0.0, whole_j)
    gross_j = net_j + idle_w * series.duration_s
    grosses_j = [
        part_j + idle_w * block.duration_s
        for part_j, block in zip(parts_j, blocks, strict=True)
        if part_j is not None
    ]
    half_width_j = estimate(grosses_j).half_width
    net_half_width_j = None
    if half_width_j is not None and idle.power_w.half_width is not None:
        net_half_width_j = math.hypot(
            half_width_j, idle.power_w.half_width * series.window_s / len(series.runs)
        )
    return EnergyFigures(
        gross_j=Spread(gross_j, half_width_j),
        net_j=Spread(net_j, net_half_width_j),
        active_w=gross_j / series.duration_s,
    )


def _net_j(series: Series, trace: EnergyTrace, idle_w: float) -> float | None:
    energy_j = trace.between_j(series.begun_s, series.ended_s)
    if energy_j is None:
        return None
    return (energy_j - idle_w * series.window_s) / len(series.runs)
