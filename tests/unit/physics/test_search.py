from __future__ import annotations

from math import cos, pi, sin

import pytest

from node.errors import PhysicsError
from node.physics.search import (
    Function,
    crossings,
    maximum,
    maximum_within,
    piecewise_crossings,
    root,
    sample_times,
)


def zeros(function: Function, times: list[float]) -> list[tuple[float, bool]]:
    return crossings(function, times, [function(t) for t in times])


def test_samples_include_both_ends() -> None:
    assert sample_times(10.0, 20.0, 4.0) == pytest.approx([10.0, 10 + 10 / 3, 10 + 20 / 3, 20.0])
    assert sample_times(10.0, 10.0, 4.0) == [10.0, 10.0]
    assert sample_times(0.0, 1.0, 60.0) == [0.0, 1.0]


@pytest.mark.parametrize("span", [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_impossible_span_is_refused(span: tuple[float, float]) -> None:
    with pytest.raises(PhysicsError):
        sample_times(*span, 1.0)


def test_root_either_way() -> None:
    assert root(cos, 0.0, 3.0) == pytest.approx(pi / 2, abs=1e-4)
    assert root(sin, 2.0, 5.0) == pytest.approx(pi, abs=1e-4)
    assert root(lambda t: t - 7.0, 0.0, 60.0) == pytest.approx(7.0, abs=1e-4)


def test_maximum_on_either_side() -> None:
    assert maximum(lambda t: -((t - 41.0) ** 2), 0.0, 60.0) == pytest.approx(41.0, abs=1e-2)
    assert maximum(lambda t: -((t - 2.0) ** 2), 0.0, 60.0) == pytest.approx(2.0, abs=1e-2)
    assert maximum(lambda t: t, 0.0, 60.0) == pytest.approx(60.0, abs=1e-2)


def test_maximum_within_is_led_by_the_samples() -> None:
    # Two humps; the higher one is not in the middle of the span.
    def humps(t: float) -> float:
        return sin(t / 10.0) + t / 1000.0

    times = [10.0 * k for k in range(11)]
    assert maximum_within(humps, 0.0, 100.0, times) == pytest.approx(78.64, abs=0.05)
    assert maximum_within(lambda t: -((t - 3.0) ** 2), 1.0, 4.0, times) == pytest.approx(
        3, abs=0.01
    )
    assert maximum_within(lambda t: -t, 20.0, 50.0, times) == pytest.approx(20.0, abs=0.02)


def test_crossings_in_order_with_direction() -> None:
    found = zeros(lambda t: sin(t / 10.0), [-3.0 + 7.0 * k for k in range(11)])
    assert [rising for _, rising in found] == [True, False, True]
    assert [t for t, _ in found] == pytest.approx([0.0, 10 * pi, 20 * pi], abs=1e-4)


def test_hump_between_two_samples_is_found() -> None:
    found = zeros(lambda t: 1.0 - (t - 37.0) ** 2, [0.0, 30.0, 60.0, 90.0])
    assert [t for t, _ in found] == pytest.approx([36.0, 38.0], abs=1e-4)
    assert [rising for _, rising in found] == [True, False]


def test_dip_between_two_samples_is_found() -> None:
    found = zeros(lambda t: (t - 37.0) ** 2 - 1.0, [0.0, 30.0, 60.0, 90.0])
    assert [t for t, _ in found] == pytest.approx([36.0, 38.0], abs=1e-4)
    assert [rising for _, rising in found] == [False, True]


def test_extremum_that_stays_on_its_side_is_none() -> None:
    times = [0.0, 30.0, 60.0, 90.0]
    assert zeros(lambda t: -1.0 - (t - 37.0) ** 2, times) == []
    assert zeros(lambda t: 1.0 + (t - 37.0) ** 2, times) == []
    assert zeros(lambda t: t + 1.0, times) == []


def teeth(t: float) -> float:
    """Up and down by one every ten seconds."""
    return 5.0 - abs(t % 20.0 - 10.0)


def test_crossings_between_kinks() -> None:
    kinks = [10.0 * k for k in range(7)]
    found = piecewise_crossings(lambda t: teeth(t) + 4.0, kinks)
    assert [t for t, _ in found] == pytest.approx([1, 19, 21, 39, 41, 59], abs=1e-4)
    assert [rising for _, rising in found] == [True, False] * 3


@pytest.mark.parametrize("at_s", [3.0, 13.0, 29.4, 29.97])
@pytest.mark.parametrize("half_s", [0.02, 0.5, 2.0])
def test_hump_and_dip_inside_one_piece(at_s: float, half_s: float) -> None:
    def hump(t: float) -> float:
        return half_s**2 - (t - at_s) ** 2

    edges = [each for each in (at_s - half_s, at_s + half_s) if each < 30.0]
    found = piecewise_crossings(hump, [0.0, 30.0, 60.0] if len(edges) == 2 else [0.0, 30.0])
    assert [t for t, _ in found] == pytest.approx(edges, abs=1e-4)
    assert [rising for _, rising in found] == [True, False][: len(edges)]
    found = piecewise_crossings(lambda t: -hump(t), [0.0, 30.0])
    assert [t for t, _ in found] == pytest.approx(edges, abs=1e-4)
    assert [rising for _, rising in found] == [False, True][: len(edges)]


@pytest.mark.parametrize(
    "function",
    [
        lambda t: -1.0 - (t - 13.0) ** 2,
        lambda t: 1.0 + (t - 13.0) ** 2,
        lambda t: t - 100.0,
        lambda t: 100.0 - t,
        lambda t: 1.0 + t,
    ],
)
def test_piece_on_one_side_of_zero_has_none(function: Function) -> None:
    assert piecewise_crossings(function, [0.0, 30.0]) == []


def test_piece_too_short_for_a_hump_is_taken_as_straight() -> None:
    assert piecewise_crossings(lambda t: 1e-6 - (t - 0.01) ** 2, [0.0, 0.02]) == []
    ((at_s, rising),) = piecewise_crossings(lambda t: t - 0.005, [0.0, 0.02])
    assert at_s == pytest.approx(0.005, abs=1e-4)
    assert rising
