"""How far a simulated inference is: its work is known, the clock sets the pace and the power."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """One run; between two changes of the clock it advances evenly."""

    job_id: str
    model: str
    started_s: float
    work_left_s: float
    """What it still takes at the full clock."""
    above_idle_w: float
    """Drawn by it at the full clock."""
    clock_ratio: float
    power_ratio: float
    """Of ``above_idle_w`` at the present clock."""
    energy_j: float = 0.0
    """Above idle, up to the last change of the clock."""
    changed_s: float = 0.0
    """When that was; at first, when the run began."""

    def __post_init__(self) -> None:
        self.changed_s = self.started_s

    @property
    def duration_s(self) -> float:
        """How long it will have taken, if the clock stays."""
        return self.changed_s - self.started_s + self.work_left_s / self.clock_ratio

    @property
    def end_s(self) -> float:
        """When it will have ended, if the clock stays."""
        return self.changed_s + self.work_left_s / self.clock_ratio

    def energy_until_j(self, now: float) -> float:
        """Drawn above idle from its beginning until ``now``."""
        return self.energy_j + (now - self.changed_s) * self.above_idle_w * self.power_ratio

    @property
    def energy_at_end_j(self) -> float:
        """Drawn above idle by the whole run, if the clock stays."""
        left_s = self.work_left_s / self.clock_ratio
        return self.energy_j + left_s * self.above_idle_w * self.power_ratio

    def change_clock(self, now: float, clock_ratio: float, power_ratio: float) -> None:
        """Go on at another pace."""
        self.energy_j = self.energy_until_j(now)
        self.work_left_s -= (now - self.changed_s) * self.clock_ratio
        self.changed_s = now
        self.clock_ratio = clock_ratio
        self.power_ratio = power_ratio
