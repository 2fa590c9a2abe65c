"""A bucket of joules from which inferences are paid, so that the mean power keeps to a ceiling.

    level(t) = min(capacity, level(t0) + refill_w (t - t0)) - joules spent

The refill is what the ceiling leaves above the board's idle draw. An inference starts when its
estimated joules are there, and what it really took is settled when it ends, so the mean power above
idle over any time T is at most refill + capacity / T. The capacity is what comes in within two
seconds or what the next inference needs, whichever is more: a burst after a rest is short.
"""

from __future__ import annotations

from math import inf

BURST_S = 2.0
"""Seconds of refill that the bucket holds for a burst."""
_ENOUGH_J = 1e-6
"""A bucket that lacks less than this is full enough: rounding must not put a start off for ever."""


class EnergyBucket:
    """Joules above idle; starts full."""

    def __init__(self, refill_w: float) -> None:
        """Fill at ``refill_w``; at or below zero nothing ever comes in."""
        self._refill_w = max(0.0, refill_w)
        self._capacity_j = BURST_S * self._refill_w
        self._level_j = self._capacity_j
        self._at_s = -inf

    @property
    def refill_w(self) -> float:
        """What comes in."""
        return self._refill_w

    @property
    def burst_j(self) -> float:
        """What it holds where nothing needs more."""
        return BURST_S * self._refill_w

    def level_j(self, now: float) -> float:
        """What is in it; negative while something is owed."""
        self._fill(now)
        return self._level_j

    def refill_at(self, now: float, refill_w: float) -> None:
        """From now on fill at another rate."""
        full = self._level_j == self._capacity_j == BURST_S * refill_w
        if full and refill_w == self._refill_w:
            self._at_s = max(self._at_s, now)
            return
        self._fill(now)
        self._refill_w = max(0.0, refill_w)
        self._capacity_j = max(self.burst_j, min(self._capacity_j, self._level_j))

    def ready_s(self, now: float, need_j: float) -> float:
        """When this many joules will be there: ``now`` where they are, infinity where never."""
        self._capacity_j = max(self.burst_j, need_j)
        self._fill(now)
        lacking_j = need_j - self._level_j
        if lacking_j <= _ENOUGH_J:
            return now
        return now + lacking_j / self._refill_w if self._refill_w > 0.0 else inf

    def spend(self, now: float, joules: float) -> None:
        """Take joules out; negative ones are given back."""
        self._fill(now)
        self._level_j -= joules

    def empty(self, now: float) -> None:
        """Start anew with nothing in it and nothing owed."""
        self._fill(now)
        self._level_j = 0.0

    def _fill(self, now: float) -> None:
        if self._refill_w > 0.0:
            self._level_j += self._refill_w * max(0.0, now - self._at_s)
        self._level_j = min(self._capacity_j, self._level_j)
        self._at_s = max(self._at_s, now)
