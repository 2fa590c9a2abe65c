"""What the flight's duty does to the battery: rainflow cycles, extrapolated over the years.

The pack has lost ``battery.capacity_fade_ratio`` at mission time zero and keeps the flight's duty
from then on; see ``node.physics.ageing`` for the equations and their limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.config.spacecraft import Battery
from node.forecast.model import Ageing
from node.physics import ageing as physics

_DAYS_PER_YEAR = 365.25
_END_OF_LIFE_FADE = 0.2
_HORIZON_YEARS = 100.0


def battery_ageing(battery: Battery, turning_points: Sequence[float], days: float) -> Ageing | None:
    """Extrapolate the fade; None where the scenario does not say how the pack ages.

    Args:
        battery: of the scenario.
        turning_points: of the state of charge over the flight.
        days: length of the flight.
    """
    figures = battery.ageing
    if figures is None:
        return None
    law = physics.Ageing(
        figures.calendar_fade_per_root_year_ratio, figures.cycle_fade_per_full_cycle_ratio
    )
    cycles = physics.rainflow(turning_points)
    count = sum(cycle.count for cycle in cycles)
    full_cycles = physics.equivalent_full_cycles(cycles)
    per_year = full_cycles / days * _DAYS_PER_YEAR
    faded = battery.capacity_fade_ratio
    first_year = physics.fade_after(law, per_year, 1.0, faded) - faded
    years = physics.years_to_fade(law, per_year, _END_OF_LIFE_FADE, faded)
    by_use = law.cycle_fade_per_full_cycle_ratio * per_year
    return Ageing(
        full_cycles_per_day=full_cycles / days,
        cycles_per_day=count / days,
        mean_cycle_depth=full_cycles / count if count > 0.0 else 0.0,
        fade_first_year_ratio=first_year,
        calendar_share_ratio=max(0.0, 1.0 - by_use / first_year) if first_year > 0.0 else 0.0,
        years_to_80_percent=years if years <= _HORIZON_YEARS else None,
    )
