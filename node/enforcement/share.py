"""What every means of giving the worker a share of the processor's time offers."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import Protocol

LEAST_PERIOD_S = 0.01


@dataclass(frozen=True)
class Lack:
    """A means that this machine does not have: what lacks, and what mends it."""

    means: str
    reason: str
    mend: str

    def __str__(self) -> str:
        """Render for the log."""
        return f"means={self.means} lacks={self.reason!r} mend={self.mend!r}"


class ShareLimiter(Protocol):
    """Gives one process a share of the time of every core that this one may use."""

    @property
    def name(self) -> str:
        """``quota`` or ``duty-cycle``."""

    def place(self, pid: int) -> None:
        """From now on it is this process.

        Raises:
            OSError: the system refuses; the process runs unlimited.
        """

    def limit(self, share: float) -> None:
        """Give it this share from now on; 1 is all.

        Raises:
            OSError: the system refuses; what stood before stands.
        """

    def close(self) -> None:
        """Lift the limit and leave nothing behind."""


def core_count() -> int:
    """Cores that this process, and so the worker, may use."""
    return len(os.sched_getaffinity(0))


def process_cpu_s(pid: int) -> float | None:
    """CPU seconds of a process, all its threads; None where there is none."""
    # The kernel's id for the CPU clock of another process (clock_getcpuclockid(3)).
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return None
