"""A pack of equal cells: open-circuit voltage by state of charge behind one resistance.

    V = OCV(soc) - I R,    I = (OCV - sqrt(OCV^2 - 4 R P)) / 2 R,    d soc / dt = -I / Q

with the pack's resistance R = R_cell series / parallel and charge Q = parallel capacity (1 - fade);
a charging current counts times the coulombic efficiency. A load above OCV^2 / 4 R has no solution:
the bus browns out. Limits: resistance and voltage do not depend on temperature, no relaxation, no
self-discharge, cells are alike.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import NamedTuple

from node.errors import PhysicsError
from node.physics.checks import require, require_positive

_SECONDS_PER_HOUR = 3600.0
_MAX_SOC_STEP = 0.002
"""Largest change of state of charge in one substep: an error below 1e-5 in state of charge."""


@dataclass(frozen=True, slots=True)
class BatterySpec:
    """What the pack is made of."""

    series: int
    parallel: int
    cell_capacity_ah: float
    cell_resistance_ohm: float
    ocv_soc: tuple[float, ...]
    """States of charge of the voltage table, rising from 0 to 1."""
    cell_ocv_v: tuple[float, ...]
    cell_max_v: float
    """End-of-charge voltage; held once it is reached."""
    max_charge_c_rate: float
    coulombic_efficiency: float
    capacity_fade: float
    min_charge_temperature_c: float
    min_bus_v: float
    charge_as: float = field(init=False, repr=False, compare=False)
    """Ampere-seconds of the full pack, after fade."""
    resistance_ohm: float = field(init=False, repr=False, compare=False)
    max_v: float = field(init=False, repr=False, compare=False)
    max_charge_a: float = field(init=False, repr=False, compare=False)
    ocv_slopes_v: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """Pack volts per unit of state of charge, by interval of the table."""

    def __post_init__(self) -> None:
        for name in ("series", "parallel", "cell_capacity_ah", "cell_max_v", "max_charge_c_rate"):
            require_positive(name, getattr(self, name))
        for name in ("coulombic_efficiency", "min_bus_v"):
            require_positive(name, getattr(self, name))
        require("coulombic_efficiency", self.coulombic_efficiency, 0.0, 1.0)
        require("cell_resistance_ohm", self.cell_resistance_ohm, 0.0)
        require("min_charge_temperature_c", self.min_charge_temperature_c)
        require("capacity_fade", self.capacity_fade, 0.0)
        if self.capacity_fade >= 1.0:
            raise PhysicsError(f"capacity_fade: expected less than 1, got {self.capacity_fade}")
        self._check_table()
        cells_v = self.cell_ocv_v
        soc = self.ocv_soc
        nominal_ah = self.parallel * self.cell_capacity_ah
        derived: dict[str, object] = {
            "charge_as": nominal_ah * (1.0 - self.capacity_fade) * _SECONDS_PER_HOUR,
            "resistance_ohm": self.cell_resistance_ohm * self.series / self.parallel,
            "max_v": self.cell_max_v * self.series,
            "max_charge_a": self.max_charge_c_rate * nominal_ah,
            "ocv_slopes_v": tuple(
                self.series * (cells_v[i + 1] - cells_v[i]) / (soc[i + 1] - soc[i])
                for i in range(len(soc) - 1)
            ),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def _check_table(self) -> None:
        """The voltage table must be one: as long as its axis, rising, from empty to full."""
        soc = self.ocv_soc
        if len(soc) < 2 or len(soc) != len(self.cell_ocv_v):  # noqa: PLR2004 - a line has two ends
            raise PhysicsError("ocv_soc and cell_ocv_v: expected two or more points each, as many")
        if soc[0] != 0.0 or soc[-1] != 1.0 or any(a >= b for a, b in zip(soc, soc[1:], strict=False)):
            raise PhysicsError(f"ocv_soc: expected to rise from 0 to 1, got {soc}")
        for volts in self.cell_ocv_v:
            require_positive("cell_ocv_v", volts)

    @property
    def capacity_wh(self) -> float:
        """Energy of the full pack at open-circuit voltage, after fade."""
        soc, volts = self.ocv_soc, self.cell_ocv_v
        mean_v = sum(
            0.5 * (volts[i] + volts[i + 1]) * (soc[i + 1] - soc[i]) for i in range(len(soc) - 1)
        )
        return self.series * mean_v * self.charge_as / _SECONDS_PER_HOUR


class BatteryState(NamedTuple):
    """What the pack remembers."""

    soc: float
    """State of charge, 0 to 1, of the faded capacity."""


class BatteryStep(NamedTuple):
    """What one step did; powers and current are means over the step."""

    state: BatteryState
    terminal_v: float
    """At the end of the step; of the moment of failure on a brown-out."""
    current_a: float
    """Positive while it discharges."""
    battery_power_w: float
    """Into the pack at its terminals, negative while it discharges."""
    loss_w: float
    """Heat of resistance and of charge that is not stored."""
    curtailed_w: float
    """Surplus that the pack could not take."""
    brown_out: bool
    """The pack could not carry the load to the end of the step; it gave nothing from then on."""


def open_circuit_v(spec: BatterySpec, soc: float) -> float:
    """Pack voltage without current."""
    index = bisect_right(spec.ocv_soc, soc, 1, len(spec.ocv_soc) - 1) - 1
    return (
        spec.series * spec.cell_ocv_v[index]
        + spec.ocv_slopes_v[index] * (soc - spec.ocv_soc[index])
    )
