"""Holds the board's mean power at a ceiling, in closed loop on its readings.

Two things can be lowered, and each has its own loop, because the board answers to them differently:

* *Within a run* power follows the worker's share of time at once. The share is changed by a secant
  step and then nothing is done until every reading that saw the old share has passed and half a
  second of the new one has been averaged (act and wait). No reading is used twice and there is no
  dead time in the loop, so it settles instead of swinging whatever the sensor's latency is:

      share += g (ceiling - mean) / slope

  with g = 0.8 far from the ceiling and 0.3 within 5 percent of it. The slope is the steepest of the
  configured active less idle, of (mean - idle) / share and of what the last change of the share
  did; with it the loop converges while the true one is below 2.5 times that. Above the ceiling by
  more than 10 percent the step is the whole one at the configured slope, the flattest of the three:
  one step has to be enough, and to fall too low for a second does no harm.

* *From run to run*, where short inferences are paced, power chops between idle and active, and only
  a mean over whole cycles says anything: from the start of one run to that of another at least ten
  seconds later. Half of the error corrects what the bucket of joules is filled with, which finds an
  idle draw other than the configured one.

Anti-windup: neither is raised where it was not what held the board back (a raise that had no effect
is taken back; no run had waited for joules), both are clamped, and neither is ever raised while
``hold`` says that the real board is near a limit of its own. Without a fresh reading nothing moves.

Time is mission time. Constants that belong to the sensor are real seconds, multiplied by the rate.
"""

from __future__ import annotations

from math import exp, inf
from typing import NamedTuple

LEAST_SHARE = 0.02
"""Below it the worker would not even hear that it is to stop."""
LONG_RUN_S = 1.0
"""Real seconds from which on a run is held within itself, not only paced against the next one."""
UNMET_AFTER_S = 30.0
"""Real seconds above the ceiling, with nothing left to lower, until that is a fact."""
STALE_AFTER_S = 5.0
"""A reading older than this (real seconds) says nothing."""
TOLERANCE_RATIO = 0.03
"""This far above the ceiling the mean still counts as held."""

_SETTLE_S = 0.2
"""Least real seconds from a change until readings count."""
_WINDOW_S = 0.5
_ROUNDING_S = 1e-6
_CYCLES_S = 10.0
_REST_S = 30.0
"""Where no run begins for this long, the mean is that of a board at rest."""
_MEAN_S = 10.0
"""Time constant of the mean by which the ceiling counts as met."""
_FAR_RATIO = 0.05
_NEAR_RATIO = 0.01
_FAR_GAIN, _NEAR_GAIN, _TRIM_GAIN = 0.8, 0.3, 0.5
_MUCH_RATIO = 0.1
_TELLING_CHANGE = 0.05
"""A change of the share whose effect stands out of the noise."""
_RAISE_RATIO = 0.25
"""The most that one step raises the share by, of itself."""
_NO_EFFECT_RATIO = 0.25
"""Of the configured slope: a raise that does less was not what the run had waited for."""
_FADE = 0.9
"""Of what a change has told, by window: the load may have become another."""


class Look(NamedTuple):
    """What the loop sees at one instant."""

    now: float
    energy_j: float
    """Drawn by the board since mission time zero, as the emulation counts it."""
    reading_age_s: float | None
    """Real seconds; None where there is no reading."""
    run_began_s: float | None
    """Of the run that goes on."""
    long_run: bool
    """It is held within itself."""
    paced: bool
    """A job waits for joules."""
    hold: bool
    """The real board is near a limit of its own: raise nothing."""


class _Mark(NamedTuple):
    now: float
    energy_j: float


class Ceiling:
    """The two loops, and whether the ceiling is met."""

    def __init__(self, ceiling_w: float, idle_w: float, active_w: float, rate: float) -> None:
        """Be ready; nothing is held before ``engage``.

        Args:
            ceiling_w: mean power of the board.
            idle_w: at rest, as configured.
            active_w: with everything busy, as configured.
            rate: mission seconds a real second.
        """
        self.ceiling_w = ceiling_w
        self._idle_w = idle_w
        self._span_w = max(1e-3, active_w - idle_w)
        self._rate = rate
        self.engaged = False
        self.share = self._bounded((ceiling_w - idle_w) / self._span_w)
        """Of the worker's time in a long run."""
        self.headroom_w = max(0.0, ceiling_w - idle_w)
        """What the bucket of joules is filled with."""
        self.mean_w = 0.0
        self.unmet = False
        """Above the ceiling for long, with nothing left to lower."""
        self.unmet_s = 0.0
        """Time above the ceiling so far."""
        self._trim_w = 0.0
        self._standing_s = 0.0
        self._last_s = inf
        """Of the tick before; there was none."""
        self._last_j = 0.0
        self._settled_s: float | None = None
        """From here on readings know of the present share only."""
        self._window: _Mark | None = None
        self._cycle: _Mark | None = None
        self._paced = False
        self._run_began_s: float | None = None
        self._slope_w = 0.0
        """As the last telling change of the share had it."""
        self._before: tuple[float, float] | None = None
        """Share and mean power of the window before, in this run."""

    def engage(self, now: float, energy_j: float) -> None:
        """Begin to hold the ceiling; what was learned before is where it starts."""
        self.engaged = True
        self.unmet = False
        self.mean_w = self.ceiling_w
        self._standing_s = 0.0
        self._last_s, self._last_j = now, energy_j
        self._forget()

    def release(self) -> None:
        """Hold nothing any more; whether it was met is still watched, see ``fits``."""
        self.engaged = False

    @property
    def fits(self) -> bool:
        """The mean power is at most the ceiling."""
        return self.mean_w <= self.ceiling_w

    @property
    def next_s(self) -> float | None:
        """When it wants to look again, or None where any tick will do."""
        if not self.engaged or self._settled_s is None:
            return None
        if self._window is None:
            return self._settled_s
        return self._window.now + _WINDOW_S * self._rate

    def run_begins(self, now: float, age_s: float | None) -> None:
        """A run begins that is held within itself: readings of before do not count."""
        if self.engaged:
            self._run_began_s = now
            self._before = None
            self._settle(now, age_s or 0.0)

    def observe(self, look: Look) -> None:
        """Take the readings of a tick."""
        last = _Mark(self._last_s, self._last_j)
        told = self.follow(look.now, look.energy_j, look.reading_age_s)
        if not told or not self.engaged:
            return
        self._judge(look, look.now - last.now)
        if look.run_began_s is not None and look.long_run:
            self._cycle = None
            self._within_run(look, look.run_began_s, look.reading_age_s or 0.0)
        else:
            self._settled_s = self._window = None
            self._from_run_to_run(look, last)

    def follow(self, now: float, energy_j: float, reading_age_s: float | None) -> bool:
        """Take a tick into the mean alone, which is all while nothing is held.

        Args:
            now: mission seconds.
            energy_j: as of a look.
            reading_age_s: as of a look.

        Returns:
            Whether the tick told anything.
        """
        step_s, drawn_j = now - self._last_s, energy_j - self._last_j
        self._last_s, self._last_j = now, energy_j
        if step_s <= 0.0:
            return False
        if reading_age_s is None or reading_age_s > STALE_AFTER_S:
            self._forget()
            return False
        part = 1.0 - exp(-step_s / (_MEAN_S * self._rate))
        self.mean_w += part * (drawn_j / step_s - self.mean_w)
        return True

    def _forget(self) -> None:
        self._settled_s = self._window = self._cycle = self._run_began_s = None
        self._paced = False

    def _judge(self, look: Look, step_s: float) -> None:
        if self.mean_w <= (1.0 + TOLERANCE_RATIO) * self.ceiling_w:
            self._standing_s = 0.0
            return
        self.unmet_s += step_s
        if look.run_began_s is None or (look.long_run and self.share <= LEAST_SHARE):
            self._standing_s += step_s
            self.unmet = self.unmet or self._standing_s >= UNMET_AFTER_S * self._rate

    def _within_run(self, look: Look, began_s: float, age_s: float) -> None:
        if began_s != self._run_began_s or self._settled_s is None:
            self._run_began_s = began_s
            self._before = None
            self._settle(look.now, age_s)
        elif self._window is None:
            if look.now >= self._settled_s:
                self._window = _Mark(look.now, look.energy_j)
        elif look.now - self._window.now >= _WINDOW_S * self._rate - _ROUNDING_S:
            mean_w = (look.energy_j - self._window.energy_j) / (look.now - self._window.now)
            self._window = _Mark(look.now, look.energy_j)
            share = self._corrected(mean_w)
            if share != self.share and not (look.hold and share > self.share):
                self.share = share
                self._settle(look.now, age_s)

    def _settle(self, now: float, age_s: float) -> None:
        # The reading's interval ended up to its age ago and is about as long.
        self._settled_s = now + max(_SETTLE_S, 2.0 * age_s) * self._rate
        self._window = None

    def _corrected(self, mean_w: float) -> float:
        error_w = self.ceiling_w - mean_w
        before = self._learn(mean_w)
        if before is not None and error_w > 0.0:
            return before
        error_ratio = error_w / self.ceiling_w
        if abs(error_ratio) <= _NEAR_RATIO:
            return self.share
        if error_ratio < -_MUCH_RATIO:
            return self._bounded(self.share + error_w / self._span_w)
        gain = _FAR_GAIN if abs(error_ratio) > _FAR_RATIO else _NEAR_GAIN
        slope_w = max(self._span_w, (mean_w - self._idle_w) / self.share, self._slope_w)
        most = max(_TELLING_CHANGE, _RAISE_RATIO * self.share)
        return self._bounded(self.share + min(most, gain * error_w / slope_w))

    def _learn(self, mean_w: float) -> float | None:
        """Take what the last change did; where a raise did nothing, return the share of before."""
        self._slope_w *= _FADE
        before, self._before = self._before, (self.share, mean_w)
        if before is None:
            return None
        change = self.share - before[0]
        if abs(change) < _TELLING_CHANGE:
            return None
        slope_w = (mean_w - before[1]) / change
        self._slope_w = max(0.0, slope_w)
        return before[0] if change > 0.0 and slope_w < _NO_EFFECT_RATIO * self._span_w else None

    def _from_run_to_run(self, look: Look, last: _Mark) -> None:
        self._paced = self._paced or look.paced
        began = look.run_began_s is not None and look.run_began_s != self._run_began_s
        self._run_began_s = look.run_began_s or self._run_began_s
        if self._cycle is None:
            # Whatever began since the tick before, its joules are not in that tick's.
            self._cycle = last
            return
        elapsed_s = last.now - self._cycle.now
        if elapsed_s < (_CYCLES_S if began else _REST_S) * self._rate:
            return
        error_w = self.ceiling_w - (last.energy_j - self._cycle.energy_j) / elapsed_s
        if error_w < 0.0 or (self._paced and not look.hold):
            least_w = self._idle_w - self.ceiling_w
            trim_w = max(least_w, self._trim_w + _TRIM_GAIN * error_w)
            self._trim_w = min(self._idle_w, trim_w)
            self.headroom_w = max(0.0, self.ceiling_w - self._idle_w + self._trim_w)
        self._cycle, self._paced = last, look.paced

    @staticmethod
    def _bounded(share: float) -> float:
        return min(1.0, max(LEAST_SHARE, share))
