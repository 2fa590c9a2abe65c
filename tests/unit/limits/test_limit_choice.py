from __future__ import annotations

import pytest

from node.limits.choice import choose, clamped

STEPS = (600, 700, 800, 900, 1000)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        (1000, 1000),
        (999, 900),
        (900, 900),
        (601, 600),
        (600, 600),
        (599, 600),
        (1, 600),
        (1001, None),
        (1 << 53, None),
    ],
)
def test_a_value_snaps_down_to_a_step_and_never_above_the_baseline(
    asked: int, written: int | None
) -> None:
    assert choose(asked, baseline=1000, floor=600, steps=STEPS) == written


def test_a_range_takes_any_number_above_its_floor() -> None:
    assert choose(777, baseline=1000, floor=600, steps=()) == 777
    assert choose(5, baseline=1000, floor=600, steps=()) == 600


def test_the_baseline_may_be_asked_for_even_where_it_is_no_step() -> None:
    assert choose(950, baseline=950, floor=600, steps=STEPS) == 950
    assert choose(949, baseline=950, floor=600, steps=STEPS) == 900
    assert choose(951, baseline=950, floor=600, steps=STEPS) is None


def test_a_floor_above_the_steps_below_it_is_kept() -> None:
    assert choose(650, baseline=1000, floor=800, steps=STEPS) == 800
    assert choose(850, baseline=1000, floor=800, steps=STEPS) == 800


def test_a_board_that_was_found_below_its_floor_is_not_raised_to_it() -> None:
    assert choose(500, baseline=500, floor=800, steps=STEPS) == 500
    assert choose(400, baseline=500, floor=800, steps=STEPS) == 500
    assert choose(501, baseline=500, floor=800, steps=STEPS) is None


def test_no_step_within_the_range_leaves_the_floor() -> None:
    assert choose(580, baseline=590, floor=550, steps=STEPS) == 550


def test_what_differs_is_said() -> None:
    assert clamped(700, 700) == ""
    assert "snapped" in clamped(750, 700)
    assert "floor" in clamped(5, 600)
