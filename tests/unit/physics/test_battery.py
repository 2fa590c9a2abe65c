from __future__ import annotations

from math import exp, inf, nan

import pytest

from node.errors import PhysicsError
from node.physics.battery import BatterySpec, BatteryStep, open_circuit_v, step


def spec(**change: object) -> BatterySpec:
    figures: dict[str, object] = {
        "series": 2,
        "parallel": 4,
        "cell_capacity_ah": 2.5,
        "cell_resistance_ohm": 0.06,
        "ocv_soc": (0.0, 0.5, 1.0),
        "cell_ocv_v": (3.0, 3.7, 4.2),
        "cell_max_v": 4.2,
        "max_charge_c_rate": 0.5,
        "coulombic_efficiency": 0.99,
        "capacity_fade": 0.0,
        "min_charge_temperature_c": 0.0,
        "min_bus_v": 5.5,
    }
    return BatterySpec(**{**figures, **change})  # type: ignore[arg-type]  # figures of any kind


def run(battery: BatterySpec, soc: float, net_w: float, dt_s: float = 1.0) -> BatteryStep:
    return step(battery, soc, net_w, dt_s, 20.0)


def test_pack_from_its_cells() -> None:
    battery = spec(capacity_fade=0.1)
    assert battery.charge_as == pytest.approx(10.0 * 0.9 * 3600)
    assert battery.resistance_ohm == pytest.approx(0.03)
    assert battery.max_v == pytest.approx(8.4)
    # The charge rate counts from the cell as sold.
    assert battery.max_charge_a == pytest.approx(5.0)
    mean_cell_v = (3.35 + 3.95) / 2
    assert battery.capacity_wh == pytest.approx(2 * mean_cell_v * 9.0)


def test_open_circuit_voltage_is_interpolated() -> None:
    battery = spec()
    assert open_circuit_v(battery, 0.0) == pytest.approx(6.0)
    assert open_circuit_v(battery, 0.25) == pytest.approx(6.7)
    assert open_circuit_v(battery, 0.5) == pytest.approx(7.4)
    assert open_circuit_v(battery, 1.0) == pytest.approx(8.4)


def test_discharge_gives_the_load_and_loses_heat() -> None:
    result = run(spec(), 0.5, -20.0)
    assert result.battery_power_w == pytest.approx(-20.0)
    assert result.current_a == pytest.approx(2.7335, abs=1e-3)
    assert result.terminal_v == pytest.approx(7.4 - 2.7335 * 0.03, abs=1e-3)
    assert result.loss_w == pytest.approx(result.current_a**2 * 0.03)
    assert result.soc == pytest.approx(0.5 - result.current_a / 36_000)
    assert result.curtailed_w == 0.0
    assert not result.brown_out


def test_charge_stores_less_than_it_takes() -> None:
    result = run(spec(), 0.5, 20.0)
    assert result.battery_power_w == pytest.approx(20.0)
    assert result.current_a < 0.0
    assert result.terminal_v > 7.4
    assert result.soc == pytest.approx(0.5 - 0.99 * result.current_a / 36_000)
    stored_w = 0.99 * -result.current_a * 7.4
    assert result.loss_w == pytest.approx(20.0 - stored_w, abs=1e-3)
    assert result.curtailed_w == pytest.approx(0.0, abs=1e-9)


def test_idle_changes_nothing() -> None:
    result = run(spec(), 0.5, 0.0)
    assert result == BatteryStep(0.5, 7.4, 0.0, 0.0, 0.0, 0.0, brown_out=False)


def test_charge_rate_limits() -> None:
    result = run(spec(), 0.5, 100.0)
    assert result.current_a == pytest.approx(-5.0)
    assert result.battery_power_w == pytest.approx(5.0 * (7.4 + 0.15), rel=1e-4)
    assert result.curtailed_w == pytest.approx(100.0 - result.battery_power_w)


def test_end_of_charge_voltage_tapers_the_current() -> None:
    result = run(spec(), 0.95, 30.0)
    # Open circuit 8.3 V: 0.1 V over 0.03 ohms.
    assert result.current_a == pytest.approx(-0.1 / 0.03, rel=1e-2)
    assert result.terminal_v == pytest.approx(8.4, abs=1e-6)
    assert result.curtailed_w > 0.0


def test_a_held_voltage_charges_as_the_exponential_does() -> None:
    # From 8.3 V towards 8.4 V behind 0.03 ohms; 2 V for each unit of state of charge above a half.
    battery = spec(coulombic_efficiency=1.0, max_charge_c_rate=10.0)
    decay_per_s = 2.0 / (battery.charge_as * 0.03)
    for dt_s in (1.0, 60.0, 600.0, 3600.0):
        soc = run(battery, 0.95, 200.0, dt_s).soc
        assert 1.0 - soc == pytest.approx(0.05 * exp(-decay_per_s * dt_s), rel=1e-9)


def test_a_step_over_a_bend_of_the_table_is_two_steps() -> None:
    battery = spec()
    for soc, net_w in ((0.51, -20.0), (0.49, 20.0)):
        over = run(battery, soc, net_w, 1200.0)
        assert (over.soc - 0.5) * (soc - 0.5) < 0.0
        gained_j = battery.charge_as * sum(
            0.5 * (open_circuit_v(battery, a) + open_circuit_v(battery, b)) * (b - a)
            for a, b in ((soc, 0.5), (0.5, over.soc))
        )
        stored_w = over.battery_power_w - over.loss_w
        assert stored_w * 1200.0 == pytest.approx(gained_j, rel=1e-12)
        assert over.battery_power_w == pytest.approx(net_w, rel=1e-12)


def test_voltage_limit_under_the_table_stops_the_charge() -> None:
    result = run(spec(cell_max_v=4.0), 0.95, 30.0)
    assert result.current_a == 0.0
    assert result.curtailed_w == pytest.approx(30.0)
    assert result.soc == 0.95


def test_cold_and_full_packs_take_nothing() -> None:
    cold = step(spec(), 0.5, 20.0, 1.0, -0.1)
    assert (cold.soc, cold.battery_power_w, cold.curtailed_w) == (0.5, 0.0, 20.0)
    assert cold.terminal_v == pytest.approx(7.4)
    assert step(spec(), 0.5, -20.0, 1.0, -30.0).battery_power_w == -20.0
    full = run(spec(), 1.0, 20.0)
    assert (full.soc, full.battery_power_w, full.curtailed_w) == (1.0, 0.0, 20.0)


def test_last_room_is_filled_exactly() -> None:
    generous = spec(cell_max_v=5.0)
    result = run(generous, 0.999, 30.0, 60.0)
    assert result.soc == 1.0
    taken_as = -result.current_a * 60.0
    assert taken_as * 0.99 == pytest.approx(0.001 * generous.charge_as)
    assert result.battery_power_w + result.curtailed_w == pytest.approx(30.0)


def test_long_charge_is_that_of_many_short_ones() -> None:
    soc = 0.3
    for _ in range(3600):
        soc = step(spec(), soc, 30.0, 1.0, 20.0).soc
    assert run(spec(), 0.3, 30.0, 3600.0).soc == pytest.approx(soc, abs=1e-5)


def test_power_without_a_solution_browns_out() -> None:
    result = run(spec(min_bus_v=0.1), 0.5, -500.0)
    # 7.4^2 / (4 x 0.03) = 456 W is the most that the pack gives.
    assert result.brown_out
    assert result.terminal_v == pytest.approx(3.7)
    assert result.battery_power_w == 0.0
    assert result.soc == 0.5
    assert not run(spec(min_bus_v=0.1), 0.5, -450.0).brown_out


def test_voltage_under_the_minimum_browns_out() -> None:
    result = run(spec(min_bus_v=7.3), 0.5, -30.0)
    assert result.brown_out
    assert result.terminal_v < 7.3
    assert result.battery_power_w == 0.0
    assert not run(spec(min_bus_v=7.2), 0.5, -30.0).brown_out


def test_voltage_gives_way_in_the_middle_of_a_step() -> None:
    battery = spec(min_bus_v=7.0)
    result = run(battery, 0.5, -20.0, 7200.0)
    assert result.brown_out
    assert 0.0 < -result.battery_power_w < 20.0
    # It gave until 7.0 V: open circuit 7.09 V at a state of charge of 0.389.
    assert result.soc == pytest.approx(0.389, abs=0.01)


def test_load_that_loses_its_solution_within_a_substep_browns_out() -> None:
    battery = spec(min_bus_v=0.1)
    # At the edge of the most that it gives, the voltage that sags ends it.
    most_w = 7.4**2 / (4.0 * 0.03)
    result = run(battery, 0.5, -most_w * 0.99999, 1.0)
    assert result.brown_out


def test_spent_charge_browns_out_at_zero() -> None:
    battery = spec(min_bus_v=1.0)
    result = run(battery, 0.001, -20.0, 60.0)
    assert result.brown_out
    assert result.soc == 0.0
    assert result.current_a * 60.0 == pytest.approx(0.001 * battery.charge_as)
    empty = run(battery, 0.0, -20.0)
    assert empty.brown_out
    assert empty.battery_power_w == 0.0


def test_empty_pack_charges_again() -> None:
    result = run(spec(), 0.0, 10.0, 60.0)
    assert result.soc > 0.0
    assert not result.brown_out


@pytest.mark.parametrize(
    ("net_w", "dt_s"),
    [(nan, 1.0), (inf, 1.0), (-inf, 1.0), (1.0, 0.0), (1.0, nan), (1.0, inf), (1.0, -1.0)],
)
def test_impossible_steps_are_refused(net_w: float, dt_s: float) -> None:
    with pytest.raises(PhysicsError, match="battery step of"):
        run(spec(), 0.5, net_w, dt_s)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"series": 0}, "series"),
        ({"parallel": -1}, "parallel"),
        ({"cell_capacity_ah": 0.0}, "cell_capacity_ah"),
        ({"cell_resistance_ohm": 0.0}, "cell_resistance_ohm"),
        ({"cell_max_v": nan}, "cell_max_v"),
        ({"max_charge_c_rate": 0.0}, "max_charge_c_rate"),
        ({"coulombic_efficiency": 0.0}, "coulombic_efficiency"),
        ({"coulombic_efficiency": 1.01}, "coulombic_efficiency"),
        ({"min_bus_v": 0.0}, "min_bus_v"),
        ({"min_charge_temperature_c": nan}, "min_charge_temperature_c"),
        ({"capacity_fade": -0.1}, "capacity_fade"),
        ({"capacity_fade": 1.0}, "capacity_fade: expected less than 1"),
        ({"ocv_soc": (0.0, 1.0)}, "two or more points each"),
        ({"ocv_soc": (0.0,), "cell_ocv_v": (3.0,)}, "two or more points each"),
        ({"ocv_soc": (0.1, 0.5, 1.0)}, "expected to rise from 0 to 1"),
        ({"ocv_soc": (0.0, 0.5, 0.9)}, "expected to rise from 0 to 1"),
        ({"ocv_soc": (0.0, 0.0, 1.0)}, "expected to rise from 0 to 1"),
        ({"cell_ocv_v": (3.0, 0.0, 4.2)}, "cell_ocv_v"),
    ],
)
def test_pack_figures_are_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        spec(**change)
