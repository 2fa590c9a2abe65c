"""Equilibria and cooling of single bodies beside their closed forms; the Earth's view factors."""

from __future__ import annotations

from math import cos, radians
from typing import Literal

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, load_json

from node.physics.attitude import BodyAxes
from node.physics.frames import EQUATORIAL_RADIUS_KM
from node.physics.surfaces import Surface, plate_view_factor, sphere_view_factor, surface_heat_w
from node.physics.thermal import ZERO_CELSIUS_K, Node, ThermalNetwork, ThermalSpec

FORMS_FILE = "thermal_closed_forms.json"
VIEWS = "earth_view_factor_plate.csv"
FORMS = load_json(FORMS_FILE)
AXES: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
SUN = (1.0, 0.0, 0.0)
FAR_KM = (1e9, 0.0, 0.0)
LOW_ORBIT_KM = EQUATORIAL_RADIUS_KM + 550.0
DAY_S = 86_400.0


def face(
    facing: Literal["sphere", "sun", "anti_sun", "zenith"],
    *,
    area_m2: float = 1.0,
    emissivity: float = 1.0,
    absorptance: float = 1.0,
) -> Surface:
    """A face of the only node, with the whole sky before it."""
    return Surface("n", area_m2, emissivity, absorptance, 1.0, facing)


def settled_k(
    surfaces: list[Surface],
    *,
    heat_w: float = 0.0,
    solar_w_per_m2: float = 1361.0,
    lit: float = 1.0,
    r_km: tuple[float, float, float] = FAR_KM,
    infrared_w_per_m2: float = 0.0,
    albedo: float = 0.0,
) -> float:
    """The temperature after two days of unchanging light."""
    network = ThermalNetwork(ThermalSpec((Node("n", 100.0),), surfaces=tuple(surfaces)))
    absorbed_w = surface_heat_w(
        surfaces, AXES, SUN, r_km, solar_w_per_m2, lit, infrared_w_per_m2, albedo
    )
    state = network.initial_state([20.0])
    settled = network.step(state, [heat_w], absorbed_w, 2 * DAY_S)
    return settled.temperatures_c[0] + ZERO_CELSIUS_K


def equilibria() -> list[Comparison]:
    """Spheres, plates and radiators where nothing changes."""
    black = [face("sphere")]
    sphere = [face("sphere", emissivity=0.8, absorptance=0.9)]
    low, small = FORMS["leo_sphere"], face("zenith", area_m2=0.25, emissivity=0.88)
    large = face("zenith", area_m2=2.0, emissivity=0.9)
    here = {"infrared_w_per_m2": 237.0, "albedo": 0.3}
    sunward, night = (LOW_ORBIT_KM, 0.0, 0.0), (-LOW_ORBIT_KM, 0.0, 0.0)
    insulated_k, both_k = settled_k([face("sun")]), settled_k([face("sun"), face("anti_sun")])
    rows = (
        ("sphere at 1 au", settled_k(black), FORMS["sphere_1AU_K"]),
        (
            "sphere at 1366.1 W/m2",
            settled_k(black, solar_w_per_m2=1366.1),
            FORMS["sphere_1AU_K_S1366p1"],
        ),
        (
            "sphere at 1371 W/m2",
            settled_k(black, solar_w_per_m2=1371.0),
            FORMS["sphere_1AU_K_S1371"],
        ),
        ("plate in the Sun, both sides", both_k, FORMS["plate_two_sided_K"]),
        ("plate in the Sun, back insulated", insulated_k, FORMS["plate_insulated_back_K"]),
        (
            "radiator of 0.25 m2 with 25 W",
            settled_k([small], heat_w=25.0, lit=0.0),
            FORMS["radiator_25W_eps088_A025_K"],
        ),
        (
            "radiator of 2 m2 with 700 W",
            settled_k([large], heat_w=700.0, lit=0.0),
            FORMS["radiator_700W_eps09_A2p0_deepspace_K"],
        ),
        (
            "sphere at 550 km under the Sun",
            settled_k(sphere, r_km=sunward, **here),
            low["T_subsolar_K"],
        ),
        (
            "sphere at 550 km in eclipse",
            settled_k(sphere, lit=0.0, r_km=night, **here),
            low["T_eclipse_K"],
        ),
    )
    return [
        Comparison(what, "K", found_k, expected_k, 0.01, "absolute", FORMS_FILE)
        for what, found_k, expected_k in rows
    ]


def radiation() -> list[Comparison]:
    """What a black body gives away, and how it cools by that alone."""
    rows = []
    for dt_s in (1.0, 20.0, 60.0):
        network = ThermalNetwork(
            ThermalSpec((Node("n", 1000.0),), surfaces=(face("zenith", area_m2=0.1),))
        )
        state = network.initial_state([350.0 - ZERO_CELSIUS_K])
        elapsed_s, errors_k = 0.0, []
        for at_s, expected_k in FORMS["cooling"]["T"]:
            for _ in range(round((at_s - elapsed_s) / dt_s)):
                state = network.step(state, [0.0], [0.0], dt_s)
            elapsed_s = at_s
            errors_k.append(state.temperatures_c[0] + ZERO_CELSIUS_K - expected_k)
        what = f"free cooling for ten hours in steps of {dt_s:g} s, worst"
        note = "the law's space is at 0 K, ours at 2.7 K"
        rows.append(worst_of(what, "K", errors_k, 0.01, FORMS_FILE, note))
    black = ThermalNetwork(ThermalSpec((Node("n", 1000.0),), surfaces=(face("zenith"),)))
    rows.append(
        Comparison(
            "black body at 300 K",
            "W/m2",
            black.radiated_w([300.0 - ZERO_CELSIUS_K]),
            FORMS["blackbody_300K_Wm2"],
            1e-3,
            "absolute",
            FORMS_FILE,
        )
    )
    return rows


def view_factors() -> list[Comparison]:
    """The Earth before plates of every tilt, and before a sphere."""
    errors = []
    for row in load_csv(VIEWS):
        ratio = (EQUATORIAL_RADIUS_KM + float(row["alt_km"])) / EQUATORIAL_RADIUS_KM
        tilt_cosine = cos(radians(float(row["tilt_from_nadir_deg"])))
        errors.append(plate_view_factor(ratio, tilt_cosine) - float(row["F"]))
    what = f"view factor of a plate, worst of {len(errors)} heights and tilts"
    return [
        worst_of(what, "", errors, 1e-4, VIEWS),
        Comparison(
            "view factor of a sphere at 550 km",
            "",
            sphere_view_factor(LOW_ORBIT_KM / EQUATORIAL_RADIUS_KM),
            FORMS["leo_sphere"]["F"],
            1e-6,
            "relative",
            FORMS_FILE,
        ),
    ]
