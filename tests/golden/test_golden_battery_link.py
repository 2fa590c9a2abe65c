from __future__ import annotations

from typing import Any

import pytest
from physics_reference import load_json

from node.physics.battery import BatterySpec, BatteryState, step
from node.physics.linkbudget import (
    MODCODS,
    ChannelBudget,
    carrier_to_noise_density_dbhz,
    free_space_path_loss_db,
    modcod,
    rate_bps,
)


@pytest.mark.parametrize("dt_s", [1.0, 30.0, 300.0])
@pytest.mark.parametrize("entry", load_json("battery.json"), ids=lambda e: e["case"]["name"])
def test_battery_follows_the_integrated_equation(entry: dict[str, Any], dt_s: float) -> None:
    case, table = entry["case"], entry["ocv_table"]
    spec = BatterySpec(
        series=case["series"],
        parallel=case["parallel"],
        cell_capacity_ah=case["cell_Ah"],
        cell_resistance_ohm=case["cell_R_ohm"],
        ocv_soc=tuple(table["soc"]),
        cell_ocv_v=tuple(table["cell_V"]),
        cell_max_v=4.25,
        max_charge_c_rate=1.0,
        coulombic_efficiency=case["coulombic_eff"],
        capacity_fade=0.0,
        min_charge_temperature_c=0.0,
        min_bus_v=5.0,
    )
    assert spec.resistance_ohm == pytest.approx(entry["pack_R_ohm"])
    reference = {round(row[0]): row for row in entry["table"]}
    state = BatteryState(case["soc0"])
    elapsed_s = 0.0
    joule_ws = 0.0
    for span_s, load_w in case["profile"]:
        count = round(span_s / dt_s)
        for index in range(count):
            result = step(spec, state, -load_w, dt_s, 20.0)
            state = result.state
            elapsed_s += dt_s
            joule_ws += result.current_a**2 * spec.resistance_ohm * dt_s
            assert not result.brown_out
            assert result.curtailed_w == pytest.approx(0.0, abs=1e-9)
            expected = reference.get(round(elapsed_s))
            if expected is None:
                continue
            assert state.soc == pytest.approx(expected[1], abs=1e-5)
            if index + 1 < count:
                assert result.terminal_v == pytest.approx(expected[2], abs=0.02)
                assert result.current_a == pytest.approx(expected[3], abs=0.02)
    assert state.soc == pytest.approx(entry["table"][-1][1], abs=1e-5)
    assert joule_ws / 3600.0 == pytest.approx(entry["joule_loss_Wh"], rel=1e-3)


LINK = load_json("link.json")


def test_modulation_and_coding_table_is_the_standards() -> None:
    assert [list(row) for row in MODCODS] == LINK["dvbs2"]


def test_free_space_path_loss() -> None:
    for range_km, frequency_ghz, expected_db in LINK["fspl"]["rows"]:
        found_db = free_space_path_loss_db(range_km, frequency_ghz)
        assert found_db == pytest.approx(expected_db, abs=1e-4)


@pytest.mark.parametrize("case", LINK["cases"], ids=lambda case: case["name"])
def test_link_budget_from_end_to_end(case: dict[str, Any]) -> None:
    channel = ChannelBudget(
        frequency_ghz=case["freq_ghz"],
        eirp_dbw=case["eirp_dbw"],
        receiver_g_over_t_db_per_k=case["g_over_t_dbk"],
        losses_db=case["other_losses_db"],
        zenith_atmosphere_db=0.0,
        bandwidth_hz=case["bandwidth_hz"],
        rolloff_ratio=case["rolloff"],
        margin_db=case["margin_db"],
        max_rate_bps=1e12,
    )
    range_km = case["range_km"]
    density_dbhz = carrier_to_noise_density_dbhz(channel, range_km, 90.0)
    assert density_dbhz == pytest.approx(case["cn0_dbhz"], abs=1e-3)
    assert channel.symbol_rate_bd == pytest.approx(case["symbol_rate"])
    chosen = modcod(channel, range_km, 90.0)
    assert chosen is not None
    assert chosen.name == case["modcod"]
    assert rate_bps(channel, range_km, 90.0) == pytest.approx(case["rate_bps"], rel=1e-6)
