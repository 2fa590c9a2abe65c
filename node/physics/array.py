"""Electrical power of the solar cells, before the maximum power point tracker and the harness.

P = S A packing max(0, cos incidence) eta (1 + tc (T - 28 C)) (1 - degradation)^years, with T held
or that of a thermal node. Limits: direct sunlight only, no shadow of one panel on another, no loss
beyond the cosine at grazing incidence but a cut-off, trackers without lag that follow the Sun in
eclipse too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin, sqrt
from typing import Literal

from node.errors import PhysicsError
from node.physics.attitude import BodyAxes
from node.physics.checks import require, require_positive
from node.physics.vectors import Vector, cross, dot, unit

Mounting = Literal["fixed", "one_axis", "two_axis"]

YEAR_S = 31_557_600.0
"""A Julian year."""

_REFERENCE_C = 28.0
_ABSOLUTE_ZERO_C = -273.15
_HALF_TURN_DEG = 180.0
_GRAZING_DEG = 90.0
_PARALLEL_SINE = 1e-9
_NO_NODES: Mapping[str, float] = {}


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
    cell_temperature_c: float | None
    """Held at this; None where the cells have the temperature of ``thermal_node``."""
    degradation_per_year_ratio: float
    age_years: float
    """At mission time zero."""
    axis_body: Vector | None = None
    thermal_node: str | None = None
    axis_limit_deg: float = 180.0
    """How far a one-axis panel turns to either side of ``normal_body``."""
    max_incidence_deg: float = 90.0
    """Sunlight that comes in flatter than this gives nothing."""
    effective_area_m2: float = field(init=False, repr=False, compare=False)
    """Electrical watts per W/m2 of light at normal incidence, at mission time zero; of cells on a
    thermal node at 28 degrees Celsius."""
    life_per_year_ratio: float = field(init=False, repr=False, compare=False)
    min_cosine: float = field(init=False, repr=False, compare=False)
    """Cosine of ``max_incidence_deg``."""
    axis: Vector = field(init=False, repr=False, compare=False)
    """Rotation axis at length one; the normal itself where nothing turns."""
    axis_cosine: float = field(init=False, repr=False, compare=False)
    axis_sine: float = field(init=False, repr=False, compare=False)
    """Of the angle between normal and rotation axis."""
    rest: Vector = field(init=False, repr=False, compare=False)
    """Part of the normal across the axis, at length one."""
    side: Vector = field(init=False, repr=False, compare=False)
    """Square to ``axis`` and ``rest``: where a positive turn takes ``rest``."""
    limited: bool = field(init=False, repr=False, compare=False)
    """Turns less than all the way round."""
    limit_cosine: float = field(init=False, repr=False, compare=False)
    limit_sine: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_positive("area_m2", self.area_m2)
        require("packing_ratio", self.packing_ratio, 0.0, 1.0)
        require("cell_efficiency_ratio", self.cell_efficiency_ratio, 0.0, 1.0)
        require("temperature_coefficient_per_k", self.temperature_coefficient_per_k)
        require("degradation_per_year_ratio", self.degradation_per_year_ratio, 0.0, 1.0)
        require("age_years", self.age_years, 0.0)
        require_positive("axis_limit_deg", self.axis_limit_deg)
        require("axis_limit_deg", self.axis_limit_deg, 0.0, _HALF_TURN_DEG)
        require_positive("max_incidence_deg", self.max_incidence_deg)
        require("max_incidence_deg", self.max_incidence_deg, 0.0, _GRAZING_DEG)
        if self.mounting not in {"fixed", "one_axis", "two_axis"}:
            raise PhysicsError(f"panel {self.name}: unknown mounting {self.mounting!r}")
        if self.mounting == "one_axis" and self.axis_body is None:
            raise PhysicsError(f"panel {self.name}: a one-axis mounting needs axis_body")
        if (self.cell_temperature_c is None) is (self.thermal_node is None):
            raise PhysicsError(
                f"panel {self.name}: expected either cell_temperature_c or thermal_node"
            )
        if self.cell_temperature_c is not None:
            require("cell_temperature_c", self.cell_temperature_c, _ABSOLUTE_ZERO_C)
        normal = unit(self.normal_body)
        axis = normal if self.axis_body is None else unit(self.axis_body)
        cosine = dot(axis, normal)
        rest, side = _square_to(axis, normal)
        heat = 1.0 if self.cell_temperature_c is None else self.heat_ratio(self.cell_temperature_c)
        life = 1.0 - self.degradation_per_year_ratio
        efficiency = self.cell_efficiency_ratio * heat * life**self.age_years
        limit_rad = radians(self.axis_limit_deg)
        # Exactly zero at 90 degrees.
        min_cosine = sin(radians(_GRAZING_DEG - self.max_incidence_deg))
        derived: dict[str, object] = {
            "normal_body": normal,
            "effective_area_m2": self.area_m2 * self.packing_ratio * efficiency,
            "life_per_year_ratio": life,
            "min_cosine": min_cosine,
            "axis": axis,
            "axis_cosine": cosine,
            "axis_sine": sqrt(max(0.0, 1.0 - cosine * cosine)),
            "rest": rest,
            "side": side,
            "limited": self.axis_limit_deg < _HALF_TURN_DEG,
            "limit_cosine": cos(limit_rad),
            "limit_sine": sin(limit_rad),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def heat_ratio(self, cell_temperature_c: float) -> float:
        """Efficiency at this temperature over that at 28 degrees Celsius."""
        rise_k = cell_temperature_c - _REFERENCE_C
        return max(0.0, 1.0 + self.temperature_coefficient_per_k * rise_k)

    @property
    def most_effective_area_m2(self) -> float:
        """``effective_area_m2`` that no temperature exceeds: the coldest cells give the most."""
        if self.thermal_node is None:
            return self.effective_area_m2
        return self.effective_area_m2 * max(1.0, self.heat_ratio(_ABSOLUTE_ZERO_C))


def panel_face(
    panel: Panel, body_axes_teme: BodyAxes, sun_direction_teme: Vector
) -> tuple[float, Vector]:
    """Cosine of the Sun's incidence, negative on the back, and the normal in TEME as it stands."""
    cosine, (bx, by, bz) = _face(panel, *_in_body(body_axes_teme, sun_direction_teme))
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = body_axes_teme
    return cosine, (
        bx * xx + by * yx + bz * zx,
        bx * xy + by * yy + bz * zy,
        bx * xz + by * yz + bz * zz,
    )


def panel_powers_w(
    panels: Sequence[Panel],
    body_axes_teme: BodyAxes,
    sun_direction_teme: Vector,
    irradiance_w_per_m2: float,
    years_flown: float = 0.0,
    node_temperatures_c: Mapping[str, float] = _NO_NODES,
) -> list[float]:
    """Power of each panel.

    Args:
        panels: of the array.
        body_axes_teme: how the body stands.
        sun_direction_teme: unit vector.
        irradiance_w_per_m2: the sunlight that arrives, after eclipse.
        years_flown: since mission time zero; degradation goes on.
        node_temperatures_c: by name, of the thermal nodes that panels hang on.
    """
    if irradiance_w_per_m2 <= 0.0:
        return [0.0] * len(panels)
    # What `_in_body` and `_face` say, without their calls.
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = body_axes_teme
    tx, ty, tz = sun_direction_teme
    sx = xx * tx + xy * ty + xz * tz
    sy = yx * tx + yy * ty + yz * tz
    sz = zx * tx + zy * ty + zz * tz
    yearly = light_w_per_m2 = -1.0
    powers_w = []
    for panel in panels:
        mounting = panel.mounting
        if mounting == "fixed":
            nx, ny, nz = panel.normal_body
            cosine = nx * sx + ny * sy + nz * sz
        elif mounting == "two_axis":
            cosine = 1.0
        elif panel.limited:
            cosine = _face(panel, sx, sy, sz)[0]
        else:
            # The nearest that a normal on its cone about the axis comes to the Sun.
            ax, ay, az = panel.axis
            along = ax * sx + ay * sy + az * sz
            across = sqrt(max(0.0, 1.0 - along * along))
            cosine = panel.axis_cosine * along + panel.axis_sine * across
        if cosine < panel.min_cosine:
            powers_w.append(0.0)
            continue
        # Panels mostly age alike.
        if panel.life_per_year_ratio != yearly:
            yearly = panel.life_per_year_ratio
            light_w_per_m2 = irradiance_w_per_m2 * yearly**years_flown
        watts = panel.effective_area_m2 * cosine * light_w_per_m2
        if panel.thermal_node is not None:
            watts *= panel.heat_ratio(node_temperatures_c[panel.thermal_node])
        powers_w.append(watts)
    return powers_w


def array_power_w(
    panels: Sequence[Panel],
    body_axes_teme: BodyAxes,
    sun_direction_teme: Vector,
    irradiance_w_per_m2: float,
    years_flown: float = 0.0,
    node_temperatures_c: Mapping[str, float] = _NO_NODES,
) -> float:
    """Sum of `panel_powers_w`."""
    return sum(
        panel_powers_w(
            panels,
            body_axes_teme,
            sun_direction_teme,
            irradiance_w_per_m2,
            years_flown,
            node_temperatures_c,
        )
    )


def _square_to(axis: Vector, normal: Vector) -> tuple[Vector, Vector]:
    """The part of ``normal`` across ``axis`` and what is square to both; zero if there is none."""
    cosine = dot(axis, normal)
    across = (
        normal[0] - cosine * axis[0],
        normal[1] - cosine * axis[1],
        normal[2] - cosine * axis[2],
    )
    if dot(across, across) < _PARALLEL_SINE**2:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    rest = unit(across)
    return rest, cross(axis, rest)


def _in_body(body_axes_teme: BodyAxes, direction_teme: Vector) -> Vector:
    """A direction's components along the body's axes."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = body_axes_teme
    sx, sy, sz = direction_teme
    return (
        xx * sx + xy * sy + xz * sz,
        yx * sx + yy * sy + yz * sz,
        zx * sx + zy * sy + zz * sz,
    )


def _face(panel: Panel, sx: float, sy: float, sz: float) -> tuple[float, Vector]:
    """Cosine to a Sun in the body frame, and the panel's normal there as it stands."""
    if panel.mounting == "two_axis":
        return 1.0, (sx, sy, sz)
    if panel.mounting == "fixed":
        nx, ny, nz = panel.normal_body
        return nx * sx + ny * sy + nz * sz, panel.normal_body
    ax, ay, az = panel.axis
    rx, ry, rz = panel.rest
    qx, qy, qz = panel.side
    towards_rest = rx * sx + ry * sy + rz * sz
    towards_side = qx * sx + qy * sy + qz * sz
    across = sqrt(towards_rest * towards_rest + towards_side * towards_side)
    turn_cosine, turn_sine = 1.0, 0.0
    if across > _PARALLEL_SINE:
        turn_cosine, turn_sine = towards_rest / across, towards_side / across
        if turn_cosine < panel.limit_cosine:
            turn_cosine = panel.limit_cosine
            turn_sine = panel.limit_sine if towards_side >= 0.0 else -panel.limit_sine
    along = panel.axis_cosine
    rest = panel.axis_sine * turn_cosine
    side = panel.axis_sine * turn_sine
    return (
        along * (ax * sx + ay * sy + az * sz) + rest * towards_rest + side * towards_side,
        (
            along * ax + rest * rx + side * qx,
            along * ay + rest * ry + side * qy,
            along * az + rest * rz + side * qz,
        ),
    )
