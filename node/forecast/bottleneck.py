"""Which resource stops more work first: each one's use by the whole workload that was submitted.

    uplink, downlink   max(payload bytes asked for / bytes that the contacts can carry,
                           time on the air / time that the contacts were open)
    compute            sum of the inferences' durations / duration of the flight
    energy             max((consumed + lost in the battery) / generated,
                           (1 - lowest charge) / (1 - charge below which the node goes to REDUCED))
    heat               (hottest - coldest) / (REDUCED threshold - coldest) of the board
    deadline           95th percentile of time to result over the time that the job was given

The workload as a whole is asked about, not what came through, so that one bottleneck does not hide
the next. A constraint *binds* at a use of 1; a link at 0.95, for the rest goes to headers, round
trips and the ends of passes; and any one where it was seen to hold work back (the governor deferred
for energy or heat, a mode below NOMINAL for charge or heat, a clock below full speed, a deadline
missed): its use is then at least 1. Limits: a proportional increase of the same work is meant, and
the energy balance of a flight shorter than some orbits depends on where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from node.forecast.latency import quantiles
from node.forecast.model import Bottleneck, Constraint, Direction

_LINK_BINDS_AT = 0.95


@dataclass(frozen=True, slots=True)
class EnergyUse:
    """What was asked of array and battery."""

    generated_wh: float
    needed_wh: float
    """Consumed and lost in the battery."""
    min_state_of_charge: float
    reduced_below_soc: float
    held_s: float
    """Time below NOMINAL for lack of charge."""
    deferrals: int


@dataclass(frozen=True, slots=True)
class HeatUse:
    """How warm the board became."""

    min_board_c: float
    max_board_c: float
    limit_c: float
    """Of the board's thermal node."""
    held_s: float
    """Time below NOMINAL, or below the full clock, for heat."""
    deferrals: int


@dataclass(frozen=True, slots=True)
class DeadlineUse:
    """What became of the jobs that have a deadline."""

    ratios: Sequence[float]
    """Of the delivered ones: time to result over the time given."""
    missed: int
    """Delivered too late or not at all, their deadline being over."""


def link_constraint(name: Literal["uplink", "downlink"], direction: Direction) -> Constraint:
    """Judge one direction of the link."""
    asked = _ratio(direction.demanded_bytes, direction.capacity_bytes)
    busy = _ratio(direction.busy_s, direction.open_s)
    use = max(asked, busy)
    return Constraint(
        name=name,
        utilisation_ratio=use,
        binds=use >= _LINK_BINDS_AT,
        text=f"asked for {asked:.0%} of what passes can carry, on the air {busy:.0%} of their time",
    )


def compute_constraint(inference_s: float, duration_s: float) -> Constraint:
    """Judge the board's time."""
    use = inference_s / duration_s
    return Constraint(
        name="compute",
        utilisation_ratio=use,
        binds=use >= 1.0,
        text=f"{inference_s:,.0f} s of inference in {duration_s:,.0f} s",
    )


def energy_constraint(energy: EnergyUse) -> Constraint:
    """Judge array and battery together."""
    balance = _ratio(energy.needed_wh, energy.generated_wh)
    depth = _ratio(1.0 - energy.min_state_of_charge, 1.0 - energy.reduced_below_soc)
    held = energy.deferrals > 0 or energy.held_s > 0.0
    use = max(balance, depth, 1.0 if held else 0.0)
    text = (
        f"spends {balance:.0%} of what is generated; lowest charge "
        f"{energy.min_state_of_charge:.2f}, REDUCED below {energy.reduced_below_soc:.2f}"
    )
    if held:
        text += f"; {energy.deferrals} deferrals, {energy.held_s:,.0f} s below NOMINAL for charge"
    return Constraint(name="energy", utilisation_ratio=use, binds=use >= 1.0, text=text)


def heat_constraint(heat: HeatUse) -> Constraint:
    """Judge the board's temperature."""
    held = heat.deferrals > 0 or heat.held_s > 0.0
    use = _ratio(heat.max_board_c - heat.min_board_c, heat.limit_c - heat.min_board_c)
    use = max(use, 1.0 if held or heat.max_board_c >= heat.limit_c else 0.0)
    text = f"board at most {heat.max_board_c:.1f} C, limit {heat.limit_c:.1f} C"
    if held:
        text += f"; {heat.deferrals} deferrals, {heat.held_s:,.0f} s held back by heat"
    return Constraint(name="heat", utilisation_ratio=use, binds=use >= 1.0, text=text)


def deadline_constraint(deadline: DeadlineUse) -> Constraint:
    """Judge waiting for contacts against the deadlines of the jobs that have one."""
    if not deadline.ratios and not deadline.missed:
        return Constraint(
            name="deadline", utilisation_ratio=None, binds=False, text="no job has a deadline"
        )
    usual = quantiles(deadline.ratios).p95
    use = max(usual, 1.0 if deadline.missed else 0.0)
    return Constraint(
        name="deadline",
        utilisation_ratio=use,
        binds=use >= 1.0,
        text=f"95 of 100 within {usual:.0%} of the time given, {deadline.missed} missed",
    )


def rank(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Put the highest use first; what does not apply comes last."""
    return sorted(constraints, key=_use, reverse=True)


def bottleneck(ranked: Sequence[Constraint]) -> Bottleneck:
    """Name the constraint that binds first, or the one that comes nearest."""
    nearest = ranked[0]
    binding = next((each for each in ranked if each.binds), None)
    if binding is not None:
        return Bottleneck(binding.name, nearest.name, binding.name)
    return Bottleneck(
        None, nearest.name, f"nothing binds; nearest is {nearest.name} at {_use(nearest):.0%}"
    )


def _use(constraint: Constraint) -> float:
    return -1.0 if constraint.utilisation_ratio is None else constraint.utilisation_ratio


def _ratio(asked: float, there_is: float) -> float:
    """Return the use; where there is nothing, any demand is ten times too much."""
    if there_is > 0.0:
        return asked / there_is
    return 10.0 if asked > 0.0 else 0.0
