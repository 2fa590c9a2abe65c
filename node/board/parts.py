"""What a board is put together from: parts that each fill in some of one set of readings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from node.core.events import (
    ClockReading,
    FanReading,
    Hardware,
    PowerReading,
    RailReading,
    Readings,
    TemperatureReading,
    ThrottleReading,
)

_NOTHING = Hardware()


@dataclass
class Draft:
    """Readings while they are being taken; each part adds what it has."""

    wall_s: float
    """Monotonic time of the reading."""
    temperatures: list[TemperatureReading] = field(default_factory=list)
    cpu_utilisation_ratio: float | None = None
    cpu_clock_ratio: float | None = None
    """Mean clock of the cores over the most that they can do; for models of power."""
    gpu_utilisation_ratio: float | None = None
    rails: list[RailReading] = field(default_factory=list)
    clocks: list[ClockReading] = field(default_factory=list)
    fans: list[FanReading] = field(default_factory=list)
    throttles: list[ThrottleReading] = field(default_factory=list)
    power_mode: str | None = None
    die_c: float | None = None
    power_limit_w: float | None = None

    def readings(self, power: PowerReading | None) -> Readings:
        """Freeze what was taken."""
        hardware = Hardware(
            tuple(self.rails),
            tuple(self.clocks),
            self.gpu_utilisation_ratio,
            tuple(self.fans),
            tuple(self.throttles),
            self.power_mode,
            self.die_c,
            self.power_limit_w,
        )
        return Readings(
            power=power,
            temperatures=tuple(self.temperatures),
            cpu_utilisation_ratio=self.cpu_utilisation_ratio,
            hardware=None if hardware == _NOTHING else hardware,
        )


class Part(Protocol):
    """Reads one kind of thing."""

    @property
    def name(self) -> str:
        """Short name of the reader for metrics and logs."""

    def find(self) -> None:
        """Look for what there is to read; called again when devices come, go or are renumbered."""

    def read(self, draft: Draft) -> bool:
        """Fill in what there is; False where something that should be there could not be read.

        Raises:
            SensorError: nothing could be read.
        """
