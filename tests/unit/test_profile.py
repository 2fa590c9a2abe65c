import math

import pytest

from groundlink.profile import Profile, Segment


def triangle() -> Profile:
    """Rises from 0 to 10 over 0..10 s, falls back over 10..20 s."""
    return Profile.through([0.0, 10.0, 20.0], [0.0, 10.0, 0.0])


def test_value_is_linear_between_samples_and_zero_outside() -> None:
    profile = triangle()
    assert [profile.value(t) for t in (-1.0, 0.0, 2.5, 10.0, 15.0, 20.0, 20.1)] == [
        0.0,
        0.0,
        2.5,
        10.0,
        5.0,
        0.0,
        0.0,
    ]


def test_value_holds_at_the_last_instant() -> None:
    assert Profile.constant(3.0, 0.0, 5.0).value(5.0) == 3.0


def test_value_takes_the_later_piece_at_a_step() -> None:
    step = Profile([Segment(0.0, 1.0, 2.0, 2.0), Segment(1.0, 2.0, 7.0, 7.0)])
    assert step.value(1.0) == 7.0
    assert step.peak == 7.0


def test_integral_over_whole_part_and_outside() -> None:
    profile = triangle()
    assert profile.integral(0.0, 20.0) == 100.0
    assert profile.integral(5.0, 15.0) == 75.0
    assert profile.integral(-5.0, 5.0) == 12.5
    assert profile.integral(-9.0, -1.0) == 0.0
    assert profile.integral(15.0, 99.0) == 12.5
    assert profile.integral(5.0, 5.0) == 0.0


def test_reach_inverts_the_integral() -> None:
    profile = triangle()
    assert profile.reach(0.0, 50.0) == pytest.approx(10.0, abs=1e-12)
    assert profile.reach(5.0, 75.0) == pytest.approx(15.0, abs=1e-12)
    assert profile.reach(10.0, 37.5) == pytest.approx(15.0, abs=1e-12)
    assert profile.reach(0.0, 100.0) == pytest.approx(20.0, abs=1e-6)


def test_reach_waits_for_a_gap_to_end() -> None:
    profile = Profile([Segment(0.0, 1.0, 8.0, 8.0), Segment(3.0, 4.0, 8.0, 8.0)])
    assert profile.reach(0.5, 8.0) == 3.5
    assert profile.reach(2.0, 0.0) == 3.0


def test_reach_is_infinite_beyond_what_is_left() -> None:
    assert triangle().reach(19.0, 0.6) == math.inf
    assert triangle().reach(25.0, 1.0) == math.inf
    assert Profile([]).reach(0.0, 1.0) == math.inf


def test_reach_of_nothing_is_at_once() -> None:
    assert triangle().reach(5.0, 0.0) == 5.0


def test_next_above_zero_skips_gaps_and_zeros() -> None:
    profile = Profile(
        [Segment(0.0, 1.0, 8.0, 8.0), Segment(3.0, 4.0, 0.0, 0.0), Segment(4.0, 5.0, 0.0, 2.0)]
    )
    assert profile.next_above_zero(-1.0) == 0.0
    assert profile.next_above_zero(0.5) == 0.5
    assert profile.next_above_zero(1.0) == 4.0
    assert profile.next_above_zero(4.5) == 4.5
    assert profile.next_above_zero(5.0) == math.inf


def test_clipped_keeps_values() -> None:
    clipped = triangle().clipped(5.0, 12.0)
    assert clipped.value(4.9) == 0.0
    assert clipped.value(5.0) == 5.0
    assert clipped.value(12.0) == 8.0
    assert clipped.integral(0.0, 20.0) == 37.5 + 18.0


def test_without_cuts_a_hole() -> None:
    holed = triangle().without(5.0, 12.0)
    assert holed.value(8.0) == 0.0
    assert holed.integral(0.0, 20.0) == pytest.approx(100.0 - 37.5 - 18.0)
    assert triangle().without(6.0, 6.0).integral(0.0, 20.0) == 100.0


def test_empty_pieces_are_left_out() -> None:
    assert Profile.constant(1.0, 3.0, 3.0).segments == ()
    assert Profile([]).peak == 0.0
    assert Profile([]).value(0.0) == 0.0
    assert Profile([]).integral(0.0, 1.0) == 0.0


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_values_must_be_finite_and_not_negative(value: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Profile.constant(value, 0.0, 1.0)


def test_pieces_must_not_overlap() -> None:
    with pytest.raises(ValueError, match="in order"):
        Profile([Segment(0.0, 2.0, 1.0, 1.0), Segment(1.0, 3.0, 1.0, 1.0)])


def test_samples_must_match_times() -> None:
    with pytest.raises(ValueError, match="zip"):
        Profile.through([0.0, 1.0, 2.0], [1.0, 1.0])
