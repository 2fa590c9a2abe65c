"""The course of a bench: the board at rest, then one operating point after the other."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from node import __version__
from node.bench.clocks import ClockCaps
from node.bench.figures import SCHEMA, BenchReport, Cap, IdleFigures, PointFigures, PowerFigures
from node.bench.inputs import made_up_input
from node.bench.measure import measure_idle, measure_point
from node.bench.notes import NO_POWER, notes_on, title
from node.bench.sampler import PowerSampler
from node.bench.shares import held_share
from node.bench.work import Job
from node.board.base import Board
from node.core.events import PowerReading, Source
from node.errors import BoardError
from node.inference.executor import OnnxExecutor

_MOST_SAMPLE_S, _LEAST_SAMPLE_S = 1.0, 0.1
_SAMPLES_PER_WINDOW = 10
_TRIES, _RETRY_S = 6, 0.5
"""A meter that reports by itself is waited for."""


class Plan(NamedTuple):
    """What is measured."""

    threads: tuple[int, ...]
    duty_ratios: tuple[float, ...]
    clock_ratios: tuple[float, ...]
    share_ratios: tuple[float, ...]
    duration_s: float
    idle_s: float
    warm_up_s: float

    @property
    def sample_s(self) -> float:
        """Time between readings of the board; slow sensors are averages over half a second."""
        wanted_s = min(self.duration_s, self.idle_s) / _SAMPLES_PER_WINDOW
        return min(_MOST_SAMPLE_S, max(_LEAST_SAMPLE_S, wanted_s))

    @property
    def seconds(self) -> float:
        """What it takes at least."""
        return self.idle_s + len(self.points()) * (self.warm_up_s + self.duration_s)

    def points(self) -> list[tuple[Cap, int]]:
        """Caps and threads of each operating point; caps change as seldom as they can."""
        return [
            (Cap(duty, clock, share), threads)
            for clock in self.clock_ratios
            for share in self.share_ratios
            for duty in self.duty_ratios
            for threads in self.threads
        ]


class Bench:
    """One bench of one model on one board."""

    def __init__(
        self,
        plan: Plan,
        executor: OnnxExecutor,
        board: Board,
        clocks: ClockCaps,
        say: Callable[[str, float], None],
        *,
        is_unknown: Callable[[PowerReading], bool],
        needs_power: bool,
    ) -> None:
        """Wire it; nothing is started yet.

        Args:
            plan: what to measure.
            executor: with the one model, not started.
            board: whose power is read.
            clocks: hold the clock caps.
            say: hears what begins and how many seconds it takes at least.
            is_unknown: tells a power that follows from figures that nobody has given.
            needs_power: without the board's power there is no point in it.
        """
        self._plan = plan
        self._executor = executor
        self._board = board
        self._clocks = clocks
        self._say = say
        self._is_unknown = is_unknown
        self._needs_power = needs_power

    async def run(self, input_npz: bytes | None, measured_at: str) -> BenchReport:
        """Measure everything.

        Args:
            input_npz: what the model is given; None for made-up numbers.
            measured_at: UTC, for the report.

        Raises:
            OrbitnodeError: the worker does not start, an inference fails, a cap cannot be held.
        """
        self._say("start the worker", 0.0)
        await self._executor.start()
        (model,) = self._executor.models.values()
        card, plan = model.card, self._plan
        given = made_up_input(card.input) if input_npz is None else input_npz
        reading = await self._reading()
        if reading is None and self._needs_power:
            raise BoardError(NO_POWER)
        idle: IdleFigures | None = None
        if reading is not None:
            self._say("board at rest", plan.idle_s)
            idle = await measure_idle(self._board, plan.sample_s, plan.idle_s)
        points: list[PointFigures] = []
        sample_s: float | None = None
        for wanted, threads in plan.points():
            self._say(title(threads, wanted), plan.warm_up_s + plan.duration_s)
            sampler = PowerSampler(self._board, plan.sample_s)
            job = Job(card.name, given, threads, wanted.duty_ratio)
            async with self._held(wanted) as cap:
                point = await measure_point(
                    self._executor, sampler, job, cap, idle, plan.warm_up_s, plan.duration_s
                )
            points.append(point)
            sample_s = sampler.trace.sample_s()
        power = None if reading is None else _power(reading, sample_s)
        identity = self._board.identity
        return BenchReport(
            schema=SCHEMA,
            model=card.name,
            version=card.version,
            model_sha256=card.sha256,
            input="made up" if input_npz is None else "given",
            board_family=self._board.family,
            board=self._board.family if identity.model is None else identity.model.text,
            measured_at=measured_at,
            software=self._software(),
            idle=idle,
            power=power,
            points=points,
            notes=list(notes_on(idle, power, points, made_up=input_npz is None)),
        )

    @asynccontextmanager
    async def _held(self, wanted: Cap) -> AsyncIterator[Cap]:
        """Hold what is wanted; yield what came of it."""
        async with self._clocks.held(wanted.clock_ratio) as clock_ratio:
            with held_share(wanted.share_ratio, self._executor.worker_pid) as share_by:
                yield msgspec.structs.replace(wanted, clock_ratio=clock_ratio, share_by=share_by)

    async def _reading(self) -> PowerReading | None:
        """Ask for the board's power; None where nothing tells it."""
        for _ in range(_TRIES):
            power = self._board.read(time.monotonic()).power
            if power is not None:
                return None if self._is_unknown(power) else power
            await asyncio.sleep(_RETRY_S)
        return None

    def _software(self) -> list[str]:
        return [
            f"orbitnode {__version__}",
            f"onnxruntime {self._executor.runtime_version}",
            f"Python {platform.python_version()}",
            f"Linux {platform.release()} {platform.machine()}",
        ]


def _power(reading: PowerReading, sample_s: float | None) -> PowerFigures:
    return PowerFigures(
        source="measured" if reading.source is Source.MEASURED else "modelled",
        scope=reading.scope,
        model=reading.model,
        error_ratio=reading.error_ratio,
        sample_s=sample_s,
    )
