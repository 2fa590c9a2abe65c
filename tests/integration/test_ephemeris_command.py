"""``orbitnode ephemeris`` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from listed_scenario import write_stale

from node import cli

ROOT = Path(__file__).parents[2]
SCENARIO = str(ROOT / "scenarios" / "demo.toml")


def orbitnode(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "node", "ephemeris", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def test_csv_is_a_row_a_step() -> None:
    done = orbitnode(SCENARIO, "--csv", "--days", "0.5")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 720
    assert rows[0]["utc"] == "2025-03-20T11:30:00.000Z"
    assert [float(row["mission_s"]) for row in rows] == [60.0 * k for k in range(720)]
    assert any(row["station.maspalomas.visible"] == "1" for row in rows)
    assert {0.0, 1.0} <= {float(row["illumination_ratio"]) for row in rows}
    assert done.stderr == ""


def test_json_agrees_with_csv_and_its_events_with_themselves() -> None:
    whole = json.loads(orbitnode(SCENARIO, "--json", "--days", "0.2", "--step", "120").stdout)
    assert whole["scenario"] == "demo"
    assert whole["epoch_utc"] == whole["elements_utc"] == "2025-03-20T11:30:00.000Z"
    assert (whole["start_s"], whole["stop_s"], whole["step_s"]) == (0.0, 17_280.0, 120.0)
    assert len(whole["rows"]) == 144
    rows = csv.DictReader(
        io.StringIO(orbitnode(SCENARIO, "--csv", "--days", "0.2", "--step", "120").stdout)
    )
    for exact, row in zip(whole["rows"], rows, strict=True):
        assert float(row["x_teme_km"]) == pytest.approx(exact["r_teme_km"][0], abs=1e-6)
        elevation_deg = exact["stations"]["svalbard"]["elevation_deg"]
        assert float(row["station.svalbard.elevation_deg"]) == pytest.approx(
            elevation_deg, abs=1e-6
        )
    assert all(a["mission_s"] <= b["mission_s"] for a, b in pairwise(whole["events"]))
    assert {"penumbra_entry", "umbra_exit", "aos", "tca", "los"} <= {
        event["kind"] for event in whole["events"]
    }


def test_parts_and_stations_can_be_chosen() -> None:
    words = (SCENARIO, "--only", "events", "--station", "svalbard")
    events = list(csv.DictReader(io.StringIO(orbitnode(*words, "--csv").stdout)))
    assert {event["station"] for event in events} == {"", "svalbard"}
    assert list(json.loads(orbitnode(*words, "--json").stdout))[-1] == "events"
    table = orbitnode(*words).stdout.splitlines()
    assert len(table) == len(events) + 1
    assert [line.split()[0] for line in table[1:]] == [event["utc"] for event in events]
    rows = orbitnode(SCENARIO, "--only", "rows").stdout.splitlines()
    both = orbitnode(SCENARIO).stdout.splitlines()
    assert len(rows) == 145
    assert both[-146:] == ["", *rows]


def test_a_span_may_begin_at_an_instant() -> None:
    words = (SCENARIO, "--csv", "--days", "0.001", "--step", "0.5")
    instant = orbitnode(*words, "--start", "2025-03-20T13:30:00+01:00").stdout
    assert instant == orbitnode(*words, "--start", "3600").stdout
    assert instant.splitlines()[2].startswith("2025-03-20T12:30:00.500Z,3600.500,")
    assert len(instant.splitlines()) == 174


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    for form in (["--csv"], ["--json"], []):
        with subprocess.Popen(
            [sys.executable, "-m", "node", "ephemeris", SCENARIO, "--step", "1", *form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline()
            running.stdout.close()
            assert running.stderr.read() == b""
            assert running.wait(timeout=60) == 141


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--start", "soon"], "argument --start: expected mission seconds or a UTC instant"),
        (["--start", "2099-01-01T00:00:00Z"], "more than ten years from mission time zero"),
        (["--days", "0"], "argument --days: expected days above 0 to 366, got '0'"),
        (["--step", "0"], "argument --step: expected seconds from 0.001 to 31622400, got '0'"),
        (["--station", "nowhere"], "no 'nowhere' in the scenario; it has svalbard, kiruna, masp"),
        (["--csv", "--json"], "not allowed with"),
        (["--only", "both"], "invalid choice"),
    ],
)
def test_a_wrong_command_line_is_said_and_ends_with_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["ephemeris", SCENARIO, *words])
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_a_wrong_file_ends_with_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("schema = 1\n[mission\n")
    assert cli.main(["ephemeris", str(wrong)]) == 78
    assert "wrong.toml:2: is not TOML" in capsys.readouterr().err
    assert cli.main(["ephemeris", str(tmp_path / "none.toml")]) == 78
    assert "cannot be read" in capsys.readouterr().err


def test_stale_elements_are_warned_of_beside_the_list(tmp_path: Path) -> None:
    done = orbitnode(str(write_stale(tmp_path)), "--only", "events", "--days", "0.2")
    assert done.stdout.startswith("UTC ")
    assert "20.0 days before mission.epoch; pass and eclipse times are uncertain" in done.stderr
    assert done.stderr.count("warning: ") == 1


def test_an_orbit_that_cannot_be_followed_leaves_no_half_a_list(tmp_path: Path) -> None:
    # The Space Station, years on: its elements have it come down.
    done = orbitnode(
        str(write_stale(tmp_path)), "--csv", "--start", "1.05e8", "--days", "100", status=1
    )
    assert done.stdout == ""
    assert "orbitnode ephemeris: the orbit cannot be followed from 2027-09-" in done.stderr
    assert "SGP4 error 6" in done.stderr


def test_help_teaches() -> None:
    shown = orbitnode("--help").stdout
    for words in ("examples:", "--csv --step 1", "TEME", "WGS84", "no refraction", "accuracy"):
        assert words in shown
