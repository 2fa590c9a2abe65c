"""Every comparison there is, by family.

A function listed here is tested (``test_golden_comparisons.py``) and written to
``docs/fidelity.md``; each computes once a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from comparisons import (
    batteries,
    bupt1,
    contacts,
    crosslinks,
    default_scenarios,
    link_budgets,
    orbits,
    power_days,
    protons,
    sgp4_verification,
    shadows,
    sun_places,
    thermal_balances,
    thermal_flights,
)
from comparisons.comparison import Comparison

Compare = Callable[[], list[Comparison]]


def _once(*functions: Compare) -> tuple[Compare, ...]:
    return tuple(cache(function) for function in functions)


FAMILIES: dict[str, tuple[Compare, ...]] = {
    "Orbit": _once(orbits.states_at_epoch, orbits.mean_elements, sgp4_verification.states),
    "Sun": _once(sun_places.directions),
    "Eclipse": _once(
        shadows.eclipse_edges,
        shadows.penumbra,
        shadows.instants,
        shadows.beta_angles,
        shadows.eclipse_fractions,
        shadows.cylinders,
    ),
    "Passes": _once(contacts.passes, contacts.samples),
    "Link": _once(
        link_budgets.path_losses,
        link_budgets.dvbs2_table,
        link_budgets.ccsds_table,
        link_budgets.budgets,
    ),
    "Crosslinks": _once(crosslinks.lines),
    "Array and Earth light": _once(power_days.reference_days, power_days.earth_light),
    "Battery": _once(batteries.resistances, batteries.discharges_and_cycles),
    "Heat": _once(
        thermal_balances.equilibria,
        thermal_balances.radiation,
        thermal_balances.view_factors,
        thermal_flights.networks,
        thermal_flights.thermostats,
    ),
    "Scenarios": _once(default_scenarios.days),
    "BUPT-1": _once(
        bupt1.orbit,
        bupt1.battery,
        bupt1.throttling,
        bupt1.fewer_cores,
        bupt1.cooling,
        bupt1.detectors,
    ),
    "Radiation": _once(protons.map_nodes, protons.orbit_means, protons.cosmic_rays),
}
