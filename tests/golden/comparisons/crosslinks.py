"""Lines between two satellites: length, delay and how near they come to the Earth."""

from __future__ import annotations

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv

from node.physics.crosslink import crosslink
from node.physics.vectors import Vector

SOURCE = "isl.csv"
AT_REST = (0.0, 0.0, 0.0)


def ends(row: dict[str, str]) -> tuple[Vector, Vector]:
    """Both positions of a row, in km."""
    a, b = ((float(row[f"{end}x"]), float(row[f"{end}y"]), float(row[f"{end}z"])) for end in "ab")
    return a, b


def lines() -> list[Comparison]:
    """Every pair of satellites."""
    ranges_km, delays_ms, grazing_km, unlike = [], [], [], 0
    for row in load_csv(SOURCE):
        a, b = ends(row)
        link = crosslink(a, AT_REST, b, AT_REST)
        ranges_km.append(link.range_km - float(row["dist_km"]))
        delays_ms.append(link.delay_s * 1e3 - float(row["delay_ms"]))
        height_km = link.grazing_altitude_km
        grazing_km.append(height_km - float(row["min_geodetic_alt_km_on_path"]))
        unlike += (height_km >= 100.0) is not (row["los_clear_100km"] == "1")
        unlike += (height_km >= 0.0) is not (row["los_clear_0km"] == "1")
    rows = f"{len(ranges_km)} lines"
    note = "written to a metre"
    return [
        worst_of(f"length, worst of {rows}", "km", ranges_km, 1e-3, SOURCE, note),
        worst_of(f"delay, worst of {rows}", "ms", delays_ms, 1e-5, SOURCE),
        worst_of(
            f"lowest height over WGS84, worst of {rows}", "km", grazing_km, 1e-3, SOURCE, note
        ),
        Comparison(
            f"sights over 0 and 100 km told wrongly, of {rows}",
            "",
            unlike,
            0.0,
            0.0,
            "absolute",
            SOURCE,
        ),
    ]
