"""Reads a board at a steady pace while something else is measured."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from statistics import fmean

from node.background import background
from node.bench.energy import EnergyTrace
from node.board.base import Board
from node.core.events import Readings


class PowerSampler:
    """Takes readings while its context is open."""

    def __init__(self, board: Board, interval_s: float) -> None:
        """Take the board; nobody else may read it meanwhile."""
        self.trace = EnergyTrace()
        self.throttled_by: set[str] = set()
        """Reasons for which the board's firmware slowed it down at any reading."""
        self._busy: list[float] = []
        self._board = board
        self._interval_s = interval_s
        self._read = asyncio.Event()

    @property
    def cpu_utilisation_ratio(self) -> float | None:
        """Mean busy share of all cores; None where the board does not tell."""
        return fmean(self._busy) if self._busy else None

    def running(self) -> AbstractAsyncContextManager[None]:
        """Sample in the background while the context is open."""
        return background(self._run())

    async def past(self, wall_s: float) -> None:
        """Return once there is a reading of this time or later, or the meter twice tells none."""
        tries = 2
        while self.trace.until_s < wall_s and tries:
            self._read.clear()
            await self._read.wait()
            tries -= time.monotonic() >= wall_s

    async def _run(self) -> None:
        while True:
            # In a thread: firmware and buses take milliseconds, in which an inference may end.
            self._take(await asyncio.to_thread(self._board.read, time.monotonic()))
            self._read.set()
            await asyncio.sleep(self._interval_s)

    def _take(self, readings: Readings) -> None:
        power = readings.power
        if power is not None:
            self.trace.add(power.wall_s, power.energy_j)
        if readings.cpu_utilisation_ratio is not None:
            self._busy.append(readings.cpu_utilisation_ratio)
        if readings.hardware is not None:
            active = (each.reason for each in readings.hardware.throttles if each.active)
            self.throttled_by.update(active)
