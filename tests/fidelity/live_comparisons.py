"""Our figures beside those of the live tools, for the same instants."""

from __future__ import annotations

from collections.abc import Callable
from math import degrees, dist
from typing import Any

from comparisons.comparison import Comparison, worst_of
from comparisons.power_days import DAY_S, PowerDay, beside
from live_requests import (
    SKY_STEP_S,
    Flown,
    flown,
    live_power_cases,
)

from node.physics.frames import ecef_from_teme, gmst_rad
from node.physics.passes import Station, find_passes
from node.physics.shadow import ShadowFigures, illumination, next_sunlight_change
from node.physics.sun import AU_KM, sun_teme

SKYFIELD = "Skyfield"
BASILISK = "Basilisk"
SKY_INSTANTS = round(DAY_S / SKY_STEP_S) + 1
# Within this of the span's ends an edge belongs to neither side.
END_S = 1.0

Answer = dict[str, Any]
Edge = tuple[float, bool]
"""Seconds after the start, and whether it rises."""


def places(answer: Answer) -> list[Comparison]:
    """Position of the node in both frames, every minute of the day."""
    teme_km, fixed_km = [], []
    for case in flown().values():
        theirs = answer["orbits"][case.name]
        for index in range(SKY_INSTANTS):
            utc_s = case.start_utc_s + index * SKY_STEP_S
            r_teme_km, _ = case.orbit.state(utc_s)
            teme_km.append(dist(r_teme_km, theirs["r_teme_km"][index]))
            r_ecef_km = ecef_from_teme(r_teme_km, gmst_rad(utc_s))
            fixed_km.append(dist(r_ecef_km, theirs["r_itrs_km"][index]))
    rows = f"worst of {SKY_INSTANTS} instants of {len(flown())} orbits"
    note = "our UT1 is UTC"
    return [
        worst_of(f"TEME position, {rows}", "km", teme_km, 1e-3, SKYFIELD),
        worst_of(f"Earth-fixed position (ITRS), {rows}", "km", fixed_km, 0.2, SKYFIELD, note),
    ]


def suns(answer: Answer) -> list[Comparison]:
    """Direction and distance of the Sun, every minute of each orbit's day."""
    angles_deg, distances_au = [], []
    for case in flown().values():
        theirs = answer["orbits"][case.name]
        for index in range(SKY_INSTANTS):
            direction_teme, distance_au = sun_teme(case.start_utc_s + index * SKY_STEP_S)
            theirs_au = theirs["sun_distance_au"][index]
            towards = [axis_km / AU_KM / theirs_au for axis_km in theirs["sun_teme_km"][index]]
            angles_deg.append(degrees(dist(direction_teme, towards)))
            distances_au.append(distance_au - theirs_au)
    rows = f"worst of {SKY_INSTANTS} instants on {len(flown())} days"
    return [
        worst_of(f"direction of the Sun (TEME), {rows}", "deg", angles_deg, 0.015, SKYFIELD),
        worst_of(f"distance of the Sun, {rows}", "au", distances_au, 2e-4, SKYFIELD),
    ]


def sunlight(answer: Answer) -> list[Comparison]:
    """Sunset and sunrise of the Sun's centre on the ellipsoid, and the sunlit part of the day."""
    found: list[Comparison] = []
    earth_km = answer["constants"]["earth_radius_km"]
    sphere = ShadowFigures(earth_km, earth_km)
    for case in flown().values():
        theirs = answer["orbits"][case.name]
        what = f"sunset and sunrise, {case.name}"
        found += _edges(what, _sunlit_edges(case), _inside(theirs["sunlit_edges"]), 0.5)
        lit = 0
        for index in range(SKY_INSTANTS):
            utc_s = case.start_utc_s + index * SKY_STEP_S
            sun, distance_au = sun_teme(utc_s)
            r_teme_km, _ = case.orbit.state(utc_s)
            # Half of the disc is its centre, which is what Skyfield's is_sunlit looks at.
            lit += illumination(r_teme_km, sun, distance_au * AU_KM, sphere) >= 0.5
        found.append(
            Comparison(
                f"sunlit instants of {SKY_INSTANTS}, {case.name}",
                "",
                lit,
                theirs["sphere_lit_count"],
                2.0,
                "absolute",
                SKYFIELD,
                "both Earths a sphere here",
            )
        )
    return found


def contacts(answer: Answer) -> list[Comparison]:
    """AOS and LOS over every station for a day."""
    found: list[Comparison] = []
    for case in flown().values():
        ours: list[Edge] = []
        theirs: list[Edge] = []
        for site in case.sites:
            theirs += _inside(answer["orbits"][case.name]["pass_edges"][site.name])
            ours += _pass_edges(case, site)
        stations = ", ".join(site.name for site in case.sites)
        found += _edges(f"AOS and LOS over {stations}, {case.name}", ours, theirs, 0.25)
    return found


def power(answer: Answer) -> list[Comparison]:
    """Light, array energy and an ideal battery for a day, with Basilisk's sizes as it says them."""
    said = answer["constants"]
    earth_km = said["earth_radius_km"]
    figures = ShadowFigures(earth_km, earth_km, said["sun_radius_km"])
    return [
        one
        for name, live in live_power_cases().items()
        for one in beside(live.case, PowerDay(**answer["cases"][name]), figures, BASILISK)
    ]


LIVE: dict[str, tuple[str, tuple[Callable[[Answer], list[Comparison]], ...]]] = {
    "Orbit, Sun, eclipse and passes beside Skyfield": (
        SKYFIELD,
        (places, suns, sunlight, contacts),
    ),
    "Power beside Basilisk": (BASILISK, (power,)),
}
"""Titles, each with its tool and its comparisons."""


def _inside(edges: list[Any]) -> list[Edge]:
    """The edges that the span does not cut."""
    return [(at_s, bool(rising)) for at_s, rising in edges if END_S < at_s < DAY_S - END_S]


def _edges(what: str, ours: list[Edge], theirs: list[Edge], tolerance_s: float) -> list[Comparison]:
    """As many edges of the same kinds, and how far apart they are."""
    agreeing = [rising for _, rising in ours] == [rising for _, rising in theirs]
    number = len(ours) if agreeing else float("nan")
    rows = [
        Comparison(f"{what}, number", "", number, len(theirs), 0.0, "absolute", SKYFIELD),
    ]
    if agreeing and ours:
        errors_s = [one[0] - other[0] for one, other in zip(ours, theirs, strict=True)]
        rows.append(worst_of(f"{what}, worst", "s", errors_s, tolerance_s, SKYFIELD))
    return rows


def _pass_edges(case: Flown, site: Station) -> list[Edge]:
    """Every AOS and LOS of a day over one station."""
    edges: list[Edge] = []
    start_utc_s = case.start_utc_s
    for one in find_passes(case.orbit, [site], start_utc_s, start_utc_s + DAY_S):
        edges += [(one.aos_utc_s - start_utc_s, True), (one.los_utc_s - start_utc_s, False)]
    return _inside(edges)


def _sunlit_edges(case: Flown) -> list[Edge]:
    """Every sunset and sunrise of the day, one after the other."""
    found: set[Edge] = set()
    at_utc_s, end_utc_s = case.start_utc_s, case.start_utc_s + DAY_S
    while at_utc_s < end_utc_s:
        change = next_sunlight_change(case.orbit, at_utc_s, end_utc_s - at_utc_s)
        edges = [
            (edge, rising)
            for edge, rising in ((change.sunset_utc_s, False), (change.sunrise_utc_s, True))
            if edge is not None
        ]
        if not edges:
            break
        edge, rising = min(edges)
        found.add((edge - case.start_utc_s, rising))
        at_utc_s = edge + END_S
    return _inside(sorted(found))
