"""How a battery's capacity fades: cycles counted from its state of charge, and what they cost.

Rainflow counting (Downing and Socie, 1982; ASTM E1049-85, 5.4.4) cuts a course of the state of
charge into closed cycles and half cycles; depth times count, summed, are the equivalent full
cycles. The fade is

    Q = Q0 (1 - a sqrt(t) - b N)

with t in years since the pack was new and N the full cycles since then. Limits: no dependence on
temperature, mean charge or depth beyond N, no knee near the end of life. Within a run the capacity
stays what it is at mission time zero: a mission is short against the fade, and a duty is judged
from one run and extrapolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, sqrt

from node.physics.checks import require


@dataclass(frozen=True, slots=True)
class Ageing:
    """What time and use take from the capacity."""

    calendar_fade_per_root_year_ratio: float
    cycle_fade_per_full_cycle_ratio: float

    def __post_init__(self) -> None:
        for name in ("calendar_fade_per_root_year_ratio", "cycle_fade_per_full_cycle_ratio"):
            require(name, getattr(self, name), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One range of the state of charge."""

    depth: float
    """Depth of discharge, 0 to 1."""
    mean_soc: float
    count: float
    """1 for a closed cycle, 0.5 for a way down or up alone."""


def turning_points(socs: Iterable[float]) -> Iterator[float]:
    """First and last state of charge and all between at which its course turns."""
    before: float | None = None
    here: float | None = None
    for soc in socs:
        if here is None:
            yield soc
            here = soc
        elif soc != here:
            if before is not None and (here > before) is not (soc > here):
                yield here
            before, here = here, soc
    if here is not None and before is not None:
        yield here


def rainflow(socs: Iterable[float]) -> list[Cycle]:
    """Count the cycles of a course of the state of charge.

    Args:
        socs: in the order of time; read once, so that it may be a generator.

    Returns:
        Cycles in the order in which they close, then the half cycles that are left.
    """
    cycles: list[Cycle] = []
    stack: list[float] = []
    for soc in turning_points(socs):
        stack.append(soc)
        # Three points are two ranges; the older is counted once the younger is as deep.
        while len(stack) > 2 and abs(stack[-1] - stack[-2]) >= abs(stack[-2] - stack[-3]):  # noqa: PLR2004 - as said
            if len(stack) == 3:  # noqa: PLR2004 - the older range holds the beginning: half a cycle
                cycles.append(_cycle(stack[0], stack[1], 0.5))
                del stack[0]
            else:
                cycles.append(_cycle(stack[-3], stack[-2], 1.0))
                del stack[-3:-1]
    cycles += [_cycle(stack[k], stack[k + 1], 0.5) for k in range(len(stack) - 1)]
    return cycles


def equivalent_full_cycles(cycles: Iterable[Cycle]) -> float:
    """Cycles from full to empty and back that move as much charge."""
    return sum(cycle.depth * cycle.count for cycle in cycles)


def fade(ageing: Ageing, years: float, full_cycles: float) -> float:
    """Part of the capacity, 0 to 1, that ``years`` and ``full_cycles`` of a new pack take."""
    require("years", years, 0.0)
    require("full_cycles", full_cycles, 0.0)
    return min(
        1.0,
        ageing.calendar_fade_per_root_year_ratio * sqrt(years)
        + ageing.cycle_fade_per_full_cycle_ratio * full_cycles,
    )


def years_to_fade(
    ageing: Ageing, full_cycles_per_year: float, fade_ratio: float, from_fade_ratio: float = 0.0
) -> float:
    """Years at this duty until ``fade_ratio`` is gone.

    Args:
        ageing: of the pack.
        full_cycles_per_year: equivalent full cycles, held all the time.
        fade_ratio: lost part of the new pack's capacity to reach.
        from_fade_ratio: lost part now; the pack is taken to have come there at this duty.

    Returns:
        Zero where it has come there, infinity where it never does.
    """
    require("full_cycles_per_year", full_cycles_per_year, 0.0)
    require("fade_ratio", fade_ratio, 0.0, 1.0)
    require("from_fade_ratio", from_fade_ratio, 0.0, 1.0)
    if from_fade_ratio >= fade_ratio:
        return 0.0
    age_years = _age_years(ageing, full_cycles_per_year, from_fade_ratio)
    if age_years == inf:
        return inf
    return _age_years(ageing, full_cycles_per_year, fade_ratio) - age_years


def fade_after(
    ageing: Ageing, full_cycles_per_year: float, years: float, from_fade_ratio: float = 0.0
) -> float:
    """Lost part of the new pack's capacity, 0 to 1, after ``years`` at this duty.

    Arguments as of `years_to_fade`.
    """
    require("full_cycles_per_year", full_cycles_per_year, 0.0)
    require("years", years, 0.0)
    require("from_fade_ratio", from_fade_ratio, 0.0, 1.0)
    age_years = _age_years(ageing, full_cycles_per_year, from_fade_ratio)
    if age_years == inf:
        return from_fade_ratio
    whole_years = age_years + years
    return max(from_fade_ratio, fade(ageing, whole_years, full_cycles_per_year * whole_years))


def _cycle(one: float, other: float, count: float) -> Cycle:
    return Cycle(abs(one - other), 0.5 * (one + other), count)


def _age_years(ageing: Ageing, full_cycles_per_year: float, fade_ratio: float) -> float:
    """Age at which a pack of this duty has lost ``fade_ratio``: f = a sqrt(t) + b n t."""
    if fade_ratio == 0.0:
        return 0.0
    root_rate = ageing.calendar_fade_per_root_year_ratio
    rate = ageing.cycle_fade_per_full_cycle_ratio * full_cycles_per_year
    # The root of the quadratic in sqrt(t), in the form that no small rate makes inexact.
    denominator = root_rate + sqrt(root_rate * root_rate + 4.0 * rate * fade_ratio)
    return (2.0 * fade_ratio / denominator) ** 2 if denominator > 0.0 else inf
