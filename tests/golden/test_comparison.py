from __future__ import annotations

from math import inf, isnan, nan

import pytest
from comparisons.comparison import Comparison, worst_of


def absolute(ours: float, reference: float, tolerance: float) -> Comparison:
    return Comparison("a", "K", ours, reference, tolerance, "absolute", "b.csv")


def relative(ours: float, reference: float, tolerance: float) -> Comparison:
    return Comparison("a", "K", ours, reference, tolerance, "relative", "b.csv")


def test_an_absolute_error_is_in_the_unit() -> None:
    assert absolute(10.5, 10.0, 0.5).error == 0.5
    assert absolute(10.5, 10.0, 0.5).passed
    assert not absolute(9.0, 10.0, 0.5).passed


def test_a_relative_error_is_a_ratio_of_the_reference() -> None:
    assert relative(-90.0, -100.0, 0.1).error == pytest.approx(0.1)
    assert relative(95.0, 100.0, 0.1).passed
    assert not relative(89.0, 100.0, 0.1).passed


def test_of_zero_only_zero_is_a_ratio() -> None:
    assert relative(0.0, 0.0, 0.0).passed
    assert relative(1e-9, 0.0, 0.5).error == inf


@pytest.mark.parametrize(("ours", "reference"), [(nan, 0.0), (0.0, nan), (nan, nan)])
def test_nan_never_passes(ours: float, reference: float) -> None:
    assert not absolute(ours, reference, inf).passed
    assert not relative(ours, reference, inf).passed


def test_the_worst_of_many_is_the_largest_either_way() -> None:
    worst = worst_of("a", "K", [0.1, -0.3, 0.2], 0.25, "b.csv", "c")
    assert (worst.ours, worst.reference, worst.kind, worst.note) == (0.3, 0.0, "absolute", "c")
    assert not worst.passed


@pytest.mark.parametrize("errors", [[nan, 0.1], [0.1, nan, 0.1], [0.1, nan]])
def test_one_nan_among_many_fails_them_all(errors: list[float]) -> None:
    worst = worst_of("a", "K", errors, 1.0, "b.csv")
    assert isnan(worst.ours)
    assert not worst.passed


def test_nothing_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        worst_of("a", "K", [], 1.0, "b.csv")
