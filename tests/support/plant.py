"""A board on the bench that a power ceiling is held on, as figures: sensor, noise, bursts."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from node.core.ceiling import Ceiling, Look

STEP_S = 0.01


@dataclass
class Sensor:
    """Averages over ``average_s``, shows a new value as often, in steps, with noise."""

    average_s: float = 0.43
    quantum_w: float = 0.04
    noise_ratio: float = 0.01
    seed: int = 1
    _samples: deque[float] = field(default_factory=deque)
    _shown_w: float = 0.0
    _until_s: float = 0.0
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random.seed(self.seed)

    def sample(self, now: float, power_w: float) -> float:
        """Take one step of the true power; return what is shown."""
        self._samples.append(power_w)
        if len(self._samples) > max(1, round(self.average_s / STEP_S)):
            self._samples.popleft()
        if now >= self._until_s:
            self._until_s += self.average_s
            mean_w = sum(self._samples) / len(self._samples)
            noisy_w = mean_w * (1.0 + self._random.gauss(0.0, self.noise_ratio))
            self._shown_w = round(noisy_w / self.quantum_w) * self.quantum_w
        return self._shown_w


@dataclass
class Plant:
    """Idle power and a slope; ``wanted`` says how busy the worker would be at each instant."""

    idle_w: float = 4.5
    span_w: float = 10.5
    wanted: Callable[[float], float] = lambda _now: 1.0
    lost: Callable[[float], bool] = lambda _now: False
    hold: Callable[[float], bool] = lambda _now: False
    sensor: Sensor = field(default_factory=Sensor)
    tick_s: float = 1.0
    true_w: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def fly(self, ceiling: Ceiling, until_s: float) -> None:
        """Let the loop hold one long run whenever something is wanted."""
        ceiling.engage(0.0, 0.0)
        energy_j, next_tick_s, began_s = 0.0, 0.0, None
        for step in range(round(until_s / STEP_S)):
            now = step * STEP_S
            wanted = self.wanted(now)
            if wanted > 0.0 and began_s is None:
                began_s = now
                ceiling.run_begins(now, self.sensor.average_s)
            elif wanted == 0.0:
                began_s = None
            share = min(ceiling.share, wanted) if began_s is not None else 0.0
            power_w = self.idle_w + self.span_w * share
            self.true_w.append(power_w)
            self.shares.append(ceiling.share)
            energy_j += self.sensor.sample(now, power_w) * STEP_S
            look_s = ceiling.next_s
            if now >= next_tick_s or (began_s is not None and look_s is not None and now >= look_s):
                next_tick_s = now + self.tick_s
                ceiling.observe(
                    Look(
                        now=now,
                        energy_j=energy_j,
                        reading_age_s=None if self.lost(now) else self.sensor.average_s,
                        run_began_s=began_s,
                        long_run=began_s is not None,
                        paced=False,
                        hold=self.hold(now),
                    )
                )

    def mean_w(self, begin_s: float, end_s: float) -> float:
        """True mean power between two instants."""
        part = self.true_w[round(begin_s / STEP_S) : round(end_s / STEP_S)]
        return sum(part) / len(part)

    def longest_above_s(self, limit_w: float) -> float:
        """Longest time without a break above a power."""
        longest = going = 0
        for power_w in self.true_w:
            going = going + 1 if power_w > limit_w else 0
            longest = max(longest, going)
        return longest * STEP_S
