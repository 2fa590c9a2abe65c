"""Power where no sensor measures it: a model of what the processor does."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from node.board.meter import MeterSample
from node.board.parts import Draft
from node.core.events import Source


class BoardLoad(NamedTuple):
    """What a model of power may go by, as a mean over the last interval."""

    cpu_utilisation_ratio: float
    """Of all cores; the last one known."""
    cpu_clock_ratio: float | None
    """Mean clock of the cores over the most that they can do; None where it is not told."""
    gpu_utilisation_ratio: float | None


class PowerModel(Protocol):
    """Tells a board's power from its load."""

    @property
    def name(self) -> str:
        """Which model it is, for readings and logs."""

    @property
    def error_ratio(self) -> float | None:
        """Its published error; None where none is published."""

    def power_w(self, load: BoardLoad) -> float:
        """Power of the whole board."""


class ModelledMeter:
    """A meter that asks a model, and counts the energy that follows from it."""

    name = "model"
    scope = "board"
    source = Source.MODELLED
    ok = True

    def __init__(self, model: PowerModel, wall_s: float) -> None:
        """Take the model; counting begins at ``wall_s``."""
        self._model = model
        self._wall_s = wall_s
        self._energy_j = 0.0
        self._utilisation_ratio = 0.0

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._model.name

    @property
    def error_ratio(self) -> float | None:
        """Published error of the model."""
        return self._model.error_ratio

    def find(self) -> None:
        """Nothing to look for."""

    def sample(self, draft: Draft) -> MeterSample:
        """Charge the interval since the call before with the power at its mean load."""
        if draft.cpu_utilisation_ratio is not None:
            self._utilisation_ratio = draft.cpu_utilisation_ratio
        load = BoardLoad(
            self._utilisation_ratio, draft.cpu_clock_ratio, draft.gpu_utilisation_ratio
        )
        power_w = self._model.power_w(load)
        self._energy_j += power_w * max(0.0, draft.wall_s - self._wall_s)
        self._wall_s = draft.wall_s
        return MeterSample(power_w, self._energy_j, draft.wall_s)

    def close(self) -> None:
        """Nothing is open."""
