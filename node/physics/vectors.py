"""Three-vectors as plain tuples: no allocation beyond the result, no numpy."""

from __future__ import annotations

from math import isfinite, sqrt

from node.errors import PhysicsError

Vector = tuple[float, float, float]
"""Three components; the name of the variable says frame and unit."""


def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Vector product, right-handed."""
    ax, ay, az = a
    bx, by, bz = b
    return (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def unit(a: Vector) -> Vector:
    """``a`` at length one; raises `PhysicsError` where it has no direction."""
    x, y, z = a
    length = sqrt(x * x + y * y + z * z)
    if not isfinite(length) or length == 0.0:
        raise PhysicsError(f"vector {a} has no direction")
    return (x / length, y / length, z / length)
