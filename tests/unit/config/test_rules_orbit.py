"""Rules about orbits that come as messages, and about the neighbours' orbits."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from node._compat import tomllib
from node.config.build import build_neighbours, build_orbit
from node.config.check import run_check
from node.config.convert import convert
from node.config.load import examine_scenario, read_document
from node.config.rules import apply_rules
from node.config.rules_orbit import RULES
from node.config.scenario import Scenario

SCENARIOS = Path(__file__).parents[3] / "scenarios"
EPOCH = datetime(2024, 5, 6, 20, tzinfo=timezone.utc)
ISS = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "EPOCH": "2024-05-06T19:53:04.999776",
    "MEAN_MOTION": 15.50957674,
    "ECCENTRICITY": 0.000358,
    "INCLINATION": 51.6393,
    "RA_OF_ASC_NODE": 160.4574,
    "ARG_OF_PERICENTER": 140.6673,
    "MEAN_ANOMALY": 205.725,
    "BSTAR": 0.0002731,
}
TLE = {
    "source": "tle",
    "line1": "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995",
    "line2": "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123",
}
SSO = {
    "source": "sso",
    "altitude_km": 550,
    "ltan_h": 22.5,
    "eccentricity": 0.0005,
    "argument_of_latitude_deg": 30,
}


def omm(**change: Any) -> dict[str, str]:
    return {"source": "omm", "message": json.dumps(ISS | change)}


def neighbour(orbit: dict[str, Any], name: str = "leader") -> dict[str, Any]:
    return {"name": name, "orbit": orbit, "min_grazing_altitude_km": 100, "max_range_km": 5000}


def scenario(epoch: datetime = EPOCH, **tables: Any) -> dict[str, Any]:
    data = tomllib.loads((SCENARIOS / "demo.toml").read_text())
    data["mission"]["epoch"] = epoch
    return data | tables


def findings(data: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return errors and warnings by path."""
    converted = convert(data, Scenario)
    assert converted.findings == []
    found = list(apply_rules(RULES, converted.tables))
    errors = {each.path[2:]: each.message for each in found if not each.warning}
    return errors, {each.path[2:]: each.message for each in found if each.warning}


def test_a_message_is_an_orbit() -> None:
    data = scenario(orbit=omm())
    assert findings(data) == ({}, {})
    checked = convert(data, Scenario).value
    assert checked is not None
    assert build_orbit(checked).epoch_utc_s == pytest.approx(1_715_025_184.999776)


def test_every_fault_of_a_message_is_told_where_it_stands() -> None:
    data = scenario(orbit=omm(TIME_SYSTEM="TAI", ECCENTRICITY="x"))
    converted = convert(data, Scenario)
    found = [(each.path, each.message) for each in apply_rules(RULES, converted.tables)]
    assert found == [
        ("$.orbit.message", 'TIME_SYSTEM: expected "UTC", got "TAI"'),
        ("$.orbit.message", 'ECCENTRICITY: expected a number from 0 to 0.999999, got "x"'),
    ]


@pytest.mark.parametrize(
    ("days", "is_error", "is_warning"),
    [(13, False, False), (15, False, True), (-15, False, True), (31, True, False)],
)
def test_a_message_ages_as_a_two_line_set(days: int, is_error: bool, is_warning: bool) -> None:
    errors, warnings = findings(scenario(EPOCH + timedelta(days=days), orbit=omm()))
    assert list(errors) == ["orbit.message"] * is_error
    assert list(warnings) == ["orbit.message"] * is_warning
    for message in (errors | warnings).values():
        assert "elements are of 2024-05-06T19:53Z" in message


@pytest.mark.parametrize(("days", "end"), [(13, False), (15, True)])
def test_elements_age_until_the_mission_ends(days: int, end: bool) -> None:
    data = scenario(EPOCH, orbit=TLE)
    data["mission"]["duration_s"] = 86_400.0 * days
    errors, warnings = findings(data)
    assert errors == {}
    expected = (
        "elements are of 2024-05-06T19:53Z, 15.0 days before the end of the mission; "
        "pass and eclipse times are uncertain"
    )
    assert warnings == ({"orbit.line1": expected} if end else {})


@pytest.mark.parametrize(
    "change",
    [
        {"MEAN_MOTION": 17.9},
        # At its epoch it stands high over the perigee that lies under the ground.
        {"ECCENTRICITY": 0.2, "MEAN_ANOMALY": 180.0},
        {"BSTAR": 1.0},
    ],
    ids=["under the ground", "passes through the ground", "falls"],
)
def test_a_decayed_orbit_is_refused(change: dict[str, Any]) -> None:
    data = scenario(orbit=omm(**change))
    data["mission"]["duration_s"] = 86_400 * 3
    errors, _ = findings(data)
    assert list(errors) == ["orbit.message"]
    assert "is no orbit for this mission: SGP4 error" in errors["orbit.message"]
    # Where it is an orbit at first, it is told until when.
    assert ("(by 2024-05-0" in errors["orbit.message"]) is ("MEAN_MOTION" not in change)


def test_neighbours_are_built_with_their_orbits() -> None:
    data = scenario(
        neighbour=[neighbour(omm(), "a"), neighbour(TLE, "b"), neighbour(SSO, "c")],
    )
    assert findings(data) == ({}, {})
    checked = convert(data, Scenario).value
    assert checked is not None
    first, second, third = build_neighbours(checked)
    assert [each.name for each in (first, second, third)] == ["a", "b", "c"]
    assert (first.min_grazing_altitude_km, first.max_range_km) == (100, 5000)
    assert first.orbit.epoch_utc_s == second.orbit.epoch_utc_s
    assert third.orbit.epoch_utc_s == EPOCH.timestamp()


def test_a_neighbour_in_the_nodes_own_place_is_refused() -> None:
    ahead = SSO | {"argument_of_latitude_deg": SSO["argument_of_latitude_deg"] + 0.001}
    data = scenario(orbit=SSO, neighbour=[neighbour(ahead, "a"), neighbour(SSO, "b")])
    errors, _ = findings(data)
    assert errors == {"neighbour[1].orbit": "is the orbit, and the place on it, of the node"}
    # Of orbits that are wrong by themselves it says nothing.
    for orbit, other in ((omm(EPOCH="now"), SSO), (SSO, omm(EPOCH="now"))):
        errors, _ = findings(scenario(orbit=orbit, neighbour=[neighbour(other, "a")]))
        assert [message for message in errors.values() if "place" in message] == []


def test_neighbours_keep_the_rules_of_orbits() -> None:
    errors, warnings = findings(
        scenario(
            EPOCH + timedelta(days=20),
            neighbour=[
                neighbour(omm(EPOCH="now")),
                neighbour(TLE | {"line2": TLE["line2"][:-1] + "0"}),
                neighbour(SSO | {"eccentricity": 0.09}, "c"),
                neighbour(TLE, "d"),
                neighbour(omm(MEAN_MOTION=17.9), "e"),
            ],
        )
    )
    assert list(errors) == [
        "neighbour[1].name",
        "neighbour[0].orbit.message",
        "neighbour[1].orbit.line2",
        "neighbour[2].orbit.eccentricity",
        "neighbour[4].orbit.message",
    ]
    assert errors["neighbour[1].name"] == '"leader" is the name of neighbour[0] already'
    assert list(warnings) == ["neighbour[3].orbit.line1"]


def test_check_tells_the_name_and_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (SCENARIOS / "demo.toml").read_text().replace("2025-03-20T11:30:00Z", EPOCH.isoformat())
    begin = text.index('source = "sso"')
    end = text.index("\n\n", begin)
    message = json.dumps(ISS, indent=1)
    good = f"source = \"omm\"\nmessage = '''\n{message}\n'''"
    path = tmp_path / "good.toml"
    path.write_text(text[:begin] + good + text[end:])
    assert run_check(path, show=False) == 0
    assert (
        "orbit     orbit mean-elements message of ISS (ZARYA), attitude" in capsys.readouterr().out
    )
    assert run_check(path, show=True) == 0
    again = tmp_path / "again.toml"
    again.write_text(capsys.readouterr().out)
    assert examine_scenario(read_document(again)).problems == []

    path.write_text(text[:begin] + good.replace("51.6393", "251.6393") + text[end:])
    assert run_check(path, show=False) == 78
    line = text[:begin].count("\n") + 2
    assert capsys.readouterr().err == (
        f"{path}:{line}: orbit.message: "
        'INCLINATION: expected a number from 0 to 180, got "251.6393"\n'
    )
