"""What the node exports, and that one scrape is of one step."""

from __future__ import annotations

import json
import math
import threading

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from synthetic_node import EPOCH_S, MODELS, STATIONS, snapshot_at

from node.board.health import ReaderHealth
from node.board.identity import Fact, Identity
from node.core.events import Hardware
from node.core.modes import OperatingMode
from node.http import Request
from node.metrics import OUTCOMES, NodeMetrics, metrics_routes

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(metrics: NodeMetrics) -> Series:
    found: Series = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is exported twice"
            found[key] = sample.value
    return found


def value(found: Series, name: str, **labels: str) -> float:
    return found[f"orbitnode_{name}", frozenset({"node_id": "oen-01", **labels}.items())]


def has(found: Series, name: str) -> bool:
    return any(key[0] == f"orbitnode_{name}" for key in found)


@pytest.fixture
def metrics() -> NodeMetrics:
    return NodeMetrics("oen-01", MODELS, STATIONS, config_sha256="ab" * 32)


def test_nothing_of_the_state_is_exported_before_the_first_snapshot(metrics: NodeMetrics) -> None:
    found = series(metrics)
    assert not has(found, "battery_charge_ratio")
    assert value(found, "inferences_total", model="cloud-mask", outcome="ok") == 0.0


def test_snapshot_is_in_base_units(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(104)
    found = series(metrics)
    assert value(found, "mission_time_seconds") == 104.0
    assert value(found, "mission_utc_timestamp_seconds") == EPOCH_S + 104
    assert value(found, "orbit_altitude_meters") == 550_000.0
    assert value(found, "battery_capacity_joules") == 80.0 * 3600
    assert value(found, "battery_energy_joules") == pytest.approx(
        value(found, "battery_charge_ratio") * 288_000
    )
    assert value(found, "board_power_watts", source="measured") == 106.0
    assert value(found, "link_range_meters") == 900_000.0
    assert value(found, "link_rate_bytes_per_second", direction="down") == 250_000.0
    assert value(found, "link_next_aos_seconds", station="svalbard") == 720.0
    assert value(found, "link_next_los_timestamp_seconds", station="svalbard") == (
        EPOCH_S + 104 + 1300
    )
    assert value(found, "orbit_until_seconds", event="sunrise") == 100.0
    assert value(found, "temperature_celsius", sensor="radiator", source="emulated") == -5.0
    assert value(found, "temperature_celsius", sensor="cpu-thermal", source="measured") == 46.3
    assert value(found, "board_clock_hertz", limit="allowed", source="modelled") == 1.649e9
    assert value(found, "board_clock_hertz", limit="full", source="modelled") == 1.8e9
    assert value(found, "board_die_celsius", source="modelled") == 83.5
    assert value(found, "board_throttled_seconds_total", source="modelled") == 52.0
    assert value(found, "governor_deferral_seconds") == 30.0
    assert value(found, "governor_decisions_total", decision="defer", reason="heat") == 20.0
    assert value(found, "governor_decisions_total", decision="admit", reason="") == 20.0


def test_what_the_chips_of_the_real_board_say(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(104)
    found = series(metrics)
    assert value(found, "board_power_info", scope="module", model="") == 1.0
    assert value(found, "board_power_error_ratio") == 0.25
    assert value(found, "sensor_age_seconds", sensor="board_power") == 0.43
    assert value(found, "rail_power_watts", rail="VDD_IN") == 106.0
    assert value(found, "rail_voltage_volts", rail="EXT5V") == 5.09
    assert value(found, "clock_frequency_hertz", clock="gpu") == 3.06e8
    assert value(found, "clock_limit_hertz", clock="emc") == 3.199e9
    assert value(found, "gpu_utilisation_ratio") == 0.14
    assert value(found, "fan_speed_rpm", fan="fan") == 1786.0
    assert value(found, "fan_duty_ratio", fan="fan") == 0.25
    assert value(found, "throttle_active", reason="under-voltage") == 0.0
    assert value(found, "throttle_since_boot", reason="under-voltage") == 1.0
    assert value(found, "throttle_events_total", reason="over-current") == 104.0
    assert value(found, "power_mode_info", mode="25W") == 1.0
    assert value(found, "power_limit_watts") == 25.0
    assert value(found, "board_die_celsius", source="measured") == 50.5
    # A rail with a power has no voltage, a clock that cannot be read no frequency, and so on.
    assert len([key for key in found if key[0] == "orbitnode_rail_voltage_volts"]) == 1
    assert len([key for key in found if key[0] == "orbitnode_clock_frequency_hertz"]) == 2
    assert len([key for key in found if key[0] == "orbitnode_throttle_active"]) == 1
    assert len([key for key in found if key[0] == "orbitnode_throttle_events_total"]) == 1


def test_a_board_without_chips_has_no_series_of_them(metrics: NodeMetrics) -> None:
    snapshot = snapshot_at(104)
    power = msgspec.structs.replace(
        snapshot.power, board_scope="", board_age_s=None, board_error_ratio=None
    )
    metrics.snapshot = msgspec.structs.replace(snapshot, hardware=None, power=power)
    bare = series(metrics)
    metrics.snapshot = msgspec.structs.replace(snapshot, hardware=Hardware(), power=power)
    assert series(metrics).keys() == bare.keys()
    for prefix in ("rail", "clock_", "gpu", "fan", "throttle_", "power_mode", "board_power_info"):
        assert not [key for key in bare if key[0].startswith(f"orbitnode_{prefix}")], prefix
    assert value(bare, "board_die_celsius", source="modelled") == 83.5


def test_a_board_without_a_throttle_has_no_clock(metrics: NodeMetrics) -> None:
    metrics.snapshot = msgspec.structs.replace(snapshot_at(104), clock=None)
    found = series(metrics)
    assert not has(found, "board_clock_hertz")
    assert not has(found, "board_throttled_seconds_total")


def test_radiation_and_its_upsets(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(104)
    found = series(metrics)
    flux = value(found, "radiation_proton_flux_per_square_centimeter_second", source="modelled")
    assert flux == 1250.0
    assert value(found, "radiation_saa", source="modelled") == 1.0
    assert value(found, "radiation_cutoff_rigidity_volts", source="modelled") == 9.5e9
    assert value(found, "radiation_memory_upsets_per_second", source="modelled") == 1.3e-4
    counts = {
        outcome: value(found, "upsets_total", outcome=outcome, source="modelled")
        for outcome in ("corrected", "uncorrected", "interrupt")
    }
    assert counts == {"corrected": 104.0, "uncorrected": 10.0, "interrupt": 2.0}


def test_without_radiation_there_are_no_series_of_it(metrics: NodeMetrics) -> None:
    metrics.snapshot = msgspec.structs.replace(snapshot_at(104), radiation=None)
    found = series(metrics)
    assert has(found, "ticks_total")
    assert not any("radiation" in name or "upsets" in name for name, _ in found)


def test_exactly_one_mode_is_on(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(8)
    found = series(metrics)
    modes = {mode.value: value(found, "mode", mode=mode.value) for mode in OperatingMode}
    assert modes == {"boot": 0, "nominal": 0, "reduced": 1, "safe": 0, "off": 0}
    assert value(found, "mode_age_seconds") == 8.0


def test_contacts_name_every_station(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(1)
    seen = {name: value(series(metrics), "link_contact", station=name) for name in STATIONS}
    assert seen == {"svalbard": 0.0, "kiruna": 1.0, "awarua": 0.0}


def test_what_is_unknown_has_no_series_and_nothing_is_nan(metrics: NodeMetrics) -> None:
    snapshot = snapshot_at(15)
    power = msgspec.structs.replace(
        snapshot.power, bus_v=math.nan, solar_w=math.inf, board_age_s=None
    )
    link = msgspec.structs.replace(snapshot.link, next_pass=None)
    jobs = msgspec.structs.replace(snapshot.jobs, deferral_until_s=None)
    orbit = msgspec.structs.replace(snapshot.orbit, next_sunrise_s=None, next_sunset_s=None)
    metrics.snapshot = msgspec.structs.replace(
        snapshot,
        power=power,
        link=link,
        jobs=jobs,
        orbit=orbit,
        cpu_utilisation_ratio=None,
        sensors=(),
    )
    found = series(metrics)
    for absent in (
        "bus_voltage_volts",
        "solar_power_watts",
        "link_elevation_degrees",
        "link_range_meters",
        "link_next_aos_seconds",
        "link_next_elevation_degrees",
        "governor_deferral_seconds",
        "orbit_until_seconds",
        "board_cpu_utilisation_ratio",
        "sensor_age_seconds",
    ):
        assert not has(found, absent), absent
    assert all(math.isfinite(figure) for figure in found.values())
    assert value(found, "link_up") == 0.0


def test_events_are_counted_by_model_and_outcome(metrics: NodeMetrics) -> None:
    metrics.observe_inference("cloud-mask", "ok", 0.3, 2.0)
    metrics.observe_inference("cloud-mask", "ok", 0.04, 1.5)
    metrics.observe_inference("cloud-mask", "aborted", 9.0, 4.0)
    metrics.observe_inference("ship-detector", "failed", 1.0, -0.5)
    metrics.observe_stop(0.08)
    metrics.observe_tick(0.0004)
    found = series(metrics)
    assert value(found, "inferences_total", model="cloud-mask", outcome="ok") == 2
    assert value(found, "inferences_total", model="cloud-mask", outcome="aborted") == 1
    assert value(found, "inference_energy_joules_total", model="cloud-mask") == 7.5
    # A difference of two meter readings can fall below zero; a counter cannot.
    assert value(found, "inference_energy_joules_total", model="ship-detector") == 0.0
    assert value(found, "inference_duration_seconds_count", model="cloud-mask") == 2
    assert value(found, "inference_duration_seconds_bucket", model="cloud-mask", le="0.05") == 1
    assert value(found, "inference_stop_latency_seconds_bucket", le="0.1") == 1
    assert value(found, "tick_duration_seconds_bucket", le="0.0005") == 1
    with pytest.raises(KeyError):
        metrics.observe_inference("unknown", "ok", 1.0, 1.0)


def test_every_outcome_exists_from_the_start(metrics: NodeMetrics) -> None:
    found = series(metrics)
    for model in MODELS:
        for outcome in OUTCOMES:
            assert value(found, "inferences_total", model=model, outcome=outcome) == 0
        assert value(found, "inference_duration_seconds_count", model=model) == 0
    assert not [key for key in found if key[0].endswith("_created")]


def test_the_board_says_which_it_is(metrics: NodeMetrics) -> None:
    assert not has(series(metrics), "board_info")
    metrics.describe_board(
        Identity("jetson", model=Fact("Jetson", "proc"), soc=Fact("tegra234", "proc"))
    )
    found = series(metrics)
    assert value(found, "board_info", family="jetson", model="Jetson", soc="tegra234") == 1.0


def test_a_board_that_says_nothing_has_its_family(metrics: NodeMetrics) -> None:
    metrics.describe_board(Identity("simulated"))
    assert value(series(metrics), "board_info", family="simulated", model="", soc="") == 1.0


def test_sensor_health_is_exported(metrics: NodeMetrics) -> None:
    metrics.observe_sensors([ReaderHealth("hwmon", False, 0.002)])
    found = series(metrics)
    assert value(found, "sensor_read_success", reader="hwmon") == 0.0
    assert value(found, "sensor_read_duration_seconds", reader="hwmon") == 0.002


def test_budget_of_series(metrics: NodeMetrics) -> None:
    snapshot = snapshot_at(104)
    metrics.snapshot = msgspec.structs.replace(snapshot, hardware=None)
    metrics.observe_sensors([ReaderHealth(name, True, 0.001) for name in ("cpu", "hwmon", "rapl")])
    bare = [key for key in series(metrics) if key[0].startswith("orbitnode_")]
    metrics.snapshot = snapshot
    found = series(metrics)
    own = [key for key in found if key[0].startswith("orbitnode_")]
    histograms = [key for key in own if "_bucket" in key[0]]
    assert 60 <= len(bare) - len(histograms) <= 120
    # What the chips say comes on top; tests of boards hold that to 40 on every captured board.
    assert len(own) - len(bare) <= 40
    assert len(histograms) <= 60
    assert value(found, "config_info", sha256="ab" * 32) == 1.0
    assert has(found, "build_info")
    assert any(key[0] == "process_resident_memory_bytes" for key in found)
    assert any(key[0] == "process_cpu_seconds_total" for key in found)


def test_a_scrape_never_mixes_two_snapshots(metrics: NodeMetrics) -> None:
    metrics.snapshot = snapshot_at(0)
    done = threading.Event()

    def step() -> None:
        number = 0
        while not done.is_set():
            number += 1
            metrics.snapshot = snapshot_at(number)

    stepper = threading.Thread(target=step)
    stepper.start()
    try:
        seen = set()
        for _ in range(60):
            found = series(metrics)
            number = value(found, "mission_time_seconds")
            seen.add(number)
            assert value(found, "solar_power_watts") == number
            assert value(found, "load_power_watts") == number + 1
            assert value(found, "ticks_total") == number
            assert value(found, "link_payload_bytes_total", direction="down") == number * 20_000
    finally:
        done.set()
        stepper.join()
    assert len(seen) > 5


async def test_routes() -> None:
    metrics = NodeMetrics("oen-01", MODELS, STATIONS)
    healthy = True
    routes = metrics_routes(metrics, lambda: b'{"mode":"nominal"}', lambda: healthy)
    request = Request("GET", "/", {}, {}, {}, b"")
    scrape = await routes["GET", "/metrics"](request)
    assert scrape.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert isinstance(scrape.body, bytes)
    assert b"orbitnode_build_info" in scrape.body
    assert (await routes["GET", "/healthz"](request)).status == 200
    healthy = False
    assert (await routes["GET", "/healthz"](request)).status == 503
    status = await routes["GET", "/status"](request)
    assert isinstance(status.body, bytes)
    assert json.loads(status.body) == {"mode": "nominal"}
