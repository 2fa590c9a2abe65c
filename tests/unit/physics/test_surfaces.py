from __future__ import annotations

from math import cos, nan, nextafter, pi, radians, sin

import pytest

from node.errors import PhysicsError
from node.physics.array import Mounting, Panel
from node.physics.attitude import BodyAxes
from node.physics.frames import EQUATORIAL_RADIUS_KM
from node.physics.surfaces import (
    Facing,
    Surface,
    plate_view_factor,
    sphere_view_factor,
    surface_heat_w,
)
from node.physics.vectors import Vector

AXES: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
RADIUS_KM = EQUATORIAL_RADIUS_KM + 550.0
RATIO = RADIUS_KM / EQUATORIAL_RADIUS_KM
SUN = (0.0, 0.6, 0.8)


def heat_w(
    facing: Facing,
    *,
    normal: Vector | None = None,
    axes: BodyAxes = AXES,
    r_km: Vector = (0.0, 0.0, RADIUS_KM),
    lit: float = 1.0,
    infrared: float = 0.0,
    albedo: float = 0.0,
    view: float = 1.0,
) -> float:
    surface = Surface("n", 2.0, 0.5, 0.25, view, facing, normal)
    (watts,) = surface_heat_w([surface], axes, SUN, r_km, 1000.0, lit, infrared, albedo)
    return watts


@pytest.mark.parametrize(
    ("facing", "cosine"),
    [("sun", 1.0), ("anti_sun", 0.0), ("zenith", 0.8), ("nadir", 0.0), ("sphere", 0.25)],
)
def test_direct_sunlight_by_facing(facing: Facing, cosine: float) -> None:
    assert heat_w(facing) == pytest.approx(2.0 * 0.25 * 1000.0 * cosine)
    assert heat_w(facing, lit=0.5) == pytest.approx(2.0 * 0.25 * 500.0 * cosine)
    # What the spacecraft blocks is diffuse light, not the Sun.
    assert heat_w(facing, view=0.5) == pytest.approx(2.0 * 0.25 * 1000.0 * cosine)


def test_nadir_face_sees_the_sun_that_stands_low_behind_the_node() -> None:
    assert heat_w("nadir", r_km=(0.0, 0.0, -RADIUS_KM)) == pytest.approx(2.0 * 0.25 * 800.0)
    assert heat_w("zenith", r_km=(0.0, 0.0, -RADIUS_KM)) == 0.0


@pytest.mark.parametrize(
    ("facing", "factor"),
    [
        ("nadir", 1.0 / RATIO**2),
        ("zenith", 0.0),
        ("sphere", sphere_view_factor(RATIO)),
        ("sun", plate_view_factor(RATIO, -0.8)),
        ("anti_sun", plate_view_factor(RATIO, 0.8)),
    ],
)
def test_earth_light_by_facing(facing: Facing, factor: float) -> None:
    assert heat_w(facing, lit=0.0, infrared=200.0) == pytest.approx(2.0 * 0.5 * 200.0 * factor)
    assert heat_w(facing, lit=0.0, albedo=0.3) == pytest.approx(
        2.0 * 0.25 * 0.3 * 1000.0 * 0.8 * factor
    )
    assert heat_w(facing, lit=0.0, infrared=200.0, view=0.5) == pytest.approx(
        1.0 * 0.5 * 200.0 * factor
    )


def test_night_side_has_no_albedo() -> None:
    assert heat_w("nadir", r_km=(0.0, 0.0, -RADIUS_KM), lit=0.0, albedo=0.3) == 0.0


def test_fixed_face_turns_with_the_body() -> None:
    # The body's x axis looks along TEME z: away from the Earth at this place.
    axes: BodyAxes = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0))
    assert heat_w("fixed", normal=(3.0, 0.0, 0.0), axes=axes) == pytest.approx(heat_w("zenith"))
    down = heat_w("fixed", normal=(-1.0, 0.0, 0.0), axes=axes, infrared=200.0)
    assert down == pytest.approx(heat_w("nadir", infrared=200.0))
    flank = heat_w("fixed", normal=(0.0, 0.0, 1.0), axes=axes, infrared=200.0)
    assert flank == pytest.approx(2.0 * 0.5 * 200.0 * plate_view_factor(RATIO, 0.0))


def test_view_factor_of_all_directions_is_that_of_the_sphere() -> None:
    # Averaged over every direction a plate sees as much as a sphere does.
    count = 2000
    mean = sum(
        plate_view_factor(RATIO, cos(angle)) * sin(angle)
        for angle in (pi * (k + 0.5) / count for k in range(count))
    ) * (pi / count / 2.0)
    assert mean == pytest.approx(sphere_view_factor(RATIO), rel=1e-4)


@pytest.mark.parametrize("radius_ratio", [1.0001, 1.086, 1.5, 6.6])
def test_view_factor_is_continuous_where_its_formula_changes(radius_ratio: float) -> None:
    for edge in (1.0 / radius_ratio, -1.0 / radius_ratio):
        below = plate_view_factor(radius_ratio, edge - 1e-7)
        above = plate_view_factor(radius_ratio, edge + 1e-7)
        assert below == pytest.approx(above, abs=1e-5)


@pytest.mark.parametrize("radius_ratio", [1.0, 1.0000001, 1.0863, 1.18378615915, 6.6])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_view_factor_exists_at_every_number_around_where_its_formula_changes(
    radius_ratio: float, side: float
) -> None:
    for divided in range(200):
        ratio = radius_ratio * (1.0 + divided * 1e-3)
        tilt_cosine = side / ratio
        for _ in range(8):
            tilt_cosine = nextafter(tilt_cosine, 0.0)
            seen = max(0.0, tilt_cosine) / ratio**2
            assert plate_view_factor(ratio, tilt_cosine) == pytest.approx(seen, abs=1e-7)


def test_a_node_at_the_edge_of_decay_has_heat() -> None:
    low_km = EQUATORIAL_RADIUS_KM - 0.002
    for facing in ("nadir", "sphere", "sun"):
        at_edge, on_ground = (
            heat_w(facing, r_km=(0.0, 0.0, r_km), infrared=240.0, albedo=0.3)
            for r_km in (low_km, EQUATORIAL_RADIUS_KM)
        )
        assert at_edge == pytest.approx(on_ground)


def test_on_the_ground_a_plate_sees_half_and_all() -> None:
    assert plate_view_factor(1.0, 1.0) == 1.0
    assert plate_view_factor(1.0, cos(radians(60.0))) == pytest.approx(0.75)
    assert plate_view_factor(1.0, 0.0) == pytest.approx(0.5)


def wing(mounting: Mounting, *, limit_deg: float = 180.0) -> Panel:
    """Normal to +z, turning about y, of two square metres."""
    return Panel(
        "wing", mounting, (0.0, 0.0, 1.0), 2.0, 0.9, 0.3, -0.002, None, 0.0, 0.0,
        (0.0, 1.0, 0.0), "n", limit_deg,
    )  # fmt: skip


WING = wing("fixed")


def front_w(
    panel: Panel, sun: Vector, r_km: Vector, *, solar: float = 0.0, infrared: float = 0.0
) -> float:
    front = Surface("n", 2.0, 0.8, 0.9, 1.0, "panel", panel=panel)
    (watts,) = surface_heat_w([front], AXES, sun, r_km, solar, 1.0, infrared, 0.0)
    return watts


BELOW = (0.0, 0.0, -RADIUS_KM)
"""The Earth is in the direction of +z."""
ASIDE = (-RADIUS_KM, 0.0, 0.0)
"""The Earth is in the direction of +x."""


@pytest.mark.parametrize(
    ("panel", "angle_deg", "cosine"),
    [
        (WING, 30.0, cos(radians(30.0))),
        (WING, 120.0, 0.0),
        (wing("one_axis"), 120.0, 1.0),
        (wing("one_axis", limit_deg=60.0), 100.0, cos(radians(40.0))),
        (wing("two_axis"), 120.0, 1.0),
    ],
)
def test_the_front_of_a_panel_takes_sunlight_as_the_panel_stands(
    panel: Panel, angle_deg: float, cosine: float
) -> None:
    sun = (sin(radians(angle_deg)), 0.0, cos(radians(angle_deg)))
    found = front_w(panel, sun, (0.0, RADIUS_KM, 0.0), solar=1000.0)
    assert found == pytest.approx(2.0 * 0.9 * 1000.0 * cosine)


def test_the_front_of_a_panel_sees_the_earth_as_the_panel_stands() -> None:
    straight_w = 2.0 * 0.8 * 237.0 / RATIO**2
    sideways_w = 2.0 * 0.8 * 237.0 * plate_view_factor(RATIO, 0.0)
    to_x = (1.0, 0.0, 0.0)
    assert front_w(WING, to_x, BELOW, infrared=237.0) == pytest.approx(straight_w)
    assert front_w(WING, to_x, ASIDE, infrared=237.0) == pytest.approx(sideways_w)
    for turned in (wing("one_axis"), wing("two_axis")):
        assert front_w(turned, to_x, BELOW, infrared=237.0) == pytest.approx(sideways_w)
        assert front_w(turned, to_x, ASIDE, infrared=237.0) == pytest.approx(straight_w)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area_m2": 0.0}, "area_m2"),
        ({"emissivity_ratio": 1.1}, "emissivity_ratio"),
        ({"absorptance_ratio": nan}, "absorptance_ratio"),
        ({"space_view_ratio": -0.1}, "space_view_ratio"),
        ({"facing": "backwards"}, "surface of n: unknown facing 'backwards'"),
        ({"facing": "fixed"}, "surface of n: a fixed facing needs normal_body"),
        ({"facing": "fixed", "normal_body": (0.0, 0.0, 0.0)}, "has no direction"),
        ({"facing": "panel"}, "surface of n: a panel belongs to the facing panel"),
        ({"panel": WING}, "surface of n: a panel belongs to the facing panel"),
        ({"facing": "panel", "panel": WING}, "surface of n: takes less light than panel wing"),
    ],
)
def test_surface_figures_are_refused_by_name(change: dict[str, object], message: str) -> None:
    figures: dict[str, object] = {
        "node": "n",
        "area_m2": 1.0,
        "emissivity_ratio": 0.8,
        "absorptance_ratio": 0.2,
        "space_view_ratio": 1.0,
        "facing": "sun",
    }
    with pytest.raises(PhysicsError, match=message):
        Surface(**{**figures, **change})  # type: ignore[arg-type]  # the error is the point
