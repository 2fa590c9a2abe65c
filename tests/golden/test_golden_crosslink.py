"""What lines between satellites keep besides their figures: see ``comparisons/``."""

from __future__ import annotations

import pytest
from comparisons.crosslinks import AT_REST, ends
from physics_reference import load_csv

from node.physics.crosslink import crosslink, grazing_altitude_km

ROWS = load_csv("isl.csv")


def test_the_reference_is_whole() -> None:
    assert len(ROWS) == 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["min_geodetic_alt_km_on_path"])
def test_a_line_is_the_same_from_either_end(row: dict[str, str]) -> None:
    a, b = ends(row)
    there, back = crosslink(a, AT_REST, b, AT_REST), crosslink(b, AT_REST, a, AT_REST)
    assert there.range_km == pytest.approx(back.range_km, abs=1e-6)
    assert there.grazing_altitude_km == pytest.approx(back.grazing_altitude_km, abs=1e-6)
    assert grazing_altitude_km(b, a) == pytest.approx(there.grazing_altitude_km, abs=1e-6)
