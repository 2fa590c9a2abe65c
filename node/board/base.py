"""What every board offers to the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.core.events import Readings


class Board(Protocol):
    """A source of readings. Reading never raises for an absent sensor: it is absent."""

    @property
    def family(self) -> str:
        """``simulated``, ``generic`` and so on, as configured or as found."""

    @property
    def identity(self) -> Identity:
        """Which board this is, as far as its files say."""

    @property
    def idle_power_w(self) -> float:
        """Power of the board at rest; what is charged for mission time when the rate is not 1."""

    def read(self, wall_s: float) -> Readings:
        """Read every sensor once; ``wall_s`` is the monotonic time of the reading."""

    def sensor_health(self) -> Sequence[ReaderHealth]:
        """How the last read of each reader went, and what it took."""

    def set_busy(self, busy: float, wall_s: float) -> None:
        """Hear that an inference begins (1) or ends (0); a board with a meter sees that itself."""

    def close(self) -> None:
        """Release what is open."""
