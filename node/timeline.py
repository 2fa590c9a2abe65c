"""Where the loop's time comes from: a running clock, or an agenda that never waits.

A timeline answers one question: what comes first, the next event or the due time? In real time and
scaled it waits for the answer; in freerun it knows it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from node.clock import MissionClock
from node.core.events import Event


class Timeline(Protocol):
    """What the loop needs of time."""

    late_s: float
    """How many mission seconds the last due time was missed by."""

    def now(self) -> float:
        """Mission seconds now."""

    def wall_s(self) -> float:
        """The time that boards count in: monotonic, or mission time where nothing is real."""

    async def next(self, due_s: float) -> Event | None:
        """Return the next event, or None once ``due_s`` has come."""

    def catch_up(self) -> None:
        """Forget what was missed, when ticks fall behind."""


class LiveTimeline:
    """Follows a mission clock; events are posted from outside as they happen."""

    def __init__(self, clock: MissionClock) -> None:
        self._clock = clock
        self._inbox: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        # Before mission time zero nothing flies: the loop waits for it.
        self._now = max(0.0, clock.now())
        self.late_s = 0.0

    def now(self) -> float:
        """Mission seconds of the present event; never runs back."""
        return self._now

    def wall_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def post(self, event: Event) -> None:
        """Hand an event to the loop; call from the loop's own thread."""
        self._inbox.append(event)
        self._wake()

    async def next(self, due_s: float) -> Event | None:
        """Wait for the next event or the due time; a due time that has come goes first."""
        while True:
            actual_s = self._clock.now()
            if actual_s >= due_s:
                self.late_s = actual_s - due_s
                self._now = max(self._now, due_s)
                return None
            if self._inbox:
                self.late_s = 0.0
                self._now = max(self._now, actual_s)
                return self._inbox.popleft()
            await self._sleep(self._clock.wall_delay(due_s))

    def catch_up(self) -> None:
        """Forget what was missed: the present is now."""
        self._now = max(self._now, self._clock.now())

    async def _sleep(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(delay_s, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


Action = Callable[[float], Event | None]
"""Something that happens at a time of the agenda; what it returns goes to the loop."""


class Agenda:
    """Virtual time: events are known ahead and nothing waits. With a clock, it keeps its pace."""

    def __init__(self, start_s: float = 0.0, clock: MissionClock | None = None) -> None:
        """Begin at ``start_s``; with a clock every instant is waited for (``scaled``)."""
        self._now = start_s
        self._clock = clock
        self._heap: list[tuple[float, int, Action]] = []
        self._sequence = itertools.count()
        self.late_s = 0.0

    def now(self) -> float:
        """Mission seconds of the present event."""
        return self._now

    def wall_s(self) -> float:
        """Mission time: nothing here is real."""
        return self._now

    def at(self, time_s: float, action: Action) -> None:
        """Put something on the agenda; what is past happens now."""
        heapq.heappush(self._heap, (max(time_s, self._now), next(self._sequence), action))

    async def next(self, due_s: float) -> Event | None:
        """Return the next event, or None once ``due_s`` has come; ties go to the event."""
        due_s = max(due_s, self._now)
        while self._heap and self._heap[0][0] <= due_s:
            time_s, _, action = heapq.heappop(self._heap)
            if self._clock is not None:
                await self._wait(self._clock, time_s)
            self._now = time_s
            event = action(time_s)
            if event is not None:
                return event
        if self._clock is not None:
            await self._wait(self._clock, due_s)
        self._now = due_s
        return None

    def catch_up(self) -> None:
        """Nothing is ever missed here."""

    @staticmethod
    async def _wait(clock: MissionClock, time_s: float) -> None:
        delay_s = clock.wall_delay(time_s)
        if delay_s > 0.0:
            await asyncio.sleep(delay_s)
