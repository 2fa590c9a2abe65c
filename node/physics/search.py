"""Find where a smooth function of time crosses zero: sample, refine the extrema, bisect."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, sqrt

from node.errors import PhysicsError
from node.physics.checks import require

Function = Callable[[float], float]

_GOLDEN = (sqrt(5.0) - 1.0) / 2.0
_ROOT_S = 1e-4
_EXTREMUM_S = 1e-2


def sample_times(start_s: float, end_s: float, step_s: float) -> list[float]:
    """Evenly spaced times, at most ``step_s`` apart; ``start_s`` and ``end_s`` are among them."""
    require("start", start_s)
    require("end", end_s)
    if end_s < start_s:
        raise PhysicsError(f"a span from {start_s} s to {end_s} s runs backwards")
    count = max(1, ceil((end_s - start_s) / step_s))
    step_s = (end_s - start_s) / count
    return [start_s + index * step_s for index in range(count)] + [end_s]


def root(function: Function, low: float, high: float) -> float:
    """Where ``function`` changes sign between ``low`` and ``high``, to 0.1 ms."""
    negative_at_low = function(low) < 0.0
    while high - low > _ROOT_S:
        middle = 0.5 * (low + high)
        if (function(middle) < 0.0) == negative_at_low:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def maximum(function: Function, low: float, high: float) -> float:
    """Where a function with one hump between ``low`` and ``high`` is greatest, to 10 ms."""
    left = high - _GOLDEN * (high - low)
    right = low + _GOLDEN * (high - low)
    at_left = function(left)
    at_right = function(right)
    while high - low > _EXTREMUM_S:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return 0.5 * (low + high)


def maximum_within(function: Function, low: float, high: float, times: Sequence[float]) -> float:
    """Where ``function`` is greatest from ``low`` to ``high``, led there by the samples between."""
    inner = times[bisect_right(times, low) : bisect_left(times, high)]
    candidates = [low, *inner, high]
    best = max(range(len(candidates)), key=lambda index: function(candidates[index]))
    return maximum(
        function,
        candidates[max(best - 1, 0)],
        candidates[min(best + 1, len(candidates) - 1)],
    )


def crossings(
    function: Function, times: Sequence[float], values: Sequence[float]
) -> list[tuple[float, bool]]:
    """Times at which ``function`` changes sign, in order, and whether it rises there.

    ``values`` are the function at ``times``. A hump or a dip that reaches over zero between two
    samples is found as well, as long as the samples around it show that it is there.
    """
    points = [(times[0], values[0])]
    for index in range(1, len(times) - 1):
        around = slice(index - 1, index + 2)
        peak = _hidden_peak(function, times[around], values[around])
        points.append(peak or (times[index], values[index]))
    points.append((times[-1], values[-1]))
    return [
        (root(function, t0, t1), v0 < 0.0)
        for (t0, v0), (t1, v1) in pairwise(points)
        if (v0 < 0.0) != (v1 < 0.0)
    ]


def piecewise_crossings(function: Function, times: Sequence[float]) -> list[tuple[float, bool]]:
    """As `crossings`, of a function that has kinks; ``times`` hold all of them, in order.

    Between two of ``times`` the function has at most one hump or one dip. It is found by its
    slopes at both ends, so that nothing longer than 20 ms is missed.
    """
    values = [function(time_s) for time_s in times]
    points = [(times[0], values[0])]
    for (t0, v0), (t1, v1) in pairwise(zip(times, values, strict=True)):
        if (v0 < 0.0) == (v1 < 0.0):
            peak = _peak_between(function, t0, t1, v0, v1)
            if peak is not None:
                points.append(peak)
        points.append((t1, v1))
    return [
        (root(function, t0, t1), v0 < 0.0)
        for (t0, v0), (t1, v1) in pairwise(points)
        if (v0 < 0.0) != (v1 < 0.0)
    ]


def _peak_between(
    function: Function, t0: float, t1: float, v0: float, v1: float
) -> tuple[float, float] | None:
    """The extremum between two times if zero lies between it and the values at both, ``v0, v1``."""
    sign = 1.0 if v0 < 0.0 else -1.0
    if t1 - t0 <= 2.0 * _EXTREMUM_S:
        return None
    rises_in = sign * (function(t0 + _EXTREMUM_S) - v0) > 0.0
    falls_out = sign * (function(t1 - _EXTREMUM_S) - v1) > 0.0
    if not (rises_in and falls_out):
        return None
    peak_s = maximum(lambda time_s: sign * function(time_s), t0, t1)
    value = function(peak_s)
    return (peak_s, value) if (value < 0.0) != (v0 < 0.0) else None


def _hidden_peak(
    function: Function, times: Sequence[float], values: Sequence[float]
) -> tuple[float, float] | None:
    """The extremum around the middle of three samples if zero lies between it and all of them."""
    before, here, after = values
    if before <= here > after and here < 0.0:
        peak_s = maximum(function, times[0], times[2])
        value = function(peak_s)
        return (peak_s, value) if value >= 0.0 else None
    if before >= here < after and here >= 0.0:
        peak_s = maximum(lambda t: -function(t), times[0], times[2])
        value = function(peak_s)
        return (peak_s, value) if value < 0.0 else None
    return None
