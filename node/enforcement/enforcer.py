"""Carries out what the core wants held back, by the means that this machine has.

    a run's share of time   the kernel's quota; without one, the duty cycle; without both, the clock
    the firmware's clock    caps by the helper; what those lack, without one all of it, is time

Two limits by the same means are one: the lower. Where a cap cannot go as low as the clock that the
orbit allows (a floor of the hardware, a refusal), the rest is an equal share of time. Pacing is the
core's own and needs nothing here.
"""

from __future__ import annotations

import logging
import time

from msgspec import Struct

from node._compat import TaskGroup
from node.enforcement.clock import ClockCaps
from node.enforcement.share import Lack, ShareLimiter, core_count, process_cpu_s

_log = logging.getLogger(__name__)
_MEASURE_S = 0.5
"""A shorter interval says little about a share."""


class EnforcementReport(Struct, frozen=True):
    """What was asked for, and what was achieved by which means."""

    available: tuple[str, ...]
    """Means that this machine has."""
    active: tuple[str, ...]
    """Those that hold something back now."""
    share: float
    """Of every core's time, that the worker is left."""
    share_achieved: float | None
    """What it used, over the last interval with the same share; None where it is not known yet."""
    clock: float
    """Ratio that the orbit allows."""
    clock_achieved: float
    """Ratio by clock, or by time where that stands in."""


class Enforcer:
    """One worker at a time; belongs to the daemon's loop."""

    def __init__(
        self,
        limiter: ShareLimiter | None,
        clock: ClockCaps | None,
        lacks: tuple[Lack, ...] = (),
    ) -> None:
        """Take the means.

        Args:
            limiter: of the worker's share of time.
            clock: caps by the helper.
            lacks: what is missing, and what would mend it.
        """
        self._limiter = limiter
        self._clock = clock
        self.lacks = lacks
        self._activity = 1.0
        self._clock_ratio = 1.0
        self._share = 1.0
        self._pid: int | None = None
        self._cores = core_count()
        self._measured: tuple[float, float] | None = None
        self._share_achieved: float | None = None
        if clock is not None:
            clock.on_change = self._apply
        for lack in lacks:
            _log.warning("enforcement %s", lack)
        _log.info("enforcement means=%s", ",".join(self._available) or "none")

    @property
    def slows_runs(self) -> bool:
        """A run that goes on can be held back."""
        return self._limiter is not None or self._clock is not None

    def place(self, pid: int) -> None:
        """A worker has been started: the limits are for it."""
        self._pid = pid
        self._measured = None
        if self._limiter is None:
            return
        try:
            self._limiter.place(pid)
        except OSError as error:
            _log.warning("enforcement means=%s error=%s", self._limiter.name, error.strerror)

    async def run(self) -> None:
        """Carry clock caps out until cancelled, or until the helper is gone."""
        clock = self._clock
        if clock is None:
            return
        async with TaskGroup() as group:
            group.create_task(clock.keep_alive(), name="clock lease")
            await clock.run()

    def limit_activity(self, share: float) -> None:
        """The power ceiling leaves the worker this share of its time."""
        self._activity = share
        self._apply()

    def limit_clock(self, ratio: float) -> None:
        """The orbit leaves the board this ratio of its clock."""
        self._clock_ratio = ratio
        self._apply()

    def let_stop(self) -> None:
        """The run is to end: a worker that is held back would be slow to hear of it."""
        self._set_share(1.0)

    def resume(self) -> None:
        """Another run begins: what was ordered holds again."""
        self._apply()

    def release(self) -> None:
        """The board lost power: nothing is ordered any more."""
        self._activity = self._clock_ratio = 1.0
        self._apply()

    def report(self) -> EnforcementReport:
        """Say what is asked for and what was achieved."""
        self._measure()
        active = []
        if self._share < 1.0 and self._limiter is not None:
            active.append(self._limiter.name)
        if self._caps is not None and self._caps.achieved < 1.0:
            active.append(self._caps.name)
        return EnforcementReport(
            available=self._available,
            active=tuple(active),
            share=self._share,
            share_achieved=self._share_achieved,
            clock=self._clock_ratio,
            clock_achieved=self._clock_achieved * self._time_for_clock,
        )

    async def close(self) -> None:
        """Lift everything; the worker must have ended."""
        if self._limiter is not None:
            self._limiter.close()
        if self._clock is not None:
            await self._clock.close()

    @property
    def _caps(self) -> ClockCaps | None:
        return self._clock if self._clock is not None and self._clock.usable else None

    @property
    def _clock_achieved(self) -> float:
        return 1.0 if self._caps is None else self._caps.achieved

    @property
    def _time_for_clock(self) -> float:
        """Share of time that stands in for what the clocks' caps lack."""
        if self._limiter is None:
            return 1.0
        return min(1.0, self._clock_ratio / self._clock_achieved)

    @property
    def _available(self) -> tuple[str, ...]:
        means = ["pacing"]
        if self._limiter is not None:
            means.append(self._limiter.name)
        if self._caps is not None:
            means.append(self._caps.name)
        return tuple(means)

    def _apply(self) -> None:
        caps = self._caps
        if caps is not None:
            share = self._activity if self._limiter is None else 1.0
            caps.limit(min(share, self._clock_ratio))
        self._set_share(min(self._activity, self._time_for_clock))

    def _set_share(self, share: float) -> None:
        limiter = self._limiter
        if limiter is None or share == self._share:
            return
        try:
            limiter.limit(share)
        except OSError as error:
            _log.warning("enforcement means=%s error=%s", limiter.name, error.strerror)
            return
        self._share = share
        self._measured, self._share_achieved = None, None

    def _measure(self) -> None:
        used_s = None if self._pid is None else process_cpu_s(self._pid)
        now = time.monotonic()
        if used_s is None:
            self._measured = self._share_achieved = None
            return
        if self._measured is None:
            self._measured = (now, used_s)
            return
        elapsed_s = now - self._measured[0]
        if elapsed_s >= _MEASURE_S:
            self._share_achieved = (used_s - self._measured[1]) / elapsed_s / self._cores
            self._measured = (now, used_s)
