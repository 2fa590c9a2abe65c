"""The governor: may this job run now? The answer always has a reason, and a time where it can.

Rules, the first that applies answers:

1. a job whose deadline cannot be met any more is rejected;
2. the operating mode must allow inference;
3. the board, heated by the whole job without any cooling, must stay below the SAFE threshold;
4. the battery, less the job and less the standing load until the next sunrise, must stay above
   the SAFE threshold (in sunlight that covers the standing load, the job alone counts);
5. in REDUCED, the job's joules must be in the bucket that the power ceiling fills (pacing).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from node.core.modes import LIMITS, OperatingMode, Thresholds


class Reason(str, Enum):
    """Why a job waits or is turned away."""

    MODE = "mode"
    ENERGY = "energy"
    HEAT = "heat"
    PACING = "pacing"
    DEADLINE = "deadline"
    UNKNOWN_MODEL = "unknown-model"
    OVERSIZE = "oversize"
    QUEUE_FULL = "queue-full"


@dataclass(frozen=True, slots=True)
class Admit:
    """Run it now."""


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now; ``until_s`` is mission time, None where nobody can know."""

    until_s: float | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Reject:
    """Never."""

    reason: Reason


Admission = Admit | Defer | Reject

DEFER_REASONS = (Reason.MODE, Reason.ENERGY, Reason.HEAT, Reason.PACING)
REJECT_REASONS = (Reason.DEADLINE, Reason.UNKNOWN_MODEL, Reason.OVERSIZE, Reason.QUEUE_FULL)
DECISIONS = (
    "admit",
    *(f"defer:{reason.value}" for reason in DEFER_REASONS),
    *(f"reject:{reason.value}" for reason in REJECT_REASONS),
)
"""Every key under which decisions are counted."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the job asks for."""

    mission_duration_s: float
    """Mission seconds that a run takes at the present rate."""
    energy_j: float
    """From the battery, converter loss included."""
    heat_j: float
    """Left in the board."""
    deadline_s: float | None
    pacing_ready_s: float
    """In REDUCED it must not start before this."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What the node has."""

    mode: OperatingMode
    state_of_charge: float
    capacity_j: float
    solar_w: float
    standing_load_w: float
    """Drawn without inference."""
    next_sunrise_s: float | None
    """None in sunlight, or where no sunrise is in sight."""
    board_c: float
    board_capacity_j_per_k: float


def decide(demand: Demand, supply: Supply, thresholds: Thresholds, now: float) -> Admission:
    """Admit, defer or reject one job at mission time ``now``."""
    if demand.deadline_s is not None and now + demand.mission_duration_s > demand.deadline_s:
        return Reject(Reason.DEADLINE)
    if not LIMITS[supply.mode].inference:
        return Defer(None, Reason.MODE)
    hottest_c = supply.board_c + demand.heat_j / supply.board_capacity_j_per_k
    if hottest_c > thresholds.safe_above_board_c:
        return Defer(None, Reason.HEAT)
    reserve_j = (supply.state_of_charge - thresholds.safe_below_soc) * supply.capacity_j
    deficit_w = max(0.0, supply.standing_load_w - supply.solar_w)
    dark_s = 0.0 if supply.next_sunrise_s is None else max(0.0, supply.next_sunrise_s - now)
    if demand.energy_j + deficit_w * dark_s > reserve_j:
        return Defer(supply.next_sunrise_s if dark_s > 0.0 else None, Reason.ENERGY)
    if supply.mode is OperatingMode.REDUCED and now < demand.pacing_ready_s:
        return Defer(demand.pacing_ready_s, Reason.PACING)
    return Admit()
