"""A forecast's figures against sums that are made another way."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest

from node.clock import epoch_utc_s
from node.config.build import build_channels, build_orbit, build_spacecraft, build_stations
from node.config.load import load_scenario
from node.config.scenario import Scenario, Terrestrial
from node.config.spacecraft import BatteryAgeing, Radiation, Throttle
from node.core.contacts import plan_contacts
from node.forecast.model import Forecast
from node.forecast.plan import plan
from node.forecast.run import fly
from node.physics.battery import open_circuit_v
from node.physics.linkbudget import rate_bps
from node.physics.passes import find_passes, look_at
from node.simulation.mission import Mission, MissionResult

SCENARIOS = Path(__file__).parents[2] / "scenarios"
DEMO = load_scenario(SCENARIOS / "demo.toml")
DAY_S = 86_400.0
STEP_S = 5.0
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    scenario = replace(
        DEMO,
        terrestrial=Terrestrial(1000.0, 1.5, 1e8, 0.1),
        battery=replace(DEMO.battery, ageing=BatteryAgeing(0.02, 5e-5)),
    )
    return fly(scenario, days=1.0, step_s=STEP_S)


@pytest.fixture(scope="module")
def flown() -> MissionResult:
    """The same flight, watched by snapshots."""
    return asyncio.run(Mission(plan(DEMO, 1.0, STEP_S).scenario).fly())


def test_a_day_of_the_demo_has_exactly_this_shape(forecast: Forecast) -> None:
    flight = forecast.flight
    assert (flight.scenario, flight.epoch_utc) == ("demo", "2025-03-20T11:30:00Z")
    assert (flight.duration_s, flight.step_s, flight.workload_repeats) == (DAY_S, STEP_S, 14)
    assert len(forecast.orbits) == 16
    assert [row.whole for row in forecast.orbits] == [True] * 15 + [False]
    assert len(forecast.passes) == forecast.link.contacts
    assert {each.station for each in forecast.link.stations} == {"svalbard", "kiruna", "maspalomas"}
    assert [each.node for each in forecast.temperatures] == ["board", "radiator", "structure"]
    assert [each.is_board for each in forecast.temperatures] == [True, False, False]
    assert {each.name for each in forecast.constraints} == {
        *("uplink", "downlink", "compute", "energy", "heat", "deadline")
    }
    assert [each.part for each in forecast.latency.parts] == [
        *("wait_for_uplink", "uplink", "queue", "inference"),
        *("wait_for_downlink", "downlink", "light_time", "backhaul"),
    ]
    assert forecast.throttling is None
    assert forecast.radiation is None
    assert forecast.ageing is not None
    series = forecast.series
    assert len(series.time_s) == 1500
    assert series.time_s[-1] == DAY_S
    lengths = {
        name: len(values)
        for name in series.__struct_fields__
        if isinstance(values := getattr(series, name), list)
    }
    assert set(lengths.values()) == {1500}
    assert {len(values) for values in series.temperatures_c.values()} == {1500}
    assert series.clock_ratio is None
    assert msgspec.json.decode(msgspec.json.encode(forecast), type=Forecast) == forecast


def test_energy_is_that_of_the_snapshots(forecast: Forecast, flown: MissionResult) -> None:
    power = flown.snapshots[-1].power
    total = forecast.energy.total
    assert total.generated_wh * 3600.0 == pytest.approx(power.solar_generated_j)
    assert total.consumed_wh * 3600.0 == pytest.approx(power.load_consumed_j)
    assert total.board_wh * 3600.0 == pytest.approx(power.board_consumed_j)
    means_w = [each.power.solar_w for each in flown.snapshots]
    assert total.generated_wh == pytest.approx(24.0 * sum(means_w) / len(means_w), rel=0.01)


def test_energy_is_conserved(forecast: Forecast) -> None:
    total, battery = forecast.energy.total, forecast.battery
    stored_wh = total.generated_wh - total.consumed_wh - total.curtailed_wh - total.battery_loss_wh
    spec = build_spacecraft(DEMO).battery
    low, high = battery.initial_state_of_charge, battery.end_state_of_charge
    steps = 20_000
    mean_v = sum(
        open_circuit_v(spec, low + (number + 0.5) / steps * (high - low)) for number in range(steps)
    )
    gained_wh = spec.charge_as / 3600.0 * (high - low) * mean_v / steps
    assert stored_wh == pytest.approx(gained_wh, abs=0.02)
    for name in total.__struct_fields__:
        of_orbits = sum(getattr(row.energy, name) for row in forecast.orbits)
        assert of_orbits == pytest.approx(getattr(total, name)), name
    whole = [row.energy.board_wh for row in forecast.orbits if row.whole]
    assert forecast.energy.per_orbit.board_wh == pytest.approx(sum(whole) / len(whole))


def test_the_state_is_that_of_the_snapshots(forecast: Forecast, flown: MissionResult) -> None:
    charges = [each.power.state_of_charge for each in flown.snapshots]
    charge = forecast.battery.state_of_charge
    assert charge.minimum == pytest.approx(min(charges), abs=1e-3)
    assert charge.maximum == pytest.approx(max(charges), abs=1e-3)
    assert charge.mean == pytest.approx(sum(charges) / len(charges), abs=1e-3)
    assert forecast.battery.end_state_of_charge == charges[-1]
    for each in forecast.temperatures:
        found = [snapshot.temperatures_c[each.node] for snapshot in flown.snapshots]
        assert each.temperature_c.maximum == pytest.approx(max(found), abs=0.1)
        assert each.temperature_c.mean == pytest.approx(sum(found) / len(found), abs=0.1)
    assert sum(mode.time_s for mode in forecast.modes) == pytest.approx(DAY_S)
    assert {mode.mode for mode in forecast.modes} >= {each.mode.value for each in flown.snapshots}
    assert forecast.metrics["boots"] == flown.snapshots[-1].boots
    dark_s = sum(row.eclipse_s for row in forecast.orbits)
    dark = sum(each.orbit.illumination < 0.5 for each in flown.snapshots)
    assert dark_s / DAY_S == pytest.approx(dark / len(flown.snapshots), abs=0.005)


def test_contacts_are_those_of_the_geometry(forecast: Forecast) -> None:
    start = epoch_utc_s(DEMO.mission.epoch)
    orbit = build_orbit(DEMO)
    passes = find_passes(orbit, list(build_stations(DEMO)), start, start + DAY_S + 1000.0)
    planned = plan_contacts(passes, start, DEMO.radio.acquisition_s)
    contacts = [(each, min(each.los_s, DAY_S)) for each in planned if each.aos_s < DAY_S]

    assert [(row.station, row.max_elevation_deg) for row in forecast.passes] == [
        (each.station.name, pytest.approx(each.max_elevation_deg, abs=0.01)) for each, _ in contacts
    ]
    for row, (contact, los_s) in zip(forecast.passes, contacts, strict=True):
        assert row.aos_s == pytest.approx(contact.aos_s, abs=0.01)
        assert row.los_s == pytest.approx(los_s, abs=0.01)
    minutes = sum(los_s - each.aos_s for each, los_s in contacts) / 60.0
    assert forecast.link.minutes_per_day == pytest.approx(minutes)
    assert forecast.metrics["contact_minutes_per_day"] == pytest.approx(minutes)
    gaps = [after.aos_s - los_s for (_, los_s), (after, _) in pairwise(contacts)]
    assert forecast.link.max_gap_s == pytest.approx(
        max([*gaps, contacts[0][0].aos_s, DAY_S - contacts[-1][1]])
    )


def test_passes_carry_what_the_link_budget_gives(forecast: Forecast) -> None:
    start = epoch_utc_s(DEMO.mission.epoch)
    orbit = build_orbit(DEMO)
    stations = {station.name: station for station in build_stations(DEMO)}
    uplink, downlink = build_channels(DEMO)
    up_bits = down_bits = 0.0
    for row in forecast.passes:
        now = row.aos_s + DEMO.radio.acquisition_s + 0.5
        while now < row.los_s - DEMO.radio.stop_before_los_s:
            view = look_at(stations[row.station], orbit, start + now)
            up_bits += rate_bps(uplink, view.range_km, view.elevation_deg)
            down_bits += rate_bps(downlink, view.range_km, view.elevation_deg)
            now += 1.0
    link = forecast.link
    assert link.uplink.capacity_bytes == pytest.approx(up_bits / 8, rel=0.01)
    assert link.downlink.capacity_bytes == pytest.approx(down_bits / 8, rel=0.01)
    assert link.uplink.bytes_total == sum(row.up_bytes for row in forecast.passes)


def test_jobs_are_those_of_the_ledger(forecast: Forecast, flown: MissionResult) -> None:
    entries = list(flown.ledger.values())
    assert forecast.jobs.submitted == len(entries) == 9 * 14
    assert forecast.jobs.delivered == sum(entry.state == "delivered" for entry in entries)
    times = [
        entry.delivered_s - entry.manifest.job.submitted_s
        for entry in entries
        if entry.delivered_s is not None and entry.manifest.job.submitted_s is not None
    ]
    latency = forecast.latency
    assert latency.time_to_result_s.count == len(times)
    assert latency.time_to_result_s.median == pytest.approx(median(times))
    assert latency.time_to_result_s.mean == pytest.approx(sum(times) / len(times))
    parts = sum(part.seconds.mean for part in latency.parts)
    assert parts == pytest.approx(latency.time_to_result_s.mean)
    assert min(part.seconds.median for part in latency.parts) >= 0.0
    assert forecast.metrics["jobs_per_day"] == forecast.jobs.delivered
    link = flown.snapshots[-1].link
    assert forecast.link.uplink.bytes_total == link.payload_up_bytes
    assert forecast.link.downlink.bytes_total == link.payload_down_bytes
    decisions = flown.snapshots[-1].jobs.decisions
    assert forecast.decisions == {name: count for name, count in decisions.items() if count}
    (cost,) = forecast.inference
    energy_j = flown.snapshots[-1].jobs.inference_energy_j
    assert cost.net_j * cost.runs == pytest.approx(sum(energy_j.values()))
    assert cost.gross_j == pytest.approx(DEMO.board.active_w * DEMO.model[0].duration_s)


def test_a_coarser_step_says_the_same(forecast: Forecast) -> None:
    coarse = fly(DEMO, days=1.0, step_s=20.0)
    fine, found = forecast.energy.total, coarse.energy.total
    assert found.generated_wh == pytest.approx(fine.generated_wh, rel=0.003)
    assert found.consumed_wh == pytest.approx(fine.consumed_wh, rel=0.003)
    assert coarse.battery.state_of_charge.minimum == pytest.approx(
        forecast.battery.state_of_charge.minimum, abs=0.003
    )
    assert coarse.temperatures[0].temperature_c.maximum == pytest.approx(
        forecast.temperatures[0].temperature_c.maximum, abs=0.5
    )
    assert coarse.link.minutes_per_day == pytest.approx(forecast.link.minutes_per_day, rel=1e-3)


def test_a_battery_that_is_too_small_is_the_bottleneck() -> None:
    found = fly(load_scenario(SCENARIOS / "brownout.toml"), step_s=2.0)

    assert found.bottleneck.name == "energy"
    assert found.battery.max_depth_of_discharge > 0.5
    times = {mode.mode: mode.time_s for mode in found.modes}
    assert times["off"] > 600.0
    assert found.metrics["time_in_off_s"] == times["off"]
    assert next(mode.entries for mode in found.modes if mode.mode == "off") == 2
    assert found.decisions["defer:mode"] > 0
    assert "off" in found.series.mode
    assert found.passed


def test_a_flight_of_half_an_orbit_without_work_is_scaled_to_an_orbit() -> None:
    told: list[float] = []
    found = fly(replace(DEMO, workload=[]), days=0.03, step_s=5.0, progress=told.append)

    orbits = found.flight.orbits
    assert orbits < 0.5
    assert [row.whole for row in found.orbits] == [False]
    assert found.energy.per_orbit.consumed_wh * orbits == pytest.approx(
        found.energy.total.consumed_wh
    )
    assert found.battery.mean_depth_of_discharge == found.orbits[0].depth_of_discharge
    assert found.jobs.submitted == 0
    assert "jobs_delivered_ratio" not in found.metrics
    assert not found.passed, "nothing was delivered, and the demo requires it"
    assert told == sorted(told)
    assert told[-1] == 1.0


def limited(**changes: Any) -> Scenario:
    return replace(DEMO, **changes)


def test_a_thin_uplink_is_the_bottleneck() -> None:
    (work,) = DEMO.workload
    heavy = fly(limited(workload=[replace(work, input_bytes=40_000_000)]), step_s=5.0)

    assert heavy.bottleneck.name == "uplink"
    assert heavy.jobs.open_on_ground > 0
    assert heavy.series.uplink_queue_bytes[-1] == heavy.jobs.open_on_ground * 40_000_000
    assert heavy.link.uplink.busy_s == pytest.approx(heavy.link.uplink.open_s, rel=0.02)
    assert not heavy.passed


def test_a_deadline_that_no_pass_meets_is_the_bottleneck() -> None:
    (work,) = DEMO.workload
    found = fly(
        limited(workload=[replace(work, first_s=800.0, every_s=1.0, deadline_after_s=60.0)]),
        step_s=5.0,
    )

    assert found.jobs.delivered == 0
    assert found.bottleneck.name == "deadline"
    assert found.jobs.rejected + found.jobs.expired == 9
    assert "median_time_to_result_s" not in found.metrics


def test_heat_and_particles_are_told_where_the_scenario_has_them() -> None:
    hot = limited(
        board=replace(DEMO.board, throttle=Throttle(1500.0, 600.0, 12.0, 20.0, 0.5, 1.5)),
        radiation=Radiation(6.4e10, 1e-14, 1e-10, 0.9, 1e-9, 0.01, 1.0),
    )

    found = fly(hot, days=0.5, step_s=10.0)

    assert found.throttling is not None
    assert 0.0 < found.throttling.throttled_ratio < 1.0
    assert found.throttling.clock_ratio.maximum == 1.0
    assert found.metrics["min_clock_mhz"] == found.throttling.clock_ratio.minimum * 1500.0
    assert next(each for each in found.constraints if each.name == "heat").binds
    assert found.series.clock_ratio is not None
    assert min(found.series.clock_ratio) < 1.0
    radiation = found.radiation
    assert radiation is not None
    assert radiation.uncorrected_upsets_per_day == pytest.approx(0.1 * radiation.upsets_per_day)
    assert 0.0 < radiation.anomaly_time_ratio < 0.2
    drawn = found.metrics["upsets"] - found.metrics["interrupts"]
    expected = 0.5 * radiation.upsets_per_day
    assert abs(drawn - expected) < 5.0 * max(1.0, expected) ** 0.5
