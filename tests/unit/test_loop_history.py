from __future__ import annotations

import json
from pathlib import Path

from spacecraft import limits, spacecraft, start

from node.board.simulated import SimulatedBoard
from node.core import effects, events
from node.core.effects import Effect
from node.core.node import NodeCore
from node.history import History
from node.loop import Loop
from node.timeline import Agenda


class Hands:
    def __init__(self) -> None:
        self.done: list[tuple[float, Effect]] = []

    def carry_out(self, effect: Effect, now: float) -> None:
        self.done.append((now, effect))


class LateAgenda(Agenda):
    """Misses its due times by as much as the test says."""

    def __init__(self, late_s: float) -> None:
        super().__init__()
        self.late_s = late_s

    def catch_up(self) -> None:
        self._now += self.late_s


class SlowAgenda(Agenda):
    """A quarter of a second passes between two looks at the clock."""

    _looks = 0

    def wall_s(self) -> float:
        self._looks += 1
        return 0.25 * self._looks


class Flown:
    def __init__(self, agenda: Agenda) -> None:
        self.core = NodeCore(spacecraft(), limits(), "test", start())
        self.hands = Hands()
        self.history = History(digest=True)
        self.ticks: list[float] = []
        self.took_s: list[float] = []
        self.agenda = agenda
        self.loop = Loop(
            self.core,
            agenda,
            SimulatedBoard(4.5, 15.0),
            self.hands,
            self.history,
            self.after_tick,
        )

    def after_tick(self, took_s: float) -> None:
        self.took_s.append(took_s)
        self.ticks.append(self.agenda.now())


async def test_ticks_come_when_the_core_asks_and_the_last_at_the_end() -> None:
    flown = Flown(Agenda())
    await flown.loop.run(3.5)
    assert flown.ticks == [0.0, 1.0, 2.0, 3.0, 3.5]
    assert flown.hands.done == [(0.0, effects.Restore())]
    assert flown.core.tick_slips == 0


async def test_ticks_say_what_they_took() -> None:
    flown = Flown(SlowAgenda())
    await flown.loop.run(1.5)
    assert flown.took_s == [0.25, 0.25, 0.25]


async def test_events_go_to_the_core_between_the_ticks() -> None:
    flown = Flown(Agenda())
    flown.agenda.at(1.5, lambda _at: events.Restored(()))
    await flown.loop.run(2.0)
    assert flown.ticks == [0.0, 1.0, 2.0]
    [(now, effect)] = flown.hands.done[1:]
    assert now == 1.5
    assert isinstance(effect, effects.Publish)


async def test_the_loop_stops_after_the_event_in_hand() -> None:
    flown = Flown(Agenda())

    def stop(_at: float) -> None:
        flown.loop.stop()

    flown.agenda.at(2.5, stop)
    await flown.loop.run()
    assert flown.ticks == [0.0, 1.0, 2.0, 3.0]


async def test_a_loop_that_is_past_its_end_does_nothing() -> None:
    flown = Flown(Agenda(9.0))
    await flown.loop.run(3.0)
    assert flown.ticks == []


async def test_a_late_tick_is_one_long_step_and_is_counted() -> None:
    flown = Flown(LateAgenda(1.0))
    await flown.loop.run(2.0)
    assert flown.core.tick_slips == 0
    flown = Flown(LateAgenda(5.0))
    await flown.loop.run(12.0)
    assert flown.ticks == [5.0, 11.0, 17.0]
    assert flown.core.tick_slips == 3


def test_the_file_is_for_people_and_the_digest_for_machines(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    history = History(path, digest=True)
    history.record(1.5, events.LinkUp())
    before = history.digest()
    history.record(2.0, effects.SendChunk("0" * 64, (0, 10)))
    assert history.digest() != before
    history.record(2.5, effects.CloseLink())
    history.close()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries == [
        {"mission_s": 1.5, "item": {"type": "LinkUp"}},
        {"mission_s": 2.5, "item": {"type": "CloseLink"}},
    ]
    assert len(before) == 64


def test_a_history_is_appended_to_and_may_have_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for _ in range(2):
        history = History(path)
        history.record(1.0, events.LinkUp())
        assert history.digest() == ""
        history.close()
    assert len(path.read_text().splitlines()) == 2
    nothing = History()
    nothing.record(1.0, events.LinkUp())
    nothing.close()
    assert nothing.digest() == ""


def test_any_difference_shows_in_the_digest() -> None:
    def digest(*entries: tuple[float, events.Event | effects.Effect]) -> str:
        history = History(digest=True)
        for now, item in entries:
            history.record(now, item)
        return history.digest()

    one = digest((1.0, events.LinkUp()), (2.0, effects.CloseLink()))
    assert one == digest((1.0, events.LinkUp()), (2.0, effects.CloseLink()))
    assert one != digest((2.0, effects.CloseLink()), (1.0, events.LinkUp()))
    assert one != digest((1.0, events.LinkUp()), (2.0 + 1e-12, effects.CloseLink()))
