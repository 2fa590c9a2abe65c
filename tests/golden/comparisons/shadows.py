"""Eclipse edges, penumbra, beta angle and eclipse fraction."""

from __future__ import annotations

from math import cos, hypot, pi, radians, sin

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, load_json, orbit

from node.physics.shadow import ShadowFigures, beta_angle_deg, eclipse_events, illumination
from node.physics.sun import AU_KM, sun_teme

EVENTS = "eclipse_events.json"
PENUMBRA = "penumbra_iss2024.csv"
FRACTIONS = "beta_eclipse_fraction.csv"
CASES = {case["name"]: case for case in load_json(EVENTS)["cases"]}
DAY_S = 86_400.0
INSTANT_S = 5.0
SAMPLES = 3600
CYLINDER = ShadowFigures(6378.137, 6378.137, 0.0)
"""A sphere before a point: with the Sun far away its shadow is the closed form's cylinder."""
FAR_KM = 1e15


def reference_events(name: str) -> list[tuple[float, str]]:
    """Seconds after the epoch and kind of every edge of a reference orbit, in order of time."""
    truth = CASES[name]["ellipsoid_cspice_s"]
    events = []
    for key, edge in (("umbra_intervals", "umbra"), ("any_eclipse_intervals", "penumbra")):
        for begin_s, end_s in truth[key]:
            events += [(begin_s, f"{edge}_entry"), (end_s, f"{edge}_exit")]
    # An interval cut by the window has no edge there.
    return sorted(event for event in events if 0.0 < event[0] < DAY_S)


def eclipse_edges() -> list[Comparison]:
    """Umbra and penumbra of each orbit for a day, beside CSPICE's ellipsoid."""
    rows: list[Comparison] = []
    for name in CASES:
        epoch = orbit(name).epoch_utc_s
        found = eclipse_events(orbit(name), epoch, epoch + DAY_S)
        expected = reference_events(name)
        what = f"shadow edges of {name} in a day"
        agreeing = [kind for _, kind in expected] == [event.kind for event in found]
        rows.append(
            Comparison(
                f"{what}, number",
                "",
                len(found) if agreeing else float("nan"),
                len(expected),
                0.0,
                "absolute",
                EVENTS,
                "" if expected else "an orbit in full sunlight",
            )
        )
        if agreeing and expected:
            errors_s = [
                event.utc_s - epoch - at_s for event, (at_s, _) in zip(found, expected, strict=True)
            ]
            rows.append(worst_of(f"{what}, worst", "s", errors_s, 0.5, EVENTS))
    return rows


def instants() -> list[Comparison]:
    """Umbra, penumbra or sunlight every few seconds of each orbit's day."""
    rows = []
    for name, case in CASES.items():
        truth = case["ellipsoid_cspice_s"]
        satellite = orbit(name)
        unlike = 0
        for step in range(int(DAY_S / INSTANT_S)):
            after_s = step * INSTANT_S
            utc_s = satellite.epoch_utc_s + after_s
            direction, distance_au = sun_teme(utc_s)
            lit = illumination(satellite.state(utc_s)[0], direction, distance_au * AU_KM)
            for key, ours in (
                ("umbra_intervals", lit == 0.0),
                ("any_eclipse_intervals", lit < 1.0),
            ):
                theirs = any(begin_s <= after_s <= end_s for begin_s, end_s in truth[key])
                unlike += ours is not theirs
        rows.append(
            Comparison(
                f"umbra and penumbra of {name} told wrongly, part of a day's instants",
                "%",
                100.0 * unlike / (DAY_S / INSTANT_S),
                0.0,
                0.05,
                "absolute",
                EVENTS,
                f"every {INSTANT_S:g} s",
            )
        )
    return rows


def penumbra() -> list[Comparison]:
    """The lit part of the Sun's disc through two penumbras, beside a ray trace."""
    errors = []
    for row in load_csv(PENUMBRA):
        r_km = (float(row["rx_km_tod"]), float(row["ry"]), float(row["rz"]))
        x, y, z = (float(row[key]) for key in ("sunx_km_tod", "suny", "sunz"))
        distance_km = hypot(x, y, z)
        direction = (x / distance_km, y / distance_km, z / distance_km)
        traced = float(row["lit_raytraced_ellipsoid_40000rays"])
        errors.append(illumination(r_km, direction, distance_km) - traced)
    what = f"lit part of the Sun in the penumbra, worst of {len(errors)} instants"
    return [worst_of(what, "", errors, 0.005, PENUMBRA)]


def beta_angles() -> list[Comparison]:
    """The Sun above each orbit's plane."""
    errors_deg = []
    for name, case in CASES.items():
        satellite = orbit(name)
        r_teme_km, v_teme_km_s = satellite.state(satellite.epoch_utc_s)
        direction, _ = sun_teme(satellite.epoch_utc_s)
        found_deg = beta_angle_deg(r_teme_km, v_teme_km_s, direction)
        errors_deg.append(found_deg - case["beta_deg_at_epoch"])
    what = f"beta angle at epoch, worst of {len(errors_deg)} orbits"
    return [worst_of(what, "deg", errors_deg, 0.01, EVENTS)]


def eclipse_fractions() -> list[Comparison]:
    """The dark part of circular orbits in the equator, beside the closed form of a cylinder."""
    errors, rows = [], load_csv(FRACTIONS)
    for row in rows:
        # Above, the orbit grazes the shadow, where cone and cylinder differ in kind.
        if float(row["beta_deg"]) > 55.0:
            continue
        radius_km = 6378.137 + float(row["alt_km"])
        beta_rad = radians(float(row["beta_deg"]))
        sun = (cos(beta_rad), 0.0, sin(beta_rad))
        dark = sum(
            1.0 - illumination((radius_km * cos(u), radius_km * sin(u), 0.0), sun, AU_KM)
            for u in (2.0 * pi * index / SAMPLES for index in range(SAMPLES))
        )
        errors.append(dark / SAMPLES - float(row["fraction_closed_form"]))
    return [
        worst_of(
            f"eclipse fraction of a circular orbit, worst of {len(errors)} orbits",
            "",
            errors,
            0.004,
            FRACTIONS,
            "the closed form is a cylinder behind a sphere; beta to 55 deg",
        )
    ]


def cylinders() -> list[Comparison]:
    """The same with the closed form's own shadow, at every beta."""
    closed, brute = [], []
    for row in load_csv(FRACTIONS):
        fraction = _dark_fraction(float(row["alt_km"]), float(row["beta_deg"]))
        closed.append(fraction - float(row["fraction_closed_form"]))
        brute.append(fraction - float(row["fraction_bruteforce_cylinder"]))
    what = f"eclipse fraction in a cylinder's shadow, worst of {len(closed)} orbits"
    return [
        worst_of(f"{what}, closed form", "", closed, 1e-6, FRACTIONS),
        worst_of(f"{what}, by brute force", "", brute, 1e-4, FRACTIONS),
    ]


def _dark_fraction(altitude_km: float, beta_deg: float) -> float:
    """By bisection for the angle from opposition at which the shadow ends."""
    radius_km = CYLINDER.equatorial_radius_km + altitude_km
    beta_rad = radians(beta_deg)
    sun = (cos(beta_rad), 0.0, sin(beta_rad))

    def dark(before_opposition_rad: float) -> bool:
        angle_rad = pi - before_opposition_rad
        r_km = (radius_km * cos(angle_rad), radius_km * sin(angle_rad), 0.0)
        return illumination(r_km, sun, FAR_KM, CYLINDER) == 0.0

    if not dark(0.0):
        return 0.0
    inside, outside = 0.0, pi / 2.0
    while outside - inside > 1e-9:
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if dark(middle) else (inside, middle)
    return inside / pi
