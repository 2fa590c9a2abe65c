"""The worker's share of time by SIGSTOP and SIGCONT: what any user may do to his own processes.

A quota in user space. Every few milliseconds the CPU time that the worker has used is compared with
what its share allows; above it, it is stopped until the allowance has caught up. Because the time
used is measured, a late wake-up of the daemon is made good by the next one, and the mean is exact.
Against the kernel's quota the slowest inferences are slower (docs/enforcement.md has figures) and
the daemon itself works, about one per cent of a core while something is held back.

A stopped worker that loses its daemon is killed by the kernel, as any worker is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

from node.enforcement.share import core_count, process_cpu_s

_PERIOD_S = 0.02
_SHORTEST_S = 0.002
_LONGEST_S = 0.25
"""It is looked at again by then, whatever is owed."""


class DutyCycle:
    """Belongs to one event loop."""

    name = "duty-cycle"

    def __init__(self) -> None:
        self._cores = core_count()
        self._pid: int | None = None
        self._pidfd: int | None = None
        self._share = 1.0
        self._since_s = 0.0
        self._used_before_s = 0.0
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None

    def place(self, pid: int) -> None:
        """From now on it is this process."""
        pidfd = os.pidfd_open(pid)
        self._forget()
        self._pid, self._pidfd = pid, pidfd
        self._begin()

    def limit(self, share: float) -> None:
        """Give it this share from now on."""
        self._share = share
        self._begin()

    def close(self) -> None:
        """Let it run, and let go of it."""
        self._share = 1.0
        self._begin()
        self._forget()

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._share >= 1.0 or self._pid is None:
            self._signal(stop=False)
            return
        self._since_s = time.monotonic()
        self._used_before_s = process_cpu_s(self._pid) or 0.0
        self._look()

    def _look(self) -> None:
        used_s = None if self._pid is None else process_cpu_s(self._pid)
        if used_s is None:
            self._forget()
            return
        now = time.monotonic()
        pace = self._share * self._cores
        ahead_s = used_s - self._used_before_s - pace * (now - self._since_s)
        if ahead_s < -_PERIOD_S * pace:
            # It did not want what it could have had: that is no credit for later.
            self._since_s, self._used_before_s = now, used_s
            ahead_s = 0.0
        if ahead_s > 0.0:
            self._signal(stop=True)
            wait_s = max(_PERIOD_S * (1.0 - self._share), ahead_s / pace)
        else:
            self._signal(stop=False)
            wait_s = max(_SHORTEST_S, _PERIOD_S * self._share)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(_LONGEST_S, wait_s), self._look)

    def _signal(self, *, stop: bool) -> None:
        if stop == self._stopped or self._pidfd is None:
            return
        # By pidfd: once the worker is gone its number may be a stranger's.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGSTOP if stop else signal.SIGCONT)
        self._stopped = stop

    def _forget(self) -> None:
        if self._pidfd is not None:
            self._signal(stop=False)
            os.close(self._pidfd)
        self._pid = self._pidfd = None
        self._stopped = False
