"""What a few windows of a measurement say of its mean. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5 % for 1 to 9 degrees of freedom; beyond, the last is on the safe side."""


class Estimate(NamedTuple):
    """A mean, and how far its scatter leaves it open."""

    mean: float
    half_width: float | None
    """Of the 95 % interval; None where there are too few windows to tell."""


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of independent windows with its 95 % interval by Student's t."""
    count = len(values)
    if count < 2:  # noqa: PLR2004 - one value has no scatter
        return Estimate(fmean(values), None)
    t = _T_95[min(count - 1, len(_T_95)) - 1]
    return Estimate(fmean(values), t * stdev(values) / math.sqrt(count))


def quantile(values: Sequence[float], share: float) -> float:
    """Quantile by nearest rank of one or more values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def drift(values: Sequence[float]) -> float | None:
    """Mean of the later half over that of the earlier, less 1; None where there are no halves."""
    half = len(values) // 2
    if half == 0 or (earlier := fmean(values[:half])) == 0.0:
        return None
    return fmean(values[-half:]) / earlier - 1.0
