"""The table of the Sun beside the Sun itself; both beside references: ``comparisons/``."""

from __future__ import annotations

from math import dist

import pytest
from physics_reference import load_csv, utc_s

from node.physics.sun import SunTable, sun_teme


def test_sun_table_meets_the_same_tolerance() -> None:
    table = SunTable()
    rows = load_csv("sun_vectors.csv")
    assert rows
    for row in rows:
        exact = sun_teme(utc_s(row["utc"]))
        found = table.at(utc_s(row["utc"]))
        assert dist(found.direction_teme, exact.direction_teme) < 2e-8
        assert found.distance_au == pytest.approx(exact.distance_au, abs=1e-8)
