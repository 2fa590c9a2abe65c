"""Executors that are closed whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from node.inference.executor import OnnxExecutor

CPU = "CPUExecutionProvider"


@asynccontextmanager
async def opened(models_folder: Path, **settings: Any) -> AsyncIterator[OnnxExecutor]:
    """Yield a started executor over a folder of models; one thread where not said otherwise."""
    chosen = {"providers": [CPU], "default_threads": 1, **settings}
    executor = OnnxExecutor(models_folder, **chosen)
    try:
        await executor.start()
        yield executor
    finally:
        await executor.close()
