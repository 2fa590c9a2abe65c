from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from groundlink import cli
from groundlink.commands import passes, status, watch
from groundlink.commands.common import table
from groundlink.window import Schedule
from node.config.load import load_scenario

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "demo.toml"
HEAVY = {"aiomqtt", "numpy", "onnxruntime", "paho", "rich", "sgp4", "sqlite3", "msgspec", "asyncio"}
STATUS = {
    "mission_s": 100.0,
    "rate": 1.0,
    "broker": {"connected": True, "sessions": 1},
    "store": {"size_bytes": 5, "max_bytes": 10},
    "jobs": {"delivered": 2, "queued": 1},
    "refused": {},
    "nodes": {
        "node-1": {
            "online": True,
            "heard_s": 99.0,
            "housekeeping": {
                "mode": "reduced",
                "state_of_charge": 0.42,
                "load_w": 9.5,
                "temperatures_c": {"board": 61.2},
            },
            "link": {"up": True, "station": "kiruna", "los_s": 600.0, "downlink_bps": 2e6},
            "events": [
                {"mission_s": 90.0, "severity": "warning", "code": "mode", "text": "charge-low"}
            ],
        },
        "node-2": {
            "online": False,
            "heard_s": None,
            "housekeeping": None,
            "link": {"up": False, "station": "svalbard", "aos_s": 4992.0},
            "events": [],
        },
    },
}


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from groundlink.cli import COMMAND_LINE\n"
        "COMMAND_LINE.parser().format_help()\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT)
    assert not HEAVY & set(done.stdout.decode().split())


def test_every_command_is_in_the_table_with_its_own_words() -> None:
    modules = {path.stem for path in (ROOT / "groundlink" / "commands").glob("*.py")}
    assert modules - {"__init__", "common"} == set(cli.COMMAND_LINE.commands)
    for name, text in cli.COMMAND_LINE.commands.items():
        assert text == importlib.import_module(f"groundlink.commands.{name}").DESCRIPTION


@pytest.mark.parametrize("name", cli.COMMAND_LINE.commands)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: groundlink {name}")


def test_a_daemon_that_is_not_there_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jobs", "--ground", "http://127.0.0.1:9"]) == 1
    assert "is `groundlink ground` running?" in capsys.readouterr().err
    assert cli.main(["jobs", "--ground", "ftp://host"]) == 1
    assert "not an address" in capsys.readouterr().err


def test_passes_agree_with_the_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["passes", str(SCENARIO), "--days", "0.5", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    windows = list(Schedule.from_scenario(load_scenario(SCENARIO)).windows(0.0, 43_200.0))
    assert [item["station"] for item in shown] == [window.station for window in windows]
    for item, window in zip(shown, windows, strict=True):
        assert item["aos_s"] == pytest.approx(window.aos_s)
        assert item["aos_s"] <= item["tca_s"] <= item["los_s"]
        # Never more than the best rate for the whole time, and far more than nothing.
        most = window.downlink_bps.peak * (window.los_s - window.open_s) / 8e6
        assert 0.1 * most < item["downlink_megabytes"] <= most
    assert shown[0]["aos_utc"].endswith("Z")


def test_the_highest_point_of_a_whole_pass_is_its_middle() -> None:
    window = next(Schedule.from_scenario(load_scenario(SCENARIO)).windows(0.0, 1000.0))
    record = passes.pass_record(window, 0.0)
    assert window.elevation_deg.value(record.tca_s) == pytest.approx(
        record.max_elevation_deg, abs=0.1
    )


def test_passes_of_a_wrong_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("schema = 1\n")
    assert cli.main(["passes", str(wrong)]) == 78
    assert "wrong.toml" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["passes", str(SCENARIO), "--days", "nan"])


def test_columns_are_as_wide_as_their_widest_entry() -> None:
    assert table(("NAME", "MB"), [("a", "1.25"), ("longer", "10.00")]) == (
        "NAME       MB\na        1.25\nlonger  10.00"
    )
    assert table(("NAME", "MB"), []) == "NAME  MB"


def test_status_and_watch_show_every_node() -> None:
    console = Console(width=140, record=True, force_terminal=False, no_color=True)
    with console.capture() as capture:
        console.print(watch.picture(STATUS))
    for text in (status.summary(STATUS), capture.get()):
        assert "kiruna until T+600 s, 2000 kbit/s down" in text
        assert "down, next svalbard at T+4992 s" in text
        assert "42 %" in text
        assert "61.2 C" in text
        assert "2 delivered" in text
    assert "charge-low" in capture.get()
