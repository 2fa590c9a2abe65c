"""Clock caps, by the privileged helper: the clock that the orbit allows is the clock there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from node.errors import GovernorGoneError, GovernorRefusedError
from node.limits.protocol import Described, Outcome, Restoration

_log = logging.getLogger(__name__)


class Helper(Protocol):
    """What is asked of the helper's client; it restores what it lowered when it is closed."""

    async def describe(self) -> Described:
        """Which knobs there are and where they stand."""

    async def cap_cpu(self, khz: int, policy: int | None = None) -> list[Outcome]:
        """Let the cores of one cpufreq policy, or of all, run no faster."""

    async def cap_gpu(self, hz: int) -> list[Outcome]:
        """Let the GPU run no faster."""

    async def release(self) -> list[Restoration]:
        """Restore everything."""

    async def keep_alive(self) -> None:
        """Beat while something is capped."""

    async def close(self) -> None:
        """Restore and hang up."""


class Clock(NamedTuple):
    """One clock of the board that can be capped."""

    name: str
    policy: int | None
    """Of cpufreq; None for the GPU."""
    full: int
    """What it was found at, in the helper's own unit."""


class ClockCaps:
    """Follows one ratio of the full clocks; belongs to one task, ``run``."""

    name = "clock"

    def __init__(self, helper: Helper, clocks: list[Clock]) -> None:
        """Take the helper and the clocks that it can cap."""
        self._helper = helper
        self._clocks = clocks
        self._wanted = 1.0
        self._changed = asyncio.Event()
        self.usable = bool(clocks)
        self.achieved = 1.0
        """Of the full clock, as the kernel has it; the highest where there are several."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when ``achieved`` or ``usable`` has changed."""

    @classmethod
    async def open(cls, helper: Helper) -> ClockCaps:
        """Ask which clocks there are.

        Raises:
            GovernorError: the helper does not say.
        """
        clocks = []
        for knob in (await helper.describe()).knobs:
            if knob.kind == "cpu":
                policy = int(knob.knob.rpartition(":")[2])
                clocks.append(Clock(knob.knob, policy, knob.baseline))
            elif knob.kind == "gpu":
                clocks.append(Clock(knob.knob, None, knob.baseline))
        return cls(helper, clocks)

    def limit(self, ratio: float) -> None:
        """Let every clock be at most this ratio of its full one."""
        if ratio != self._wanted:
            self._wanted = ratio
            self._changed.set()

    async def run(self) -> None:
        """Carry the latest ratio out whenever it changes, until the helper is gone."""
        while self.usable:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._apply(self._wanted)
            except GovernorGoneError as error:
                self._lose(error)
            self.on_change()

    async def keep_alive(self) -> None:
        """Keep the helper's lease while anything is capped."""
        try:
            await self._helper.keep_alive()
        except GovernorGoneError as error:
            self._lose(error)

    async def close(self) -> None:
        """Have everything restored."""
        await self._helper.close()

    def _lose(self, error: GovernorGoneError) -> None:
        if self.usable:
            _log.warning("clock=lost reason=%s", error)
        self.usable = False
        self.achieved = 1.0
        self._changed.set()

    async def _apply(self, ratio: float) -> None:
        if ratio < 1.0:
            self.achieved = max([await self._cap(clock, ratio) for clock in self._clocks])
            return
        try:
            await self._helper.release()
        except GovernorRefusedError as error:
            _log.debug("clock=not-released code=%s", error.code)  # nothing was held
        self.achieved = 1.0

    async def _cap(self, clock: Clock, ratio: float) -> float:
        """Cap one clock; return the ratio that it may run at now."""
        asked = max(1, int(ratio * clock.full))
        try:
            if clock.policy is None:
                outcomes = await self._helper.cap_gpu(asked)
            else:
                outcomes = await self._helper.cap_cpu(asked, clock.policy)
        except GovernorRefusedError as error:
            _log.warning("clock=%s refused=%s reason=%s", clock.name, error.code, error.text)
            return 1.0
        read_back = [each.read_back for each in outcomes if each.read_back is not None]
        return min(1.0, max(read_back, default=clock.full) / clock.full)
