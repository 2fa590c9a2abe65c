"""Batteries and thermal networks of any figures, and the energy in them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from node.physics.battery import BatterySpec, open_circuit_v
from node.physics.surfaces import Surface
from node.physics.thermal import Heater, Link, Node, ThermalNetwork, ThermalSpec

ratios = st.floats(0.0, 1.0)


@st.composite
def packs(draw: st.DrawFn) -> BatterySpec:
    inner = sorted(draw(st.sets(st.integers(1, 99), max_size=5)))
    soc = (0.0, *(percent / 100.0 for percent in inner), 1.0)
    low_v = draw(st.floats(2.0, 3.2))
    rises = draw(st.lists(st.floats(0.0, 0.4), min_size=len(soc) - 1, max_size=len(soc) - 1))
    volts = [low_v]
    for rise in rises:
        volts.append(volts[-1] + rise)
    series = draw(st.integers(1, 8))
    return BatterySpec(
        series=series,
        parallel=draw(st.integers(1, 8)),
        cell_capacity_ah=draw(st.floats(0.5, 5.0)),
        cell_resistance_ohm=draw(st.floats(0.005, 0.2)),
        ocv_soc=soc,
        cell_ocv_v=tuple(volts),
        cell_max_v=draw(st.floats(2.5, 5.5)),
        max_charge_c_rate=draw(st.floats(0.1, 3.0)),
        coulombic_efficiency=draw(st.floats(0.9, 1.0)),
        capacity_fade=draw(st.floats(0.0, 0.5)),
        min_charge_temperature_c=0.0,
        min_bus_v=draw(st.floats(0.1, 3.0)) * series,
    )


def stored_j(pack: BatterySpec, soc: float) -> float:
    """Energy below a state of charge at open-circuit voltage: the table's exact integral."""
    edges = [point for point in pack.ocv_soc if point < soc] + [soc]
    return sum(
        0.5 * (open_circuit_v(pack, a) + open_circuit_v(pack, b)) * (b - a) * pack.charge_as
        for a, b in pairwise(edges)
    )


@st.composite
def networks(draw: st.DrawFn) -> ThermalNetwork:
    count = draw(st.integers(1, 6))
    names = [f"n{k}" for k in range(count)]
    pairs = [(a, b) for a in names for b in names if a < b]
    links = draw(
        st.lists(
            st.builds(
                Link,
                st.sampled_from(pairs),
                st.floats(0.0, 50.0),
                st.floats(0.0, 0.5),
            ),
            max_size=6,
        )
        if pairs
        else st.just([])
    )
    surfaces = draw(
        st.lists(
            st.builds(
                Surface,
                st.sampled_from(names),
                st.floats(0.01, 2.0),
                ratios,
                ratios,
                ratios,
                st.sampled_from(["sphere", "sun", "anti_sun", "nadir", "zenith"]),
            ),
            min_size=1,
            max_size=5,
        )
    )
    heaters = draw(
        st.lists(
            st.builds(Heater, st.sampled_from(names), st.floats(0, 50), st.just(0.0), st.just(5.0))
        )
        if draw(st.booleans())
        else st.just([])
    )
    capacities = draw(st.lists(st.floats(50.0, 1e4), min_size=count, max_size=count))
    return ThermalNetwork(
        ThermalSpec(
            tuple(map(Node, names, capacities)), tuple(links), tuple(surfaces), tuple(heaters)
        )
    )


def stored_heat_j(spec: ThermalSpec, temperatures_c: tuple[float, ...]) -> float:
    return sum(
        node.capacity_j_per_k * celsius
        for node, celsius in zip(spec.nodes, temperatures_c, strict=True)
    )
