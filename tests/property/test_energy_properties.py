"""Energy in is energy out, stored and lost, for any spacecraft and any step from 1 ms to a day.

What is exact, and held to 1e-9 of the energy that moves (and to the rounding of the states):

- on the bus, the array is loads, battery terminals and what is curtailed;
- in the battery, what goes through the terminals is stored at open-circuit voltage or lost;
- in the thermal network, links take from one node what they give to another, and a node stores what
  it is given less what it radiates. Heun's method takes for the radiated energy of a substep the
  mean of what the temperatures at its beginning and those of its predictor radiate: with that sum
  the balance is exact, and that sum is second-order accurate in the substep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, ulp
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from physics_strategies import networks, packs, ratios, stored_heat_j, stored_j
from plain_network import PlainNetwork
from spacecraft import spacecraft

from node.core.craft import Spacecraft
from node.core.emulation import Emulation, EmulationState
from node.core.events import PowerReading, Source
from node.physics.array import Panel
from node.physics.surfaces import Surface
from node.physics.thermal import (
    SPACE_K,
    STEFAN_BOLTZMANN_W_PER_M2_K4,
    ZERO_CELSIUS_K,
    Heater,
    Link,
    Node,
    ThermalNetwork,
    ThermalSpec,
    ThermalState,
)

SPACE_C = SPACE_K - ZERO_CELSIUS_K
STEPS_S = [0.001, 0.1, 1.0, 60.0, 3600.0]
directions = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(
    lambda vector: sum(part * part for part in vector) > 0.01
)


class Metered:
    """A network that adds up what it was given and what its method takes as radiated."""

    def __init__(self, spec: ThermalSpec) -> None:
        self.spec = spec
        self._network = ThermalNetwork(spec)
        self.initial_state = self._network.initial_state
        self.begin()

    def begin(self) -> None:
        """Set the meters to zero."""
        self.absorbed_j = 0.0
        # Takes the same substeps as loops, which can be looked into.
        self._plain = PlainNetwork(self.spec)

    @property
    def radiated_j(self) -> float:
        return self._plain.radiated_j

    def step(
        self,
        state: ThermalState,
        heat_w: Sequence[float],
        surface_w: Sequence[float],
        dt_s: float,
        *,
        bus_live: bool = True,
    ) -> ThermalState:
        self.absorbed_j += sum(surface_w) * dt_s
        self._plain.step(state, heat_w, surface_w, dt_s, bus_live=bus_live)
        return self._network.step(state, heat_w, surface_w, dt_s, bus_live=bus_live)

    def rounding_j(self, temperatures_c: Sequence[float]) -> float:
        """What is lost where temperatures are rounded, with room for the sums."""
        return (
            4.0
            * (self._plain.substeps + 1)
            * sum(
                node.capacity_j_per_k * ulp(abs(celsius) + 1.0)
                for node, celsius in zip(self.spec.nodes, temperatures_c, strict=True)
            )
        )


@settings(deadline=None, max_examples=30)
@given(
    networks(),
    st.floats(SPACE_C, 120.0),
    st.floats(0.0, 200.0),
    st.floats(0.0, 50.0),
    st.sampled_from(STEPS_S),
)
def test_network_stores_what_it_is_given_less_what_it_radiates(
    network: ThermalNetwork, start_c: float, heat_w: float, light_w: float, dt_s: float
) -> None:
    metered = Metered(network.spec)
    count = len(metered.spec.nodes)
    state = metered.initial_state([start_c + 7.0 * k for k in range(count)])
    heats = [heat_w, *[0.0] * (count - 1)]
    absorbed = [light_w] * len(metered.spec.surfaces)
    after = metered.step(state, heats, absorbed, dt_s)
    assert all(isfinite(celsius) for celsius in after.temperatures_c)
    given_j = (sum(heats) + sum(absorbed) + after.heater_w) * dt_s
    stored = stored_heat_j(metered.spec, after.temperatures_c)
    gained_j = stored - stored_heat_j(metered.spec, state.temperatures_c)
    moved_j = given_j + abs(metered.radiated_j) + abs(gained_j)
    assert gained_j == pytest.approx(
        given_j - metered.radiated_j,
        abs=1e-9 * moved_j
        + metered.rounding_j([max(state.temperatures_c + after.temperatures_c)] * count),
    )


@settings(deadline=None, max_examples=30)
@given(
    networks(),
    st.floats(SPACE_C, 120.0),
    st.floats(0.0, 200.0),
    st.sampled_from(STEPS_S),
)
def test_temperatures_stay_within_what_the_inputs_reach(
    network: ThermalNetwork, start_c: float, heat_w: float, dt_s: float
) -> None:
    spec = network.spec
    count = len(spec.nodes)
    starts = [start_c + 7.0 * k for k in range(count)]
    absorbed = [0.2 * heat_w] * len(spec.surfaces)
    inputs = {node.name: heat_w for node in spec.nodes}
    emission = dict.fromkeys(inputs, 0.0)
    for surface, watts in zip(spec.surfaces, absorbed, strict=True):
        inputs[surface.node] += watts
        emission[surface.node] += STEFAN_BOLTZMANN_W_PER_M2_K4 * surface.radiating_area_m2
    for heater in spec.heaters:
        inputs[heater.node] += heater.power_w
    state = network.initial_state(starts)
    reached = network.step(state, [heat_w] * count, absorbed, dt_s).temperatures_c
    # Links only even out: the hottest node warms by its own input, at most until it radiates it.
    rise_k = max(inputs[node.name] / node.capacity_j_per_k for node in spec.nodes) * dt_s
    highest_c = max(starts) + rise_k
    if all(emission.values()):
        balance_k = max((inputs[name] / emission[name] + SPACE_K**4) ** 0.25 for name in inputs)
        highest_c = min(highest_c, max(*starts, balance_k - ZERO_CELSIUS_K))
    # A thermostat's or a long substep may pass over by a part of one substep's change.
    assert max(reached) <= highest_c + 1e-3 * (1.0 + abs(highest_c))
    assert min(reached) >= SPACE_C - 1e-9


@st.composite
def craft(draw: st.DrawFn) -> Spacecraft:
    """Any array, battery and network; panels hang on a node of their own or are held."""
    warm = draw(st.booleans())
    panels: list[Panel] = []
    nodes = [
        Node("board", draw(st.floats(100.0, 1000.0))),
        Node("structure", draw(st.floats(1000.0, 20_000.0))),
    ]
    links = [Link(("board", "structure"), draw(st.floats(0.0, 5.0)), draw(st.floats(0.0, 0.1)))]
    surfaces = [
        Surface(
            "structure",
            draw(st.floats(0.1, 1.0)),
            draw(st.floats(0.1, 1.0)),
            draw(ratios),
            draw(ratios),
            "sphere",
        )
    ]
    for number in range(draw(st.integers(1, 3))):
        name = f"panel{number}"
        panel = Panel(
            name,
            draw(st.sampled_from(["fixed", "one_axis", "two_axis"])),
            draw(directions),
            draw(st.floats(0.02, 0.5)),
            draw(st.floats(0.5, 1.0)),
            draw(st.floats(0.1, 0.35)),
            draw(st.floats(-0.004, 0.0)),
            None if warm else draw(st.floats(-50.0, 90.0)),
            draw(st.floats(0.0, 0.1)),
            draw(st.floats(0.0, 5.0)),
            draw(directions),
            name if warm else None,
            draw(st.floats(10.0, 180.0)),
            draw(st.floats(60.0, 90.0)),
        )
        panels.append(panel)
        if warm:
            nodes.append(Node(name, draw(st.floats(200.0, 2000.0))))
            links.append(Link((name, "structure"), draw(st.floats(0.0, 0.5))))
            front = Surface(name, panel.area_m2, 0.85, 1.0, draw(ratios), "panel", panel=panel)
            surfaces.append(front)
    changes: dict[str, Any] = {
        "attitude": draw(st.sampled_from(["sun", "nadir", "inertial"])),
        "panels": tuple(panels),
        "array_to_bus_ratio": draw(st.floats(0.5, 1.0)),
        "battery": draw(packs()),
        "thermal": ThermalSpec(tuple(nodes), tuple(links), tuple(surfaces)),
        "thermal_names": tuple(node.name for node in nodes),
        "off_load_w": draw(st.floats(0.0, 2.0)),
    }
    return spacecraft(**changes)


flights = st.lists(
    st.tuples(st.sampled_from(STEPS_S), st.floats(0.0, 60.0), st.booleans()),
    min_size=1,
    max_size=4,
)


def begin(flown: Spacecraft, soc: float, health: float) -> tuple[Emulation, Metered]:
    """An emulation with a meter in its network."""
    temperatures_c = (15.0,) * len(flown.thermal_names)
    start = EmulationState(0.0, soc, temperatures_c, "nominal", 1, array_health=health)
    emulation = Emulation(flown, start, 0.0)
    metered = Metered(flown.thermal)
    emulation._network = cast(ThermalNetwork, metered)
    return emulation, metered


def fly(emulation: Emulation, step_s: float, board_w: float, *, powered: bool) -> None:
    now = emulation.now + step_s
    reading = PowerReading(board_w, 0.0, 1.0, 0.0, Source.MEASURED, "board")
    emulation.advance(
        now, reading, rate=1.0, powered=powered, transmitting=powered, running=powered
    )


@settings(deadline=None, max_examples=25)
@given(craft(), ratios, st.sampled_from([1.0, 0.4, 0.0]), flights)
def test_spacecraft_gets_what_it_spends_stores_and_loses(
    flown: Spacecraft, soc: float, health: float, steps: list[tuple[float, float, bool]]
) -> None:
    emulation, metered = begin(flown, soc, health)
    pack_j = 3600.0 * flown.battery.capacity_wh
    held = all(panel.thermal_node is None for panel in flown.panels)
    for step_s, board_w, powered in steps:
        charge_j = stored_j(flown.battery, emulation.state_of_charge)
        temperatures_c = emulation.temperatures_c
        metered.begin()
        was_s = emulation.now
        fly(emulation, step_s, board_w, powered=powered)
        span_s = emulation.now - was_s

        spent_w = emulation.load_w + emulation.battery_w + emulation.curtailed_w
        scale_w = emulation.solar_w + emulation.load_w
        assert spent_w == pytest.approx(emulation.solar_w, abs=1e-9 * scale_w)
        assert min(emulation.load_w, emulation.curtailed_w, emulation.battery_loss_w) >= 0.0
        assert emulation.curtailed_w <= emulation.solar_w * (1.0 + 1e-12)

        assert 0.0 <= emulation.state_of_charge <= 1.0
        charged_j = stored_j(flown.battery, emulation.state_of_charge) - charge_j
        into_j = (emulation.battery_w - emulation.battery_loss_w) * span_s
        moved_j = (abs(emulation.battery_w) + emulation.battery_loss_w) * span_s
        assert into_j == pytest.approx(charged_j, abs=1e-9 * moved_j + 1e-14 * pack_j)

        # The whole of it: light in is heat radiated, heat stored and charge stored. What held
        # panels give comes from outside the network.
        into_j = metered.absorbed_j
        if held:
            used_w = emulation.solar_w - emulation.curtailed_w
            into_j += used_w / flown.array_to_bus_ratio * span_s
        stored = stored_heat_j(metered.spec, emulation.temperatures_c)
        warmed_j = stored - stored_heat_j(metered.spec, temperatures_c)
        moved_j += into_j + abs(metered.radiated_j) + abs(warmed_j) + scale_w * span_s
        hottest_c = max(*temperatures_c, *emulation.temperatures_c, key=abs)
        assert warmed_j + charged_j == pytest.approx(
            into_j - metered.radiated_j,
            abs=1e-9 * moved_j
            + 1e-14 * pack_j
            + metered.rounding_j([hottest_c] * len(temperatures_c)),
        )
        assert all(isfinite(c) and c > SPACE_C - 1e-9 for c in emulation.temperatures_c)
    assert isfinite(emulation.solar_generated_j + emulation.battery_lost_j)


@settings(deadline=None, max_examples=25)
@given(craft(), st.sampled_from([1.0, 7.0]), st.floats(0.0, 60.0))
def test_thermostats_are_charged_one_step_late(
    flown: Spacecraft, step_s: float, board_w: float
) -> None:
    heater = Heater("structure", 6.0, 200.0, 210.0)
    heated = replace(flown, thermal=replace(flown.thermal, heaters=(heater,)))
    emulation, _ = begin(heated, 0.8, 1.0)
    bare, _ = begin(flown, 0.8, 1.0)
    charged_w = 0.0
    for _ in range(4):
        fly(emulation, step_s, board_w, powered=True)
        fly(bare, step_s, board_w, powered=True)
        if emulation.brown_out or bare.brown_out:
            assert emulation.heater_w == 0.0 or not emulation.brown_out
            return
        assert emulation.load_w - bare.load_w == pytest.approx(charged_w, abs=1e-9)
        charged_w = emulation.heater_w
        assert charged_w == 6.0
