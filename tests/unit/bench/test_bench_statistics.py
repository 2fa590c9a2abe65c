from __future__ import annotations

import pytest

from node.bench.statistics import drift, estimate, quantile


def test_the_interval_is_students() -> None:
    # Mean 3, deviation sqrt(2.5), t of four degrees of freedom 2.776.
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3.0
    assert found.half_width == pytest.approx(2.776 * (2.5 / 5) ** 0.5)
    assert estimate([7.0]) == (7.0, None)
    many = estimate([1.0, 2.0] * 50)
    assert many.half_width == pytest.approx(2.262 * 0.502519 / 10, rel=1e-5)


def test_quantiles_are_values_that_were_there() -> None:
    values = [5.0, 1.0, 2.0, 4.0, 3.0]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert quantile(list(range(1, 101)), 0.95) == 95


def test_drift_is_of_the_later_half_against_the_earlier() -> None:
    assert drift([1.0, 1.0, 9.0, 1.1, 1.1]) == pytest.approx(0.1)
    assert drift([2.0]) is None
    assert drift([0.0, 1.0]) is None
