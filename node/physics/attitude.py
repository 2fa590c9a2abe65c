"""How the body stands: its axes in TEME for an attitude that is held without error."""

from __future__ import annotations

from math import sqrt
from typing import Literal

from node.errors import PhysicsError
from node.physics.vectors import Vector, cross, unit

AttitudeMode = Literal["nadir", "sun", "inertial"]
BodyAxes = tuple[Vector, Vector, Vector]
"""The body's x, y and z axes, unit vectors in TEME."""

_INERTIAL: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_PARALLEL_SINE = 1e-6


def body_axes_teme(
    mode: AttitudeMode, r_teme_km: Vector, v_teme_km_s: Vector, sun_direction_teme: Vector
) -> BodyAxes:
    """Axes of the body frame.

    - ``nadir``: z to the Earth's centre, y against the orbit normal, x along the flight.
    - ``sun``: z to the Sun, y as near to minus the orbit normal as that allows.
    - ``inertial``: the axes of TEME itself.
    """
    if mode == "nadir":
        return _nadir(r_teme_km, v_teme_km_s)
    if mode == "sun":
        return _sun(r_teme_km, v_teme_km_s, sun_direction_teme)
    if mode == "inertial":
        return _INERTIAL
    raise PhysicsError(f"attitude: expected nadir, sun or inertial, got {mode!r}")


def _nadir(r_teme_km: Vector, v_teme_km_s: Vector) -> BodyAxes:
    """Local vertical, local horizontal."""
    x, y, z = r_teme_km
    vx, vy, vz = v_teme_km_s
    hx = y * vz - z * vy
    hy = z * vx - x * vz
    hz = x * vy - y * vx
    r = -1.0 / sqrt(x * x + y * y + z * z)
    h = -1.0 / sqrt(hx * hx + hy * hy + hz * hz)
    zx, zy, zz = x * r, y * r, z * r
    yx, yy, yz = hx * h, hy * h, hz * h
    return (
        (yy * zz - yz * zy, yz * zx - yx * zz, yx * zy - yy * zx),
        (yx, yy, yz),
        (zx, zy, zz),
    )


def _sun(r_teme_km: Vector, v_teme_km_s: Vector, sun_direction_teme: Vector) -> BodyAxes:
    """Sun pointing; with the Sun on the orbit normal, x goes to the zenith."""
    x, y, z = r_teme_km
    vx, vy, vz = v_teme_km_s
    hx = y * vz - z * vy
    hy = z * vx - x * vz
    hz = x * vy - y * vx
    zx, zy, zz = unit(sun_direction_teme)
    xx = zy * hz - zz * hy
    xy = zz * hx - zx * hz
    xz = zx * hy - zy * hx
    squared = xx * xx + xy * xy + xz * xz
    if squared < _PARALLEL_SINE**2 * (hx * hx + hy * hy + hz * hz):
        sun = (zx, zy, zz)
        xx, xy, xz = cross(cross(sun, r_teme_km), sun)
        squared = xx * xx + xy * xy + xz * xz
    scale = 1.0 / sqrt(squared)
    xx, xy, xz = xx * scale, xy * scale, xz * scale
    return (
        (xx, xy, xz),
        (zy * xz - zz * xy, zz * xx - zx * xz, zx * xy - zy * xx),
        (zx, zy, zz),
    )
