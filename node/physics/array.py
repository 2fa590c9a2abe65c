"""Electrical power of the solar cells, before the maximum power point tracker and the harness.

P = S A packing max(0, cos incidence) eta (1 + tc (T - 28 C)) (1 - degradation)^years, with the cell
temperature given. Limits: no shadow of one panel on another, no loss beyond the cosine at grazing
incidence, trackers without limits of travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

from node.errors import PhysicsError
from node.physics.attitude import BodyAxes
from node.physics.checks import require, require_positive
from node.physics.vectors import Vector, dot, unit

Mounting = Literal["fixed", "one_axis", "two_axis"]

_REFERENCE_C = 28.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One plane of solar cells."""

    name: str
    mounting: Mounting
    normal_body: Vector
    """Outward normal; normalised here. A one-axis panel turns it about ``axis_body``."""
    area_m2: float
    packing_ratio: float
    cell_efficiency_ratio: float
    """At 28 degrees Celsius, at the beginning of life."""
    temperature_coefficient_per_k: float
    cell_temperature_c: float
    degradation_per_year_ratio: float
    age_years: float
    axis_body: Vector | None = None
    effective_area_m2: float = field(init=False, repr=False, compare=False)
    """Electrical watts per W/m2 of light at normal incidence."""
    axis: Vector = field(init=False, repr=False, compare=False)
    """Rotation axis at length one; the normal itself where nothing turns."""
    axis_cosine: float = field(init=False, repr=False, compare=False)
    axis_sine: float = field(init=False, repr=False, compare=False)
    """Of the angle between normal and rotation axis."""

    def __post_init__(self) -> None:
        require_positive("area_m2", self.area_m2)
        require("packing_ratio", self.packing_ratio, 0.0, 1.0)
        require("cell_efficiency_ratio", self.cell_efficiency_ratio, 0.0, 1.0)
        require("temperature_coefficient_per_k", self.temperature_coefficient_per_k)
        require("cell_temperature_c", self.cell_temperature_c, -273.15)
        require("degradation_per_year_ratio", self.degradation_per_year_ratio, 0.0, 1.0)
        require("age_years", self.age_years, 0.0)
        if self.mounting not in {"fixed", "one_axis", "two_axis"}:
            raise PhysicsError(f"panel {self.name}: unknown mounting {self.mounting!r}")
        if self.mounting == "one_axis" and self.axis_body is None:
            raise PhysicsError(f"panel {self.name}: a one-axis mounting needs axis_body")
        normal = unit(self.normal_body)
        axis = normal if self.axis_body is None else unit(self.axis_body)
        cosine = dot(axis, normal)
        heat = 1.0 + self.temperature_coefficient_per_k * (self.cell_temperature_c - _REFERENCE_C)
        life = (1.0 - self.degradation_per_year_ratio) ** self.age_years
        efficiency = self.cell_efficiency_ratio * max(0.0, heat) * life
        derived: dict[str, object] = {
            "normal_body": normal,
            "effective_area_m2": self.area_m2 * self.packing_ratio * efficiency,
            "axis": axis,
            "axis_cosine": cosine,
            "axis_sine": sqrt(max(0.0, 1.0 - cosine * cosine)),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def panel_incidence(panel: Panel, body_axes_teme: BodyAxes, sun_direction_teme: Vector) -> float:
    """Cosine of the angle between the panel's normal and the Sun, 0 where its back is lit."""
    return _incidence(panel, _in_body(body_axes_teme, sun_direction_teme))


def array_power_w(
    panels: Sequence[Panel],
    body_axes_teme: BodyAxes,
    sun_direction_teme: Vector,
    irradiance_w_per_m2: float,
) -> float:
    """Sum over the panels; ``irradiance_w_per_m2`` is the sunlight that arrives, after eclipse."""
    if irradiance_w_per_m2 <= 0.0:
        return 0.0
    sun_body = _in_body(body_axes_teme, sun_direction_teme)
    area_m2 = 0.0
    for panel in panels:
        area_m2 += panel.effective_area_m2 * _incidence(panel, sun_body)
    return area_m2 * irradiance_w_per_m2


def _in_body(body_axes_teme: BodyAxes, direction_teme: Vector) -> Vector:
    """A direction's components along the body's axes."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = body_axes_teme
    sx, sy, sz = direction_teme
    return (
        xx * sx + xy * sy + xz * sz,
        yx * sx + yy * sy + yz * sz,
        zx * sx + zy * sy + zz * sz,
    )


def _incidence(panel: Panel, sun_body: Vector) -> float:
    """Cosine of incidence for a Sun direction in the body frame."""
    mounting = panel.mounting
    if mounting == "two_axis":
        return 1.0
    sx, sy, sz = sun_body
    if mounting == "fixed":
        nx, ny, nz = panel.normal_body
        return max(0.0, nx * sx + ny * sy + nz * sz)
    # The nearest that a normal on its cone about the axis comes to the Sun.
    ax, ay, az = panel.axis
    along = ax * sx + ay * sy + az * sz
    across = sqrt(max(0.0, 1.0 - along * along))
    return max(0.0, panel.axis_cosine * along + panel.axis_sine * across)
