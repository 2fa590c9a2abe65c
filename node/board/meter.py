"""What every meter of electrical power offers to a board."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from node.board.parts import Draft
from node.core.events import Source


class MeterSample(NamedTuple):
    """Power over the interval since the sample before, and joules since the meter was opened."""

    power_w: float
    energy_j: float
    wall_s: float
    """Monotonic time at which the energy was true."""
    age_s: float = 0.0
    """How long ago, at most, the interval of the power ended."""


class PowerMeter(Protocol):
    """Tells the power of a stated part of the board."""

    @property
    def name(self) -> str:
        """Short name of the reader for metrics and logs."""

    @property
    def scope(self) -> str:
        """What the figure covers: ``package``, ``module``, ``board`` and so on."""

    @property
    def source(self) -> Source:
        """Whether it is measured or modelled."""

    @property
    def model(self) -> str:
        """Which model, where it is modelled; else empty."""

    @property
    def error_ratio(self) -> float | None:
        """Published error of the model; None where none is published or nothing is modelled."""

    @property
    def ok(self) -> bool:
        """Everything that the last sample needed could be read."""

    def find(self) -> None:
        """Look for the sensors again, when devices have come, gone or been renumbered."""

    def sample(self, draft: Draft) -> MeterSample | None:
        """Take one sample, and leave the power of single rails in the draft; None without data."""

    def close(self) -> None:
        """Release what is open."""
