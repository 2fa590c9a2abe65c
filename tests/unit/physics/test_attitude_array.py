from __future__ import annotations

from math import cos, nan, radians, sin, sqrt

import pytest

from node.errors import PhysicsError
from node.physics.array import Panel, array_power_w, panel_face, panel_powers_w
from node.physics.attitude import BodyAxes, body_axes_teme
from node.physics.vectors import Vector, cross, dot, unit

R = (5000.0, -3000.0, 4000.0)
V = (3.0, 6.5, 1.2)
SUN = unit((0.3, -0.8, 0.5))
IDENTITY: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def panel(mounting: str = "fixed", normal: Vector = (0.0, 0.0, 1.0), **change: object) -> Panel:
    figures: dict[str, object] = {
        "name": "wing",
        "mounting": mounting,
        "normal_body": normal,
        "area_m2": 0.5,
        "packing_ratio": 0.9,
        "cell_efficiency_ratio": 0.3,
        "temperature_coefficient_per_k": -0.002,
        "cell_temperature_c": 28.0,
        "degradation_per_year_ratio": 0.025,
        "age_years": 0.0,
    }
    return Panel(**{**figures, **change})  # type: ignore[arg-type]  # figures of any kind


def panel_incidence(wing: Panel, axes: BodyAxes, sun: Vector) -> float:
    """Cosine to the Sun; the power agrees with it on the front and is nothing on the back."""
    cosine, normal = panel_face(wing, axes, sun)
    assert dot(normal, sun) == pytest.approx(cosine, abs=1e-12)
    assert dot(normal, normal) == pytest.approx(1.0)
    (watts,) = panel_powers_w([wing], axes, sun, 1000.0)
    lit = cosine if cosine >= panel_min_cosine(wing) else 0.0
    assert watts == pytest.approx(135.0 * lit, abs=1e-9)
    return max(0.0, cosine)


def panel_min_cosine(wing: Panel) -> float:
    return cos(radians(wing.max_incidence_deg)) - 1e-12


@pytest.mark.parametrize("mode", ["nadir", "sun", "inertial"])
def test_axes_are_a_right_handed_frame(mode: str) -> None:
    x, y, z = body_axes_teme(mode, R, V, SUN)  # type: ignore[arg-type]  # a name from the list
    assert cross(x, y) == pytest.approx(z)
    for axis in (x, y, z):
        assert dot(axis, axis) == pytest.approx(1.0)
    assert dot(x, y) == pytest.approx(0.0, abs=1e-12)


def test_nadir_looks_down_and_ahead() -> None:
    x, y, z = body_axes_teme("nadir", R, V, SUN)
    assert z == pytest.approx(unit((-R[0], -R[1], -R[2])))
    assert y == pytest.approx(tuple(-c for c in unit(cross(R, V))))
    assert dot(x, V) > 0.0


def test_sun_attitude_looks_at_the_sun_with_y_against_the_normal() -> None:
    _, y, z = body_axes_teme("sun", R, V, SUN)
    assert z == pytest.approx(SUN)
    normal = unit(cross(R, V))
    # The nearest to minus the normal that is square to the Sun.
    assert dot(y, normal) == pytest.approx(-sqrt(1.0 - dot(SUN, normal) ** 2))


def test_sun_on_the_orbit_normal_still_has_axes() -> None:
    normal = unit(cross(R, V))
    x, y, z = body_axes_teme("sun", R, V, normal)
    assert z == pytest.approx(normal)
    assert x == pytest.approx(unit(R))
    assert cross(x, y) == pytest.approx(z)


def test_inertial_is_the_frame_itself() -> None:
    assert body_axes_teme("inertial", R, V, SUN) == IDENTITY


def test_unknown_attitude_is_refused() -> None:
    with pytest.raises(PhysicsError, match="expected nadir, sun or inertial, got 'spinning'"):
        body_axes_teme("spinning", R, V, SUN)  # type: ignore[arg-type]  # the error is the point


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 89.0, 91.0, 180.0])
def test_fixed_panel_follows_the_cosine(angle_deg: float) -> None:
    sun = (sin(radians(angle_deg)), 0.0, cos(radians(angle_deg)))
    found = panel_incidence(panel(normal=(0.0, 0.0, 2.0)), IDENTITY, sun)
    assert found == pytest.approx(max(0.0, cos(radians(angle_deg))))


def test_incidence_is_taken_in_the_body() -> None:
    axes = body_axes_teme("sun", R, V, SUN)
    assert panel_incidence(panel(), axes, SUN) == pytest.approx(1.0)
    assert panel_incidence(panel(normal=(1.0, 0.0, 0.0)), axes, SUN) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("elevation_deg", [-60.0, 0.0, 25.0, 90.0])
def test_one_axis_loses_only_the_sun_along_its_axis(elevation_deg: float) -> None:
    sun = (cos(radians(elevation_deg)), sin(radians(elevation_deg)), 0.0)
    tracking = panel("one_axis", axis_body=(0.0, 3.0, 0.0))
    assert panel_incidence(tracking, IDENTITY, sun) == pytest.approx(cos(radians(elevation_deg)))


def test_one_axis_with_a_canted_normal_reaches_the_nearest_of_its_cone() -> None:
    canted = panel("one_axis", normal=(0.0, 1.0, 1.0), axis_body=(0.0, 1.0, 0.0))
    on_the_cone = (sin(radians(45.0)), cos(radians(45.0)), 0.0)
    assert panel_incidence(canted, IDENTITY, on_the_cone) == pytest.approx(1.0)
    assert panel_incidence(canted, IDENTITY, (1.0, 0.0, 0.0)) == pytest.approx(cos(radians(45.0)))
    assert panel_incidence(canted, IDENTITY, (0.0, -1.0, 0.0)) == 0.0


def test_two_axis_is_always_square() -> None:
    assert panel_incidence(panel("two_axis"), IDENTITY, SUN) == 1.0


@pytest.mark.parametrize(
    ("sun_deg", "turn_deg"),
    [(0.0, 0.0), (30.0, 30.0), (-50.0, -50.0), (70.0, 60.0), (-70.0, -60.0), (179.0, 60.0)],
)
def test_one_axis_turns_as_far_as_its_limit(sun_deg: float, turn_deg: float) -> None:
    # About y, z turns to x.
    wing = panel("one_axis", axis_body=(0.0, 1.0, 0.0), axis_limit_deg=60.0)
    sun = (sin(radians(sun_deg)), 0.0, cos(radians(sun_deg)))
    cosine, normal = panel_face(wing, IDENTITY, sun)
    expected = (sin(radians(turn_deg)), 0.0, cos(radians(turn_deg)))
    assert normal == pytest.approx(expected, abs=1e-12)
    assert cosine == pytest.approx(cos(radians(sun_deg - turn_deg)), abs=1e-12)
    assert panel_incidence(wing, IDENTITY, sun) == pytest.approx(max(0.0, cosine))


def test_a_sun_along_the_axis_leaves_the_panel_at_rest() -> None:
    wing = panel("one_axis", axis_body=(0.0, 1.0, 0.0))
    cosine, normal = panel_face(wing, IDENTITY, (0.0, 1.0, 0.0))
    assert (cosine, normal) == (pytest.approx(0.0, abs=1e-12), pytest.approx((0.0, 0.0, 1.0)))
    turning_in_itself = panel("one_axis", axis_body=(0.0, 0.0, 1.0))
    assert panel_face(turning_in_itself, IDENTITY, SUN)[1] == pytest.approx((0.0, 0.0, 1.0))


def test_the_face_stands_in_teme() -> None:
    axes = body_axes_teme("nadir", R, V, SUN)
    assert panel_face(panel(), axes, SUN)[1] == pytest.approx(axes[2])
    assert panel_face(panel("two_axis"), axes, SUN)[1] == pytest.approx(SUN)
    wing = panel("one_axis", axis_body=(0.0, 1.0, 0.0))
    cosine, normal = panel_face(wing, axes, SUN)
    assert dot(normal, axes[1]) == pytest.approx(0.0, abs=1e-12)
    assert cosine == pytest.approx(sqrt(1.0 - dot(axes[1], SUN) ** 2))


@pytest.mark.parametrize(("angle_deg", "lit"), [(84.9, True), (85.1, False), (90.1, False)])
def test_light_flatter_than_the_cut_off_gives_nothing(angle_deg: float, lit: bool) -> None:
    sun = (sin(radians(angle_deg)), 0.0, cos(radians(angle_deg)))
    flat = panel(max_incidence_deg=85.0)
    found = array_power_w([flat], IDENTITY, sun, 1000.0)
    assert found == pytest.approx(135.0 * cos(radians(angle_deg)) if lit else 0.0)
    # It is dark to the cells, not to the face.
    assert panel_face(flat, IDENTITY, sun)[0] == pytest.approx(cos(radians(angle_deg)))


def test_cells_have_the_temperature_of_their_node() -> None:
    hot = panel("two_axis", cell_temperature_c=None, thermal_node="wing")
    powers_w = panel_powers_w(
        [hot, panel("two_axis", cell_temperature_c=78.0)],
        IDENTITY,
        SUN,
        1000.0,
        node_temperatures_c={"wing": 78.0},
    )
    assert powers_w == pytest.approx([135.0 * 0.9, 135.0 * 0.9])
    assert hot.most_effective_area_m2 == pytest.approx(0.135 * (1 + 0.002 * 301.15))
    assert panel(cell_temperature_c=78.0).most_effective_area_m2 == pytest.approx(0.135 * 0.9)


def test_degradation_goes_on_in_flight() -> None:
    young = panel("two_axis", age_years=1.0)
    steady = panel("two_axis", degradation_per_year_ratio=0.0)
    powers_w = panel_powers_w([young, young, steady], IDENTITY, SUN, 1000.0, years_flown=2.0)
    assert powers_w == pytest.approx([135.0 * 0.975**3, 135.0 * 0.975**3, 135.0])


def test_power_is_the_product_of_the_chain() -> None:
    aged = panel(
        "two_axis", cell_temperature_c=68.0, degradation_per_year_ratio=0.025, age_years=2.0
    )
    expected = 1361.0 * 0.5 * 0.9 * 0.3 * (1.0 - 0.002 * 40.0) * 0.975**2
    assert array_power_w([aged], IDENTITY, SUN, 1361.0) == pytest.approx(expected)


def test_panels_add_up_and_darkness_gives_nothing() -> None:
    panels = [panel(), panel(normal=(0.0, 0.0, -1.0)), panel("two_axis")]
    sun = (0.0, 0.0, 1.0)
    assert array_power_w(panels, IDENTITY, sun, 1000.0) == pytest.approx(2 * 135.0)
    assert array_power_w(panels, IDENTITY, sun, 0.0) == 0.0
    assert array_power_w([], IDENTITY, sun, 1000.0) == 0.0


def test_cells_too_hot_to_work_give_nothing() -> None:
    hot = panel("two_axis", temperature_coefficient_per_k=-0.02, cell_temperature_c=200.0)
    assert array_power_w([hot], IDENTITY, SUN, 1361.0) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area_m2": 0.0}, "area_m2"),
        ({"packing_ratio": 1.1}, "packing_ratio"),
        ({"cell_efficiency_ratio": nan}, "cell_efficiency_ratio"),
        ({"temperature_coefficient_per_k": nan}, "temperature_coefficient_per_k"),
        ({"cell_temperature_c": -300.0}, "cell_temperature_c"),
        ({"cell_temperature_c": None}, "either cell_temperature_c or thermal_node"),
        ({"thermal_node": "wing"}, "either cell_temperature_c or thermal_node"),
        ({"axis_limit_deg": 0.0}, "axis_limit_deg"),
        ({"axis_limit_deg": 181.0}, "axis_limit_deg"),
        ({"max_incidence_deg": 0.0}, "max_incidence_deg"),
        ({"max_incidence_deg": 91.0}, "max_incidence_deg"),
        ({"degradation_per_year_ratio": -0.1}, "degradation_per_year_ratio"),
        ({"age_years": -1.0}, "age_years"),
        ({"mounting": "velcro"}, "panel wing: unknown mounting 'velcro'"),
        ({"mounting": "one_axis"}, "panel wing: a one-axis mounting needs axis_body"),
        ({"normal_body": (0.0, 0.0, 0.0)}, "has no direction"),
    ],
)
def test_panel_figures_are_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        panel(**change)  # type: ignore[arg-type]  # the error is the point
