"""The real hands where the disk or the worker does not do what they ask."""

from __future__ import annotations

import asyncio
from typing import Any

from node._compat import TaskGroup, timeout
from node.clock import MissionClock
from node.core import effects
from node.errors import StoreError, WorkerError
from node.hands import RealHands
from node.icd import Ack
from node.timeline import LiveTimeline

ACK = Ack(job_id="job", state="queued", mission_s=0.0, reason="", until_s=None)
SOON_S = 5.0


class Disk:
    """Refuses ``refusals`` times, then takes everything."""

    def __init__(self, refusals: float) -> None:
        self.refusals = refusals
        self.asked = asyncio.Event()
        self.states: list[str] = []

    async def set_job_state(self, _job_id: str, state: str, *_rest: object) -> None:
        self.asked.set()
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreError("full")
        self.states.append(state)


class SlowWorker:
    """A worker that is never ready; a kill ends its start."""

    def __init__(self) -> None:
        self.starting = asyncio.Event()
        self.starts = 0
        self._killed = asyncio.Event()

    async def start(self) -> None:
        self.starts += 1
        self.starting.set()
        await self._killed.wait()
        raise WorkerError("killed")

    async def kill(self) -> None:
        self._killed.set()

    close = kill


class Radio:
    """Takes note of what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, _suffix: str, message: object, _priority: int) -> None:
        self.sent.append(message)

    def drop(self) -> None:
        """Nothing is open."""


def hands_over(group: TaskGroup, disk: Any = None, worker: Any = None) -> tuple[RealHands, Radio]:
    nothing: Any = None
    clock = MissionClock(0.0, 1.0, 0.0)
    hands = RealHands(
        group, LiveTimeline(clock), clock, disk, worker or SlowWorker(), nothing, nothing
    )
    radio: Any = Radio()
    hands.attach_radio(radio)
    return hands, radio


async def test_a_disk_that_refuses_once_is_asked_again_before_anyone_hears() -> None:
    disk = Disk(refusals=1)
    async with timeout(SOON_S), TaskGroup() as group:
        hands, radio = hands_over(group, disk)
        hands.carry_out(effects.StoreJobState(ACK), 0.0)
        await disk.asked.wait()
        assert radio.sent == []
    assert disk.states == ["queued"]
    assert radio.sent == [ACK]


async def test_a_disk_that_refuses_for_ever_does_not_hold_the_stop() -> None:
    disk = Disk(refusals=float("inf"))
    async with timeout(SOON_S), TaskGroup() as group:
        hands, radio = hands_over(group, disk)
        hands.carry_out(effects.StoreJobState(ACK), 0.0)
        await disk.asked.wait()
        await hands.stop()
    assert radio.sent == []


async def test_a_worker_that_is_still_starting_does_not_hold_the_stop() -> None:
    worker = SlowWorker()
    async with timeout(SOON_S), TaskGroup() as group:
        hands, _ = hands_over(group, worker=worker)
        hands.carry_out(effects.PowerOn(), 0.0)
        await worker.starting.wait()
        await hands.stop()


async def test_power_that_is_lost_at_once_starts_no_worker() -> None:
    worker = SlowWorker()
    async with timeout(SOON_S), TaskGroup() as group:
        hands, _ = hands_over(group, worker=worker)
        hands.carry_out(effects.PowerOn(), 0.0)
        hands.carry_out(effects.PowerOff(), 0.0)
    assert worker.starts == 0
