"""The clock that a hot board is left with, alone and in the core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from spacecraft import IDLE_W, MODEL, Flight, offer, only, spacecraft, start

from node.core import effects
from node.core.craft import ModelFigures
from node.core.modes import OperatingMode
from node.core.throttle import ClockLimit, ThrottleLaw
from node.physics.thermal import Node, ThermalSpec

LAW = ThrottleLaw(
    clock_mhz=1800.0,
    min_clock_mhz=600.0,
    begins_c=82.0,
    slope_mhz_per_k=90.0,
    die_offset_k_per_w=2.0,
    power_exponent=2.5,
)


@pytest.mark.parametrize(
    ("die_c", "clock_mhz"), [(20.0, 1800.0), (82.0, 1800.0), (83.0, 1710.0), (200.0, 600.0)]
)
def test_the_clock_falls_in_proportion_down_to_the_lowest(die_c: float, clock_mhz: float) -> None:
    assert LAW.allowed_ratio(die_c) * 1800.0 == pytest.approx(clock_mhz)


def test_the_die_is_hotter_than_the_board_by_its_power() -> None:
    assert LAW.die_c(60.0, 5.0) == 70.0


def test_power_goes_with_the_clock_to_the_exponent() -> None:
    assert LAW.power_ratio(1.0) == 1.0
    assert LAW.power_ratio(0.9) == pytest.approx(0.9**2.5)
    assert replace(LAW, power_exponent=0.0).power_ratio(0.5) == 1.0


def test_loop_gain_is_the_slope_of_the_next_clock_over_the_present_one() -> None:
    full_w, little = 3.0, 1e-6
    hotter_k = LAW.die_c(80.0, full_w) - LAW.die_c(80.0, full_w * LAW.power_ratio(1.0 - little))
    swing = LAW.slope_mhz_per_k * hotter_k / LAW.clock_mhz
    assert LAW.loop_gain(full_w) == pytest.approx(swing / little, rel=1e-5)


def test_a_limit_moves_by_one_percent_or_back_to_full() -> None:
    clock = ClockLimit(LAW, 5.0)
    assert not clock.follow(81.0, 0.5, 1.0)
    # 0.19 K above where it begins: less than one percent.
    assert not clock.follow(81.19, 0.5, 1.0)
    assert clock.follow(82.0, 0.5, 1.0)
    assert clock.ratio == pytest.approx(0.95)
    assert clock.throttled_s == 5.0
    assert not clock.follow(82.1, 0.5, 2.0)
    assert clock.throttled_s == 7.0
    # Nearly full again is not worth an order, full is.
    assert clock.follow(81.15, 0.5, 1.0)
    assert clock.ratio == pytest.approx(0.9925)
    assert clock.follow(81.0, 0.5, 1.0)
    assert clock.ratio == 1.0
    assert clock.throttled_s == 9.0


def hot(board_c: float = 74.0, soc: float = 0.9, **changes: Any) -> Flight:
    """Fly a board that keeps its temperature, whatever it draws."""
    craft = spacecraft(
        throttle=LAW, thermal=ThermalSpec((Node("board", 1e9), Node("structure", 1e9)))
    )
    begin = msgspec.structs.replace(start(soc, **changes), temperatures_c=(board_c, 15.0))
    return Flight(craft=craft, begin=begin)


def test_the_core_limits_the_clock_once_and_shows_it() -> None:
    flight = hot()
    flight.fly(10.0)
    (limit,) = only(effects.LimitClock, flight.log)
    assert limit.ratio == pytest.approx(1710.0 / 1800.0, rel=1e-6)
    clock = flight.core.snapshot().clock
    assert clock is not None
    assert clock.allowed_mhz == pytest.approx(1710.0, rel=1e-6)
    assert clock.full_mhz == 1800.0
    assert clock.ratio == limit.ratio
    assert clock.die_c == pytest.approx(74.0 + 2.0 * IDLE_W, abs=1e-3)
    # Limited at the end of the first second.
    assert clock.throttled_s == pytest.approx(9.0)


def test_less_power_lifts_the_limit() -> None:
    flight = hot()
    flight.fly(10.0)
    flight.board_w = 3.0
    done = flight.fly(12.0)
    assert only(effects.LimitClock, done) == [effects.LimitClock(1.0)]


def test_a_power_loss_ends_the_limit_and_the_next_boot_begins_anew() -> None:
    flight = hot(soc=0.16)
    flight.board_w = 200.0
    while flight.mode is not OperatingMode.OFF:
        flight.fly(flight.now + 1.0)
    assert only(effects.LimitClock, flight.log)
    limits_before = len(only(effects.LimitClock, flight.log))
    off_s = flight.now
    flight.fly(off_s + 30.0)
    assert flight.mode is OperatingMode.OFF
    assert len(only(effects.LimitClock, flight.log)) == limits_before
    clock = flight.core.snapshot().clock
    assert clock is not None
    assert (clock.ratio, clock.die_c) == (1.0, pytest.approx(74.0, abs=1e-2))


def test_the_time_below_the_full_clock_survives_a_restart() -> None:
    flight = hot(throttled_s=100.0)
    flight.fly(10.0)
    assert flight.core.emulation_state().throttled_s == pytest.approx(109.0)


def test_a_board_without_a_throttle_has_no_clock() -> None:
    flight = Flight()
    flight.fly(10.0)
    assert flight.core.snapshot().clock is None
    assert flight.core.emulation_state().throttled_s == 0.0
    assert only(effects.LimitClock, flight.log) == []


def test_the_first_estimate_of_a_run_is_the_models_own_power() -> None:
    # By heat alone the board at full work would come to 91 C, this model brings it to 37 C.
    craft = spacecraft(models={MODEL: ModelFigures(1300.0, 1400.0, 2000, IDLE_W + 3.0)})
    flight = Flight(craft=craft)
    flight.boot()
    flight.take(offer("a"))
    assert flight.core.totals.decisions["admit"] == 1
