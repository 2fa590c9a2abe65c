from __future__ import annotations

import asyncio
import time

import pytest

from node.clock import MissionClock
from node.core.events import Event, LinkDown, LinkUp, ResultReleased
from node.timeline import Agenda, LiveTimeline


class Clock(MissionClock):
    """A mission clock that the test moves; waits end at once and move it to their end."""

    def __init__(self, now: float = 0.0) -> None:
        super().__init__(0.0, 1.0, 0.0)
        self.now_s = now

    def now(self) -> float:
        return self.now_s

    def wall_delay(self, mission_s: float) -> float:
        self.now_s = max(self.now_s, mission_s)
        return 0.0


def running(rate: float = 100.0) -> MissionClock:
    return MissionClock(time.monotonic(), rate, 0.0)


async def test_events_come_in_the_order_in_which_they_were_posted() -> None:
    timeline = LiveTimeline(Clock(5.0))
    posted: list[Event] = [LinkUp(), LinkDown("broken"), LinkUp()]
    for event in posted:
        timeline.post(event)
    assert [await timeline.next(10.0) for _ in posted] == posted
    assert timeline.now() == 5.0
    assert await timeline.next(10.0) is None
    assert (timeline.now(), timeline.late_s) == (10.0, 0.0)


async def test_a_due_time_that_has_come_goes_before_events() -> None:
    clock = Clock(5.0)
    timeline = LiveTimeline(clock)
    timeline.post(LinkUp())
    clock.now_s = 10.5
    assert await timeline.next(10.0) is None
    assert (timeline.now(), timeline.late_s) == (10.0, 0.5)
    assert await timeline.next(11.0) == LinkUp()
    assert (timeline.now(), timeline.late_s) == (10.5, 0.0)


async def test_lateness_is_told_and_can_be_forgotten() -> None:
    clock = Clock()
    timeline = LiveTimeline(clock)
    clock.now_s = 30.0
    assert await timeline.next(1.0) is None
    assert (timeline.now(), timeline.late_s) == (1.0, 29.0)
    timeline.catch_up()
    assert timeline.now() == 30.0
    clock.now_s = 29.0
    timeline.catch_up()
    assert timeline.now() == 30.0


async def test_time_never_runs_back() -> None:
    clock = Clock(20.0)
    timeline = LiveTimeline(clock)
    assert await timeline.next(10.0) is None
    assert timeline.now() == 20.0


async def test_an_event_that_is_posted_by_a_callback_ends_the_wait() -> None:
    timeline = LiveTimeline(running())
    asyncio.get_running_loop().call_later(0.01, timeline.post, LinkUp())
    begun_s = time.monotonic()
    assert await timeline.next(100_000.0) == LinkUp()
    assert time.monotonic() - begun_s < 5.0
    assert timeline.now() >= 1.0


async def test_the_due_time_ends_the_wait() -> None:
    timeline = LiveTimeline(running())
    due_s = timeline.now() + 2.0
    assert await timeline.next(due_s) is None
    assert timeline.now() == due_s
    assert timeline.late_s >= 0.0
    assert abs(timeline.wall_s() - time.monotonic()) < 5.0


async def test_posting_while_nobody_waits_is_heard_later() -> None:
    timeline = LiveTimeline(running(1.0))
    loop = asyncio.get_running_loop()
    loop.call_soon(timeline.post, LinkUp())
    loop.call_soon(timeline.post, LinkDown("broken"))
    await asyncio.sleep(0)
    assert await timeline.next(1e6) == LinkUp()
    assert await timeline.next(1e6) == LinkDown("broken")


async def test_the_agenda_goes_by_time_and_then_by_order() -> None:
    agenda = Agenda(10.0)
    told: list[tuple[str, float]] = []

    def note(name: str) -> None:
        agenda.at(30.0, lambda at: told.append((name, at)))

    agenda.at(20.0, lambda _at: LinkUp())
    note("first")
    note("second")
    agenda.at(30.0, lambda at: ResultReleased(f"{at:g}"))
    note("third")
    assert await agenda.next(40.0) == LinkUp()
    assert (agenda.now(), agenda.wall_s()) == (20.0, 20.0)
    assert await agenda.next(40.0) == ResultReleased("30")
    assert [name for name, _ in told] == ["first", "second"]
    assert await agenda.next(40.0) is None
    assert told[-1] == ("third", 30.0)
    assert agenda.now() == 40.0
    assert agenda.late_s == 0.0
    agenda.catch_up()
    assert agenda.now() == 40.0


async def test_a_tie_goes_to_the_event() -> None:
    agenda = Agenda()
    agenda.at(5.0, lambda _at: LinkUp())
    assert await agenda.next(5.0) == LinkUp()
    assert await agenda.next(5.0) is None


async def test_what_is_past_happens_now_and_before_a_due_time_that_is_past() -> None:
    agenda = Agenda(10.0)
    agenda.at(3.0, lambda at: ResultReleased(f"{at:g}"))
    assert await agenda.next(1.0) == ResultReleased("10")
    assert await agenda.next(1.0) is None
    assert agenda.now() == 10.0


async def test_what_an_action_adds_is_on_the_agenda_too() -> None:
    agenda = Agenda()

    def add(at: float) -> None:
        agenda.at(at, lambda _at: LinkUp())

    agenda.at(5.0, add)
    assert await agenda.next(5.0) == LinkUp()
    assert agenda.now() == 5.0


@pytest.mark.parametrize("rate", [200.0, 1000.0])
async def test_with_a_clock_the_agenda_keeps_its_pace(rate: float) -> None:
    begun_s = time.monotonic()
    agenda = Agenda(clock=MissionClock(begun_s, rate, 0.0))
    agenda.at(20.0, lambda _at: LinkUp())
    assert await agenda.next(30.0) == LinkUp()
    assert time.monotonic() - begun_s >= 20.0 / rate
    assert await agenda.next(30.0) is None
    assert time.monotonic() - begun_s >= 30.0 / rate
    assert agenda.now() == 30.0
