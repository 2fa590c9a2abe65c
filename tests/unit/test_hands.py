"""The real hands with a store, an executor and a radio that do what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from spacecraft import ACTIVE_W, IDLE_W, MODEL, offer, report, result_of

from node import hands as hands_module
from node._compat import TaskGroup, timeout
from node.board.simulated import SimulatedBoard
from node.clock import MissionClock
from node.core import effects, events
from node.core.events import Event, StoredJob
from node.enforcement.enforcer import Enforcer
from node.errors import StoreError, WorkerError
from node.hands import RealHands
from node.icd import Ack, EventReport, Hello, Pull, Receipt
from node.inference.base import Outcome
from node.metrics import NodeMetrics
from node.radio.radio import CHUNK_PRIORITY, Radio
from node.store.node_store import NodeStore
from node.store.object_rows import HeldState
from node.timeline import LiveTimeline

JOB = offer("a")
OK = Outcome(True, b"result", "0" * 64, "test", 0.5, 0.4, 0.5)


class Clock(MissionClock):
    def now(self) -> float:
        return 50.0


class Store:
    """Takes down what is asked of it; ``gate`` holds every answer back."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.refusals = 0

    async def _asked(self, *call: Any) -> None:
        self.calls.append(call)
        await self.gate.wait()
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreError("the disk is full")

    async def restore(self) -> events.Restored:
        await self._asked("restore")
        return events.Restored((StoredJob(JOB, "queued", None, ()),))

    async def insert_job(self, manifest: Any, state: str, reason: str) -> tuple[str, bool]:
        await self._asked("insert", manifest.job.job_id, state, reason)
        return (state, False) if manifest == JOB else ("rejected", True)

    async def reason(self, job_id: str) -> str:
        await self._asked("reason", job_id)
        return "as on disk"

    async def held(self, object_id: str) -> HeldState:
        await self._asked("held", object_id)
        return HeldState(((0, 10),), complete=False)

    async def set_job_state(self, job_id: str, state: str, reason: str, mission_s: float) -> None:
        await self._asked("state", job_id, state, reason, mission_s)

    async def store_result(self, job: Any, _report: Any, data: bytes) -> Any:
        await self._asked("result", job.job_id, data)
        return result_of(JOB)

    async def release_result(self, job_id: str) -> None:
        await self._asked("release", job_id)

    async def input_bytes(self, job_id: str) -> bytes:
        await self._asked("input", job_id)
        return b"input"


class Executor:
    """Takes down what is asked of it; ``ready`` holds the start back, ``end`` the run."""

    worker_pid = None

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ready, self.end = asyncio.Event(), asyncio.Event()
        self.ready.set()
        self.end.set()
        self.outcome = OK
        self.broken: WorkerError | None = None

    async def start(self) -> None:
        self.calls.append("start")
        await self.ready.wait()
        if self.broken is not None:
            raise self.broken

    async def run(self, model: str, input_npz: bytes, thread_count: int) -> Outcome:
        self.calls.append(f"run {model} {input_npz.decode()} {thread_count}")
        await self.end.wait()
        return self.outcome

    async def abort(self, reason: str) -> None:
        self.calls.append(f"abort {reason}")

    async def kill(self) -> None:
        self.calls.append("kill")

    async def close(self) -> None:
        self.calls.append("close")


class Ether:
    """A radio that takes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def open(self) -> None:
        self.told.append("open")

    def close(self) -> None:
        self.told.append("close")

    def drop(self) -> None:
        self.told.append("drop")

    def send(self, suffix: str, message: Any, priority: int) -> None:
        self.told.append((suffix, message, int(priority)))

    def send_chunk(self, object_id: str, span: Any, priority: int) -> None:
        self.told.append((object_id, span, int(priority)))


class Enforcement(Enforcer):
    """Takes down what it is told."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.told: list[tuple[Any, ...]] = []

    def limit_activity(self, share: float) -> None:
        self.told.append(("share", share))

    def limit_clock(self, ratio: float) -> None:
        self.told.append(("clock", ratio))

    def let_stop(self) -> None:
        self.told.append(("let_stop",))

    def resume(self) -> None:
        self.told.append(("resume",))

    def release(self) -> None:
        self.told.append(("release",))


class Bench:
    def __init__(self, group: TaskGroup) -> None:
        self.enforcer = Enforcement()
        self.store, self.executor, self.ether = Store(), Executor(), Ether()
        clock = Clock(0.0, 1.0, 0.0)
        self.timeline = LiveTimeline(clock)
        self.board = SimulatedBoard(IDLE_W, ACTIVE_W)
        self.hands = RealHands(
            group,
            self.timeline,
            clock,
            cast(NodeStore, self.store),
            self.executor,
            self.board,
            NodeMetrics("sat", [MODEL], ["svalbard"]),
            self.enforcer,
        )
        self.hands.attach_radio(cast(Radio, self.ether))

    def do(self, *todo: effects.Effect) -> None:
        for effect in todo:
            self.hands.carry_out(effect, 50.0)

    async def settle(self) -> list[Event]:
        """Let every task go as far as it can; return what was posted."""
        for _ in range(30):
            await asyncio.sleep(0)
        posted = list(self.timeline._inbox)
        self.timeline._inbox.clear()
        return posted


@asynccontextmanager
async def opened() -> AsyncIterator[Bench]:
    async with timeout(10.0), TaskGroup() as group:
        yield Bench(group)


def ack(state: str) -> Ack:
    return Ack(job_id="a", state=state, mission_s=5.0, reason="why")


START = effects.StartJob(JOB.job, JOB.object_id, 2)


async def test_what_goes_to_the_radio() -> None:
    async with opened() as bench:
        hello = Hello("node-1", 1.0, [])
        pull = Pull(JOB.object_id, [(0, 10)])
        receipt = Receipt(JOB.object_id, [], complete=True)
        text = EventReport(1.0, "info", "mode", "boot to safe")
        bench.do(
            effects.OpenLink("svalbard", 700.0),
            effects.SendHello(hello),
            effects.SendAck(ack("queued")),
            effects.SendManifest(JOB),
            effects.SendPull(pull),
            effects.SendReceipt(receipt),
            effects.SendChunk(JOB.object_id, (0, 10)),
            effects.Publish(text),
            effects.ApplyPowerMode(8.0),
            effects.CloseLink(),
        )
        assert bench.ether.told == [
            "open",
            ("tm/xfer", hello, 0),
            ("tm/ack", ack("queued"), 0),
            ("tm/xfer", JOB, 2),
            ("tm/xfer", pull, 0),
            ("tm/xfer", receipt, 0),
            (JOB.object_id, (0, 10), int(CHUNK_PRIORITY)),
            ("tm/event", text, 1),
            "close",
        ]


async def test_limits_are_carried_out_and_their_edges_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="node.hands")
    async with opened() as bench:
        bench.do(
            effects.LimitActivity(0.33),
            effects.LimitActivity(0.31),
            effects.LimitActivity(1.0),
            effects.LimitClock(0.97),
            effects.LimitClock(0.91),
            effects.LimitClock(1.0),
            effects.LimitClock(0.95),
            effects.PowerOff(),
            effects.LimitClock(0.9),
        )
        assert bench.enforcer.told == [
            ("share", 0.33),
            ("share", 0.31),
            ("share", 1.0),
            ("clock", 0.97),
            ("clock", 0.91),
            ("clock", 1.0),
            ("clock", 0.95),
            ("release",),
            ("clock", 0.9),
        ]
    assert [each for each in caplog.messages if each.startswith(("clock=", "worker_share="))] == [
        "worker_share=0.330",
        "worker_share=1.000",
        "clock=throttled ratio=0.970",
        "clock=full ratio=1.000",
        "clock=throttled ratio=0.950",
        "clock=throttled ratio=0.900",
    ]


async def test_a_run_that_is_to_stop_is_not_held_back_and_the_next_one_is() -> None:
    async with opened() as bench:
        bench.executor.end.clear()
        bench.do(START)
        await bench.settle()
        bench.do(effects.AbortJob("a", "mode safe"))
        bench.executor.end.set()
        await bench.settle()
        bench.do(START)
        await bench.settle()
        assert bench.enforcer.told == [("resume",), ("let_stop",), ("resume",)]


async def test_what_the_store_answers() -> None:
    async with opened() as bench:
        bench.do(effects.Restore(), effects.StoreManifest(JOB, "received", ""))
        bench.do(effects.StoreManifest(offer("b"), "received", ""))
        bench.do(effects.ReleaseResult("a", JOB.object_id))
        posted = await bench.settle()
        held = ((0, 10),)
        assert sorted(map(repr, posted)) == sorted(
            map(
                repr,
                [
                    events.Restored((StoredJob(JOB, "queued", None, ()),)),
                    events.ManifestStored(JOB, "received", held, known=False),
                    events.ManifestStored(
                        offer("b"), "rejected", held, known=True, reason="as on disk"
                    ),
                    events.ResultReleased("a"),
                ],
            )
        )


async def test_a_state_is_on_disk_before_it_is_said() -> None:
    async with opened() as bench:
        bench.store.gate.clear()
        bench.do(effects.StoreJobState(ack("queued")))
        await bench.settle()
        assert bench.store.calls == [("state", "a", "queued", "why", 5.0)]
        assert bench.ether.told == []
        bench.store.gate.set()
        await bench.settle()
        assert bench.ether.told == [("tm/ack", ack("queued"), 0)]


async def test_custody_that_the_disk_refuses_is_not_taken() -> None:
    async with opened() as bench:
        bench.store.refusals = 1
        bench.do(effects.StoreManifest(JOB, "received", ""))
        assert await bench.settle() == []
        assert bench.ether.told == []


async def test_a_result_is_kept_until_the_disk_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands_module, "_RETRY_STORE_S", 0.0)
    async with opened() as bench:
        bench.do(START)
        await bench.settle()
        bench.store.refusals = 3
        bench.do(effects.StoreResult(JOB.job, report()))
        assert await bench.settle() == [events.ResultStored(result_of(JOB))]
        assert bench.store.calls[-4:] == [("result", "a", b"result")] * 4


async def test_a_run() -> None:
    async with opened() as bench:
        bench.board.read(bench.timeline.wall_s())
        bench.do(START)
        started, finished = await bench.settle()
        assert bench.executor.calls == ["start", "run clouds input 2"]
        assert started == events.JobStarted("a")
        assert isinstance(finished, events.JobFinished)
        assert finished.report.duration_s == 0.5
        assert finished.report.energy_source == "modelled"
        assert finished.report.energy_j == pytest.approx(0.0, abs=0.1)


async def test_a_simulated_board_draws_what_the_run_takes() -> None:
    async with opened() as bench:
        begun_s = bench.timeline.wall_s()

        def mean_w(start_s: float, stop_s: float) -> float:
            bench.board.read(begun_s + start_s)
            reading = bench.board.read(begun_s + stop_s).power
            assert reading is not None
            return reading.power_w

        bench.executor.end.clear()
        bench.do(START)
        await bench.settle()
        assert mean_w(1000.0, 1001.0) == pytest.approx(ACTIVE_W)
        bench.executor.end.set()
        await bench.settle()
        assert mean_w(1002.0, 1003.0) == pytest.approx(IDLE_W)


async def test_a_run_that_ends_badly() -> None:
    async with opened() as bench:
        bench.executor.outcome = Outcome(
            False, b"", "", "", 0.1, 0.0, 0.0, "e" * 600, aborted=True, stop_latency_s=0.02
        )
        bench.do(START)
        _, failed = await bench.settle()
        assert isinstance(failed, events.JobFailed)
        assert (failed.job_id, failed.aborted, failed.stop_latency_s) == ("a", True, 0.02)
        assert failed.reason == "e" * 512


async def test_a_worker_that_cannot_start_has_died() -> None:
    async with opened() as bench:
        bench.executor.broken = WorkerError("no worker")
        bench.do(START)
        [failed] = await bench.settle()
        assert isinstance(failed, events.JobFailed)
        assert (failed.reason, failed.worker_killed, failed.aborted) == ("no worker", True, False)


async def test_an_input_that_cannot_be_read_is_no_death() -> None:
    async with opened() as bench:
        bench.store.refusals = 1
        bench.do(START)
        [failed] = await bench.settle()
        assert isinstance(failed, events.JobFailed)
        assert (failed.reason, failed.worker_killed) == ("the disk is full", False)


async def test_an_abort_before_the_run_has_begun_is_heard() -> None:
    async with opened() as bench:
        bench.executor.ready.clear()
        bench.do(START)
        await bench.settle()
        bench.do(effects.AbortJob("a", "mode safe"))
        await bench.settle()
        bench.executor.ready.set()
        [failed] = await bench.settle()
        assert isinstance(failed, events.JobFailed)
        assert (failed.reason, failed.aborted) == ("mode safe", True)
        assert bench.executor.calls == ["start", "abort mode safe"]
        # The next start of the same job begins anew.
        bench.do(START)
        assert len(await bench.settle()) == 2


async def test_a_power_loss_in_the_same_breath_as_the_result_loses_the_result_alone() -> None:
    async with opened() as bench:
        bench.do(START)
        await bench.settle()
        bench.do(effects.StoreResult(JOB.job, report()), effects.PowerOff())
        # It was handed to the disk, but the board that would hear the answer is gone.
        assert await bench.settle() == []
        assert bench.ether.told == ["drop"]
        assert bench.executor.calls[-1] == "kill"


@pytest.mark.parametrize("moment", ["at once", "reading", "starting", "running"])
async def test_nothing_runs_after_a_power_loss(moment: str) -> None:
    async with opened() as bench:
        store, executor = bench.store.gate, bench.executor
        if moment == "reading":
            store.clear()
        elif moment == "starting":
            executor.ready.clear()
        elif moment == "running":
            executor.end.clear()
        bench.do(START)
        if moment != "at once":
            await bench.settle()
        bench.do(effects.PowerOff())
        await bench.settle()
        for gate in (store, executor.ready, executor.end):
            gate.set()
        assert await bench.settle() == []
        assert executor.calls[-1] == "kill"
        assert ("run clouds input 2" in executor.calls) == (moment == "running")


async def test_answers_of_before_a_power_loss_are_not_posted() -> None:
    async with opened() as bench:
        bench.store.gate.clear()
        bench.do(
            effects.Restore(),
            effects.StoreManifest(JOB, "received", ""),
            effects.ReleaseResult("a", JOB.object_id),
        )
        bench.do(effects.PowerOff(), effects.PowerOn())
        await bench.settle()
        bench.store.gate.set()
        assert await bench.settle() == []
        bench.do(effects.Restore())
        assert len(await bench.settle()) == 1


async def test_without_power_nobody_tries_the_disk_again() -> None:
    async with opened() as bench:
        bench.store.gate.clear()
        bench.store.refusals = 1
        bench.do(effects.Restore())
        await bench.settle()
        bench.do(effects.PowerOff())
        bench.store.gate.set()
        assert await bench.settle() == []
        assert bench.store.calls == [("restore",)]


async def test_power_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    async with opened() as bench:
        bench.do(effects.PowerOn(), effects.KillWorker())
        await bench.settle()
        assert bench.executor.calls == ["start", "kill"]
        bench.executor.broken = WorkerError("no worker")
        bench.executor.ready.clear()
        bench.do(effects.PowerOn())
        await bench.settle()
        bench.do(effects.PowerOff())
        bench.executor.ready.set()
        await bench.settle()
        assert "worker=failed" not in caplog.text
        bench.do(effects.PowerOn())
        await bench.settle()
        assert "worker=failed error=no worker" in caplog.text


async def test_power_that_is_lost_at_once_starts_no_worker() -> None:
    async with opened() as bench:
        bench.do(effects.PowerOn(), effects.PowerOff())
        await bench.settle()
        assert bench.executor.calls == ["kill"]


async def test_a_disk_that_refuses_for_ever_does_not_hold_the_stop() -> None:
    async with opened() as bench:
        bench.store.refusals = 1_000_000
        bench.do(effects.Restore(), effects.StoreJobState(ack("failed")))
        await bench.settle()
        await bench.hands.stop()
    assert bench.executor.calls == ["close"]
    assert bench.ether.told == []


async def test_a_worker_that_is_still_starting_does_not_hold_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opened() as bench:
        executor = bench.executor
        executor.ready.clear()
        executor.broken = WorkerError("killed")
        bench.do(effects.PowerOn())
        await bench.settle()
        await bench.hands.stop()
        assert executor.calls == ["start", "close"]
        executor.ready.set()
    assert caplog.text == ""


async def test_hands_without_a_radio_say_so() -> None:
    async with TaskGroup() as group:
        bench = Bench(group)
        bench.hands._radio = None
        with pytest.raises(RuntimeError, match="not attached"):
            bench.do(effects.CloseLink())
