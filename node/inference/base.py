"""What every executor offers to the shell."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """How one run ended."""

    ok: bool
    result: bytes
    """The result as ``.npz`` bytes; empty unless ``ok``."""
    model_sha256: str
    provider: str
    duration_s: float
    """Wall seconds in the worker, decode and encode included."""
    inference_s: float
    """Wall seconds inside ``session.run``."""
    cpu_s: float
    """CPU seconds of the worker process for this run."""
    error: str = ""
    aborted: bool = False
    """We stopped it."""
    worker_killed: bool = False
    stop_latency_s: float | None = None


class Executor(Protocol):
    """Runs one job at a time. A second ``run`` while one is going is a programming error."""

    async def start(self) -> None:
        """Start the worker and load every configured model; return when it is warm.

        Raises:
            ModelError: a model folder is wrong.
            ProviderError: a provider was asked for and is not there.
            WorkerError: the worker does not come up.
        """

    async def run(self, model: str, input_npz: bytes, thread_count: int) -> Outcome:
        """Run one inference. Never raises for a bad tensor or a dead worker: ``Outcome`` says so.

        After the worker died it is started again before the next run.
        """

    async def abort(self, reason: str) -> None:
        """Stop the run that is going: terminate, and after the grace time SIGKILL.

        Returns at once; the pending ``run`` returns its ``Outcome`` with ``aborted``.
        """

    async def kill(self) -> None:
        """SIGKILL the worker now, running or not (a power loss); it stays dead until ``start``."""

    async def close(self) -> None:
        """End the worker for good."""

    @property
    def worker_pid(self) -> int | None:
        """Process id of the live worker."""
