from __future__ import annotations

from math import exp, inf, nan

import pytest

from node.errors import PhysicsError
from node.physics.surfaces import Surface
from node.physics.thermal import (
    STEFAN_BOLTZMANN_W_PER_M2_K4,
    ZERO_CELSIUS_K,
    Heater,
    Link,
    Node,
    ThermalNetwork,
    ThermalSpec,
)

TWO = (Node("a", 100.0), Node("b", 300.0))
RADIATOR = Surface("b", 0.05, 0.88, 0.2, 1.0, "zenith")


def settle(network: ThermalNetwork, start: list[float], heat: list[float]) -> tuple[float, ...]:
    surfaces = [0.0] * len(network.spec.surfaces)
    return network.step(network.initial_state(start), heat, surfaces, 1e6).temperatures_c


def test_heat_warms_a_lone_node() -> None:
    network = ThermalNetwork(ThermalSpec((Node("a", 100.0),)))
    state = network.initial_state([20.0])
    assert network.step(state, [5.0], [], 10.0).temperatures_c == pytest.approx((20.5,))


def test_two_nodes_meet_at_the_common_temperature() -> None:
    network = ThermalNetwork(ThermalSpec(TWO, (Link(("a", "b"), 2.0),)))
    for time_s in (1.0, 7.0, 60.0, 1000.0):
        state = network.step(network.initial_state([60.0, 20.0]), [0.0, 0.0], [], time_s)
        gap = 40.0 * exp(-2.0 * (1 / 100 + 1 / 300) * time_s)
        assert state.temperatures_c[0] - state.temperatures_c[1] == pytest.approx(gap, abs=0.3)
        assert state.temperatures_c[0] * 100 + state.temperatures_c[1] * 300 == pytest.approx(12e3)


def test_radiation_between_nodes_balances_a_heat_flow() -> None:
    network = ThermalNetwork(
        ThermalSpec(TWO, (Link(("a", "b"), 0.0, radiation_area_m2=0.02),), (RADIATOR,))
    )
    a_k, b_k = (t + ZERO_CELSIUS_K for t in settle(network, [20.0, 20.0], [10.0, 0.0]))
    assert STEFAN_BOLTZMANN_W_PER_M2_K4 * 0.02 * (a_k**4 - b_k**4) == pytest.approx(10.0, rel=1e-3)
    assert STEFAN_BOLTZMANN_W_PER_M2_K4 * 0.05 * 0.88 * b_k**4 == pytest.approx(10.0, rel=1e-3)


def test_space_view_and_surface_heat_count() -> None:
    blocked = Surface("a", 0.05, 0.88, 0.2, 0.5, "zenith")
    network = ThermalNetwork(ThermalSpec((Node("a", 100.0),), surfaces=(blocked,)))
    (celsius,) = network.step(network.initial_state([0.0]), [0.0], [6.0], 1e6).temperatures_c
    radiated = STEFAN_BOLTZMANN_W_PER_M2_K4 * 0.025 * 0.88 * (celsius + ZERO_CELSIUS_K) ** 4
    assert radiated == pytest.approx(6.0, rel=1e-3)
    assert network.radiated_w([celsius]) == pytest.approx(6.0, rel=1e-3)


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 10.0, 60.0, 600.0, 20_000.0])
def test_fast_node_is_stable_at_any_step(dt_s: float) -> None:
    # 350 J/K on 45 W/K: an explicit step of 30 s runs away.
    network = ThermalNetwork(
        ThermalSpec(
            (Node("gpu", 350.0), Node("b", 9000.0)), (Link(("gpu", "b"), 45.0),), (RADIATOR,)
        )
    )
    state = network.initial_state([20.0, 20.0])
    for _ in range(5):
        state = network.step(state, [700.0, 0.0], [0.0], dt_s)
    gpu, base = state.temperatures_c
    assert 20.0 < gpu < 900.0
    if dt_s >= 60.0:
        assert gpu - base == pytest.approx(700.0 / 45.0, rel=0.05)


def test_absurd_heat_ends_at_its_balance() -> None:
    network = ThermalNetwork(
        ThermalSpec((Node("a", 50.0),), surfaces=(Surface("a", 0.1, 1.0, 1.0, 1.0, "zenith"),))
    )
    state = network.initial_state([20.0])
    (celsius,) = network.step(state, [1e6], [0.0], 60.0).temperatures_c
    assert network.radiated_w([celsius]) == pytest.approx(1e6, rel=1e-3)


def test_thermostat_switches_with_hysteresis() -> None:
    network = ThermalNetwork(
        ThermalSpec((Node("a", 400.0),), (), (), (Heater("a", 4.0, 0.0, 5.0),))
    )
    state = network.initial_state([1.0])
    assert state.heaters_on == (False,)
    cooling, warming = [-2.0], [0.0]
    result = network.step(state, cooling, [], 100.0)
    assert result.heater_w == 0.0
    result = network.step(result, cooling, [], 300.0)
    assert result.heaters_on == (True,)
    assert result.temperatures_c[0] == pytest.approx(1.0, abs=0.05)
    assert result.heater_w == pytest.approx(4.0 * 200 / 300, rel=0.02)
    result = network.step(result, warming, [], 200.0)
    assert result.heater_w == 4.0
    result = network.step(result, warming, [], 600.0)
    assert result.heaters_on == (False,)
    assert result.temperatures_c[0] == pytest.approx(5.0, abs=0.05)
    assert 0.0 < result.heater_w < 4.0


def test_network_begins_with_its_thermostats_on_in_the_cold() -> None:
    network = ThermalNetwork(
        ThermalSpec(TWO, (), (), (Heater("a", 4.0, 0.0, 5.0), Heater("b", 2.0, -10.0, -5.0)))
    )
    assert network.initial_state([-1.0, -1.0]).heaters_on == (True, False)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ThermalSpec(()), "one or more nodes"),
        (ThermalSpec((Node("a", 1.0), Node("a", 2.0))), "a name of its own"),
        (ThermalSpec((Node("a", 0.0),)), "capacity_j_per_k of a"),
        (ThermalSpec((Node("a", nan),)), "capacity_j_per_k of a"),
        (ThermalSpec(TWO, (Link(("a", "x"), 1.0),)), "no node is called 'x'"),
        (ThermalSpec(TWO, (Link(("a", "a"), 1.0),)), "node a is linked to itself"),
        (ThermalSpec(TWO, (Link(("a", "b"), -1.0),)), "conductance_w_per_k"),
        (ThermalSpec(TWO, (Link(("a", "b"), 1.0, -1.0),)), "radiation_area_m2"),
        (ThermalSpec((Node("a", 9.0),), surfaces=(RADIATOR,)), "no node is called 'b'"),
        (ThermalSpec(TWO, heaters=(Heater("c", 1.0, 0.0, 5.0),)), "no node is called 'c'"),
        (ThermalSpec(TWO, heaters=(Heater("a", -1.0, 0.0, 5.0),)), "power_w"),
        (ThermalSpec(TWO, heaters=(Heater("a", 1.0, nan, 5.0),)), "on_below_c"),
        (ThermalSpec(TWO, heaters=(Heater("a", 1.0, 5.0, 0.0),)), "off_above_c"),
        (ThermalSpec(tuple(Node(f"n{k}", 9.0) for k in range(65))), "at most 64 nodes"),
        (ThermalSpec(TWO, (Link(("a", "b"), 1e-3),) * 257), "256 links, surfaces and heaters"),
        (ThermalSpec((Node("a", 1e-3), TWO[1]), (Link(("a", "b"), 1.0),)), "time constant"),
    ],
)
def test_what_is_no_network_is_refused(spec: ThermalSpec, message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        ThermalNetwork(spec)


@pytest.mark.parametrize("start", [[20.0], [20.0, nan], [20.0, -300.0], [1.0, 2.0, 3.0]])
def test_impossible_start_is_refused(start: list[float]) -> None:
    with pytest.raises(PhysicsError):
        ThermalNetwork(ThermalSpec(TWO)).initial_state(start)


@pytest.mark.parametrize(
    ("heat_w", "surface_w"),
    [([1.0], [0.0]), ([1.0, 2.0], []), ([1.0, 2.0], [0.0, 0.0]), ([1.0, 2.0, 3.0], [0.0])],
)
def test_inputs_must_fit_the_network(heat_w: list[float], surface_w: list[float]) -> None:
    network = ThermalNetwork(ThermalSpec(TWO, (), (RADIATOR,)))
    with pytest.raises(PhysicsError, match="a heat for each node and each surface"):
        network.step(network.initial_state([1.0, 2.0]), heat_w, surface_w, 1.0)


@pytest.mark.parametrize("watts", [nan, inf, -inf])
def test_endless_heat_is_refused(watts: float) -> None:
    network = ThermalNetwork(ThermalSpec(TWO, (), (RADIATOR,)))
    state = network.initial_state([1.0, 2.0])
    with pytest.raises(PhysicsError, match="expected finite figures"):
        network.step(state, [1.0, watts], [0.0], 1.0)
    with pytest.raises(PhysicsError, match="expected finite figures"):
        network.step(state, [1.0, 2.0], [watts], 1.0)


@pytest.mark.parametrize("dt_s", [0.0, -1.0, nan, inf])
def test_impossible_step_is_refused(dt_s: float) -> None:
    network = ThermalNetwork(ThermalSpec(TWO))
    with pytest.raises(PhysicsError, match="thermal step of"):
        network.step(network.initial_state([1.0, 2.0]), [0.0, 0.0], [], dt_s)
