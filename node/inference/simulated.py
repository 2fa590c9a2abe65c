"""An executor without a network: durations and result sizes from a measured profile.

For demonstrations without ONNX Runtime. A run takes the real time that it would take on the board,
at any rate of the mission clock, as one of ONNX Runtime does. Chosen by name in the configuration,
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


class SimulatedExecutor:
    """Answers as a worker would, after the time that the profile says."""

    def __init__(
        self,
        figures: Mapping[str, SimulatedModel],
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        """Keep the profile.

        Args:
            figures: the models by name.
            sleep: waits for real seconds.
        """
        self._figures = figures
        self._sleep = sleep
        self._started = False
        self._sleeper: asyncio.Task[Any] | None = None
        self._running = False
        self._stop_reason: str | None = None

    def _model_sha256(self, model: str) -> str:
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
                self._sleeper = group.create_task(self._wait(figures.duration_s))
        finally:
            self._running, self._sleeper = False, None
        if self._stop_reason is not None:
            return self._failure(
                model, self._stop_reason, aborted=True, worker_killed=not self._started
            )
        return Outcome(
            ok=True,
            # Incompressible, as a result that was deflated is.
            result=hashlib.shake_256(input_npz).digest(figures.result_bytes),
            model_sha256=self._model_sha256(model),
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
            model_sha256=self._model_sha256(model) if model in self._figures else "",
            provider=PROVIDER,
            duration_s=0.0,
            inference_s=0.0,
            cpu_s=0.0,
            error=error,
            aborted=aborted,
            worker_killed=worker_killed,
            stop_latency_s=0.0 if aborted else None,
        )
