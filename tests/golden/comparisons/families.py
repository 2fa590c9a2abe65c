"""Every comparison there is, by family.

A function listed here is tested (``test_golden_comparisons.py``) and written to
``docs/fidelity.md``; each computes once a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from comparisons import (
    contacts,
    crosslinks,
    orbits,
    protons,
    sgp4_verification,
    shadows,
    sun_places,
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
        shadows.beta_angles,
        shadows.eclipse_fractions,
    ),
    "Passes": _once(contacts.passes, contacts.samples),
    "Crosslinks": _once(crosslinks.lines),
    "Radiation": _once(protons.map_nodes, protons.orbit_means, protons.cosmic_rays),
}
