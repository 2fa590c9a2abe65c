from __future__ import annotations

from math import degrees, dist

import pytest
from physics_reference import ELEMENTS, load_csv, orbit, utc_s

from node.physics.orbit import Orbit
from node.physics.sun import SunTable, sun_teme


@pytest.mark.parametrize("name", ELEMENTS)
def test_sgp4_gives_the_published_state_at_epoch(name: str) -> None:
    entry = ELEMENTS[name]
    satellite = orbit(name)
    assert satellite.epoch_utc_s == pytest.approx(utc_s(entry["epoch_utc"]), abs=1e-5)
    r_teme_km, v_teme_km_s = satellite.state(satellite.epoch_utc_s)
    assert r_teme_km == pytest.approx(entry["teme_at_epoch_km"], abs=1e-6)
    assert v_teme_km_s == pytest.approx(entry["teme_v_at_epoch_kms"], abs=1e-9)


DESIGNED = [name for name, entry in ELEMENTS.items() if "design" in entry]


@pytest.mark.parametrize("name", DESIGNED)
def test_mean_elements_become_the_same_orbit_as_their_tle(name: str) -> None:
    design = ELEMENTS[name]["design"]
    epoch_utc_s = utc_s(design["epoch_utc"])
    made = Orbit.from_keplerian(
        design["alt_km"], design["ecc"], design["inc_deg"], design["raan_deg"], 90, 270, epoch_utc_s
    )
    tle = orbit(name)
    # A TLE writes angles to 1e-4 degrees (12 m) and the mean motion to 1e-8 a day (8 m in a day).
    for after_s in (0.0, 86_400.0):
        assert (
            dist(made.state(epoch_utc_s + after_s)[0], tle.state(epoch_utc_s + after_s)[0]) < 0.02
        )


@pytest.mark.parametrize("name", [name for name in DESIGNED if ELEMENTS[name]["design"]["ltan_h"]])
def test_sun_synchronous_design_has_the_reference_plane(name: str) -> None:
    design = ELEMENTS[name]["design"]
    epoch_utc_s = utc_s(design["epoch_utc"])
    # The reference places the node by a mean anomaly of 270 degrees: 0.0573 degrees of true
    # anomaly short of the ascending node at this eccentricity.
    made = Orbit.from_sso(
        design["alt_km"], design["ltan_h"], design["ecc"], degrees(-2 * design["ecc"]), epoch_utc_s
    )
    assert dist(made.state(epoch_utc_s)[0], orbit(name).state(epoch_utc_s)[0]) < 0.02


SUN_ROWS = load_csv("sun_vectors.csv")


@pytest.mark.parametrize("row", SUN_ROWS, ids=lambda row: row["utc"])
def test_sun_stands_where_the_ephemeris_puts_it(row: dict[str, str]) -> None:
    direction_teme, distance_au = sun_teme(utc_s(row["utc"]))
    expected = [float(row[axis]) for axis in ("ux_tod", "uy_tod", "uz_tod")]
    assert degrees(dist(direction_teme, expected)) < 0.015
    assert distance_au == pytest.approx(float(row["r_au"]), abs=2e-4)


def test_sun_table_meets_the_same_tolerance() -> None:
    table = SunTable()
    for row in SUN_ROWS:
        exact = sun_teme(utc_s(row["utc"]))
        found = table.at(utc_s(row["utc"]))
        assert dist(found.direction_teme, exact.direction_teme) < 2e-8
        assert found.distance_au == pytest.approx(exact.distance_au, abs=1e-8)
