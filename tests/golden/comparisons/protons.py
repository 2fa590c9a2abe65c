"""Trapped protons by place, their means over orbits, and cosmic rays by magnetic cut-off."""

from __future__ import annotations

from comparisons.comparison import Comparison, worst_of
from physics_reference import ELEMENTS, load_json, orbit, utc_s

from node.physics.frames import ecef_from_teme, geodetic_from_ecef, gmst_rad
from node.physics.proton_map import proton_flux_per_cm2_s
from node.physics.radiation import ACTIVE_SUN_GV, above_cutoff_ratio

MAP = "saa_ap8min.json"
ORBITS = "proton_orbit_averages.json"
RAYS = "gcr_cutoff.json"
MAP_UTC_S = utc_s("2025-05-26T20:24:00Z")
"""2025.4, counted in Julian years from J2000: the map's year."""
STEP_S = 30.0
STEPS = 3 * 2880
COPY_NOTE = "our table is made from this file: read as it was written"
HIGH_FLUX_PER_CM2_S = 10.0


def layers() -> dict[float, list[list[float]]]:
    """Flux above 30 MeV in 1/cm2/s by altitude in km, by latitude, by longitude."""
    return {
        float(name.partition("_")[0]): rows
        for name, rows in load_json(MAP)["maps"].items()
        if name.endswith(">30")
    }


def map_nodes() -> list[Comparison]:
    """Every node of the map."""
    grid = load_json(MAP)
    errors = [
        proton_flux_per_cm2_s(latitude_deg, longitude_deg, altitude_km, MAP_UTC_S) - expected
        for altitude_km, rows in layers().items()
        for latitude_deg, row in zip(grid["lat"], rows, strict=True)
        for longitude_deg, expected in zip(grid["lon"], row, strict=True)
    ]
    what = f"proton flux above 30 MeV, worst of {len(errors)} nodes"
    return [worst_of(what, "1/cm2/s", errors, 1e-9, MAP, COPY_NOTE)]


def orbit_means() -> list[Comparison]:
    """Three days of each orbit through the map."""
    # 15 % is what the map's mesh allows; a wrong sign, epoch or altitude shows far below that.
    rows: list[Comparison] = []
    altitudes_km, shares = [], []
    for expected in load_json(ORBITS)["orbits"]:
        name = expected["name"]
        path, start_utc_s = orbit(name), utc_s(ELEMENTS[name]["epoch_utc"])
        fluxes, altitude_sum_km = [], 0.0
        for index in range(STEPS + 1):
            at_s = start_utc_s + STEP_S * index
            r_teme_km, _ = path.state(at_s)
            place = geodetic_from_ecef(ecef_from_teme(r_teme_km, gmst_rad(at_s)))
            altitude_sum_km += place[2]
            fluxes.append(proton_flux_per_cm2_s(*place, at_s))
        mean = expected["mean_flux_E>30_cm2s"]
        faint = mean < 1.0
        rows.append(
            Comparison(
                f"mean proton flux above 30 MeV, {name}",
                "1/cm2/s",
                sum(fluxes) / len(fluxes),
                mean,
                0.02 if faint else 0.05,
                "absolute" if faint else "relative",
                ORBITS,
                "AP8 itself is known to a factor of two",
            )
        )
        altitudes_km.append(altitude_sum_km / len(fluxes) - expected["mean_alt_km"])
        high = sum(flux > HIGH_FLUX_PER_CM2_S for flux in fluxes) / len(fluxes)
        shares.append(high - expected["time_fraction_flux>10cm2s_E>30"])
    worst = f"worst of {len(rows)} orbits"
    return [
        *rows,
        worst_of(f"part of the time above 10/cm2/s, {worst}", "", shares, 0.008, ORBITS),
        worst_of(f"mean height over WGS84, {worst}", "km", altitudes_km, 0.02, ORBITS),
    ]


def cosmic_rays() -> list[Comparison]:
    """Every node of the table, for a quiet and an active Sun."""
    errors = []
    for rigidity_gv, quiet, active in load_json(RAYS)["table"]:
        errors.append(above_cutoff_ratio(rigidity_gv) - quiet)
        errors.append(above_cutoff_ratio(rigidity_gv, ACTIVE_SUN_GV) - active)
    what = f"cosmic rays above the cut-off, worst of {len(errors)} nodes"
    return [worst_of(what, "", errors, 0.0, RAYS, COPY_NOTE)]
