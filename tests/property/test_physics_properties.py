"""What must hold whatever the figures: charge and temperatures bounded, energy conserved."""

from __future__ import annotations

from itertools import pairwise
from math import cos, hypot, isfinite, pi, sin

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from physics_strategies import networks, packs, ratios, stored_heat_j, stored_j
from plain_network import PlainNetwork

from node.physics.attitude import body_axes_teme
from node.physics.battery import BatterySpec, step
from node.physics.frames import ecef_from_geodetic, geodetic_from_ecef
from node.physics.orbit import Orbit
from node.physics.passes import Station, find_passes, look_at
from node.physics.shadow import eclipse_events, illumination
from node.physics.sun import AU_KM, sun_teme
from node.physics.surfaces import Surface, plate_view_factor, surface_heat_w
from node.physics.thermal import (
    ZERO_CELSIUS_K,
    ThermalNetwork,
)

EPOCH = 1_742_472_000.0
directions = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)).filter(
    lambda v: hypot(*v) > 0.1
)


@given(
    packs(),
    ratios,
    st.floats(-3.0, 3.0),
    st.sampled_from([0.001, 0.1, 1.0, 30.0, 600.0, 86_400.0]),
    st.floats(-5, 5),
)
def test_battery_is_bounded_and_conserves_energy(
    pack: BatterySpec, soc: float, c_rate: float, dt_s: float, temperature_c: float
) -> None:
    net_w = c_rate * pack.capacity_wh
    result = step(pack, soc, net_w, dt_s, temperature_c)
    assert 0.0 <= result.soc <= 1.0
    assert result.loss_w >= 0.0
    assert result.curtailed_w >= 0.0
    if net_w >= 0.0:
        assert not result.brown_out
        assert result.soc >= soc
        assert result.battery_power_w + result.curtailed_w == pytest.approx(net_w)
        assert -result.current_a <= pack.max_charge_a * (1 + 1e-9)
        if temperature_c < 0.0:
            assert result.battery_power_w == 0.0
    else:
        assert result.soc <= soc
        assert result.curtailed_w == 0.0
        if result.brown_out:
            assert result.battery_power_w >= net_w
        else:
            assert result.battery_power_w == pytest.approx(net_w)
            assert result.terminal_v >= pack.min_bus_v
    # A pack's power at its terminals is what it stores and what it loses.
    gained_j = stored_j(pack, result.soc) - stored_j(pack, soc)
    moved_j = (abs(result.battery_power_w) + result.loss_w) * dt_s
    # A state of charge is rounded to a part of 1e-16 of the pack.
    tolerance_j = 1e-9 * moved_j + 1e-14 * pack.capacity_wh * 3600.0
    balance_j = (result.battery_power_w - result.loss_w) * dt_s
    assert balance_j == pytest.approx(gained_j, abs=tolerance_j)


@given(packs(), ratios, st.floats(0.05, 0.5))
def test_a_round_trip_never_gains(pack: BatterySpec, soc: float, c_rate: float) -> None:
    power_w = c_rate * pack.capacity_wh
    charged = step(pack, soc, power_w, 300.0, 20.0)
    assume(charged.battery_power_w > 0.0)
    given_back = step(pack, charged.soc, -charged.battery_power_w, 300.0, 20.0)
    # A bus that browns out takes nothing: that says nothing of the pack.
    assume(not given_back.brown_out)
    assert given_back.soc <= soc + 1e-9


@settings(deadline=None)
@given(
    networks(),
    st.floats(-100.0, 120.0),
    st.floats(0.0, 200.0),
    st.sampled_from([0.1, 1.0, 60.0, 1000.0]),
)
def test_network_conserves_energy_at_any_step(
    network: ThermalNetwork, start_c: float, heat_w: float, dt_s: float
) -> None:
    count = len(network.spec.nodes)
    state = network.initial_state([start_c + 7.0 * k for k in range(count)])
    heats = [heat_w, *[0.0] * (count - 1)]
    absorbed = [0.1 * heat_w] * len(network.spec.surfaces)
    result = network.step(state, heats, absorbed, dt_s)
    assert all(isfinite(t) and t > -ZERO_CELSIUS_K for t in result.temperatures_c)
    before_w = network.radiated_w(state.temperatures_c)
    after_w = network.radiated_w(result.temperatures_c)
    gained_j = stored_heat_j(network.spec, result.temperatures_c) - stored_heat_j(
        network.spec, state.temperatures_c
    )
    into_w = sum(heats) + sum(absorbed) + result.heater_w
    radiated_w = into_w - gained_j / dt_s
    if dt_s <= 1.0:
        # What is missing went to space: the mean of the radiated power over the step.
        assert radiated_w == pytest.approx(0.5 * (before_w + after_w), rel=0.02, abs=1e-3)
    assert radiated_w >= -1e-6 * max(1.0, into_w)


@settings(deadline=None)
@given(
    networks(),
    st.floats(-60.0, 90.0),
    st.lists(st.floats(-20.0, 300.0), min_size=11, max_size=11),
    st.sampled_from([0.1, 1.0, 10.0, 333.0]),
    st.booleans(),
)
def test_the_generated_step_is_that_of_plain_loops(
    network: ThermalNetwork, start_c: float, watts: list[float], dt_s: float, bus_live: bool
) -> None:
    count = len(network.spec.nodes)
    plain = PlainNetwork(network.spec)
    state = network.initial_state([start_c + 3.0 * k for k in range(count)])
    heats, absorbed = watts[:count], watts[count : count + len(network.spec.surfaces)]
    for _ in range(3):
        result = network.step(state, heats, absorbed, dt_s, bus_live=bus_live)
        expected = plain.step(state, heats, absorbed, dt_s, bus_live=bus_live)
        assert result.heaters_on == expected.heaters_on
        assert result.heater_w == pytest.approx(expected.heater_w, rel=1e-12)
        assert result.temperatures_c == pytest.approx(expected.temperatures_c, rel=1e-11, abs=1e-10)
        state = result


@settings(deadline=None)
@given(networks(), st.floats(-50.0, 80.0), st.sampled_from([0.5, 20.0, 500.0]))
def test_without_sources_the_hottest_never_warms_and_the_coldest_never_freezes(
    network: ThermalNetwork, start_c: float, dt_s: float
) -> None:
    assume(not network.spec.heaters)
    count = len(network.spec.nodes)
    temperatures = [start_c + 9.0 * k for k in range(count)]
    state = network.initial_state(temperatures)
    dark = [0.0] * len(network.spec.surfaces)
    for _ in range(5):
        state = network.step(state, [0.0] * count, dark, dt_s)
        assert max(state.temperatures_c) <= max(temperatures) + 1e-9
        assert min(state.temperatures_c) > -ZERO_CELSIUS_K + 2.0
        temperatures = list(state.temperatures_c)


@settings(deadline=None, max_examples=50)
@given(networks(), st.floats(0.0, 100.0), st.floats(0.0, 60.0))
def test_the_same_step_gives_the_same_history(
    network: ThermalNetwork, heat_w: float, start_c: float
) -> None:
    count = len(network.spec.nodes)
    again = ThermalNetwork(network.spec)
    states = [one.initial_state([start_c] * count) for one in (network, again)]
    dark = [0.0] * len(network.spec.surfaces)
    # The first has flown elsewhere before; that must leave no trace.
    network.step(states[0], [1e3] * count, dark, 33.0)
    for one, state in ((network, states[0]), (again, states[1])):
        states[one is again] = one.step(state, [heat_w] * count, dark, 7.0)
    assert states[0] == states[1]


@given(st.floats(1.0001, 10.0), st.floats(-1.0, 1.0))
def test_view_factor_is_a_part(radius_ratio: float, tilt_cosine: float) -> None:
    factor = plate_view_factor(radius_ratio, tilt_cosine)
    assert -1e-9 <= factor <= 1.0
    # Both sides of a plate together see no more than a sphere of that distance fills twice.
    both = factor + plate_view_factor(radius_ratio, -tilt_cosine)
    assert both <= 2.0 / radius_ratio + 1e-9


@given(
    st.floats(200.0, 2000.0),
    st.floats(-pi, pi),
    st.floats(-pi / 2, pi / 2),
    st.floats(0.0, 3.2e7),
)
def test_light_is_a_part_and_full_on_the_day_side(
    altitude_km: float, longitude: float, latitude: float, after_s: float
) -> None:
    radius_km = 6378.137 + altitude_km
    r_km = (
        radius_km * cos(latitude) * cos(longitude),
        radius_km * cos(latitude) * sin(longitude),
        radius_km * sin(latitude),
    )
    (sx, sy, sz), distance_au = sun_teme(EPOCH + after_s)
    lit = illumination(r_km, (sx, sy, sz), distance_au * AU_KM)
    assert 0.0 <= lit <= 1.0
    along_km = r_km[0] * sx + r_km[1] * sy + r_km[2] * sz
    if along_km >= 0.0:
        assert lit == 1.0
    elif radius_km**2 - along_km**2 < 6300.0**2:
        assert lit == 0.0


@given(directions, directions, directions)
def test_any_attitude_is_a_frame(
    r: tuple[float, float, float], v: tuple[float, float, float], sun: tuple[float, float, float]
) -> None:
    rx, ry, rz = r
    vx, vy, vz = v
    normal = (ry * vz - rz * vy, rz * vx - rx * vz, rx * vy - ry * vx)
    assume(hypot(*normal) > 0.01)
    for mode in ("nadir", "sun", "inertial"):
        axes = body_axes_teme(mode, r, v, sun)
        for i in range(3):
            for j in range(3):
                product = sum(a * b for a, b in zip(axes[i], axes[j], strict=True))
                assert product == pytest.approx(float(i == j), abs=1e-6)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-1, 50_000))
def test_geodetic_coordinates_come_back(
    latitude_deg: float, longitude_deg: float, altitude_km: float
) -> None:
    found = geodetic_from_ecef(ecef_from_geodetic(latitude_deg, longitude_deg, altitude_km))
    assert found[0] == pytest.approx(latitude_deg, abs=1e-7)
    assert found[2] == pytest.approx(altitude_km, abs=1e-6)


orbits = st.builds(
    Orbit.from_keplerian,
    st.floats(300, 3000),
    st.floats(0, 0.002),
    st.floats(0, 180),
    st.floats(0, 360),
    st.floats(0, 360),
    st.floats(0, 360),
    st.just(EPOCH),
)


@settings(max_examples=15, deadline=None)
@given(orbits, st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 60))
def test_passes_cover_what_is_above_the_mask(
    orbit: Orbit, latitude_deg: float, longitude_deg: float, mask_deg: float
) -> None:
    station = Station("s", latitude_deg, longitude_deg, 0.0, mask_deg)
    end = EPOCH + 20_000.0
    passes = find_passes(orbit, [station], EPOCH, end)
    assert all(a.los_utc_s <= b.aos_utc_s for a, b in pairwise(passes))
    for utc_s in (EPOCH + 43.0 * k for k in range(465)):
        height_deg = look_at(station, orbit, utc_s).elevation_deg
        inside = any(p.aos_utc_s <= utc_s <= p.los_utc_s for p in passes)
        if abs(height_deg - mask_deg) > 0.01:
            assert inside is (height_deg > mask_deg)


@settings(max_examples=15, deadline=None)
@given(orbits)
def test_eclipse_events_agree_with_the_light_between_them(orbit: Orbit) -> None:
    end = EPOCH + 12_000.0
    events = eclipse_events(orbit, EPOCH, end)
    edges = [EPOCH, *(event.utc_s for event in events), end]
    for before, after in pairwise(edges):
        assume(after - before > 0.01)
        middle = 0.5 * (before + after)
        entered = [event for event in events if event.utc_s < middle]
        left = [event for event in events if event.utc_s > middle]
        direction, distance_au = sun_teme(middle)
        lit = illumination(orbit.state(middle)[0], direction, distance_au * AU_KM)
        if entered and left:
            expected = {
                "penumbra_exit": lit == 1.0,
                "umbra_entry": lit == 0.0,
                "penumbra_entry": 0.0 < lit < 1.0,
                "umbra_exit": 0.0 < lit < 1.0,
            }
            assert expected[entered[-1].kind]


@given(directions, st.floats(0, 1500), st.floats(0, 1), st.floats(0, 300), st.floats(0, 0.6))
def test_surfaces_never_take_more_than_arrives(
    sun: tuple[float, float, float], solar: float, lit: float, infrared: float, albedo: float
) -> None:
    length = hypot(*sun)
    direction = (sun[0] / length, sun[1] / length, sun[2] / length)
    surfaces = [
        Surface("n", 1.0, 1.0, 1.0, 1.0, facing)
        for facing in ("sphere", "sun", "anti_sun", "nadir", "zenith")
    ]
    axes = body_axes_teme("inertial", (7000.0, 0.0, 0.0), (0.0, 7.5, 0.0), direction)
    for watts in surface_heat_w(
        surfaces, axes, direction, (7000.0, 0.0, 0.0), solar, lit, infrared, albedo
    ):
        assert -1e-9 <= watts <= solar * (lit + albedo) + infrared + 1e-6
