"""Numbers for people: ticks of an axis, durations, quantities. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[float, float]

_MAX_WHOLE = 10**9
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


class TimeUnit(NamedTuple):
    """In what a time axis counts."""

    name: str
    """Plural."""
    seconds: float
    longest_s: float
    """A longer axis takes the next unit."""
    steps: tuple[float, ...]
    """Distances between ticks that read well."""


_TIME_UNITS = (
    TimeUnit("minutes", 60.0, 21_600.0, (1, 2, 5, 10, 15, 30, 60)),
    TimeUnit("hours", 3600.0, 345_600.0, (1, 2, 3, 6, 12, 24)),
    TimeUnit("days", 86_400.0, math.inf, (1, 2, 5, 10, 20, 50, 100)),
)


def time_unit(span_s: float) -> TimeUnit:
    """Choose the unit of an axis of this length."""
    return next(unit for unit in _TIME_UNITS if span_s <= unit.longest_s)


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about ``count`` round values that span ``low`` to ``high``."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        low, span = low - 0.5, 1.0
    magnitude = 10 ** math.floor(math.log10(span / count))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if span / (m * magnitude) <= count)
    first = math.floor(low / step + 1e-9)
    last = math.ceil((low + span) / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def time_ticks(start_s: float, stop_s: float, count: int = 10) -> list[tuple[float, str]]:
    """Return at most about ``count`` round instants inside the span, in seconds, with their text.

    The text counts in `time_unit` of the span.
    """
    unit = time_unit(stop_s - start_s)
    start, stop = start_s / unit.seconds, stop_s / unit.seconds
    step = next((s for s in unit.steps if (stop - start) / s <= count), unit.steps[-1])
    marks = range(math.ceil(start / step), math.floor(stop / step) + 1)
    return [(index * step * unit.seconds, number(index * step)) for index in marks]


def thin(points: Sequence[Point], limit: int = 1200) -> list[Point]:
    """Keep at most about ``limit`` points, with the lowest and highest of every stretch."""
    if len(points) <= limit:
        return list(points)
    size = math.ceil(len(points) / (limit // 2))
    kept: list[Point] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {
            min(range(len(stretch)), key=lambda i: stretch[i][1]),
            max(range(len(stretch)), key=lambda i: stretch[i][1]),
        }
        kept.extend(stretch[index] for index in sorted(ends))
    return kept


def number(value: float, digits: int = 4) -> str:
    """Format with at most ``digits`` significant digits and no trailing zeros, whole above that."""
    text = f"{value:.{digits}g}"
    # As rounded: 999.9 with three digits is 1000 and not 1e+03.
    if abs(value) < _MAX_WHOLE and (value == int(value) or abs(float(text)) >= 10**digits):
        return f"{round(value):,}".replace(",", "\u202f")
    return text


def quantity(value: float, unit: str) -> str:
    """Format with a decimal prefix: ``12.3 Mbit/s``."""
    for factor, prefix in _PREFIXES:
        # As rounded: 999.9 k is 1 M.
        if abs(value) >= 0.9995 * factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def clock(seconds: float) -> str:
    """Format mission seconds as ``+01:02:03``, with days where there are any."""
    sign = "-" if seconds < 0 else "+"
    whole = round(abs(seconds))
    days, rest = divmod(whole, 86400)
    head = f"{days}d " if days else ""
    return f"{sign}{head}{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"


def duration(seconds: float) -> str:
    """Format a length of time by its two largest units: ``3 min 20 s``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:  # noqa: PLR2004 - two days
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
