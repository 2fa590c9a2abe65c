from __future__ import annotations

import pytest

from node.forecast.model import Spread
from node.forecast.stretch import Extent, Row, Stretch

ROWS: list[Row] = [
    (3.0, 0.9, (10.0, -4.0), 1.0, 1.0),
    (1.0, 0.5, (14.0, -2.0), 0.4, 0.5),
    (2.0, 0.7, (12.0, -3.0), 0.0, 1.0),
]


def test_an_extent_weighs_by_time() -> None:
    assert Extent.of([1.0, 5.0], [3.0, 1.0]).spread(4.0) == Spread(1.0, 2.0, 5.0)


def test_rows_come_to_sums_by_column() -> None:
    found = Stretch.of(ROWS, 1.5)
    assert found.charge == Extent(0.5, 0.9, pytest.approx(4.6))
    assert found.temperatures == (
        Extent(10.0, 14.0, pytest.approx(68.0)),
        Extent(-4.0, -2.0, pytest.approx(-20.0)),
    )
    assert found.clock == Extent(0.5, 1.0, pytest.approx(5.5))
    assert (found.lit_s, found.eclipse_s, found.contact_s) == (pytest.approx(3.4), 3.0, 1.5)


@pytest.mark.parametrize("cut", [1, 2])
def test_two_parts_come_to_the_whole(cut: int) -> None:
    merged = Stretch()
    merged.merge(Stretch.of(ROWS[:cut], 1.0))
    merged.merge(Stretch.of(ROWS[cut:], 0.5))
    whole = Stretch.of(ROWS, 1.5)
    for mine, its in zip(
        (merged.charge, *merged.temperatures, merged.clock),
        (whole.charge, *whole.temperatures, whole.clock),
        strict=True,
    ):
        assert (mine.minimum, mine.maximum) == (its.minimum, its.maximum)
        assert mine.product == pytest.approx(its.product)
    assert merged.lit_s == pytest.approx(whole.lit_s)
    assert (merged.eclipse_s, merged.contact_s) == (whole.eclipse_s, whole.contact_s)
