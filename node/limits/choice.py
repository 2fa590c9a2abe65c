"""Which number is written for one that was asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def choose(asked: int, *, baseline: int, floor: int, steps: Sequence[int]) -> int | None:
    """Snap down to a step within floor and baseline; None where more than the baseline is asked.

    The baseline itself may be asked for even where it is none of the steps. What lies below the
    floor becomes the floor; a floor above the baseline (somebody had the board lower already) is
    the baseline.

    Args:
        asked: the number that the client wants, at least 1.
        baseline: what the limit was found at.
        floor: the least that makes sense on this board.
        steps: ascending; empty where the kernel takes any number.
    """
    if asked > baseline:
        return None
    least = min(floor, baseline)
    if asked == baseline or asked <= least:
        return max(asked, least)
    if not steps:
        return asked
    return max((step for step in steps if least <= step <= asked), default=least)


def clamped(asked: int, written: int) -> str:
    """Say in words where what is written differs from what was asked."""
    if written > asked:
        return f"{asked} lies below the floor"
    return "" if written == asked else "snapped down to a step of the hardware"
