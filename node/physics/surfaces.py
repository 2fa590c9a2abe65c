"""Heat that the faces of the spacecraft take from Sun and Earth.

    Q = alpha A cos(incidence) S lit + alpha A F a S max(0, cos zenith) + eps A F OLR

F is the view factor from the face to the Earth (closed form for a tilted plate; Gilmore, Spacecraft
Thermal Control Handbook, 2nd ed., chapter 2), cos zenith that of the Sun at the point below. Earth
light counts with the part of the view that the spacecraft leaves free, direct sunlight does not.
The front of an array panel turns with it; what its cells give is taken off elsewhere. Limits: an
evenly bright Earth, so that albedo is crude where the Sun stands low (zenith angle above 60
degrees).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import acos, asin, pi, sqrt
from typing import Literal, get_args

from node.errors import PhysicsError
from node.physics.array import Panel, panel_face
from node.physics.attitude import BodyAxes
from node.physics.checks import require, require_positive
from node.physics.frames import EQUATORIAL_RADIUS_KM
from node.physics.vectors import Vector, unit

Facing = Literal["fixed", "sphere", "sun", "anti_sun", "nadir", "zenith", "panel"]

_TOUCHING = 1e-12


@dataclass(frozen=True, slots=True)
class Surface:
    """A face that sees space, Sun and Earth."""

    node: str
    area_m2: float
    """Of a plate, one side; of a sphere, all of it."""
    emissivity_ratio: float
    absorptance_ratio: float
    space_view_ratio: float
    """Part of the face's view that the spacecraft itself does not block."""
    facing: Facing
    normal_body: Vector | None = None
    """For ``fixed``: outward normal in the body frame."""
    panel: Panel | None = None
    """For ``panel``: the array panel whose front this is."""
    direction_body: Vector = field(init=False, repr=False, compare=False)
    """``normal_body`` at length one; zero where the face does not stand still in the body."""
    radiating_area_m2: float = field(init=False, repr=False, compare=False)
    absorbing_area_m2: float = field(init=False, repr=False, compare=False)
    """Area times emissivity or absorptance, times the free view: for light from all around."""
    sunlit_area_m2: float = field(init=False, repr=False, compare=False)
    """Area times absorptance: for direct sunlight."""

    def __post_init__(self) -> None:
        require_positive("area_m2", self.area_m2)
        for name in ("emissivity_ratio", "absorptance_ratio", "space_view_ratio"):
            require(name, getattr(self, name), 0.0, 1.0)
        if self.facing not in get_args(Facing):
            raise PhysicsError(f"surface of {self.node}: unknown facing {self.facing!r}")
        direction = (0.0, 0.0, 0.0)
        if self.facing == "fixed":
            if self.normal_body is None:
                raise PhysicsError(f"surface of {self.node}: a fixed facing needs normal_body")
            direction = unit(self.normal_body)
        if (self.facing == "panel") is (self.panel is None):
            raise PhysicsError(
                f"surface of {self.node}: a panel belongs to the facing panel, and to no other"
            )
        seen_m2 = self.area_m2 * self.space_view_ratio
        derived: dict[str, object] = {
            "direction_body": direction,
            "radiating_area_m2": seen_m2 * self.emissivity_ratio,
            "absorbing_area_m2": seen_m2 * self.absorptance_ratio,
            "sunlit_area_m2": self.area_m2 * self.absorptance_ratio,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        # A face that gave more than it takes would cool itself below anything there is.
        if self.panel is not None and self.sunlit_area_m2 < self.panel.most_effective_area_m2:
            raise PhysicsError(
                f"surface of {self.node}: takes less light than panel {self.panel.name} gives power"
            )


def plate_view_factor(radius_ratio: float, tilt_cosine: float) -> float:
    """View factor from a plate to a sphere.

    ``radius_ratio`` is the distance of the plate from the sphere's centre over the sphere's radius,
    at least 1, ``tilt_cosine`` the cosine of the angle between the plate's normal and the direction
    to the centre.
    """
    squared = radius_ratio * radius_ratio
    facing = radius_ratio * tilt_cosine
    # Where the plate's horizon touches the sphere, rounding must not lead out of the formula below.
    if facing >= 1.0 - _TOUCHING:
        return tilt_cosine / squared
    if facing <= _TOUCHING - 1.0:
        return 0.0
    # Part of the sphere is below the plate's own horizon.
    reach = sqrt(squared - 1.0)
    tilt_sine = sqrt(1.0 - tilt_cosine * tilt_cosine)
    return (
        0.5
        - asin(reach / (radius_ratio * tilt_sine)) / pi
        + (
            tilt_cosine * acos(-reach * tilt_cosine / tilt_sine)
            - reach * sqrt(1.0 - facing * facing)
        )
        / (pi * squared)
    )


def sphere_view_factor(radius_ratio: float) -> float:
    """View factor from a small sphere to a big one at ``radius_ratio`` radii."""
    return 0.5 * (1.0 - sqrt(1.0 - 1.0 / (radius_ratio * radius_ratio)))


def surface_heat_w(
    surfaces: Sequence[Surface],
    body_axes_teme: BodyAxes,
    sun_direction_teme: Vector,
    r_teme_km: Vector,
    solar_irradiance_w_per_m2: float,
    illumination: float,
    earth_infrared_w_per_m2: float,
    albedo_ratio: float,
) -> list[float]:
    """Heat taken by each surface.

    ``solar_irradiance_w_per_m2`` is that of the Sun's distance, before ``illumination``: the Earth
    below may still be lit when the node is not.
    """
    x, y, z = r_teme_km
    sx, sy, sz = sun_direction_teme
    distance_km = sqrt(x * x + y * y + z * z)
    radius_ratio = distance_km / EQUATORIAL_RADIUS_KM
    if radius_ratio < 1.0:  # noqa: PLR1730 - max() would cost more
        # SGP4 follows an orbit down to its own Earth, which is 2 m smaller.
        radius_ratio = 1.0
    zenith_cosine = (x * sx + y * sy + z * sz) / distance_km
    sunlight = solar_irradiance_w_per_m2 * illumination
    albedo = (
        albedo_ratio * solar_irradiance_w_per_m2 * zenith_cosine if zenith_cosine > 0.0 else 0.0
    )
    heat_w = []
    for surface in surfaces:
        facing = surface.facing
        if facing == "sphere":
            sun_cosine = 0.25
            view = sphere_view_factor(radius_ratio)
        else:
            if facing == "sun":
                sun_cosine, earth_cosine = 1.0, -zenith_cosine
            elif facing == "anti_sun":
                sun_cosine, earth_cosine = 0.0, zenith_cosine
            elif facing == "fixed":
                (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = body_axes_teme
                bx, by, bz = surface.direction_body
                nx = bx * xx + by * yx + bz * zx
                ny = bx * xy + by * yy + bz * zy
                nz = bx * xz + by * yz + bz * zz
                sun_cosine = nx * sx + ny * sy + nz * sz
                earth_cosine = -(nx * x + ny * y + nz * z) / distance_km
            elif facing == "nadir":
                sun_cosine, earth_cosine = -zenith_cosine, 1.0
            elif surface.panel is None:  # to the zenith
                sun_cosine, earth_cosine = zenith_cosine, -1.0
            else:
                sun_cosine, (nx, ny, nz) = panel_face(
                    surface.panel, body_axes_teme, sun_direction_teme
                )
                earth_cosine = -(nx * x + ny * y + nz * z) / distance_km
            view = plate_view_factor(radius_ratio, earth_cosine)
        watts = view * (
            surface.radiating_area_m2 * earth_infrared_w_per_m2 + surface.absorbing_area_m2 * albedo
        )
        if sun_cosine > 0.0:
            watts += surface.sunlit_area_m2 * sun_cosine * sunlight
        heat_w.append(watts)
    return heat_w
