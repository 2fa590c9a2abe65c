"""BUPT-1: the board that throttles in orbit and not on the desk.

The comparisons themselves are asserted by ``test_golden_comparisons.py``; here stands what they do
not say.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from math import exp

import msgspec
import pytest
from comparisons import bupt1

from node.config.load import load_scenario
from node.physics.thermal import ThermalNetwork
from node.simulation.mission import Mission


def test_the_same_load_throttles_in_orbit_and_not_on_the_desk() -> None:
    orbit, desk = bupt1.stress("stress-4"), bupt1.bench()

    assert min(s.clock_mhz for s in orbit.samples) < 1700.0
    assert min(s.clock_mhz for s in desk.samples) == 1800.0
    # Throttled work takes longer: the same slices, one by one.
    assert max(desk.durations_s) == pytest.approx(30.0)
    assert max(orbit.durations_s) == pytest.approx(30.0 * 1800.0 / 1640.0, rel=0.04)


def test_the_clock_settles_instead_of_swinging() -> None:
    loaded = bupt1.stress("stress-4").loaded()
    changes = [after.clock_mhz - before.clock_mhz for before, after in pairwise(loaded)]
    moved = [change for change in changes if change]

    assert 0 < len(moved) < 0.05 * len(changes)
    assert max(map(abs, moved)) < 0.03 * 1800.0


def test_the_flight_is_the_same_each_time() -> None:
    given = load_scenario(bupt1.SCENARIO)
    short = msgspec.structs.replace(
        given, mission=msgspec.structs.replace(given.mission, duration_s=900.0)
    )
    one, other = (asyncio.run(Mission(short).fly()) for _ in range(2))
    clock = one.snapshots[-1].clock

    assert clock is not None
    assert clock.throttled_s > 100.0
    assert one.history_digest == other.history_digest


def test_a_step_of_power_warms_the_board_as_its_resistances_say() -> None:
    # The board's part of the network between the step and a structure that stays as it is.
    given = bupt1.on_the_bench(bupt1.scenario())
    craft = bupt1.build_spacecraft(given)
    network = ThermalNetwork(craft.thermal)
    state = network.initial_state([20.0, 20.0, 20.0])
    for _ in range(3000):
        state = network.step(state, [3.0, 0.0, 0.0], [], 1.0)
    assert given.board.throttle is not None
    to_room_k_per_w = 7.0 - given.board.throttle.die_offset_k_per_w
    assert state.temperatures_c[0] == pytest.approx(20.0 + 3.0 * to_room_k_per_w, abs=0.01)


def test_two_exponentials_are_found_again() -> None:
    times_s = [float(at) for at in range(0, 1800, 20)]
    values = [40.0 + 10.0 * exp(-at / 34.0) + 30.0 * exp(-at / 290.0) for at in times_s]

    assert bupt1.two_exponentials(times_s, values) == (34.0, 290.0)
