"""Runs one model over and over through the real worker, with or without pauses."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

from node.errors import WorkerError
from node.inference.base import Executor, Outcome

STEADY_WITHIN = 0.05
"""Two rounds whose medians differ by no more are the same."""
_WARM_UP_ROUNDS = 3


class Job(NamedTuple):
    """What is run over and over."""

    model: str
    input_npz: bytes
    threads: int
    duty_ratio: float


class Run(NamedTuple):
    """One inference."""

    begun_s: float
    ended_s: float
    outcome: Outcome

    @property
    def duration_s(self) -> float:
        """From the call to the result."""
        return self.ended_s - self.begun_s


class Series(NamedTuple):
    """Inferences one after the other."""

    runs: list[Run]
    ended_s: float
    """When the pause after the last one was over."""

    def blocks(self, count: int) -> list[Series]:
        """Cut into windows of as many inferences each, each from a begin to the next one's."""
        edges = [round(index * len(self.runs) / count) for index in range(count + 1)]
        ends_s = [*(run.begun_s for run in self.runs[1:]), self.ended_s]
        return [Series(self.runs[first:last], ends_s[last - 1]) for first, last in pairwise(edges)]

    @property
    def begun_s(self) -> float:
        """When the first one began."""
        return self.runs[0].begun_s

    @property
    def window_s(self) -> float:
        """Pauses included."""
        return self.ended_s - self.begun_s

    @property
    def duration_s(self) -> float:
        """Mean of one inference."""
        return fmean(run.duration_s for run in self.runs)


async def run_for(executor: Executor, job: Job, seconds: float, at_least: int) -> Series:
    """Run for this long and at least so often.

    Raises:
        WorkerError: an inference failed.
    """
    runs: list[Run] = []
    now_s = begun_s = time.monotonic()
    while len(runs) < at_least or now_s - begun_s < seconds:
        outcome = await executor.run(job.model, job.input_npz, job.threads)
        ended_s = time.monotonic()
        if not outcome.ok:
            raise WorkerError(f"{job.model} with {job.threads} threads failed: {outcome.error}")
        runs.append(Run(now_s, ended_s, outcome))
        if job.duty_ratio < 1.0:
            await asyncio.sleep((ended_s - now_s) * (1.0 / job.duty_ratio - 1.0))
        now_s = time.monotonic()
    return Series(runs, now_s)


async def warm_up(executor: Executor, job: Job, seconds: float) -> None:
    """Run rounds until two of them take the same, three at most.

    Raises:
        WorkerError: an inference failed.
    """
    before_s: float | None = None
    for _ in range(_WARM_UP_ROUNDS):
        series = await run_for(executor, job, seconds, at_least=2)
        now_s = median(run.duration_s for run in series.runs)
        if before_s is not None and abs(now_s - before_s) <= STEADY_WITHIN * before_s:
            return
        before_s = now_s
