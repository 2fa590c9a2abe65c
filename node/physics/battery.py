"""A pack of equal cells: open-circuit voltage by state of charge behind one resistance.

    V = OCV(soc) - I R,    I = (OCV - sqrt(OCV^2 - 4 R P)) / 2 R,    d soc / dt = -I / Q

with the pack's resistance R = R_cell series / parallel and charge Q = parallel capacity (1 - fade);
a charging current counts times the coulombic efficiency. A load above OCV^2 / 4 R has no solution:
the bus browns out. Energy is conserved to rounding: what goes through the terminals is what is
stored at open-circuit voltage and what is lost. Limits: resistance and voltage do not depend on
temperature, no relaxation, no self-discharge, cells are alike.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, expm1, fsum, inf, sqrt
from typing import NamedTuple

from node.errors import PhysicsError
from node.physics.checks import require, require_positive

_SECONDS_PER_HOUR = 3600.0
_MAX_SOC_STEP = 0.01
"""Largest change of state of charge in one substep: an error below 1e-5 in state of charge."""
_MAX_POWER_W = 1e12
"""Beyond any pack; keeps infinities and NaN out."""
_new = tuple.__new__
"""Makes a named tuple in a third of the time that its own constructor, Python code, takes."""

_POSITIVE = (
    "series",
    "parallel",
    "cell_capacity_ah",
    "cell_resistance_ohm",
    "cell_max_v",
    "max_charge_c_rate",
    "coulombic_efficiency",
    "min_bus_v",
)


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
    max_charge_w: float = field(init=False, repr=False, compare=False)
    """That current at the voltage of the empty pack."""
    substep_j: float = field(init=False, repr=False, compare=False)
    """What a substep may move, at the voltage of the empty pack."""
    ocv_v: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """Of the pack, at the points of the table."""
    ocv_slopes_v: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """Pack volts per unit of state of charge, by interval of the table."""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            require_positive(name, getattr(self, name))
        require("coulombic_efficiency", self.coulombic_efficiency, 0.0, 1.0)
        require("min_charge_temperature_c", self.min_charge_temperature_c)
        require("capacity_fade", self.capacity_fade, 0.0)
        if self.capacity_fade >= 1.0:
            raise PhysicsError(f"capacity_fade: expected less than 1, got {self.capacity_fade}")
        self._check_table()
        cells_v = self.cell_ocv_v
        soc = self.ocv_soc
        nominal_ah = self.parallel * self.cell_capacity_ah
        charge_as = nominal_ah * (1.0 - self.capacity_fade) * _SECONDS_PER_HOUR
        empty_v = self.series * cells_v[0]
        derived: dict[str, object] = {
            "charge_as": charge_as,
            "resistance_ohm": self.cell_resistance_ohm * self.series / self.parallel,
            "max_v": self.cell_max_v * self.series,
            "max_charge_a": self.max_charge_c_rate * nominal_ah,
            "max_charge_w": self.max_charge_c_rate * nominal_ah * empty_v,
            "substep_j": _MAX_SOC_STEP * charge_as * empty_v,
            "ocv_v": tuple(self.series * volts for volts in cells_v),
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
        if soc[0] != 0.0 or soc[-1] != 1.0 or any(a >= b for a, b in pairwise(soc)):
            raise PhysicsError(f"ocv_soc: expected to rise from 0 to 1, got {soc}")
        for volts in self.cell_ocv_v:
            require_positive("cell_ocv_v", volts)

    @property
    def capacity_wh(self) -> float:
        """Energy of the full pack at open-circuit voltage, after fade."""
        soc, volts = self.ocv_soc, self.cell_ocv_v
        mean_v = fsum(
            0.5 * (volts[i] + volts[i + 1]) * (soc[i + 1] - soc[i]) for i in range(len(soc) - 1)
        )
        return self.series * mean_v * self.charge_as / _SECONDS_PER_HOUR


class BatteryStep(NamedTuple):
    """What one step did; powers and current are means over the step."""

    soc: float
    """State of charge at the end of the step, 0 to 1, of the faded capacity."""
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
    return spec.ocv_v[index] + spec.ocv_slopes_v[index] * (soc - spec.ocv_soc[index])


def step(
    spec: BatterySpec,
    soc: float,
    net_power_w: float,
    dt_s: float,
    temperature_c: float,
) -> BatteryStep:
    """Carry ``net_power_w`` (surplus positive, deficit negative) for ``dt_s``.

    A surplus charges within the charge rate, the end-of-charge voltage, the temperature and the
    room that is left; what does not fit is curtailed. A deficit discharges until the bus browns
    out: where the power has no solution, the terminal voltage falls below ``min_bus_v`` or the
    charge is spent. Integrated by the implicit midpoint rule in substeps of 0.01 in state of charge
    that end where the voltage table bends: there the mean voltage of a substep is that of its
    middle, half of what it moves acts as a resistance, and the current has a closed form.
    """
    if not (0.0 < dt_s < inf and -_MAX_POWER_W < net_power_w < _MAX_POWER_W):
        raise PhysicsError(f"battery step of {dt_s} s at {net_power_w} W")
    if net_power_w < 0.0:
        return _discharge(spec, soc, -net_power_w, dt_s)
    if temperature_c < spec.min_charge_temperature_c or soc >= 1.0:
        return BatteryStep(
            soc, open_circuit_v(spec, soc), 0.0, 0.0, 0.0, net_power_w, brown_out=False
        )
    return _charge(spec, soc, net_power_w, dt_s)


def _discharge(spec: BatterySpec, soc: float, load_w: float, dt_s: float) -> BatteryStep:
    """Give ``load_w`` at the terminals for as long as the pack can."""
    resistance_ohm = spec.resistance_ohm
    charge_as = spec.charge_as
    table = spec.ocv_soc
    parts = load_w * dt_s / spec.substep_j
    h = longest_s = dt_s / ceil(parts) if parts > 1.0 else dt_s
    given_as = loss_ws = 0.0
    left_s = dt_s
    brown_out = False
    while True:
        # At a bend the interval below counts.
        index = bisect_left(table, soc, 1, len(table) - 1) - 1
        slope_v = spec.ocv_slopes_v[index]
        ocv_v = spec.ocv_v[index] + slope_v * (soc - table[index])
        half_v_per_as = 0.5 * slope_v / charge_as
        to_bend_as = (soc - table[index]) * charge_as
        square = ocv_v * ocv_v - 4.0 * load_w * (resistance_ohm + half_v_per_as * h)
        current_a = 2.0 * load_w / (ocv_v + sqrt(square)) if square >= 0.0 else inf
        drawn_as = current_a * h
        if drawn_as < to_bend_as:
            middle_v = ocv_v - half_v_per_as * drawn_as
            soc_after = soc - drawn_as / charge_as
        else:
            drawn_as = to_bend_as
            middle_v = ocv_v - half_v_per_as * drawn_as
            soc_after = table[index]
            square = middle_v * middle_v - 4.0 * load_w * resistance_ohm
            if square < 0.0:
                terminal_v = 0.5 * ocv_v
                brown_out = True
                break
            current_a = 2.0 * load_w / (middle_v + sqrt(square))
            h = drawn_as / current_a
        terminal_v = middle_v - current_a * resistance_ohm
        if terminal_v < spec.min_bus_v:
            brown_out = True
            break
        given_as += drawn_as
        loss_ws += drawn_as * current_a * resistance_ohm
        left_s -= h
        soc = soc_after
        if soc <= 0.0:
            soc = 0.0  # which rounding may miss
            brown_out = left_s > 0.0
            break
        if left_s <= 0.0:
            break
        h = min(longest_s, left_s)
    given_w = load_w * (1.0 - left_s / dt_s) if brown_out else load_w
    return _new(
        BatteryStep,
        (
            soc,
            terminal_v,
            given_as / dt_s,
            -given_w,
            loss_ws / dt_s,
            0.0,
            brown_out,
        ),
    )


def _charge(spec: BatterySpec, soc: float, surplus_w: float, dt_s: float) -> BatteryStep:
    """Take what fits of ``surplus_w``."""
    efficiency = spec.coulombic_efficiency
    gain_per_as = efficiency / spec.charge_as
    table = spec.ocv_soc
    parts = surplus_w * dt_s / spec.substep_j
    if parts > 1.0:
        parts = min(surplus_w, spec.max_charge_w) * dt_s / spec.substep_j
    h = longest_s = dt_s / ceil(parts) if parts > 1.0 else dt_s
    taken_as = taken_ws = loss_ws = 0.0
    left_s = dt_s
    while True:
        index = bisect_right(table, soc, 1, len(table) - 1) - 1
        slope_v = spec.ocv_slopes_v[index]
        ocv_v = spec.ocv_v[index] + slope_v * (soc - table[index])
        half_v_per_as = 0.5 * slope_v * gain_per_as
        to_bend_as = (table[index + 1] - soc) / gain_per_as
        current_a, terminal_v = _charging(spec, ocv_v, surplus_w, half_v_per_as * h)
        pushed_as = current_a * h
        if pushed_as < to_bend_as:
            middle_v = ocv_v + half_v_per_as * pushed_as
            soc += pushed_as * gain_per_as
        else:
            pushed_as = to_bend_as
            middle_v = ocv_v + half_v_per_as * pushed_as
            soc = table[index + 1]
            bend_a, terminal_v = _charging(spec, middle_v, surplus_w, 0.0)
            h = pushed_as / max(bend_a, current_a)
        taken_as += pushed_as
        taken_ws += pushed_as * terminal_v
        loss_ws += pushed_as * (terminal_v - efficiency * middle_v)
        left_s -= h
        if soc >= 1.0:
            soc = 1.0  # which rounding may pass
            break
        if left_s <= 0.0:
            break
        h = min(longest_s, left_s)
    taken_w = taken_ws / dt_s
    curtailed_w = surplus_w - taken_w
    return _new(
        BatteryStep,
        (
            soc,
            terminal_v,
            -taken_as / dt_s,
            taken_w,
            loss_ws / dt_s,
            max(0.0, curtailed_w),
            False,
        ),
    )


def _charging(
    spec: BatterySpec, ocv_v: float, surplus_w: float, rise_ohm: float
) -> tuple[float, float]:
    """Current of the surplus and terminal voltage, within the charge rate and the voltage.

    ``rise_ohm`` is what the open-circuit voltage rises for each ampere in half of the time. Where
    the voltage is held, the current falls off exponentially; then it is the mean of the time.
    """
    resistance_ohm = spec.resistance_ohm + rise_ohm
    current_a = 2.0 * surplus_w / (ocv_v + sqrt(ocv_v * ocv_v + 4.0 * resistance_ohm * surplus_w))
    if current_a > spec.max_charge_a:  # noqa: PLR1730 - min() would cost more
        current_a = spec.max_charge_a
    terminal_v = ocv_v + current_a * resistance_ohm
    if terminal_v <= spec.max_v:
        return current_a, terminal_v
    if ocv_v >= spec.max_v:
        return 0.0, ocv_v
    first_a = (spec.max_v - ocv_v) / spec.resistance_ohm
    decay = 2.0 * rise_ohm / spec.resistance_ohm
    return (first_a * -expm1(-decay) / decay if decay > 0.0 else first_a), spec.max_v
