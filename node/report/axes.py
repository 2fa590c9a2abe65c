"""Numbers for people: ticks of an axis, durations, quantities. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]

_MINUTE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


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


def minute_ticks(start_min: float, stop_min: float, count: int = 10) -> list[float]:
    """Return at most about ``count`` round minutes inside the span."""
    span = stop_min - start_min
    step = next((s for s in _MINUTE_STEPS if span / s <= count), _MINUTE_STEPS[-1])
    first = math.ceil(start_min / step)
    return [index * step for index in range(first, math.floor(stop_min / step) + 1)]


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
    """Format with at most ``digits`` significant digits and no trailing zeros."""
    if value == int(value) and abs(value) < 10**9:
        return f"{int(value):,}".replace(",", "\u202f")
    return f"{value:.{digits}g}"


def quantity(value: float, unit: str) -> str:
    """Format with a decimal prefix: ``12.3 Mbit/s``."""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
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
    return f"{whole // 3600} h {whole % 3600 // 60} min"
