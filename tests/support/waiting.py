"""Waits for what only another process can bring about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from node.inference.executor import OnnxExecutor

POLL_S = 0.005


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    while not condition():  # noqa: ASYNC110 - another process has no event to set
        await asyncio.sleep(POLL_S)


async def until_busy(executor: OnnxExecutor) -> None:
    """Return once the worker is deep in a run, which its CPU time shows."""
    await until(lambda: executor._run is not None and executor._run.sent)
    begun_s = executor.cpu_time_s
    await until(lambda: executor.cpu_time_s > begun_s + 0.02)
