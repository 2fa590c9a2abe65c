from __future__ import annotations

import pytest
from physics_reference import load_csv

from node.physics.crosslink import crosslink, grazing_altitude_km
from node.physics.vectors import Vector

ROWS = load_csv("isl.csv")
AT_REST = (0.0, 0.0, 0.0)


def ends(row: dict[str, str]) -> tuple[Vector, Vector]:
    a, b = ((float(row[f"{end}x"]), float(row[f"{end}y"]), float(row[f"{end}z"])) for end in "ab")
    return a, b


def test_the_reference_is_whole() -> None:
    assert len(ROWS) == 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["min_geodetic_alt_km_on_path"])
def test_lines_between_satellites(row: dict[str, str]) -> None:
    a, b = ends(row)
    link = crosslink(a, AT_REST, b, AT_REST)
    assert link.range_km == pytest.approx(float(row["dist_km"]), abs=1e-3)
    assert link.delay_s * 1e3 == pytest.approx(float(row["delay_ms"]), abs=1e-5)
    grazing_km = float(row["min_geodetic_alt_km_on_path"])
    # The reference is written to a metre.
    assert link.grazing_altitude_km == pytest.approx(grazing_km, abs=1e-3)
    assert grazing_altitude_km(b, a) == pytest.approx(link.grazing_altitude_km, abs=1e-6)
    assert (link.grazing_altitude_km >= 100.0) is (row["los_clear_100km"] == "1")
    assert (link.grazing_altitude_km >= 0.0) is (row["los_clear_0km"] == "1")
