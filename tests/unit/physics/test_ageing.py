from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import PhysicsError
from node.physics.ageing import (
    Ageing,
    Cycle,
    equivalent_full_cycles,
    fade,
    fade_after,
    rainflow,
    turning_points,
    years_to_fade,
)

AGEING = Ageing(0.02, 4e-5)
E1049 = [-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0]
"""The example of ASTM E1049-85, figure 6."""


def test_turning_points_leave_out_what_lies_on_the_way() -> None:
    assert list(turning_points([])) == []
    assert list(turning_points([0.5])) == [0.5]
    assert list(turning_points([0.5, 0.5])) == [0.5]
    assert list(turning_points([0.5, 0.5, 0.4, 0.3, 0.3, 0.6, 0.9, 0.9])) == [0.5, 0.3, 0.9]
    assert list(turning_points([0.1, 0.2, 0.2, 0.1, 0.2])) == [0.1, 0.2, 0.1, 0.2]


def test_rainflow_counts_the_example_of_the_standard() -> None:
    ranges: Counter[float] = Counter()
    for cycle in rainflow(E1049):
        ranges[cycle.depth] += cycle.count
    assert ranges == {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}
    # The one closed cycle is E-F, from -1 to 3.
    assert [cycle for cycle in rainflow(E1049) if cycle.count == 1.0] == [Cycle(4.0, 1.0, 1.0)]


def test_a_cycle_within_a_discharge_is_counted_apart() -> None:
    cycles = rainflow([1.0, 0.8, 0.9, 0.6, 1.0])
    assert cycles[0] == Cycle(pytest.approx(0.1), pytest.approx(0.85), 1.0)
    assert cycles[1:] == [Cycle(pytest.approx(0.4), 0.8, 0.5)] * 2


@pytest.mark.parametrize("socs", [[], [0.4], [0.4, 0.4, 0.4]])
def test_a_charge_that_stands_has_no_cycles(socs: list[float]) -> None:
    assert rainflow(socs) == []
    assert equivalent_full_cycles([]) == 0.0


def test_a_day_of_equal_orbits_is_as_many_cycles() -> None:
    orbits = [soc for _ in range(15) for soc in (0.95, 0.75)]
    cycles = rainflow(iter([*orbits, 0.95]))
    assert {round(cycle.depth, 9) for cycle in cycles} == {0.2}
    assert sum(cycle.count for cycle in cycles) == 15.0
    assert equivalent_full_cycles(cycles) == pytest.approx(3.0)


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_full_cycles_are_half_the_way_of_the_charge(socs: list[float]) -> None:
    cycles = rainflow(socs)
    way = sum(abs(b - a) for a, b in pairwise(socs))
    assert equivalent_full_cycles(cycles) == pytest.approx(0.5 * way, abs=1e-9)
    assert all(0.0 < cycle.depth <= 1.0 and 0.0 <= cycle.mean_soc <= 1.0 for cycle in cycles)
    deepest = max(socs, default=0.0) - min(socs, default=0.0)
    assert max((cycle.depth for cycle in cycles), default=0.0) == pytest.approx(deepest)


def test_fade_is_of_time_and_of_use() -> None:
    assert fade(AGEING, 0.0, 0.0) == 0.0
    assert fade(AGEING, 4.0, 0.0) == pytest.approx(0.04)
    assert fade(AGEING, 4.0, 1000.0) == pytest.approx(0.08)
    assert fade(AGEING, 4.0, 1e6) == 1.0


def test_years_to_a_fade() -> None:
    assert years_to_fade(AGEING, 0.0, 0.04) == pytest.approx(4.0)
    assert years_to_fade(Ageing(0.0, 4e-5), 1000.0, 0.2) == pytest.approx(5.0)
    assert years_to_fade(AGEING, 1000.0, 0.0) == 0.0
    assert years_to_fade(AGEING, 1000.0, 0.1, from_fade_ratio=0.1) == 0.0
    assert years_to_fade(Ageing(0.0, 0.0), 1000.0, 0.2) == inf
    assert years_to_fade(Ageing(0.0, 4e-5), 0.0, 0.2, from_fade_ratio=0.1) == inf


def test_a_pack_that_has_aged_goes_on_from_there() -> None:
    new_years = years_to_fade(AGEING, 800.0, 0.2)
    half_years = years_to_fade(AGEING, 800.0, 0.1)
    rest_years = years_to_fade(AGEING, 800.0, 0.2, from_fade_ratio=0.1)
    assert rest_years == pytest.approx(new_years - half_years)
    assert fade_after(AGEING, 800.0, new_years) == pytest.approx(0.2)
    assert fade_after(AGEING, 800.0, rest_years, from_fade_ratio=0.1) == pytest.approx(0.2)
    assert fade_after(AGEING, 800.0, 0.0, from_fade_ratio=0.1) == pytest.approx(0.1)
    assert fade_after(Ageing(0.0, 0.0), 800.0, 5.0, from_fade_ratio=0.1) == 0.1
    assert fade_after(AGEING, 800.0, 1e6) == 1.0


@given(st.floats(0.0, 0.2), st.floats(1e-6, 1e-2), st.floats(1.0, 6000.0), st.floats(0.001, 1.0))
def test_years_and_fade_are_inverse(
    root_rate: float, cycle_rate: float, full_cycles_per_year: float, fade_ratio: float
) -> None:
    ageing = Ageing(root_rate, cycle_rate)
    years = years_to_fade(ageing, full_cycles_per_year, fade_ratio)
    assert fade_after(ageing, full_cycles_per_year, years) == pytest.approx(fade_ratio, rel=1e-9)


@pytest.mark.parametrize("figures", [(-0.1, 0.0), (0.0, 1.1), (nan, 0.0)])
def test_ageing_figures_are_refused(figures: tuple[float, float]) -> None:
    with pytest.raises(PhysicsError, match="_ratio: expected a finite number"):
        Ageing(*figures)


def test_arguments_are_refused_by_name() -> None:
    with pytest.raises(PhysicsError, match="years"):
        fade(AGEING, -1.0, 0.0)
    with pytest.raises(PhysicsError, match="full_cycles"):
        fade(AGEING, 1.0, nan)
    with pytest.raises(PhysicsError, match="fade_ratio"):
        years_to_fade(AGEING, 1.0, 1.5)
    with pytest.raises(PhysicsError, match="from_fade_ratio"):
        fade_after(AGEING, 1.0, 1.0, from_fade_ratio=-0.1)
