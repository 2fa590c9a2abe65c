"""Direction and distance of the Sun beside JPL's ephemeris."""

from __future__ import annotations

from math import degrees, dist

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, utc_s

from node.physics.sun import sun_teme

SOURCE = "sun_vectors.csv"


def directions() -> list[Comparison]:
    """Every instant of the table, in the equator and equinox of date."""
    angles_deg, distances_au = [], []
    for row in load_csv(SOURCE):
        direction_teme, distance_au = sun_teme(utc_s(row["utc"]))
        expected = [float(row[axis]) for axis in ("ux_tod", "uy_tod", "uz_tod")]
        angles_deg.append(degrees(dist(direction_teme, expected)))
        distances_au.append(distance_au - float(row["r_au"]))
    rows = f"worst of {len(angles_deg)} instants"
    return [
        worst_of(f"direction of the Sun, {rows}", "deg", angles_deg, 0.015, SOURCE),
        worst_of(f"distance of the Sun, {rows}", "au", distances_au, 2e-4, SOURCE),
    ]
