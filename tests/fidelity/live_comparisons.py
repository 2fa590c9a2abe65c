"""Our figures beside those of the live tools, for the same instants."""

from __future__ import annotations

from collections.abc import Callable
from math import degrees, dist
from typing import Any

from comparisons.comparison import Comparison, worst_of
from live_requests import (
    DAY_S,
    POWER_STEP_S,
    SKY_STEP_S,
    Flown,
    PowerCase,
    flown,
    power_cases,
)

from node.physics.array import array_power_w
from node.physics.attitude import body_axes_teme
from node.physics.battery import BatterySpec, BatteryState, step
from node.physics.frames import ecef_from_teme, gmst_rad
from node.physics.passes import Station, find_passes
from node.physics.shadow import illumination, next_sunlight_change
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, sun_teme

SKYFIELD = "Skyfield"
BASILISK = "Basilisk"
SKY_INSTANTS = round(DAY_S / SKY_STEP_S) + 1
SPHERE_NOTE = "Basilisk's Earth is a sphere"
SKYFIELD_SPHERE_NOTE = "Skyfield's Earth is a sphere here"
# Within this of the span's ends an edge belongs to neither side.
END_S = 1.0

Answer = dict[str, Any]
Edge = tuple[float, bool]
"""Seconds after the start, and whether it rises."""


def places(answers: dict[str, Answer]) -> list[Comparison]:
    """Position of the node in both frames, every minute of the day."""
    teme_km, fixed_km = [], []
    for case in flown().values():
        answer = answers[case.name]
        for index in range(SKY_INSTANTS):
            utc_s = case.start_utc_s + index * SKY_STEP_S
            r_teme_km, _ = case.orbit.state(utc_s)
            teme_km.append(dist(r_teme_km, answer["r_teme_km"][index]))
            r_ecef_km = ecef_from_teme(r_teme_km, gmst_rad(utc_s))
            fixed_km.append(dist(r_ecef_km, answer["r_itrs_km"][index]))
    rows = f"worst of {SKY_INSTANTS} instants of {len(flown())} orbits"
    note = "our UT1 is UTC"
    return [
        worst_of(f"TEME position, {rows}", "km", teme_km, 1e-3, SKYFIELD),
        worst_of(f"Earth-fixed position (ITRS), {rows}", "km", fixed_km, 0.2, SKYFIELD, note),
    ]


def suns(answers: dict[str, Answer]) -> list[Comparison]:
    """Direction and distance of the Sun, every minute of each orbit's day."""
    angles_deg, distances_au = [], []
    for case in flown().values():
        answer = answers[case.name]
        for index in range(SKY_INSTANTS):
            direction_teme, distance_au = sun_teme(case.start_utc_s + index * SKY_STEP_S)
            theirs_au = answer["sun_distance_au"][index]
            theirs = [axis_km / AU_KM / theirs_au for axis_km in answer["sun_teme_km"][index]]
            angles_deg.append(degrees(dist(direction_teme, theirs)))
            distances_au.append(distance_au - theirs_au)
    rows = f"worst of {SKY_INSTANTS} instants on {len(flown())} days"
    return [
        worst_of(f"direction of the Sun (TEME), {rows}", "deg", angles_deg, 0.015, SKYFIELD),
        worst_of(f"distance of the Sun, {rows}", "au", distances_au, 2e-4, SKYFIELD),
    ]


def sunlight(answers: dict[str, Answer]) -> list[Comparison]:
    """Sunset and sunrise of the Sun's centre on the ellipsoid, and the sunlit part of the day."""
    found: list[Comparison] = []
    for case in flown().values():
        answer = answers[case.name]
        theirs = _inside(answer["sunlit_edges"])
        what = f"sunset and sunrise, {case.name}"
        found += _edges(what, _sunlit_edges(case), theirs, 0.5)
        lit = 0
        for index in range(SKY_INSTANTS):
            utc_s = case.start_utc_s + index * SKY_STEP_S
            direction_teme, distance_au = sun_teme(utc_s)
            seen = illumination(case.orbit.state(utc_s)[0], direction_teme, distance_au * AU_KM)
            lit += seen >= 0.5
        found.append(
            Comparison(
                f"sunlit part of {SKY_INSTANTS} instants, {case.name}",
                "",
                lit / SKY_INSTANTS,
                answer["sphere_lit_ratio"],
                0.01,
                "absolute",
                SKYFIELD,
                SKYFIELD_SPHERE_NOTE,
            )
        )
    return found


def contacts(answers: dict[str, Answer]) -> list[Comparison]:
    """AOS and LOS over every station for a day."""
    found: list[Comparison] = []
    for case in flown().values():
        ours: list[Edge] = []
        theirs: list[Edge] = []
        for site in case.sites:
            theirs += _inside(answers[case.name]["pass_edges"][site.name])
            ours += _pass_edges(case, site)
        stations = ", ".join(site.name for site in case.sites)
        found += _edges(f"AOS and LOS over {stations}, {case.name}", ours, theirs, 0.25)
    return found


def power(answers: dict[str, Answer]) -> list[Comparison]:
    """Light, array energy and an ideal battery for a day."""
    found: list[Comparison] = []
    for case in power_cases():
        theirs, ours = answers[case.name], _fly(case)
        sphere = case.flown.name.startswith("EQUAT")
        note = "" if sphere else SPHERE_NOTE
        share = 0.002 if sphere else 0.01
        found += [
            Comparison(
                f"lit part of a day, {case.name}",
                "",
                ours["lit_ratio"],
                theirs["lit_ratio"],
                0.001 if sphere else 0.005,
                "absolute",
                BASILISK,
                note,
            ),
            *(
                Comparison(
                    f"{what}, {case.name}",
                    unit,
                    ours[key],
                    theirs[key],
                    share,
                    "relative",
                    BASILISK,
                    note,
                )
                for what, unit, key in (
                    ("array energy of a day", "Wh", "array_energy_wh"),
                    ("array's greatest power", "W", "array_peak_w"),
                    ("battery's least charge", "Wh", "battery_min_wh"),
                    ("battery's charge after a day", "Wh", "battery_end_wh"),
                )
            ),
        ]
    return found


LIVE: dict[str, tuple[str, tuple[Callable[[dict[str, Answer]], list[Comparison]], ...]]] = {
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


def _fly(case: PowerCase) -> dict[str, float]:
    """Basilisk's day by our physics: its step, its rectangle rule, a battery without losses."""
    volts = 10.0
    pack = BatterySpec(
        series=1,
        parallel=1,
        cell_capacity_ah=case.capacity_wh / volts,
        cell_resistance_ohm=1e-12,
        ocv_soc=(0.0, 1.0),
        cell_ocv_v=(volts, volts),
        cell_max_v=1.01 * volts,
        max_charge_c_rate=1e3,
        coulombic_efficiency=1.0,
        capacity_fade=0.0,
        min_charge_temperature_c=-100.0,
        min_bus_v=0.5 * volts,
    )
    state = BatteryState(case.initial_wh / case.capacity_wh)
    count = round(DAY_S / POWER_STEP_S)
    lit_sum = energy_wh = peak_w = 0.0
    least_wh = case.initial_wh
    for index in range(count):
        utc_s = case.flown.start_utc_s + index * POWER_STEP_S
        r_teme_km, v_teme_km_s = case.flown.orbit.state(utc_s)
        sun, distance_au = sun_teme(utc_s)
        lit = illumination(r_teme_km, sun, distance_au * AU_KM)
        axes = body_axes_teme(case.attitude, r_teme_km, v_teme_km_s, sun)
        irradiance = SOLAR_CONSTANT_W_PER_M2 / distance_au**2 * lit
        power_w = array_power_w(case.panels, axes, sun, irradiance)
        # Basilisk's battery integrates over the step that has passed: none at the first instant.
        if index:
            state = step(pack, state, power_w - case.load_w, POWER_STEP_S, 20.0).state
        lit_sum += lit
        energy_wh += power_w * POWER_STEP_S / 3600.0
        peak_w = max(peak_w, power_w)
        least_wh = min(least_wh, state.soc * case.capacity_wh)
    return {
        "lit_ratio": lit_sum / count,
        "array_energy_wh": energy_wh,
        "array_peak_w": peak_w,
        "battery_min_wh": least_wh,
        "battery_end_wh": state.soc * case.capacity_wh,
    }
