from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from node import clock
from node.clock import Anchor, MissionClock, epoch_utc_s, machine_boot_id, write_anchor
from node.errors import ConfigError

ROOT = Path(__file__).parents[2]


class Monotonic:
    """A monotonic clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    made = Monotonic()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def test_mission_time_is_an_affine_map_of_the_monotonic_clock(monotonic: Monotonic) -> None:
    mission = MissionClock(1010.0, 60.0, 5e8)
    assert mission.now() == -600.0
    monotonic.now_s = 1012.0
    assert mission.now() == 120.0
    assert mission.wall_delay(180.0) == 1.0
    assert mission.wall_delay(100.0) == 0.0
    assert mission.utc_s(mission.now()) == 5e8 + 120.0


def test_a_stepped_wall_clock_moves_nothing(
    monotonic: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = MissionClock(1000.0, 1.0, 5e8)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monotonic.now_s = 1007.0
    assert mission.now() == 7.0
    assert mission.utc_s(mission.now()) == 5e8 + 7.0


def test_the_processes_of_one_host_share_an_anchor(tmp_path: Path, monotonic: Monotonic) -> None:
    path = tmp_path / "run" / "clock.json"
    first = MissionClock.from_anchor(path, 10.0, 5e8)
    monotonic.now_s = 1030.0
    second = MissionClock.from_anchor(path, 10.0, 5e8, start_s=999.0)
    assert first.now() == second.now() == 300.0
    anchor = msgspec.json.decode(path.read_bytes(), type=Anchor)
    assert anchor == Anchor(machine_boot_id(), 1000.0, 10.0)
    assert [each.name for each in path.parent.iterdir()] == ["clock.json"]


def test_a_mission_may_begin_late(tmp_path: Path, monotonic: Monotonic) -> None:
    made = MissionClock.from_anchor(tmp_path / "clock.json", 10.0, 5e8, start_s=500.0)
    assert made.now() == 500.0
    monotonic.now_s = 1001.0
    assert made.now() == 510.0


def test_another_rate_is_refused(tmp_path: Path, monotonic: Monotonic) -> None:
    path = tmp_path / "clock.json"
    write_anchor(path, 10.0, monotonic.now_s)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"clock\.json: rate: the anchor runs at 10\.0, not at 1"):
        MissionClock.from_anchor(path, 1.0, 5e8)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"machine_boot_id": 3}', "\xff"])
def test_a_file_that_is_no_anchor_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clock.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match="not a clock anchor"):
        MissionClock.from_anchor(path, 1.0, 5e8)
    assert path.read_text(encoding="latin-1") == text


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a clock anchor"):
        MissionClock.from_anchor(tmp_path, 1.0, 5e8)


@pytest.mark.usefixtures("monotonic")
def test_the_anchor_of_an_earlier_boot_of_the_machine_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_bytes(msgspec.json.encode(Anchor("another boot", 4.0, 7.0)))
    made = MissionClock.from_anchor(path, 10.0, 5e8, start_s=50.0)
    assert (made.now(), made.rate) == (50.0, 10.0)
    anchor = msgspec.json.decode(path.read_bytes(), type=Anchor)
    assert anchor == Anchor(machine_boot_id(), 995.0, 10.0)


def test_processes_that_start_together_share_one_anchor(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    script = (
        "import sys, time; from pathlib import Path; from node.clock import MissionClock\n"
        "sys.stdin.readline()\n"
        "made = MissionClock.from_anchor(Path(sys.argv[1]), 10.0, 0.0)\n"
        "print(made._monotonic_zero_s)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    zeros = {process.communicate(timeout=20)[0] for process in processes}
    assert len(zeros) == 1
    assert float(zeros.pop()) > 0


def test_without_proc_every_boot_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_MACHINE_BOOT_ID", Path("/nonexistent/boot_id"))
    assert machine_boot_id() == "unknown"


def test_the_epoch_is_an_instant() -> None:
    assert epoch_utc_s(datetime(2025, 3, 20, 11, 30, tzinfo=timezone.utc)) == 1_742_470_200.0
    east = timezone(timedelta(hours=2))
    assert epoch_utc_s(datetime(2025, 3, 20, 13, 30, tzinfo=east)) == 1_742_470_200.0
