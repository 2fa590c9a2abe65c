"""What every meter of electrical power offers to a board."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class MeterSample(NamedTuple):
    """Power over the interval since the sample before, and joules since the meter was opened."""

    power_w: float
    energy_j: float


class PowerMeter(Protocol):
    """Measures power of a stated part of the board."""

    @property
    def name(self) -> str:
        """Short name of the reader for metrics and logs."""

    @property
    def scope(self) -> str:
        """What the figure covers: ``package``, ``module``, ``board`` or ``wall``."""

    def sample(self, wall_s: float) -> MeterSample | None:
        """Measure once; None where there is no data now.

        Raises:
            SensorError: the sensor is there and could not be read.
        """
