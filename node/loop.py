"""The loop: wait for an event or the due time, ask the core, have its effects carried out.

The same loop drives the real node and every simulation; only the timeline and the hands differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from node.board.base import Board
from node.core.effects import Effect
from node.core.events import Event, Tick
from node.core.node import NodeCore
from node.history import History
from node.timeline import Timeline


class Hands(Protocol):
    """Carries out effects. Never blocks: what takes time goes on by itself and posts an event."""

    def carry_out(self, effect: Effect, now: float) -> None:
        """Begin to do what the core wants done."""


class Loop:
    """Feeds the core. One owner of state, one thread, no locks."""

    def __init__(
        self,
        core: NodeCore,
        timeline: Timeline,
        board: Board,
        hands: Hands,
        history: History,
        after_tick: Callable[[float], None],
    ) -> None:
        """Wire the loop.

        Args:
            core: decides.
            timeline: where time and events come from.
            board: read at every tick.
            hands: carry out what the core wants.
            history: takes everything down.
            after_tick: called after every tick with the seconds that it took, as boards count them;
                metrics and the watchdog hang on it.
        """
        self._core = core
        self._timeline = timeline
        self._board = board
        self._hands = hands
        self._history = history
        self._after_tick = after_tick
        self._stopping = False

    def stop(self) -> None:
        """End the loop after the event in hand."""
        self._stopping = True

    async def run(self, until_s: float = float("inf")) -> None:
        """Run until ``until_s`` (mission seconds) or ``stop``."""
        timeline, core = self._timeline, self._core
        self._carry_out(core.start(), timeline.now())
        while not self._stopping:
            if timeline.now() > until_s:
                return
            event = await timeline.next(min(core.next_deadline(), until_s))
            if event is not None:
                self._handle(event)
                continue
            if timeline.late_s > core.craft.tick_s:
                # Too late to pretend: the emulation takes one long step, and the slip is counted.
                core.tick_slips += 1
                timeline.catch_up()
            begun_s = timeline.wall_s()
            self._handle(Tick(self._board.read(begun_s)))
            self._after_tick(timeline.wall_s() - begun_s)
            if timeline.now() >= until_s:
                return

    def _handle(self, event: Event) -> None:
        now = self._timeline.now()
        self._history.record(now, event)
        self._carry_out(self._core.handle(event, now), now)

    def _carry_out(self, todo: list[Effect], now: float) -> None:
        for effect in todo:
            self._history.record(now, effect)
            self._hands.carry_out(effect, now)
