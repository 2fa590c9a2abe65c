"""A whole mission in virtual time: the real core and loop, everything around them simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.board.simulated import SimulatedBoard
from node.clock import MissionClock
from node.config.build import build_spacecraft
from node.config.scenario import Scenario
from node.core.emulation import start_state
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.core.snapshot import NodeSnapshot
from node.history import History
from node.loop import Loop
from node.simulation.ground import LedgerEntry
from node.simulation.hands import SimulatedHands
from node.simulation.link import Chaos
from node.timeline import Agenda

_MAX_OBJECT_BYTES = 256 << 20
_MAX_JOBS = 1_000_000
_SNAPSHOT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class MissionResult:
    """What came of it."""

    snapshots: list[NodeSnapshot]
    """One every ten mission seconds, and the last."""
    ledger: dict[str, LedgerEntry]
    history_digest: str


class Mission:
    """One scenario in freerun or, with a clock, scaled with nothing real but time."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: MissionClock | None = None,
        chaos: Chaos | None = None,
        history_path: Path | None = None,
        digest: bool = True,
        snapshots: bool = True,
        observe: Callable[[NodeCore], None] | None = None,
    ) -> None:
        """Put the mission together.

        Args:
            scenario: what flies.
            clock: keep its pace; None runs as fast as it can.
            chaos: break sessions at random.
            history_path: write the mission log there.
            digest: keep a digest of everything that happens.
            snapshots: keep one every ten mission seconds; otherwise the last one alone.
            observe: called with the core after every tick.
        """
        craft = build_spacecraft(scenario)
        self._scenario = scenario
        self.core = NodeCore(
            craft,
            PayloadLimits(
                max_object_bytes=_MAX_OBJECT_BYTES,
                max_jobs=_MAX_JOBS,
                thread_count=1,
                converter_efficiency=craft.board_converter_efficiency,
                rate=1.0,
            ),
            f"sim-{scenario.mission.seed}",
            start_state(craft),
        )
        self.agenda = Agenda(clock=clock)
        board = SimulatedBoard(craft.board_idle_w, craft.board_active_w)
        self.history = History(history_path, digest=digest)
        self.hands = SimulatedHands(scenario, self.core, self.agenda, board, chaos)
        self._observe = observe
        self._keeps_snapshots = snapshots
        self._snapshots: list[NodeSnapshot] = []
        self._loop = Loop(self.core, self.agenda, board, self.hands, self.history, self._after_tick)

    async def fly(self) -> MissionResult:
        """Run the mission to its end."""
        await self._loop.run(self._scenario.mission.duration_s)
        self.history.close()
        self.hands.ground.settle(lambda job_id: self.hands.disk.state(job_id) is not None)
        self._snapshots.append(self.core.snapshot())
        return MissionResult(self._snapshots, self.hands.ground.ledger, self.history.digest())

    def _after_tick(self, _took_s: float) -> None:
        if self._observe is not None:
            self._observe(self.core)
        if not self._keeps_snapshots:
            return
        now = self.agenda.now()
        if not self._snapshots or now - self._snapshots[-1].mission_s >= _SNAPSHOT_EVERY_S:
            self._snapshots.append(self.core.snapshot())
