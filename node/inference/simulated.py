"""An executor without a network: durations and result sizes from a measured profile.

For free running and for demonstrations without ONNX Runtime. Chosen by name in the configuration,
never fallen back to. Deterministic: the same job gives the same bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from node._compat import TaskGroup
from node.inference.base import Outcome

PROVIDER = "simulated"


class SimulatedModel(Struct, frozen=True):
    """One model as the simulation knows it."""

    duration_s: float
    """Wall seconds of one inference on the board that is simulated."""
    result_bytes: int


def result_of(seed: bytes, size_bytes: int) -> bytes:
    """Return bytes that stand for a result: incompressible, and the same for the same seed."""
    return hashlib.shake_256(seed).digest(size_bytes)


class SimulatedExecutor:
    """Answers as a worker would, after the time that the profile says."""

    def __init__(
        self,
        figures: Mapping[str, SimulatedModel],
        *,
        rate: float = 1.0,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        """Keep the profile.

        Args:
            figures: the models by name.
            rate: mission seconds a second; a run takes that much less real time.
            sleep: waits for real seconds.
        """
        self._figures = figures
        self._rate = rate
        self._sleep = sleep
        self._started = False
        self._sleeper: asyncio.Task[Any] | None = None
        self._running = False
        self._stop_reason: str | None = None

    def duration_s(self, model: str) -> float:
        """Return the mission seconds of one run; ``KeyError`` for an unknown model."""
        return self._figures[model].duration_s

    def result_bytes(self, model: str, job_id: str) -> bytes:
        """Return the result of a job; ``KeyError`` for an unknown model."""
        return result_of(job_id.encode(), self._figures[model].result_bytes)

    def model_sha256(self, model: str) -> str:
        """Return what stands for the model's hash in a report."""
        return hashlib.sha256(f"simulated {model}".encode()).hexdigest()

    @property
    def worker_pid(self) -> int | None:
        """None: there is no process."""
        return None

    async def start(self) -> None:
        """Be ready at once."""
        self._started = True

    async def run(self, model: str, input_npz: bytes, thread_count: int) -> Outcome:  # noqa: ARG002 - one core or all, the profile has one figure
        """Take as long as the profile says; the result follows from the input.

        Raises:
            RuntimeError: another run is going.
        """
        if self._running:
            raise RuntimeError("another run is going")
        if not self._started:
            return self._failure(model, "the worker is not started")
        figures = self._figures.get(model)
        if figures is None:
            return self._failure(model, f"there is no model {model!r}")
        self._running, self._stop_reason = True, None
        try:
            async with TaskGroup() as group:
                self._sleeper = group.create_task(self._wait(figures.duration_s / self._rate))
        finally:
            self._running, self._sleeper = False, None
        if self._stop_reason is not None:
            return self._failure(
                model, self._stop_reason, aborted=True, worker_killed=not self._started
            )
        return Outcome(
            ok=True,
            result=result_of(input_npz, figures.result_bytes),
            model_sha256=self.model_sha256(model),
            provider=PROVIDER,
            duration_s=figures.duration_s,
            inference_s=figures.duration_s,
            cpu_s=figures.duration_s,
        )

    async def abort(self, reason: str) -> None:
        """Stop the run that is going, at once."""
        if self._running and self._stop_reason is None:
            self._stop_reason = reason
            if self._sleeper is not None:
                self._sleeper.cancel()

    async def kill(self) -> None:
        """End the run that is going as a dead worker would; nothing runs until ``start``."""
        self._started = False
        await self.abort("killed")

    async def close(self) -> None:
        """Same as ``kill``."""
        await self.kill()

    async def _wait(self, seconds: float) -> None:
        await self._sleep(seconds)

    def _failure(
        self, model: str, error: str, *, aborted: bool = False, worker_killed: bool = False
    ) -> Outcome:
        return Outcome(
            ok=False,
            result=b"",
            model_sha256=self.model_sha256(model) if model in self._figures else "",
            provider=PROVIDER,
            duration_s=0.0,
            inference_s=0.0,
            cpu_s=0.0,
            error=error,
            aborted=aborted,
            worker_killed=worker_killed,
            stop_latency_s=0.0 if aborted else None,
        )
