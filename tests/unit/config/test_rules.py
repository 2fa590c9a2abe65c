from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node._compat import tomllib
from node.config.convert import convert
from node.config.installation import Installation
from node.config.rules import (
    INSTALLATION_RULES,
    REQUIREMENT_METRICS,
    SCENARIO_RULES,
    apply_rules,
)
from node.config.scenario import Scenario
from node.physics.orbit import tle_checksum
from node.report.metrics import METRICS

SCENARIOS = Path(__file__).parents[3] / "scenarios"
# Published by CelesTrak, in Skyfield's documentation.
ISS_LINE1 = "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995"
ISS_LINE2 = "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123"
ISS_EPOCH = datetime(2024, 5, 6, 20, tzinfo=timezone.utc)

THROTTLE = {
    "clock_mhz": 1800,
    "min_clock_mhz": 600,
    "begins_c": 82,
    "slope_mhz_per_k": 100,
    "die_offset_k_per_w": 0.5,
    "power_exponent": 2,
}


def demo() -> dict[str, Any]:
    return tomllib.loads((SCENARIOS / "demo.toml").read_text())


def change(data: dict[str, Any], path: str, value: Any) -> None:
    """Set ``thermal.node.1.name``; ``...`` deletes."""
    *parents, last = path.split(".")
    place: Any = data
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if value is ...:
        del place[int(last) if isinstance(place, list) else last]
    elif isinstance(place, list) and int(last) == len(place):
        place.append(value)
    else:
        place[int(last) if isinstance(place, list) else last] = value


def scenario_findings(changes: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return errors and warnings by path."""
    data = demo()
    for path, value in changes.items():
        change(data, path, value)
    converted = convert(data, Scenario)
    assert converted.findings == []
    found = list(apply_rules(SCENARIO_RULES, converted.tables))
    errors = {each.path[2:]: each.message for each in found if not each.warning}
    warnings = {each.path[2:]: each.message for each in found if each.warning}
    return errors, warnings


def installation_findings(changes: dict[str, Any]) -> dict[str, str]:
    data: dict[str, Any] = {
        "schema": 1,
        "node": "node-1",
        "scenario": "demo.toml",
        "board": {"family": "simulated"},
    }
    for path, value in changes.items():
        change(data, path, value)
    converted = convert(data, Installation)
    assert converted.findings == []
    found = apply_rules(INSTALLATION_RULES, converted.tables)
    return {each.path[2:]: each.message for each in found}


def test_requirements_can_be_about_everything_that_a_run_reports() -> None:
    assert set(METRICS) == REQUIREMENT_METRICS


@pytest.mark.parametrize("name", ["demo.toml", "brownout.toml"])
def test_the_scenarios_that_ship_break_no_rule(name: str) -> None:
    converted = convert(tomllib.loads((SCENARIOS / name).read_text()), Scenario)

    assert converted.findings == []
    assert list(apply_rules(SCENARIO_RULES, converted.tables)) == []


def test_every_rule_names_tables_that_exist() -> None:
    fields = {f.name for f in msgspec.structs.fields(Scenario)} | {"tables"}
    for rule in SCENARIO_RULES:
        assert set(rule.__annotations__) - {"return"} <= fields, rule
    fields = {f.name for f in msgspec.structs.fields(Installation)}
    for rule in INSTALLATION_RULES:
        assert set(rule.__annotations__) - {"return"} <= fields, rule


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"modes.off_below_soc": 0.3}, "modes.off_below_soc", "below boot_above_soc (0.3)"),
        ({"modes.safe_below_soc": 0.1}, "modes.off_below_soc", "below safe_below_soc (0.1)"),
        ({"modes.reduced_above_soc": 0.35}, "modes.safe_below_soc", "below reduced_above_soc"),
        ({"modes.reduced_below_soc": 0.3}, "modes.safe_below_soc", "below reduced_below_soc"),
        ({"modes.nominal_above_soc": 0.5}, "modes.reduced_below_soc", "below nominal_above_soc"),
        ({"modes.reduced_above_soc": 0.7}, "modes.reduced_above_soc", "at most nominal_above_soc"),
        ({"modes.nominal_below_board_c": 75}, "modes.nominal_below_board_c", "(75), got 75"),
        ({"modes.reduced_below_board_c": 85}, "modes.reduced_below_board_c", "safe_above_board_c"),
        ({"modes.reduced_above_board_c": 85}, "modes.reduced_above_board_c", "safe_above_board_c"),
        (
            {"modes.reduced_below_board_c": 60},
            "modes.nominal_below_board_c",
            "at most reduced_below_board_c (60), got 65",
        ),
        ({"board.active_w": 4}, "board.active_w", "at least board.idle_w (4.5), got 4"),
        ({"model.0.active_w": 4.4}, "model[0].active_w", "(4.5) to board.active_w (15), got 4.4"),
        ({"model.0.active_w": 15.1}, "model[0].active_w", "(4.5) to board.active_w (15), got 15.1"),
        (
            {"board.throttle": THROTTLE | {"min_clock_mhz": 1801}},
            "board.throttle.min_clock_mhz",
            "clock_mhz (1800), got 1801",
        ),
        (
            {"board.throttle": THROTTLE | {"die_offset_k_per_w": 1.0}},
            "board.throttle.slope_mhz_per_k",
            "must be below 1, is 1.17",
        ),
        (
            {"requirement.0.metric": "min_clock_mhz"},
            "requirement[0].metric",
            '"min_clock_mhz" needs [board.throttle]',
        ),
        ({"battery.cell_ocv_v.11": ...}, "battery.cell_ocv_v", "11 entries"),
        ({"battery.cell_ocv_soc.0": 0.01}, "battery.cell_ocv_soc[0]", "begin at 0"),
        ({"battery.cell_ocv_soc.11": 0.99}, "battery.cell_ocv_soc[11]", "end at 1"),
        ({"battery.cell_ocv_soc.3": 0.1}, "battery.cell_ocv_soc[3]", "must rise"),
        ({"battery.cell_ocv_v.3": 3.4}, "battery.cell_ocv_v[3]", "must rise"),
        ({"battery.cell_max_v": 4.1}, "battery.cell_max_v", "(4.19), got 4.1"),
        ({"battery.min_bus_v": 6}, "battery.min_bus_v", "(6), got 6"),
        ({"battery.thermal_node": "structur"}, "battery.thermal_node", "did you mean 'structure'"),
        ({"thermal.board_node": "x"}, "thermal.board_node", 'no thermal node "x"'),
        ({"thermal.bus_node": "x"}, "thermal.bus_node", 'no thermal node "x"'),
        ({"thermal.link.0.between": ["board", "x"]}, "thermal.link[0].between[1]", '"x"'),
        ({"thermal.link.0.between": ["board", "board"]}, "thermal.link[0].between", "different"),
        ({"thermal.surface.1.node": "x"}, "thermal.surface[1].node", '"x"'),
        (
            {"thermal.heater": [{"node": "x", "power_w": 1, "on_below_c": 0, "off_above_c": 5}]},
            "thermal.heater[0].node",
            '"x"',
        ),
        (
            {
                "thermal.heater": [
                    {"node": "board", "power_w": 1, "on_below_c": 5, "off_above_c": 5}
                ]
            },
            "thermal.heater[0].on_below_c",
            "below off_above_c (5), got 5",
        ),
        ({"thermal.surface.0.facing": "fixed"}, "thermal.surface[0].normal_body", "required"),
        ({"thermal.surface.0.normal_body": [1, 1, 0]}, "thermal.surface[0].normal_body", "1.414"),
        (
            {"thermal.node.1.name": "board", "thermal.link": [], "thermal.surface": []},
            "thermal.node[1].name",
            "thermal.node[0] already",
        ),
        ({"ground_station.2.name": "svalbard"}, "ground_station[2].name", "ground_station[0]"),
        ({"array.0.normal_body": [0, 0, 0.99]}, "array[0].normal_body", "length is 0.99"),
        ({"array.0.mounting": "one_axis"}, "array[0].axis_body", "required"),
        ({"array.0.axis_body": [0, 0, 0]}, "array[0].axis_body", "length is 0"),
        (
            {"mission.epoch": datetime(2025, 3, 20)},  # noqa: DTZ001 - that is what is wrong
            "mission.epoch",
            "write 2025-03-20T00:00:00Z",
        ),
        (
            {"mission.epoch": datetime(2025, 3, 20, 2, tzinfo=timezone(timedelta(hours=2)))},
            "mission.epoch",
            "must be UTC; write 2025-03-20T00:00:00Z",
        ),
        ({"mission.epoch": datetime(1931, 3, 20, tzinfo=timezone.utc)}, "mission.epoch", "1957"),
        ({"mission.duration_s": 0.5, "workload": []}, "mission.tick_s", "at most duration_s"),
        ({"orbit.eccentricity": 0.07}, "orbit.eccentricity", "perigee at 65 km"),
        ({"model.0.duration_s": 31}, "model[0].duration_s", "(30), got 31"),
        ({"workload.0.model": "dlr-cloud-une"}, "workload[0].model", "'dlr-cloud-unet'"),
        ({"fault": [{"at_s": 5801, "kind": "safe_mode"}]}, "fault[0].at_s", "at most 5800"),
        ({"fault": [{"at_s": 1, "kind": "array_loss", "value": 1.5}]}, "fault[0].value", "1.5"),
        (
            {"requirement.1.metric": "mask_equal_ratio"},
            "requirement[1].metric",
            "did you mean 'masks_equal_ratio'?",
        ),
        ({"requirement.1.metric": "zzz"}, "requirement[1].metric", "known are boots, contact_"),
    ],
)
def test_a_broken_rule(changes: dict[str, Any], path: str, words: str) -> None:
    errors, warnings = scenario_findings(changes)

    assert list(errors) == [path]
    assert words in errors[path]
    assert warnings == {}


def test_names_of_panels_and_models_are_unique() -> None:
    panel, model = demo()["array"][0], demo()["model"][0]

    errors, _ = scenario_findings({"array.1": panel, "model.1": model})

    assert set(errors) == {"array[1].name", "model[1].name"}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"modes.reduced_power_ceiling_w": 4}, "modes.reduced_power_ceiling_w", "no inference"),
        ({"workload.0.count": 195}, "workload[0].count", "5820 s, after mission.duration_s"),
    ],
)
def test_a_warning_is_no_error(changes: dict[str, Any], path: str, words: str) -> None:
    errors, warnings = scenario_findings(changes)

    assert errors == {}
    assert list(warnings) == [path]
    assert words in warnings[path]


def tle(line1: str = ISS_LINE1, line2: str = ISS_LINE2, **mission: Any) -> dict[str, Any]:
    orbit = {"source": "tle", "line1": line1, "line2": line2}
    changes = {"orbit": orbit, "mission.epoch": ISS_EPOCH}
    return changes | {f"mission.{key}": value for key, value in mission.items()}


def with_checksum(line: str) -> str:
    return line[:68] + str(tle_checksum(line))


def test_a_published_element_set_is_right() -> None:
    assert scenario_findings(tle()) == ({}, {})
    assert tle_checksum(ISS_LINE1) == 5
    assert tle_checksum(ISS_LINE2) == 3


def test_both_lines_are_reported_at_once() -> None:
    errors, _ = scenario_findings(tle(ISS_LINE1[:-1] + "4", "3" + ISS_LINE2[1:]))

    assert errors == {
        "orbit.line1": "checksum is 5, the line says 4",
        "orbit.line2": 'expected a line that begins with "2 ", got "3 "',
    }


@pytest.mark.parametrize(
    ("line1", "line2", "path", "words"),
    [
        (ISS_LINE2, ISS_LINE2, "orbit.line1", 'begins with "1 "'),
        (ISS_LINE1[:68], ISS_LINE2, "orbit.line1", "69 characters, got 68"),
        (ISS_LINE1, with_checksum(ISS_LINE2.replace("25544", "25545")), "orbit.line2", "25545"),
        (
            with_checksum(ISS_LINE1.replace("24127.82853009", "2x127.82853009")),
            ISS_LINE2,
            "orbit.line1",
            "a column does not hold",
        ),
        (
            ISS_LINE1,
            with_checksum(ISS_LINE2.replace("51.6393", "51,6393")),
            "orbit.line2",
            "a column does not hold",
        ),
        (
            with_checksum(ISS_LINE1.replace("24127.82853009", "24400.82853009")),
            ISS_LINE2,
            "orbit.line1",
            "the year has no day 400",
        ),
    ],
)
def test_a_broken_element_set(line1: str, line2: str, path: str, words: str) -> None:
    errors, _ = scenario_findings(tle(line1, line2))

    assert list(errors) == [path]
    assert words in errors[path]


@pytest.mark.parametrize(
    ("days", "is_error", "is_warning"),
    [(13, False, False), (15, False, True), (-15, False, True), (31, True, False)],
)
def test_the_age_of_an_element_set(days: int, is_error: bool, is_warning: bool) -> None:
    errors, warnings = scenario_findings(tle(epoch=ISS_EPOCH + timedelta(days=days)))

    assert bool(errors) == is_error
    assert bool(warnings) == is_warning
    for message in (errors | warnings).values():
        assert "elements are of 2024-05-06T19:53Z" in message


def test_an_orbit_that_decays_during_the_mission() -> None:
    falling = with_checksum(ISS_LINE1.replace(" 27310-3", " 90000+0"))

    errors, _ = scenario_findings(tle(falling, duration_s=86400 * 20))

    assert list(errors) == ["orbit.line1"]
    assert "is no orbit for this mission" in errors["orbit.line1"]


def test_keplerian_elements_are_checked_too() -> None:
    orbit = {
        "source": "keplerian",
        "altitude_km": 1000,
        "eccentricity": 0.2,
        "inclination_deg": 51.6,
        "raan_deg": 0,
        "argument_of_perigee_deg": 0,
        "mean_anomaly_deg": 0,
    }

    assert list(scenario_findings({"orbit": orbit})[0]) == ["orbit.eccentricity"]
    assert scenario_findings({"orbit": orbit | {"eccentricity": 0.01}}) == ({}, {})


METER = {"kind": "file", "path": "watts", "scope": "board"}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"clock.rate": 2}, ["clock.rate"]),
        ({"clock": {"mode": "scaled", "rate": 20}}, []),
        ({"clock": {"mode": "freerun"}}, ["inference.executor"]),
        ({"clock": {"mode": "freerun"}, "inference.executor": "simulated"}, []),
        (
            {"clock": {"mode": "freerun", "rate": 5}, "board.family": "generic"},
            ["clock.rate", "board.family", "inference.executor"],
        ),
        ({"clock": {"mode": "realtime"}, "inference.executor": "simulated"}, []),
        ({"board": {"family": "generic", "idle_w": 5, "active_w": 4}}, ["board.active_w"]),
        ({"board": {"family": "jetson", "total_rails": ["5V_IN"]}}, []),
        ({"board": {"family": "auto", "total_rails": ["5V_IN"]}}, []),
        ({"board.total_rails": ["5V_IN"]}, ["board.total_rails"]),
        ({"board": {"family": "nvidia-gpu", "gpus": [0, 1]}}, []),
        ({"board": {"family": "nvidia-gpu", "gpus": [1, 1]}}, ["board.gpus"]),
        ({"board": {"family": "generic", "gpus": [0]}}, ["board.gpus"]),
        ({"board": {"family": "generic", "meter": METER}}, []),
        ({"board.meter": METER}, ["board.meter"]),
    ],
)
def test_installation_rules(changes: dict[str, Any], paths: list[str]) -> None:
    assert list(installation_findings(changes)) == paths


def test_a_rule_waits_for_its_tables() -> None:
    data = demo()
    data["battery"]["initial_soc"] = 2
    data["modes"]["off_below_soc"] = 0.9

    converted = convert(data, Scenario)
    found = {each.path for each in apply_rules(SCENARIO_RULES, converted.tables)}

    assert "battery" not in converted.tables
    assert found == {"$.modes.off_below_soc"}
