from __future__ import annotations

from math import inf, nan

import pytest

from node.errors import PhysicsError
from node.physics.checks import require, require_positive
from node.physics.vectors import cross, dot, unit


def test_products_follow_the_right_hand() -> None:
    x, y, z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    assert cross(x, y) == z
    assert cross(y, z) == x
    assert cross(z, x) == y
    assert dot((1.0, 2.0, 3.0), (4.0, -5.0, 6.0)) == 12.0


def test_unit_keeps_the_direction() -> None:
    assert unit((3.0, 0.0, -4.0)) == pytest.approx((0.6, 0.0, -0.8))


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (nan, 1.0, 0.0), (inf, 0.0, 0.0)])
def test_no_direction_is_an_error(vector: tuple[float, float, float]) -> None:
    with pytest.raises(PhysicsError, match="has no direction"):
        unit(vector)


@pytest.mark.parametrize("value", [nan, inf, -inf, -0.1, 1.1])
def test_require_refuses(value: float) -> None:
    with pytest.raises(PhysicsError, match="ratio: expected a finite number from 0 to 1"):
        require("ratio", value, 0, 1)


def test_require_accepts_the_bounds() -> None:
    require("ratio", 0.0, 0.0, 1.0)
    require("ratio", 1.0, 0.0, 1.0)
    require("anything", -1e300)


@pytest.mark.parametrize("value", [nan, inf, 0.0, -1.0])
def test_require_positive_refuses(value: float) -> None:
    with pytest.raises(PhysicsError, match="mass: expected a finite number above 0"):
        require_positive("mass", value)
