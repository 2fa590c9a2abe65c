"""What the node adds to an inference: its own path against a bare ``session.run`` loop.

Both run the same session, with the same threads and options, each in a process of its own beside
this one, in rounds that alternate: what disturbs the machine disturbs both alike. The node's path
is the real one without a radio: core, loop, hands, store on disk, executor, worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure
from subjects import Subject, large, small

from node._compat import TaskGroup
from node.board.factory import open_board
from node.clock import MissionClock, epoch_utc_s
from node.config.build import build_spacecraft
from node.config.installation import BoardChoice
from node.config.load import load_scenario
from node.core.craft import ModelFigures, Spacecraft
from node.core.emulation import start_state
from node.core.events import Event, ManifestReceived, ResultStored
from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.enforcement.enforcer import Enforcer
from node.hands import RealHands
from node.history import History
from node.icd import JobSpec, Manifest
from node.inference.base import Outcome
from node.inference.executor import OnnxExecutor
from node.loop import Loop
from node.metrics import NodeMetrics
from node.radio.mqtt import BrokerAddress, MqttConnector
from node.radio.radio import Radio
from node.store.node_store import NodeStore
from node.timeline import LiveTimeline

GOAL_THROUGHPUT_RATIO = 0.97
GOAL_ADDED_S = 0.0005
_NOWHERE_PORT = 9
_CPU = "CPUExecutionProvider"


class Bare:
    """The bare loop, run by run."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, count: int) -> list[float]:
        """Return the seconds of each of ``count`` runs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        seconds: list[float] = json.loads(self._process.stdout.readline())
        return seconds


@contextlib.contextmanager
def bare_loop(subject: Subject, threads: int, folder: Path) -> Iterator[Bare]:
    """Start the bare loop's process."""
    given = folder / f"{subject.name}.npz"
    given.write_bytes(subject.input_npz)
    script = str(Path(__file__).with_name("bare_loop.py"))
    command = [sys.executable, script, str(subject.models), subject.name, str(given), str(threads)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Bare(process)
        assert process.stdin is not None
        process.stdin.close()


class WatchedTimeline(LiveTimeline):
    """Notes when results are on disk."""

    def __init__(self, clock: MissionClock) -> None:
        super().__init__(clock)
        self.stored_s: list[float] = []
        self._wanted = 0
        self._done = asyncio.Event()

    def expect(self, count: int) -> asyncio.Event:
        """Return what is set once this many more results are on disk."""
        self.stored_s.clear()
        self._wanted = count
        self._done.clear()
        return self._done

    def post(self, event: Event) -> None:
        """Take note, then hand on."""
        super().post(event)
        if isinstance(event, ResultStored):
            self.stored_s.append(time.monotonic())
            if len(self.stored_s) == self._wanted:
                self._done.set()


@dataclasses.dataclass
class Bench:
    """A node without a radio, and what is needed to give it work."""

    subject: Subject
    threads: int
    store: NodeStore
    executor: OnnxExecutor
    timeline: WatchedTimeline
    _jobs: int = 0

    async def jobs(self, count: int) -> list[float]:
        """Give it jobs; return the seconds until each result was on disk."""
        object_id = await self.store.put_input(self.subject.input_npz)
        done = self.timeline.expect(count)
        begun_s = time.monotonic()
        for _ in range(count):
            self._jobs += 1
            job = JobSpec(job_id=f"job-{self._jobs}", model=self.subject.name)
            size = len(self.subject.input_npz)
            self.timeline.post(ManifestReceived(Manifest(object_id, size, job)))
        await done.wait()
        return [stored_s - begun_s for stored_s in self.timeline.stored_s]

    async def executor_run(self) -> tuple[float, Outcome]:
        """Return the seconds of one run by the executor alone, and what it says of it."""
        begun_s = time.monotonic()
        outcome = await self.executor.run(self.subject.name, self.subject.input_npz, self.threads)
        assert outcome.ok, outcome.error
        return time.monotonic() - begun_s, outcome


def _craft(scenario_path: Path, subject: Subject) -> Spacecraft:
    """The scenario's spacecraft, flying this model; it boots at once."""
    craft = build_spacecraft(load_scenario(scenario_path))
    figures = ModelFigures(0.5, 60.0, 1, craft.board_active_w)
    return dataclasses.replace(craft, models={subject.name: figures}, boot_s=0.0)


@contextlib.asynccontextmanager
async def node(
    scenario_path: Path, subject: Subject, threads: int, folder: Path
) -> AsyncIterator[Bench]:
    """Run the node's own parts, composed as the daemon composes them."""
    scenario, craft = load_scenario(scenario_path), _craft(scenario_path, subject)
    store = NodeStore(folder, max_bytes=1 << 30, max_jobs=100_000)
    executor = OnnxExecutor(subject.models, [_CPU], default_threads=threads)
    clock = MissionClock(time.monotonic(), 1.0, epoch_utc_s(scenario.mission.epoch))
    board = open_board(BoardChoice(family="generic"), scenario.board)
    history = History(folder / "history.jsonl")
    async with contextlib.AsyncExitStack() as resources:
        resources.push_async_callback(store.close)
        resources.push_async_callback(executor.close)
        resources.callback(board.close)
        resources.callback(history.close)
        await executor.start()
        timeline = WatchedTimeline(clock)
        limits = PayloadLimits(
            max_object_bytes=1 << 28,
            max_jobs=100_000,
            thread_count=threads,
            converter_efficiency=craft.board_converter_efficiency,
            rate=1.0,
        )
        core = NodeCore(craft, limits, "bench", start_state(craft), timeline.now())
        metrics = NodeMetrics("bench", [subject.name], [])

        def after_tick(_took_s: float) -> None:
            metrics.snapshot = core.snapshot()

        async with TaskGroup() as group:
            hands = RealHands(
                group, timeline, clock, store, executor, board, metrics, Enforcer(None, None)
            )
            connector = MqttConnector(BrokerAddress("127.0.0.1", _NOWHERE_PORT), "bench")
            hands.attach_radio(Radio("bench", "bench", connector, store, timeline.post, 1.0))
            loop = Loop(core, timeline, board, hands, history, after_tick)
            task = group.create_task(loop.run(), name="loop")
            while core.mode is not OperatingMode.NOMINAL:  # noqa: ASYNC110 - modes have no event
                await asyncio.sleep(0.1)
            yield Bench(subject, threads, store, executor, timeline)
            loop.stop()
            task.cancel()


async def throughput(
    scenario_path: Path, folder: Path, rounds: int, count: int
) -> tuple[Figure, dict[str, object]]:
    """Compare the inferences a second of the node with those of the bare loop."""
    subject, threads = large(folder / "models"), len(os.sched_getaffinity(0))
    ratios, bare_all_s = [], []
    state = folder / "state"
    state.mkdir()
    with bare_loop(subject, threads, folder) as bare:
        async with node(scenario_path, subject, threads, state) as bench:
            await bench.jobs(1)
            for _ in range(rounds):
                bare_s = sum(bare.run(count))
                # While work waits, the time between two results is what an inference takes.
                stored_s = await bench.jobs(count + 1)
                ratios.append(bare_s / (stored_s[-1] - stored_s[0]))
                bare_all_s.append(bare_s / count)
    figure = Figure(
        "throughput, node over bare session.run",
        statistics.median(ratios),
        "ratio",
        GOAL_THROUGHPUT_RATIO,
        note=f"{subject.title}, {threads} threads, {statistics.median(bare_all_s) * 1e3:.0f} ms "
        f"bare; {rounds} rounds of {count}: {min(ratios):.3f} to {max(ratios):.3f}",
    )
    return figure, {"model": subject.title, "ratios": ratios, "bare_s": bare_all_s}


async def latency(
    scenario_path: Path, folder: Path, count: int
) -> tuple[list[Figure], dict[str, object]]:
    """Compare single runs of a small model: bare, by the executor, by the whole node."""
    subject = small(folder / "models")
    bare_s, executor_s, worker_s, session_s, node_s = [], [], [], [], []
    state = folder / "state"
    state.mkdir()
    with bare_loop(subject, 1, folder) as bare:
        async with node(scenario_path, subject, 1, state) as bench:
            await bench.jobs(1)
            for _ in range(count):
                bare_s += bare.run(1)
                run_s, outcome = await bench.executor_run()
                executor_s.append(run_s)
                worker_s.append(outcome.duration_s)
                session_s.append(outcome.inference_s)
                node_s += await bench.jobs(1)
    median_bare_s = statistics.median(bare_s)
    added_s = statistics.median(executor_s) - median_bare_s
    in_session_s = statistics.median(session_s) - median_bare_s
    coding_s = statistics.median(worker_s) - statistics.median(session_s)
    between_s = statistics.median(executor_s) - statistics.median(worker_s)
    whole_s = statistics.median(node_s) - median_bare_s
    figures = [
        Figure(
            "latency added to a small model, executor",
            added_s * 1e3,
            "ms",
            GOAL_ADDED_S * 1e3,
            "lower",
            f"median of {count}; bare {median_bare_s * 1e3:.2f} ms. Added in session.run "
            f"{in_session_s * 1e3:.2f}, by decoding and encoding {coding_s * 1e3:.2f}, between the "
            f"processes {between_s * 1e3:.2f}",
        ),
        Figure(
            "latency added to a small model, node",
            whole_s * 1e3,
            "ms",
            note="from the offer to the result on disk: custody of job and result is fsynced",
        ),
    ]
    return figures, {
        "bare_s": bare_s,
        "session_s": session_s,
        "worker_s": worker_s,
        "executor_s": executor_s,
        "node_s": node_s,
    }


def measure(scenario_path: Path, *, quick: bool) -> tuple[list[Figure], dict[str, object]]:
    """Measure throughput and added latency."""
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        ratio, ratio_details = asyncio.run(
            throughput(scenario_path, Path(one), *((2, 2) if quick else (7, 4)))
        )
        added, added_details = asyncio.run(latency(scenario_path, Path(two), 20 if quick else 100))
    return [ratio, *added], {"throughput": ratio_details, "latency": added_details}
