"""Clock caps, by the privileged helper: the clock that the orbit allows is the clock there is."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from node.errors import GovernorGoneError, GovernorRefusedError
from node.limits.protocol import Described, Outcome, Restoration

_log = logging.getLogger(__name__)


class Helper(Protocol):
    """What is asked of the helper's client; it restores what it lowered when it is closed."""

    async def describe(self) -> Described:
        """Which knobs there are and where they stand."""

    async def cap_cpu(self, khz: int) -> list[Outcome]:
        """Let every core run no faster."""

    async def cap_gpu(self, hz: int) -> list[Outcome]:
        """Let the GPU run no faster."""

    async def release(self) -> list[Restoration]:
        """Restore everything."""

    async def keep_alive(self) -> None:
        """Beat while something is capped."""

    async def close(self) -> None:
        """Restore and hang up."""


class ClockCaps:
    """Follows one ratio of the full clocks; belongs to one task, ``run``."""

    name = "clock"

    def __init__(self, helper: Helper, full: dict[str, int]) -> None:
        """Take the helper, and by kind of knob the clock that the board was found at."""
        self._helper = helper
        self._full = full
        self._wanted = 1.0
        self._changed = asyncio.Event()
        self.usable = bool(full)
        self.achieved = 1.0
        """Of the full clock, as the kernel has it; the lowest where there are several."""

    @classmethod
    async def open(cls, helper: Helper) -> ClockCaps:
        """Ask which clocks there are.

        Raises:
            GovernorError: the helper does not say.
        """
        full: dict[str, int] = {}
        for knob in (await helper.describe()).knobs:
            if knob.kind in {"cpu", "gpu"}:
                full[knob.kind] = max(knob.baseline, full.get(knob.kind, 0))
        return cls(helper, full)

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
            except GovernorRefusedError as error:
                _log.warning("clock=refused code=%s reason=%s", error.code, error.text)
            except GovernorGoneError as error:
                self._lose(error)

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
        if ratio >= 1.0:
            await self._helper.release()
            self.achieved = 1.0
            return
        achieved = []
        for kind, full in self._full.items():
            cap = self._helper.cap_cpu if kind == "cpu" else self._helper.cap_gpu
            for outcome in await cap(max(1, int(ratio * full))):
                if outcome.read_back is not None:
                    achieved.append(outcome.read_back / full)
                if outcome.note:
                    _log.info("clock knob=%s note=%s", outcome.knob, outcome.note)
        self.achieved = min(achieved, default=1.0)
