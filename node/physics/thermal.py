"""Temperatures of a network of lumps: conduction, radiation, dissipation, thermostats.

    C_i dT_i/dt = Q_i + sum G_ij (T_j - T_i) + sigma sum R_ij (T_j^4 - T_i^4)
                  - sigma E_i (T_i^4 - T_space^4)

with E the sum of area, emissivity and free view of the node's faces (Gilmore, Spacecraft Thermal
Control Handbook, 2nd ed., chapter 15). Stepped by Heun's method in substeps of at most half the
network's fastest time constant, by Gershgorin's bound at the temperatures of the moment: stable and
second-order accurate for a step of any length. Limits: lumps are isothermal, properties constant,
inputs constant within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, inf
from typing import NamedTuple, NoReturn, Protocol, cast

from node.errors import PhysicsError
from node.physics.checks import require, require_positive
from node.physics.surfaces import Surface
from node.physics.thermal_code import (
    MAX_NODES,
    MAX_PARTS,
    SUBSTEP_RATE,
    Figures,
    step_source,
)

STEFAN_BOLTZMANN_W_PER_M2_K4 = 5.670374419e-8
SPACE_K = 2.725
ZERO_CELSIUS_K = 273.15

_SPACE_K4 = SPACE_K**4
_MAX_SUBSTEP_S = 20.0
_MAX_SUBSTEP_WITH_THERMOSTAT_S = 2.0
_MIN_SUBSTEP_S = 0.01
"""A lump that needs a shorter one has no heat capacity worth a node of its own."""
_ROOM_C = 27.0
"""Temperature at which that is judged."""


@dataclass(frozen=True, slots=True)
class Node:
    """One lump of heat capacity."""

    name: str
    capacity_j_per_k: float


@dataclass(frozen=True, slots=True)
class Link:
    """Conduction, radiation or both between two nodes."""

    between: tuple[str, str]
    conductance_w_per_k: float
    radiation_area_m2: float = 0.0
    """Area, emissivity and view factor together."""


@dataclass(frozen=True, slots=True)
class Heater:
    """A thermostat with hysteresis."""

    node: str
    power_w: float
    on_below_c: float
    off_above_c: float


@dataclass(frozen=True, slots=True)
class ThermalSpec:
    """What the network is made of."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...] = ()
    surfaces: tuple[Surface, ...] = ()
    heaters: tuple[Heater, ...] = ()


class ThermalState(NamedTuple):
    """What the network remembers, and what its last step drew."""

    temperatures_c: tuple[float, ...]
    """In the order of the specification's nodes."""
    heaters_on: tuple[bool, ...]
    """In the order of its heaters."""
    heater_w: float
    """Drawn by the thermostats, mean over the step that ended here."""


class Step(Protocol):
    """Moves a network on."""

    def __call__(
        self,
        state: ThermalState,
        heat_w: Sequence[float],
        surface_w: Sequence[float],
        dt_s: float,
        *,
        bus_live: bool = True,
    ) -> ThermalState:
        """Advance by ``dt_s``.

        ``heat_w`` is the dissipation by node, ``surface_w`` what each surface takes from Sun and
        Earth (`node.physics.surfaces.surface_heat_w`); both are constant over the step. The
        thermostats are read at the beginning of each substep; without a ``bus_live`` they stand as
        they stood and heat nothing.
        """


class ThermalNetwork:
    """A specification and the step that was put together for it.

    Temperatures stay in degrees Celsius; only their fourth powers need kelvin. Every watt is turned
    into kelvin per second of its node once, so that a step only adds.
    """

    __slots__ = ("_emission_w_per_k4", "_figures", "spec", "step")

    step: Step

    def __init__(self, spec: ThermalSpec) -> None:
        """Compile ``spec``; raises `PhysicsError` where it is no network."""
        index = _node_index(spec)
        _check_figures(spec)
        self.spec = spec
        inverse = [1.0 / node.capacity_j_per_k for node in spec.nodes]
        emission = [0.0] * len(inverse)
        for surface in spec.surfaces:
            emission[index[surface.node]] += (
                STEFAN_BOLTZMANN_W_PER_M2_K4 * surface.radiating_area_m2
            )
        conductive: list[tuple[int, int, float, float]] = []
        radiative: list[tuple[int, int, float, float]] = []
        for link in spec.links:
            i, j = (index[name] for name in link.between)
            for kind, flow in (
                (conductive, link.conductance_w_per_k),
                (radiative, STEFAN_BOLTZMANN_W_PER_M2_K4 * link.radiation_area_m2),
            ):
                if flow:
                    kind.append((i, j, flow * inverse[i], flow * inverse[j]))
        radiating = [(i, e * inverse[i]) for i, e in enumerate(emission) if e]
        self._emission_w_per_k4 = tuple(emission)
        self._figures = Figures(
            tuple(inverse),
            tuple(conductive),
            tuple(radiative),
            tuple(radiating),
            tuple(_SPACE_K4 * e * c for e, c in zip(emission, inverse, strict=True)),
            tuple(index[surface.node] for surface in spec.surfaces),
            tuple((index[h.node], h.power_w, h.on_below_c, h.off_above_c) for h in spec.heaters),
            _gershgorin(len(inverse), conductive, radiative, radiating),
            _MAX_SUBSTEP_WITH_THERMOSTAT_S if spec.heaters else _MAX_SUBSTEP_S,
        )
        if substep_s(self._figures, 1.0, _ROOM_C, 0.0) < _MIN_SUBSTEP_S:
            raise PhysicsError(
                f"thermal: a node's time constant is below {_MIN_SUBSTEP_S / SUBSTEP_RATE} s; "
                "give it more heat capacity or merge it with its neighbour"
            )
        self.step = _compiled(self._figures)

    def initial_state(self, temperatures_c: Sequence[float]) -> ThermalState:
        """The network at ``temperatures_c`` with its thermostats as they would then stand."""
        if len(temperatures_c) != len(self.spec.nodes):
            raise PhysicsError(
                f"thermal: {len(self.spec.nodes)} nodes, {len(temperatures_c)} temperatures"
            )
        for node, temperature_c in zip(self.spec.nodes, temperatures_c, strict=True):
            require(f"temperature of {node.name}", temperature_c, -ZERO_CELSIUS_K)
        return ThermalState(
            tuple(temperatures_c),
            tuple(temperatures_c[i] < on_below_c for i, _, on_below_c, _ in self._figures.heaters),
            0.0,
        )

    def radiated_w(self, temperatures_c: Sequence[float]) -> float:
        """Net to space at these temperatures."""
        return sum(
            emission * ((temperature_c + ZERO_CELSIUS_K) ** 4 - SPACE_K**4)
            for emission, temperature_c in zip(self._emission_w_per_k4, temperatures_c, strict=True)
        )


def substep_s(
    figures: Figures, left_s: float, hottest_c: float, fastest_rise_k_per_s: float
) -> float:
    """Part of ``left_s`` within half the time constant of the hottest that it may come to."""
    conduction, radiation = figures.rates
    hottest_k = hottest_c + ZERO_CELSIUS_K
    longest_s = min(left_s, figures.max_substep_s)
    while True:
        kelvin = hottest_k + fastest_rise_k_per_s * longest_s
        rate = conduction + radiation * kelvin * kelvin * kelvin
        if rate * longest_s <= SUBSTEP_RATE:
            break
        # Less, as the rate asks, but not below half: a shorter one heats less.
        longest_s = max(0.5 * longest_s, SUBSTEP_RATE / rate)
    # Equal parts; the last takes all that is left.
    return left_s if longest_s >= left_s else left_s / ceil(left_s / longest_s)


def _compiled(figures: Figures) -> Step:
    """The network's own step."""
    names = {
        "inf": inf,
        "new": tuple.__new__,  # half the time of a named tuple's own constructor
        "refuse": _refuse,
        "substep_s": partial(substep_s, figures),
        "ThermalState": ThermalState,
    }
    code = compile(step_source(figures), "<step of a thermal network>", "exec")
    exec(code, names)  # noqa: S102 - nothing but numbers went into it
    return cast(Step, names["step"])


def _refuse(heat_w: Sequence[float], surface_w: Sequence[float], dt_s: float) -> NoReturn:
    raise PhysicsError(
        f"thermal step of {dt_s} s with heat of {heat_w} W and {surface_w} W: expected finite "
        "figures, a heat for each node and each surface"
    )


def _gershgorin(
    count: int,
    conductive: Sequence[tuple[int, int, float, float]],
    radiative: Sequence[tuple[int, int, float, float]],
    radiating: Sequence[tuple[int, float]],
) -> tuple[float, float]:
    """Bound of the fastest rate: a constant in 1/s and a factor of kelvin cubed.

    A link adds its conductance to the diagonal and beside it, a face to the diagonal alone; the
    derivative of T^4 is 4 T^3.
    """
    conduction = [0.0] * count
    radiation = [0.0] * count
    for rates, links, factor in ((conduction, conductive, 2.0), (radiation, radiative, 8.0)):
        for i, j, at_i, at_j in links:
            rates[i] += factor * at_i
            rates[j] += factor * at_j
    for i, emission in radiating:
        radiation[i] += 4.0 * emission
    return (max(conduction), max(radiation))


def _node_index(spec: ThermalSpec) -> dict[str, int]:
    """Number of each node; raises `PhysicsError` where something hangs on a node that is not."""
    index = {node.name: number for number, node in enumerate(spec.nodes)}
    if not index or len(index) != len(spec.nodes):
        raise PhysicsError("thermal: expected one or more nodes, each with a name of its own")
    parts = len(spec.links) + len(spec.surfaces) + len(spec.heaters)
    if len(index) > MAX_NODES or parts > MAX_PARTS:
        raise PhysicsError(
            f"thermal: expected at most {MAX_NODES} nodes and {MAX_PARTS} links, surfaces and "
            f"heaters, got {len(index)} and {parts}"
        )
    named = [name for link in spec.links for name in link.between]
    named += [surface.node for surface in spec.surfaces]
    named += [heater.node for heater in spec.heaters]
    for name in named:
        if name not in index:
            raise PhysicsError(f"thermal: no node is called {name!r}")
    return index


def _check_figures(spec: ThermalSpec) -> None:
    """Raise `PhysicsError` where a figure leaves the equations without a solution."""
    for node in spec.nodes:
        require_positive(f"capacity_j_per_k of {node.name}", node.capacity_j_per_k)
    for link in spec.links:
        if link.between[0] == link.between[1]:
            raise PhysicsError(f"thermal: node {link.between[0]} is linked to itself")
        require("conductance_w_per_k", link.conductance_w_per_k, 0.0)
        require("radiation_area_m2", link.radiation_area_m2, 0.0)
    for heater in spec.heaters:
        require("power_w", heater.power_w, 0.0)
        require("on_below_c", heater.on_below_c)
        require("off_above_c", heater.off_above_c, heater.on_below_c)
