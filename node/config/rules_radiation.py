"""Rules about radiation: only what is modelled is required, and the proton map reaches the orbit.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from node.config import wording
from node.config.build import make_orbit
from node.config.finding import Finding
from node.config.scenario import AnyOrbit, KeplerianOrbit, Requirement, SsoOrbit
from node.config.spacecraft import Radiation
from node.errors import PhysicsError
from node.physics.orbit import EARTH_RADIUS_KM
from node.physics.proton_map import TOP_KM

UPSET_METRICS = frozenset({"interrupts", "uncorrected_upsets", "upsets"})
"""What a requirement can be about only where the scenario has ``[radiation]``."""

# An orbit of constant radius is up to this much higher above the flattened poles.
_FLATTENING_KM = 22.0
_SAMPLES = 64
"""Of the first revolution of elements."""


def requirements_on_upsets_have_radiation(
    requirement: list[Requirement], radiation: Radiation | None
) -> Iterator[Finding]:
    """Where nothing is modelled there are no upsets to be judged."""
    for index, line in enumerate(requirement):
        if line.metric in UPSET_METRICS and radiation is None:
            yield Finding(
                f"$.requirement[{index}].metric", f"{wording.quoted(line.metric)} needs [radiation]"
            )


def proton_map_reaches_orbit(radiation: Radiation | None, orbit: AnyOrbit) -> Iterator[Finding]:
    """Above the map the flux of its top is held, which is too little."""
    if radiation is None:
        return
    apogee_km = _apogee_km(orbit)
    if apogee_km > TOP_KM + _FLATTENING_KM:
        yield Finding(
            "$.radiation",
            f"the map of trapped protons ends at {TOP_KM:.0f} km and the orbit goes up to "
            f"{apogee_km:.0f} km: upsets there are underestimated",
            warning=True,
        )


def _apogee_km(orbit: AnyOrbit) -> float:
    """Greatest height over the equator's radius; 0 for elements that are wrong by themselves."""
    if isinstance(orbit, (SsoOrbit, KeplerianOrbit)):
        axis_km = orbit.altitude_km + EARTH_RADIUS_KM
        return axis_km * (1 + orbit.eccentricity) - EARTH_RADIUS_KM
    try:
        propagator = make_orbit(orbit, 0.0)
        step_s = propagator.period_s / _SAMPLES
        return (
            max(
                math.hypot(*propagator.state(propagator.epoch_utc_s + step_s * index)[0])
                for index in range(_SAMPLES)
            )
            - EARTH_RADIUS_KM
        )
    except PhysicsError:
        return 0.0


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    requirements_on_upsets_have_radiation,
    proton_map_reaches_orbit,
)
