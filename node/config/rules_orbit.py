"""Rules about orbits: intact and recent elements, and a path that SGP4 can follow.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone

from node.config.build import make_orbit
from node.config.finding import Finding
from node.config.omm import read_message
from node.config.rules_spacecraft import repeated_names
from node.config.scenario import (
    AnyOrbit,
    KeplerianOrbit,
    Mission,
    Neighbour,
    OmmOrbit,
    SsoOrbit,
    TleOrbit,
)
from node.errors import PhysicsError
from node.physics.orbit import EARTH_RADIUS_KM, check_tle_line
from node.physics.vectors import Vector

_MAX_AGE_DAYS = 30.0
"""SGP4's error grows by kilometres a day; beyond this its shadow and pass times mean nothing."""
OLD_AGE_DAYS = 14.0
"""Beyond this they are uncertain, and whoever lists times from them is warned."""
_SECONDS_PER_DAY = 86400.0
_COURSE_SAMPLES = 64
"""Instants that are looked at in the first revolution, and again in the whole mission."""
_LEAST_APART_KM = 1e-3
_MIN_PERIGEE_KM = 100.0
"""Below the Karman line nothing stays in orbit."""


def orbit_is_well_formed(orbit: AnyOrbit) -> Iterator[Finding]:
    """Whatever gives the orbit is whole by itself."""
    return _form_findings("$.orbit", orbit)


def orbit_lasts(orbit: AnyOrbit, mission: Mission) -> Iterator[Finding]:
    """The elements are recent, and SGP4 follows them from the mission's start to its end."""
    return _course_findings("$.orbit", orbit, mission)


def neighbour_names_are_unique(neighbour: list[Neighbour]) -> Iterator[Finding]:
    """Neighbours have names of their own."""
    return repeated_names("neighbour", [other.name for other in neighbour])


def neighbour_orbits_are_well_formed(neighbour: list[Neighbour]) -> Iterator[Finding]:
    """Whatever gives a neighbour's orbit is whole by itself."""
    for index, other in enumerate(neighbour):
        yield from _form_findings(f"$.neighbour[{index}].orbit", other.orbit)


def neighbour_orbits_last(neighbour: list[Neighbour], mission: Mission) -> Iterator[Finding]:
    """Neighbours fly as long as the mission lasts."""
    for index, other in enumerate(neighbour):
        yield from _course_findings(f"$.neighbour[{index}].orbit", other.orbit, mission)


def neighbours_are_elsewhere(
    orbit: AnyOrbit, neighbour: list[Neighbour], mission: Mission
) -> Iterator[Finding]:
    """No neighbour begins in the node's own place: there is no line from a place to itself."""
    try:
        r_teme_km = _start_km(orbit, mission)
    except PhysicsError:
        return  # another rule says so
    for index, other in enumerate(neighbour):
        with suppress(PhysicsError):
            apart_km = math.dist(_start_km(other.orbit, mission), r_teme_km)
            if apart_km < _LEAST_APART_KM:
                yield Finding(
                    f"$.neighbour[{index}].orbit", "is the orbit, and the place on it, of the node"
                )


def _start_km(orbit: AnyOrbit, mission: Mission) -> Vector:
    start_utc_s = _utc_s(mission.epoch)
    return make_orbit(orbit, start_utc_s).state(start_utc_s)[0]


def _form_findings(path: str, orbit: AnyOrbit) -> Iterator[Finding]:
    if isinstance(orbit, TleOrbit):
        yield from _tle_findings(path, orbit)
    elif isinstance(orbit, OmmOrbit):
        for problem in read_message(orbit.message).problems:
            yield Finding(f"{path}.message", problem)
    else:
        yield from _perigee_findings(path, orbit)


def _tle_findings(path: str, orbit: TleOrbit) -> Iterator[Finding]:
    """Both lines of an element set are whole and are about the same object."""
    broken = [
        *_line_findings(f"{path}.line1", orbit.line1, 1),
        *_line_findings(f"{path}.line2", orbit.line2, 2),
    ]
    yield from broken
    if not broken and orbit.line1[2:7] != orbit.line2[2:7]:
        yield Finding(
            f"{path}.line2",
            f"catalogue number {orbit.line2[2:7].strip()} is not that of line1, "
            f"{orbit.line1[2:7].strip()}",
        )


def _line_findings(path: str, line: str, number: int) -> Iterator[Finding]:
    """Check each line by itself, so that two bad lines are two findings."""
    if not line.startswith(f"{number} "):
        yield Finding(path, f'expected a line that begins with "{number} ", got "{line[:2]}"')
        return
    try:
        check_tle_line(number, line.rstrip())
    except PhysicsError as error:
        yield Finding(path, str(error).partition(": ")[2])


def _perigee_findings(path: str, orbit: SsoOrbit | KeplerianOrbit) -> Iterator[Finding]:
    """Altitude and eccentricity together keep the orbit above the atmosphere."""
    semi_major_axis_km = orbit.altitude_km + EARTH_RADIUS_KM
    perigee_km = semi_major_axis_km * (1 - orbit.eccentricity) - EARTH_RADIUS_KM
    if perigee_km < _MIN_PERIGEE_KM:
        yield Finding(
            f"{path}.eccentricity",
            f"puts the perigee at {perigee_km:.0f} km, "
            f"which must be at least {_MIN_PERIGEE_KM:.0f} km",
        )


def _course_findings(path: str, orbit: AnyOrbit, mission: Mission) -> Iterator[Finding]:
    if any(_form_findings(path, orbit)):
        return
    if isinstance(orbit, (TleOrbit, OmmOrbit)):
        path = f"{path}.line1" if isinstance(orbit, TleOrbit) else f"{path}.message"
    start_utc_s = _utc_s(mission.epoch)
    stop_utc_s = start_utc_s + mission.duration_s
    at_utc_s: float | None = None
    try:
        propagator = make_orbit(orbit, start_utc_s)
        if isinstance(orbit, (TleOrbit, OmmOrbit)):
            yield from _age_findings(path, propagator.epoch_utc_s, start_utc_s, stop_utc_s)
        # An orbit that is under the ground for a part of each revolution shows in the first one.
        for span_s in (min(propagator.period_s, mission.duration_s), mission.duration_s):
            for index in range(_COURSE_SAMPLES + 1):
                at_utc_s = start_utc_s + span_s * index / _COURSE_SAMPLES
                propagator.state(at_utc_s)
    except PhysicsError as error:
        by = "" if at_utc_s is None else f" (by {_minute(at_utc_s)})"
        yield Finding(path, f"is no orbit for this mission: {error}{by}")


def _age_findings(
    path: str, elements_utc_s: float, start_utc_s: float, stop_utc_s: float
) -> Iterator[Finding]:
    message = f"elements are of {_minute(elements_utc_s)}, "
    start_days = (start_utc_s - elements_utc_s) / _SECONDS_PER_DAY
    stop_days = (stop_utc_s - elements_utc_s) / _SECONDS_PER_DAY
    if abs(start_days) > _MAX_AGE_DAYS:
        at_most = f"at most {_MAX_AGE_DAYS:.0f} are taken"
        yield Finding(path, f"{message}{_apart(start_days)} mission.epoch; {at_most}")
        return
    uncertain = "pass and eclipse times are uncertain"
    if abs(start_days) > OLD_AGE_DAYS:
        yield Finding(
            path, f"{message}{_apart(start_days)} mission.epoch; {uncertain}", warning=True
        )
    elif stop_days > OLD_AGE_DAYS:
        yield Finding(
            path, f"{message}{_apart(stop_days)} the end of the mission; {uncertain}", warning=True
        )


def _apart(days: float) -> str:
    return f"{abs(days):.1f} days {'before' if days > 0.0 else 'after'}"


def _minute(utc_s: float) -> str:
    return f"{datetime.fromtimestamp(utc_s, tz=timezone.utc):%Y-%m-%dT%H:%MZ}"


def _utc_s(instant: datetime) -> float:
    """POSIX seconds; a naive instant counts as UTC, since another rule speaks of that."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).timestamp()


LASTING: tuple[Callable[..., Iterator[Finding]], ...] = (orbit_lasts, neighbour_orbits_last)
"""Those that depend on how long the mission is."""
RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    orbit_is_well_formed,
    neighbour_names_are_unique,
    neighbour_orbits_are_well_formed,
    neighbours_are_elsewhere,
    *LASTING,
)
