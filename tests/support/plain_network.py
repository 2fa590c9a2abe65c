"""What a thermal network's generated step stands for, as loops over the specification."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from node.physics.thermal import (
    SPACE_K,
    STEFAN_BOLTZMANN_W_PER_M2_K4,
    ThermalSpec,
    ThermalState,
)

_ZERO_CELSIUS_K = 273.15
_SUBSTEP_RATE = 0.5
_MAX_SUBSTEP_S = 20.0
_MAX_SUBSTEP_WITH_THERMOSTAT_S = 2.0


class PlainNetwork:
    """Steps a network by the equations at the top of `node.physics.thermal`."""

    def __init__(self, spec: ThermalSpec) -> None:
        self.radiated_j = 0.0
        """By Heun's method: the mean of what the beginning of a substep and its predictor do."""
        self.substeps = 0
        self._spec = spec
        self._index = {node.name: number for number, node in enumerate(spec.nodes)}
        self._emission = [0.0] * len(spec.nodes)
        for surface in spec.surfaces:
            self._emission[self._index[surface.node]] += (
                STEFAN_BOLTZMANN_W_PER_M2_K4 * surface.radiating_area_m2
            )

    def step(
        self,
        state: ThermalState,
        heat_w: Sequence[float],
        surface_w: Sequence[float],
        dt_s: float,
        *,
        bus_live: bool,
    ) -> ThermalState:
        spec, index = self._spec, self._index
        given_w = list(heat_w)
        for surface, watts in zip(spec.surfaces, surface_w, strict=True):
            given_w[index[surface.node]] += watts
        temperatures = list(state.temperatures_c)
        heaters_on = list(state.heaters_on)
        heater_j = 0.0
        left_s = dt_s
        while left_s > 0.0:
            powers_w = list(given_w)
            heater_w = 0.0
            for number, heater in enumerate(spec.heaters if bus_live else ()):
                at_c = temperatures[index[heater.node]]
                heaters_on[number] = at_c < heater.on_below_c or (
                    heaters_on[number] and at_c <= heater.off_above_c
                )
                if heaters_on[number]:
                    powers_w[index[heater.node]] += heater.power_w
                    heater_w += heater.power_w
            h = self._substep_s(temperatures, powers_w, left_s)
            first = self._slopes(temperatures, powers_w)
            ahead = [t + h * slope for t, slope in zip(temperatures, first, strict=True)]
            second = self._slopes(ahead, powers_w)
            self.radiated_j += 0.5 * h * (self._radiated_w(temperatures) + self._radiated_w(ahead))
            self.substeps += 1
            for i, (a, b) in enumerate(zip(first, second, strict=True)):
                temperatures[i] += 0.5 * h * (a + b)
            heater_j += heater_w * h
            left_s -= h
        return ThermalState(tuple(temperatures), tuple(heaters_on), heater_j / dt_s)

    def _slopes(self, temperatures: Sequence[float], powers_w: Sequence[float]) -> list[float]:
        """K/s by node."""
        kelvins = [t + _ZERO_CELSIUS_K for t in temperatures]
        flows_w = list(powers_w)
        for link in self._spec.links:
            i, j = (self._index[name] for name in link.between)
            watts = link.conductance_w_per_k * (
                kelvins[j] - kelvins[i]
            ) + STEFAN_BOLTZMANN_W_PER_M2_K4 * link.radiation_area_m2 * (
                kelvins[j] ** 4 - kelvins[i] ** 4
            )
            flows_w[i] += watts
            flows_w[j] -= watts
        for i, celsius in enumerate(temperatures):
            flows_w[i] -= self._from_node_w(i, celsius)
        return [
            watts / node.capacity_j_per_k
            for watts, node in zip(flows_w, self._spec.nodes, strict=True)
        ]

    def _radiated_w(self, temperatures: Sequence[float]) -> float:
        return sum(self._from_node_w(i, celsius) for i, celsius in enumerate(temperatures))

    def _from_node_w(self, i: int, celsius: float) -> float:
        return self._emission[i] * ((celsius + _ZERO_CELSIUS_K) ** 4 - SPACE_K**4)

    def _substep_s(
        self, temperatures: Sequence[float], powers_w: Sequence[float], left_s: float
    ) -> float:
        """Half the fastest time constant by Gershgorin's bound, at the hottest that may come."""
        nodes = self._spec.nodes
        rises = [
            (watts + emission * SPACE_K**4) / node.capacity_j_per_k
            for watts, emission, node in zip(powers_w, self._emission, nodes, strict=True)
        ]
        longest_s = min(
            left_s, _MAX_SUBSTEP_WITH_THERMOSTAT_S if self._spec.heaters else _MAX_SUBSTEP_S
        )
        while True:
            kelvin = max(temperatures) + _ZERO_CELSIUS_K + max(rises) * longest_s
            rate = self._fastest_rate(kelvin)
            if rate * longest_s <= _SUBSTEP_RATE:
                break
            longest_s = max(0.5 * longest_s, _SUBSTEP_RATE / rate)
        return left_s if longest_s >= left_s else left_s / ceil(left_s / longest_s)

    def _fastest_rate(self, kelvin: float) -> float:
        conduction = [0.0] * len(self._spec.nodes)
        radiation = [4.0 * emission for emission in self._emission]
        for link in self._spec.links:
            for name in link.between:
                conduction[self._index[name]] += 2.0 * link.conductance_w_per_k
                radiation[self._index[name]] += (
                    8.0 * STEFAN_BOLTZMANN_W_PER_M2_K4 * link.radiation_area_m2
                )
        capacities = [node.capacity_j_per_k for node in self._spec.nodes]
        return (
            max(g / c for g, c in zip(conduction, capacities, strict=True))
            + max(g / c for g, c in zip(radiation, capacities, strict=True)) * kelvin**3
        )
