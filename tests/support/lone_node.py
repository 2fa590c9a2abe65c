"""A node without a radio: real core, loop, hands, store, executor and worker, a board of its own.

The board draws what the worker's real CPU time says, so that what is held back shows in the power
whatever else the machine does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from model_factory import ONE_FIGURE
from spacecraft import ACTIVE_W, EPOCH_UTC_S, IDLE_W, start

from node._compat import TaskGroup
from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.clock import MissionClock
from node.core.craft import Spacecraft
from node.core.events import (
    Event,
    JobFailed,
    JobFinished,
    ManifestReceived,
    PowerReading,
    Readings,
    Source,
)
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.enforcement.enforcer import EnforcementReport, Enforcer
from node.enforcement.share import core_count
from node.hands import RealHands
from node.history import History
from node.icd import JobSpec, Manifest
from node.inference.executor import OnnxExecutor
from node.loop import Loop
from node.metrics import NodeMetrics
from node.radio.mqtt import BrokerAddress, MqttConnector
from node.radio.radio import Radio
from node.store.node_store import NodeStore
from node.timeline import LiveTimeline

CPU = "CPUExecutionProvider"
_NOWHERE_PORT = 9


class WorkerBoard:
    """Draws ``idle_w`` and, for each core that the worker keeps busy, its part of ``span_w``."""

    family = "simulated"
    identity = Identity("simulated")

    def __init__(self, idle_w: float, span_w: float, cpu_s: Callable[[], float]) -> None:
        self.idle_power_w = idle_w
        self._w_per_core = span_w / core_count()
        self._cpu_s = cpu_s
        self._begun_s = time.monotonic()
        self._before = (0.0, 0.0)

    def read(self, wall_s: float) -> Readings:
        """Read the worker's clock."""
        elapsed_s = wall_s - self._begun_s
        energy_j = self.idle_power_w * elapsed_s + self._w_per_core * self._cpu_s()
        before_s, before_j = self._before
        self._before = (elapsed_s, energy_j)
        power_w = (energy_j - before_j) / max(1e-6, elapsed_s - before_s)
        return Readings(PowerReading(power_w, energy_j, wall_s, 0.0, Source.MEASURED, "board"))

    def sensor_health(self) -> tuple[ReaderHealth, ...]:
        """There are no readers."""
        return ()

    def set_busy(self, busy: float, wall_s: float) -> None:
        """The worker's clock shows it."""

    def close(self) -> None:
        """Nothing is open."""


class NotedTimeline(LiveTimeline):
    """Keeps what is posted."""

    def __init__(self, clock: MissionClock) -> None:
        super().__init__(clock)
        self.posted: list[tuple[float, Event]] = []

    def post(self, event: Event) -> None:
        """Note, then hand on."""
        self.posted.append((time.monotonic(), event))
        super().post(event)


@dataclass
class LoneNode:
    """What a test asks of it."""

    core: NodeCore
    store: NodeStore
    executor: OnnxExecutor
    enforcer: Enforcer
    timeline: NotedTimeline
    lags_s: list[float] = field(default_factory=list)
    """By how much a timer of the daemon's loop came late."""
    reports: list[EnforcementReport] = field(default_factory=list)
    """One a tick."""
    _jobs: int = 0

    async def submit(self, model: str, count: int = 1, data: bytes = ONE_FIGURE) -> None:
        """Offer jobs as the ground would."""
        object_id = await self.store.put_input(data)
        for _ in range(count):
            self._jobs += 1
            job = JobSpec(f"job-{self._jobs}", model)
            self.timeline.post(ManifestReceived(Manifest(object_id, len(data), job)))

    async def until(self, condition: Callable[[], bool], limit_s: float = 30.0) -> None:
        """Wait for something to come true."""
        end_s = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end_s, self.core.snapshot()
            await asyncio.sleep(0.01)

    @property
    def finished(self) -> list[JobFinished]:
        """Runs that ended well."""
        return [event for _, event in self.timeline.posted if isinstance(event, JobFinished)]

    @property
    def failed(self) -> list[JobFailed]:
        """Runs that did not."""
        return [event for _, event in self.timeline.posted if isinstance(event, JobFailed)]

    @property
    def busy(self) -> bool:
        """The worker is in a run."""
        run = self.executor._run
        return run is not None and run.sent

    async def share_over(self, seconds: float) -> float:
        """Of every core's time, what the worker uses from now on."""
        begun_s, used_s = time.monotonic(), self.executor.cpu_time_s
        await asyncio.sleep(seconds)
        elapsed_s = time.monotonic() - begun_s
        return (self.executor.cpu_time_s - used_s) / elapsed_s / core_count()


@contextlib.asynccontextmanager
async def flying(
    folder: Path,
    craft: Spacecraft,
    enforcer: Enforcer,
    *,
    soc: float = 0.9,
    threads: int = 1,
    stop_grace_s: float = 0.1,
    idle_w: float = IDLE_W,
    span_w: float = ACTIVE_W - IDLE_W,
) -> AsyncIterator[LoneNode]:
    """Run a node whose models are in ``folder / "models"`` until the block ends."""
    store = NodeStore(folder / "state", max_bytes=1 << 30, max_jobs=100_000)
    executor = OnnxExecutor(
        folder / "models",
        [CPU],
        default_threads=threads,
        stop_grace_s=stop_grace_s,
        on_spawn=enforcer.place,
    )
    board = WorkerBoard(idle_w, span_w, lambda: executor.cpu_time_s)
    history = History(None)
    async with contextlib.AsyncExitStack() as resources:
        resources.push_async_callback(store.close)
        resources.push_async_callback(enforcer.close)
        resources.push_async_callback(executor.close)
        await executor.start()
        clock = MissionClock(time.monotonic(), 1.0, EPOCH_UTC_S)
        timeline = NotedTimeline(clock)
        limits = PayloadLimits(1 << 28, 100_000, threads, 0.92, 1.0, slows_runs=enforcer.slows_runs)
        core = NodeCore(craft, limits, "test", start(soc), timeline.now())
        metrics = NodeMetrics("test", list(craft.models), [])
        async with TaskGroup() as group:
            hands = RealHands(group, timeline, clock, store, executor, board, metrics, enforcer)
            connector = MqttConnector(BrokerAddress("127.0.0.1", _NOWHERE_PORT), "test")
            hands.attach_radio(Radio("test", "test", connector, store, timeline.post, 1.0))
            node = LoneNode(core, store, executor, enforcer, timeline)

            def after_tick(_took_s: float) -> None:
                node.reports.append(enforcer.report())

            loop = Loop(core, timeline, board, hands, history, after_tick)
            tasks = [
                group.create_task(loop.run(), name="loop"),
                group.create_task(_measure_lag(node.lags_s), name="lag"),
            ]
            try:
                yield node
            finally:
                loop.stop()
                await hands.stop()
                for task in tasks:
                    task.cancel()


async def _measure_lag(lags_s: list[float]) -> None:
    while True:
        due_s = time.monotonic() + 0.005
        await asyncio.sleep(0.005)
        lags_s.append(time.monotonic() - due_s)


def percentile(values: list[float], part: float) -> float:
    """Of a list that need not be sorted."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]
