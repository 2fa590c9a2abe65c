"""``groundlink passes`` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from listed_scenario import write_stale

from groundlink import cli
from groundlink.window import Schedule
from node.config.build import build_orbit, build_stations
from node.config.load import load_scenario
from node.physics.passes import find_passes, look_at

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "demo.toml"
EPOCH_UTC_S = 1_742_470_200.0


def utc_s(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["passes", str(SCENARIO), *words]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_instants_have_milliseconds_and_tca_is_the_pass_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenario = load_scenario(SCENARIO)
    orbit, stations = build_orbit(scenario), list(build_stations(scenario))
    passes = find_passes(orbit, stations, EPOCH_UTC_S - 7200.0, EPOCH_UTC_S + 93_600.0)
    places = {station.name: station for station in stations}
    whole = 0
    for item in json.loads(listed(capsys, "--json")):
        for name in ("aos", "tca", "los"):
            assert len(item[f"{name}_utc"]) == len("2025-03-20T11:32:11.222Z")
            assert utc_s(item[f"{name}_utc"]) - EPOCH_UTC_S == pytest.approx(
                item[f"{name}_s"], abs=0.00051
            )
        view = look_at(places[item["station"]], orbit, EPOCH_UTC_S + item["tca_s"])
        assert item["max_elevation_deg"] == pytest.approx(view.elevation_deg, abs=1e-9)
        (transit,) = (
            each
            for each in passes
            if each.station.name == item["station"]
            and each.los_utc_s - EPOCH_UTC_S == pytest.approx(item["los_s"], abs=0.01)
        )
        if item["aos_s"] == pytest.approx(transit.aos_utc_s - EPOCH_UTC_S, abs=0.01):
            whole += 1
            assert item["tca_s"] == pytest.approx(transit.tca_utc_s - EPOCH_UTC_S, abs=0.02)
        else:
            # It begins late, after another station's contact: its highest point is its own.
            assert item["max_elevation_deg"] <= transit.max_elevation_deg + 1e-6
            assert item["aos_s"] <= item["tca_s"]
    assert whole > 10


def test_a_span_and_a_station_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    later = json.loads(listed(capsys, "--json", "--start", "2025-03-20T14:00:00Z", "--days", "0.5"))
    everything = json.loads(listed(capsys, "--json", "--days", "2"))
    expected = [item for item in everything if 9000.0 <= item["aos_s"] < 52_200.0]
    assert [item["aos_utc"][:-5] for item in later] == [item["aos_utc"][:-5] for item in expected]
    chosen = json.loads(listed(capsys, "--json", "--days", "2", "--station", "kiruna"))
    assert chosen == [item for item in everything if item["station"] == "kiruna"]
    table = listed(capsys, "--days", "2", "--station", "kiruna").splitlines()
    assert len(table) == len(chosen) + 3
    assert table[-1].startswith(f"{len(chosen)} passes, ")


def test_the_calendar_has_every_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(SCENARIO, tmp_path / "demo.toml"))
    os.utime(copy, (1.0, 1_700_000_000.5))
    monkeypatch.setattr(sys.modules[__name__], "SCENARIO", copy)
    text = listed(capsys, "--ical", "--days", "3")
    passes = json.loads(listed(capsys, "--json", "--days", "3"))
    calendar = Calendar.from_ical(text)
    events = calendar.walk("VEVENT")
    assert len(events) == len(passes) > 50
    assert len({event["UID"] for event in events}) == len(events)
    for event, item in zip(events, passes, strict=True):
        begin, end = event["DTSTART"].dt, event["DTEND"].dt
        assert begin.utcoffset() == timedelta(0)
        assert 0.0 <= item["aos_s"] + EPOCH_UTC_S - begin.timestamp() < 1.0
        assert 0.0 <= end.timestamp() - item["los_s"] - EPOCH_UTC_S < 1.0
        assert event["DTSTAMP"].dt.timestamp() == 1_700_000_000.0
        assert (
            event["SUMMARY"] == f"demo over {item['station']}, {item['max_elevation_deg']:.0f} deg"
        )
        for words in (
            f"Station {item['station']}, highest at {item['max_elevation_deg']:.1f} deg",
            f"TCA {item['tca_utc']}",
            f"{item['uplink_megabytes']:.2f} MB up, {item['downlink_megabytes']:.2f} MB down",
        ):
            assert words in event["DESCRIPTION"]
    # The same passes have the same names, wherever a list begins.
    again = Calendar.from_ical(listed(capsys, "--ical", "--start", "86400", "--days", "2"))
    assert [e["UID"] for e in again.events][1:] == [e["UID"] for e in events][
        -len(again.events) + 1 :
    ]
    assert {event["UID"] for event in again.events} <= {event["UID"] for event in events}


def test_a_calendar_without_a_pass_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["passes", str(SCENARIO), "--ical", "--days", "0.0001"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no contact in this span" in shown.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--station", "nowhere"], "no 'nowhere' in the scenario"),
        (["--start", "yesterday"], "expected mission seconds or a UTC instant"),
        (["--days", "367"], "expected days above 0 to 366"),
        (["--ical", "--json"], "not allowed with"),
    ],
)
def test_a_wrong_command_line_is_said_and_ends_with_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["passes", str(SCENARIO), *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_stale_elements_are_warned_of_beside_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["passes", str(write_stale(tmp_path)), "--json"]) == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) > 3
    assert shown.err.count("\n") == 1
    assert "20.0 days before mission.epoch; pass and eclipse times are uncertain" in shown.err


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "groundlink", "passes", str(SCENARIO), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(timeout=60) == 141


def test_a_long_span_does_not_keep_every_table() -> None:
    windows = Schedule.from_scenario(load_scenario(SCENARIO)).windows(0.0, 366.0 * 86_400.0)
    # Nothing is computed but what is asked for.
    assert next(windows).station == "maspalomas"
