"""What whoever reads the figures of a bench has to know."""

from __future__ import annotations

import os
from collections.abc import Iterator

from node.bench.figures import Cap, IdleFigures, PointFigures, PowerFigures
from node.bench.work import STEADY_WITHIN

NO_POWER = (
    "nothing tells this board's power (no meter that can be read, no published model): name an "
    "--installation with board.meter or board.idle_w and board.active_w, or give --idle-w and "
    "--active-w"
)
_QUIET_RATIO = 0.1


def title(threads: int, cap: Cap) -> str:
    """Name an operating point."""
    parts = [f"{threads} thread" + ("s" if threads > 1 else "")]
    if cap.duty_ratio < 1.0:
        parts.append(f"duty {cap.duty_ratio:g}")
    if cap.share_ratio < 1.0:
        parts.append(f"share {cap.share_ratio:g}")
    if cap.clock_ratio < 1.0:
        parts.append(f"clock {cap.clock_ratio:.3g}")
    return ", ".join(parts)


def notes_on(
    idle: IdleFigures | None,
    power: PowerFigures | None,
    points: list[PointFigures],
    *,
    made_up: bool,
) -> Iterator[str]:
    """Yield a note for everything that makes a figure worth less than it looks."""
    if power is None:
        yield NO_POWER
    elif power.source == "modelled":
        error = power.error_ratio
        known = "has no published error" if error is None else f"is up to {error:.0%} off"
        yield f"watts and joules are modelled ({power.model}), not measured; the model {known}"
    busy_ratio = None if idle is None else idle.cpu_utilisation_ratio
    if busy_ratio is not None and busy_ratio > _QUIET_RATIO:
        yield f"the processor was {busy_ratio:.0%} busy at rest: other programs are in every figure"
    if made_up:
        yield "the input is made-up noise; give --input where the work depends on what it sees"
    for point in points:
        name = title(point.threads, point.cap)
        for note in _on_point(point):
            yield f"{name}: {note}"
        if power is not None and point.energy is None:
            yield f"{name}: the board's power was not there all the time, so there are no joules"


def _on_point(point: PointFigures) -> Iterator[str]:
    if point.cap.share_by == "duty-cycle":
        yield "no control group to be had: the share was held by stopping the worker"
    cores = len(os.sched_getaffinity(0))
    if point.threads > cores:
        yield f"more threads than the {cores} cores that this process may use"
    if point.throttled_by:
        yield f"the board slowed itself down: {', '.join(point.throttled_by)}"
    elif not point.steady:
        yield f"not steady, it drifted by more than {STEADY_WITHIN:.0%}: repeat, longer"
    if point.energy is not None and point.energy.net_j.mean == 0.0:
        yield "what one inference takes above idle is below what can be told"
