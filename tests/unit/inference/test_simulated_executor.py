from __future__ import annotations

import asyncio

import pytest

from node._compat import TaskGroup
from node.inference.base import Executor
from node.inference.simulated import SimulatedExecutor, SimulatedModel

FIGURES = {"cloud": SimulatedModel(2.5, 1000), "ship": SimulatedModel(0.5, 10)}


class Sleeps:
    """Notes how long each sleep was asked to be, and ends none while it is held."""

    def __init__(self, *, held: bool = False) -> None:
        self.asked_s: list[float] = []
        self.begun = asyncio.Event()
        self._gate = asyncio.Event()
        if not held:
            self._gate.set()

    async def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        self.begun.set()
        await self._gate.wait()


async def test_a_run_takes_the_time_of_the_profile() -> None:
    sleeps = Sleeps()
    executor: Executor = SimulatedExecutor(FIGURES, sleep=sleeps)
    await executor.start()
    outcome = await executor.run("cloud", b"input", 1)
    assert outcome.ok
    assert outcome.duration_s == 2.5
    assert outcome.provider == "simulated"
    assert len(outcome.model_sha256) == 64
    assert sleeps.asked_s == [2.5]
    assert executor.worker_pid is None


async def test_results_have_the_size_of_the_profile_and_follow_from_the_input() -> None:
    executor = SimulatedExecutor(FIGURES, sleep=Sleeps())
    await executor.start()
    first, second, other = [(await executor.run("cloud", x, 1)).result for x in (b"a", b"a", b"b")]
    assert len(first) == 1000
    assert first == second
    assert first != other


async def test_abort_stops_the_run() -> None:
    sleeps = Sleeps(held=True)
    executor = SimulatedExecutor(FIGURES, sleep=sleeps)
    await executor.start()
    async with TaskGroup() as group:
        run = group.create_task(executor.run("cloud", b"", 1))
        await sleeps.begun.wait()
        with pytest.raises(RuntimeError, match="another run"):
            await executor.run("cloud", b"", 1)
        await executor.abort("too hot")
    outcome = run.result()
    assert not outcome.ok
    assert outcome.aborted
    assert not outcome.worker_killed
    assert outcome.error == "too hot"
    assert outcome.stop_latency_s == 0.0
    await executor.abort("nothing is going")
    assert executor._running is False


async def test_kill_ends_the_run_and_the_executor_until_start() -> None:
    sleeps = Sleeps(held=True)
    executor = SimulatedExecutor(FIGURES, sleep=sleeps)
    await executor.start()
    async with TaskGroup() as group:
        run = group.create_task(executor.run("cloud", b"", 1))
        await sleeps.begun.wait()
        await executor.kill()
    assert run.result().worker_killed
    assert run.result().aborted
    dead = await executor.run("cloud", b"", 1)
    assert not dead.ok
    assert not dead.aborted
    assert dead.error == "the worker is not started"


async def test_a_cancelled_run_leaves_nothing_behind() -> None:
    sleeps = Sleeps(held=True)
    executor = SimulatedExecutor(FIGURES, sleep=sleeps)
    await executor.start()
    async with TaskGroup() as group:
        run = group.create_task(executor.run("cloud", b"", 1))
        await sleeps.begun.wait()
        run.cancel()
    assert run.cancelled()
    executor._sleep = Sleeps()
    assert (await executor.run("ship", b"", 1)).ok


async def test_an_unknown_model_is_an_outcome() -> None:
    executor = SimulatedExecutor(FIGURES)
    await executor.start()
    outcome = await executor.run("nothing", b"", 1)
    assert not outcome.ok
    assert outcome.error == "there is no model 'nothing'"
    await executor.close()
