"""A piecewise-linear function of mission time: how a rate or a delay runs through one pass.

The relay does no orbit work for a packet. It reads this table, and the serialiser inverts its
integral, so that the bits sent in any interval are exactly the integral of the rate over it. Pure.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Segment(NamedTuple):
    """A straight piece of the function from ``start_s`` to ``stop_s``."""

    start_s: float
    stop_s: float
    first: float
    """Value at ``start_s``."""
    last: float
    """Value at ``stop_s``, unless another piece begins there."""

    def at(self, time_s: float) -> float:
        """Value at a time inside the segment."""
        part = (time_s - self.start_s) / (self.stop_s - self.start_s)
        return self.first + (self.last - self.first) * part

    def cut(self, start_s: float, stop_s: float) -> Segment:
        """Keep the piece between two times inside the segment."""
        return Segment(start_s, stop_s, self.at(start_s), self.at(stop_s))


class Profile:
    """A function of mission time made of straight pieces; zero where there is no piece.

    Pieces are in order of time and do not overlap; values are finite and never negative.
    """

    __slots__ = ("_before", "_starts", "segments")

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.segments = tuple(piece for piece in segments if piece.stop_s > piece.start_s)
        for piece in self.segments:
            if not (0.0 <= piece.first < math.inf and 0.0 <= piece.last < math.inf):
                raise ValueError(f"a profile's values are finite and not negative: {piece}")
        for earlier, later in pairwise(self.segments):
            if later.start_s < earlier.stop_s:
                raise ValueError(f"a profile's pieces are in order: {earlier}, {later}")
        self._starts = [piece.start_s for piece in self.segments]
        self._before = [0.0]
        for piece in self.segments:
            area = (piece.stop_s - piece.start_s) * (piece.first + piece.last) / 2.0
            self._before.append(self._before[-1] + area)

    @classmethod
    def constant(cls, value: float, start_s: float, stop_s: float) -> Profile:
        """One value from ``start_s`` to ``stop_s``."""
        return cls([Segment(start_s, stop_s, value, value)])

    @classmethod
    def through(cls, times_s: Sequence[float], values: Sequence[float]) -> Profile:
        """Straight lines through samples in order of time."""
        return cls(
            Segment(start_s, stop_s, first, last)
            for (start_s, stop_s), (first, last) in zip(
                pairwise(times_s), pairwise(values), strict=True
            )
        )

    @property
    def peak(self) -> float:
        """The largest value; zero for a profile without pieces."""
        return max((max(piece.first, piece.last) for piece in self.segments), default=0.0)

    def value(self, time_s: float) -> float:
        """Value at a time; zero outside every piece."""
        index = bisect_right(self._starts, time_s) - 1
        if index < 0 or time_s > self.segments[index].stop_s:
            return 0.0
        return self.segments[index].at(time_s)

    def integral(self, start_s: float, stop_s: float) -> float:
        """Integral from ``start_s`` to ``stop_s``; zero where that is no interval."""
        if stop_s <= start_s:
            return 0.0
        return max(0.0, self._until(stop_s) - self._until(start_s))

    def reach(self, start_s: float, amount: float) -> float:
        """Earliest time at which the integral from ``start_s`` is ``amount``.

        Infinite where the rest of the profile holds less.
        """
        left = amount
        for index in range(max(0, bisect_right(self._starts, start_s) - 1), len(self.segments)):
            piece = self.segments[index]
            begin_s = max(start_s, piece.start_s)
            span_s = piece.stop_s - begin_s
            if span_s <= 0.0:
                continue
            value = piece.at(begin_s)
            area = span_s * (value + piece.last) / 2.0
            if area < left:
                left -= area
                continue
            if left <= 0.0:
                return begin_s
            slope = (piece.last - value) / span_s
            # value * x + slope * x**2 / 2 = left, in the form that does not cancel
            root = math.sqrt(max(0.0, value * value + 2.0 * slope * left))
            return begin_s + min(span_s, 2.0 * left / (value + root))
        return math.inf

    def next_above_zero(self, start_s: float) -> float:
        """Earliest time, not before ``start_s``, at which the value is about to be above zero.

        Infinite where it stays zero.
        """
        for index in range(max(0, bisect_right(self._starts, start_s) - 1), len(self.segments)):
            piece = self.segments[index]
            if piece.stop_s > start_s and (piece.first > 0.0 or piece.last > 0.0):
                return max(start_s, piece.start_s)
        return math.inf

    def clipped(self, start_s: float, stop_s: float) -> Profile:
        """Keep what lies between two times."""
        return Profile(
            piece.cut(max(piece.start_s, start_s), min(piece.stop_s, stop_s))
            for piece in self.segments
            if piece.stop_s > start_s and piece.start_s < stop_s
        )

    def without(self, start_s: float, stop_s: float) -> Profile:
        """Zero between two times, the same elsewhere."""
        if stop_s <= start_s:
            return self
        before = self.clipped(-math.inf, start_s)
        return Profile([*before.segments, *self.clipped(stop_s, math.inf).segments])

    def _until(self, time_s: float) -> float:
        """Integral from the first piece to a time."""
        index = bisect_right(self._starts, time_s) - 1
        if index < 0:
            return 0.0
        piece = self.segments[index]
        if time_s >= piece.stop_s:
            return self._before[index + 1]
        part = (time_s - piece.start_s) * (piece.first + piece.at(time_s)) / 2.0
        return self._before[index] + part
