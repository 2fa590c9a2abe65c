"""Caps the board's clock for one operating point, through ``orbitnode-governor``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from node.background import background
from node.errors import GovernorError
from node.limits.client import GovernorClient, NoGovernor
from node.limits.protocol import KnobState, Outcome

ClockKind = Literal["cpu", "gpu"]
FULL = 1.0


class ClockCaps:
    """The clock knobs of one kind; without a cap nothing is asked of anyone."""

    def __init__(self, socket: Path, kind: ClockKind) -> None:
        """Take the helper's socket; it is not opened yet."""
        self._socket = socket
        self._kind: ClockKind = kind

    @asynccontextmanager
    async def held(self, ratio: float) -> AsyncIterator[float]:
        """Cap the clock at a share of its limit as found; yield the share that came of it.

        Raises:
            GovernorError: there is no helper, it refuses, or this board has no such knob.
        """
        if ratio >= FULL:
            yield FULL
            return
        client = await GovernorClient.connect(self._socket)
        if isinstance(client, NoGovernor):
            raise GovernorError(f"a clock cap needs orbitnode-governor: {client.reason}")
        try:
            async with background(client.keep_alive()):
                yield await self._cap(client, ratio)
        finally:
            # The helper restores when its client goes away.
            await client.close()

    async def _cap(self, client: GovernorClient, ratio: float) -> float:
        described = await client.describe()
        knobs = [knob for knob in described.knobs if knob.kind == self._kind]
        if not knobs:
            raise GovernorError(f"this board has no {self._kind} clock that can be capped")
        outcomes: list[Outcome] = []
        for knob in knobs:
            asked = max(1, round(knob.baseline * ratio))
            if self._kind == "cpu":
                outcomes += await client.cap_cpu(asked, int(knob.knob.partition(":")[2]))
            else:
                outcomes += await client.cap_gpu(asked)
        return _share(knobs, outcomes)


def _share(knobs: list[KnobState], outcomes: list[Outcome]) -> float:
    """Mean over the knobs of what reads back over what was found."""
    found = {knob.knob: knob.baseline for knob in knobs}
    shares = []
    for outcome in outcomes:
        if outcome.read_back is None:
            raise GovernorError(f"{outcome.knob} was not capped: {outcome.note}")
        shares.append(outcome.read_back / found[outcome.knob])
    return sum(shares) / len(shares)
