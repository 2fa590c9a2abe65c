"""Sets of byte ranges, half-open and in order."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]


class RangeSet:
    """Which bytes of an object are there. Adding twice is harmless."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: list[Span] = []
        for start, stop in spans:
            self.add(start, stop)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The ranges, in order, never touching each other."""
        return tuple(self._spans)

    def add(self, start: int, stop: int) -> None:
        """Add ``[start, stop)``; an empty range adds nothing."""
        if start >= stop:
            return
        spans = self._spans
        # Transfers go from front to back: nearly always it is the last range that grows.
        if not spans or start > spans[-1][1]:
            spans.append((start, stop))
            return
        if start >= spans[-1][0]:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
            return
        before = [span for span in spans if span[1] < start]
        after = [span for span in spans if span[0] > stop]
        touching = spans[len(before) : len(spans) - len(after)]
        if touching:
            start = min(start, touching[0][0])
            stop = max(stop, touching[-1][1])
        self._spans = [*before, (start, stop), *after]

    def total(self) -> int:
        """Count the bytes that are there."""
        return sum(stop - start for start, stop in self._spans)

    def covers(self, start: int, stop: int) -> bool:
        """Say whether all of ``[start, stop)`` is there."""
        for there, until in self._spans:
            if there <= start and stop <= until:
                return True
        return start >= stop

    def first_gap(self, stop: int, limit: int, exclude: Iterable[Span] = ()) -> Span | None:
        """Return the first missing range below ``stop``, at most ``limit`` bytes long.

        Args:
            stop: size of the object.
            limit: most bytes that the answer may span.
            exclude: ranges that are already on their way, in any order.
        """
        at, free_until = 0, stop
        for span_start, span_stop in sorted([*self._spans, *exclude]):
            if span_start > at:
                free_until = min(span_start, stop)
                break
            at = max(at, span_stop)
        return (at, min(free_until, at + limit)) if at < stop else None
