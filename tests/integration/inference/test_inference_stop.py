"""Stopping a run: by request, by force, by cancellation, by power loss."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import model_factory
import numpy as np
import psutil
import pytest
from executors import CPU, opened
from model_factory import ONE_FIGURE, npz
from waiting import until, until_busy

from node._compat import TaskGroup, timeout
from node.inference.base import Outcome
from node.inference.executor import OnnxExecutor

GRACE_S = 0.25
LIMIT_S = 1.0
"""A run ends within this at the 99th percentile."""
GOOD = npz(x=np.ones((1, 4), np.float32))


@pytest.fixture(autouse=True)
def models(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    model_factory.slow_loop(tmp_path)
    model_factory.slow_single_node(tmp_path)


async def stopped(executor: OnnxExecutor, model: str) -> Outcome:
    async with TaskGroup() as group:
        run = group.create_task(executor.run(model, ONE_FIGURE, 1))
        await until_busy(executor)
        await executor.abort("over its energy budget")
    outcome: Outcome = run.result()
    return outcome


async def test_runs_are_stopped_within_a_second(tmp_path: Path) -> None:
    async with opened(tmp_path, stop_grace_s=GRACE_S) as executor:
        asked = [await stopped(executor, "slow_loop") for _ in range(14)]
        pid = executor.worker_pid
        assert pid is not None
        forced = [await stopped(executor, "slow_node") for _ in range(6)]
        assert (await executor.run("echo", GOOD, 1)).ok
        assert executor.worker_pid != pid
    for outcome in asked + forced:
        assert not outcome.ok
        assert outcome.aborted
        assert outcome.result == b""
        assert outcome.error.startswith("over its energy budget")
        assert outcome.stop_latency_s is not None
    assert not any(outcome.worker_killed for outcome in asked)
    assert all(outcome.worker_killed for outcome in forced)
    latencies_s = sorted(outcome.stop_latency_s or 0.0 for outcome in asked + forced)
    assert latencies_s[-1] < LIMIT_S
    assert all((outcome.stop_latency_s or 0.0) >= GRACE_S for outcome in forced)
    assert all(outcome.cpu_s > 0.02 for outcome in forced)


async def test_a_stop_before_the_worker_has_begun_still_counts(tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        pid = executor.worker_pid
        async with TaskGroup() as group:
            run = group.create_task(executor.run("slow_loop", ONE_FIGURE, 1))
            await asyncio.sleep(0)
            await executor.abort("at once")
        assert run.result().aborted
        assert (run.result().stop_latency_s or 0.0) < LIMIT_S
        assert executor.worker_pid == pid


async def test_a_late_stop_does_not_hit_the_next_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        for _ in range(50):
            async with TaskGroup() as group:
                run = group.create_task(executor.run("echo", GOOD, 1))
                await asyncio.sleep(0)
                await executor.abort("changed our mind")
            assert run.result().aborted
            assert not run.result().worker_killed
            assert (await executor.run("echo", GOOD, 1)).ok


async def test_abort_without_a_run_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        await executor.abort("nothing is going")
        assert (await executor.run("echo", GOOD, 1)).ok


@pytest.mark.parametrize("model", ["slow_loop", "slow_node"])
async def test_a_cancelled_run_is_over_when_the_cancellation_is(tmp_path: Path, model: str) -> None:
    async with opened(tmp_path) as executor:
        async with TaskGroup() as group:
            run = group.create_task(executor.run(model, ONE_FIGURE, 1))
            await until_busy(executor)
            run.cancel()
        assert run.cancelled()
        used_s = executor.cpu_time_s
        await asyncio.sleep(0.1)
        assert executor.cpu_time_s < used_s + 0.05
        assert (await executor.run("echo", GOOD, 1)).ok


async def test_a_second_cancellation_does_not_wait_for_the_grace_time(tmp_path: Path) -> None:
    async with opened(tmp_path, stop_grace_s=10) as executor:
        loop = asyncio.get_running_loop()
        async with TaskGroup() as group:
            run = group.create_task(executor.run("slow_node", ONE_FIGURE, 1))
            await until_busy(executor)
            run.cancel()
            await asyncio.sleep(0.01)
            assert not run.done()
            begun_s = loop.time()
            run.cancel()
        assert run.cancelled()
        assert loop.time() - begun_s < LIMIT_S
        assert executor.worker_pid is None


async def test_a_power_loss_kills_the_worker_until_the_next_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        pid = executor.worker_pid
        async with TaskGroup() as group:
            run = group.create_task(executor.run("slow_loop", ONE_FIGURE, 1))
            await until_busy(executor)
            await executor.kill()
            assert executor.worker_pid is None
        outcome = run.result()
        assert outcome.worker_killed
        assert outcome.aborted
        assert outcome.stop_latency_s is not None
        dark = await executor.run("echo", GOOD, 1)
        assert dark.error == "the worker is not started"
        assert executor.worker_pid is None
        await executor.start()
        assert executor.worker_pid != pid
        assert (await executor.run("echo", GOOD, 1)).ok


async def test_a_stop_while_the_worker_comes_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        assert executor.worker_pid is not None
        os.kill(executor.worker_pid, signal.SIGKILL)
        await until(lambda: executor.worker_pid is None)
        async with TaskGroup() as group:
            run = group.create_task(executor.run("slow_loop", ONE_FIGURE, 1))
            await until(lambda: executor.worker_pid is not None)
            await executor.abort("no longer wanted")
        outcome = run.result()
        assert outcome.aborted
        assert outcome.duration_s == 0.0
        assert (await executor.run("echo", GOOD, 1)).ok


async def test_a_power_loss_while_it_starts(tmp_path: Path) -> None:
    executor = OnnxExecutor(tmp_path, [CPU], default_threads=1)
    async with TaskGroup() as group:
        start = group.create_task(_error_of(executor))
        await until(lambda: executor.worker_pid is not None)
        await executor.kill()
    assert "did not come up (status -9)" in start.result()
    assert executor.worker_pid is None


async def test_two_starts_at_once_make_one_worker(tmp_path: Path) -> None:
    executor = OnnxExecutor(tmp_path, [CPU], default_threads=1)
    try:
        async with timeout(LIMIT_S), TaskGroup() as group:
            for _ in range(2):
                group.create_task(executor.start())
        workers = [
            child.pid
            for child in psutil.Process().children()
            if "node.inference.worker" in child.cmdline()
        ]
        assert workers == [executor.worker_pid]
        assert (await executor.run("echo", GOOD, 1)).ok
    finally:
        await executor.close()


async def test_a_power_loss_ends_a_start_that_waits_for_another(tmp_path: Path) -> None:
    executor = OnnxExecutor(tmp_path, [CPU], default_threads=1)
    async with TaskGroup() as group:
        starts = [group.create_task(_error_of(executor)) for _ in range(2)]
        await until(lambda: executor.worker_pid is not None)
        await executor.kill()
    assert all(start.result() for start in starts)
    assert executor.worker_pid is None


async def _error_of(executor: OnnxExecutor) -> str:
    try:
        await executor.start()
    except RuntimeError as error:
        return str(error)
    return ""
