"""Clocks, load, fans, throttling and power mode, where captured boards do not show the case."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import pytest
from board_tree import failing, hardware, open_tree_board

from node.board.clocks import CpuClocks, TegraClocks
from node.board.fans import Fans
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.board.tegra import GpuLoad, OverCurrent, PowerMode
from node.board.throttle_bits import ThrottleBits
from node.core.events import ClockReading, FanReading, ThrottleReading

OC = "sys/devices/platform/soctherm-oc-event/hwmon/hwmon1"
FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"


def write(root: Path, files: dict[str, object]) -> SysFs:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{text}\n")
    return SysFs(root)


def cpufreq(number: int, khz: int, limit_khz: int, full_khz: int) -> dict[str, object]:
    folder = f"sys/devices/system/cpu/cpufreq/policy{number}"
    return {
        f"{folder}/scaling_cur_freq": khz,
        f"{folder}/scaling_max_freq": limit_khz,
        f"{folder}/cpuinfo_max_freq": full_khz,
    }


def test_clock_ratio_is_of_what_the_cores_can_do(tmp_path: Path) -> None:
    files = {**cpufreq(0, 500_000, 800_000, 1_000_000), **cpufreq(4, 2_000_000, 2_000_000, 2000000)}
    clocks = CpuClocks(write(tmp_path, files))
    draft = Draft(0.0)
    assert clocks.read(draft)
    assert draft.clocks == [ClockReading("cpu0", 5e8, 8e8), ClockReading("cpu4", 2e9, 2e9)]
    assert draft.cpu_clock_ratio == pytest.approx(0.75)


def test_cores_that_are_all_offline_have_no_clock(tmp_path: Path) -> None:
    sysfs = write(tmp_path, cpufreq(0, 1, 2, 4))
    (tmp_path / "sys/devices/system/cpu/cpufreq/policy4").mkdir()
    draft = Draft(0.0)
    assert CpuClocks(sysfs).read(draft)
    assert [clock.clock for clock in draft.clocks] == ["cpu0"]


def test_of_many_policies_the_first_eight_are_read(tmp_path: Path) -> None:
    files: dict[str, object] = {}
    for number in range(64):
        files.update(cpufreq(number, 1000, 1000, 1000))
    draft = Draft(0.0)
    CpuClocks(write(tmp_path, files)).read(draft)
    assert [clock.clock for clock in draft.clocks] == [f"cpu{number}" for number in range(8)]


def test_a_machine_without_cpufreq_has_no_clocks(tmp_path: Path) -> None:
    draft = Draft(0.0)
    assert CpuClocks(SysFs(tmp_path)).read(draft)
    assert (draft.clocks, draft.cpu_clock_ratio) == ([], None)


def test_a_cap_that_is_none_is_no_limit(tmp_path: Path) -> None:
    files = {"sys/kernel/nvpmodel_emc_cap/emc_iso_cap": 0, "sys/class/devfreq/dmc/cur_freq": 5}
    draft = Draft(0.0)
    assert TegraClocks(write(tmp_path, files)).read(draft)
    assert draft.clocks == []


@pytest.mark.parametrize(
    "path",
    [
        "sys/devices/gpu.0/load",
        "sys/devices/57000000.gpu/load",
        "sys/devices/17000000.gv11b/load",
        "sys/devices/platform/17000000.gpu/load",
        "sys/devices/platform/bus@0/17000000.gpu/load",
    ],
)
def test_load_is_found_where_each_release_has_it(tmp_path: Path, path: str) -> None:
    draft = Draft(0.0)
    assert GpuLoad(write(tmp_path, {path: 250})).read(draft)
    assert draft.gpu_utilisation_ratio == 0.25


def test_over_current_counts_from_opening(board_tree: Any) -> None:
    tree = board_tree("jetson-agx-orin")
    board = open_tree_board(tree.open())
    tree.write(f"{OC}/oc3_event_cnt", "37\n")
    tree.write(f"{OC}/oc1_event_cnt", "1\n")
    first = [each.events for each in hardware(board.read(101.0)).throttles]
    # A counter that falls has begun anew.
    tree.write(f"{OC}/oc3_event_cnt", "2\n")
    second = [each.events for each in hardware(board.read(102.0)).throttles]
    tree.write(f"{OC}/oc3_event_cnt", "5\n")
    third = hardware(board.read(103.0)).throttles
    assert (first, second) == ([1, 0, 22], [1, 0, 22])
    assert third == (
        ThrottleReading("under-voltage", events=1),
        ThrottleReading("average-over-current", events=0),
        ThrottleReading("instantaneous-over-current", events=25),
    )
    board.close()


def test_a_counter_that_fails_is_absent(board_tree: Any) -> None:
    sysfs = board_tree("jetson-agx-orin").open()
    part = OverCurrent(sysfs)
    sysfs._faults[f"{OC}/oc2_event_cnt"] = errno.EIO
    draft = Draft(0.0)
    assert not part.read(draft)
    assert [each.reason for each in draft.throttles] == [
        "under-voltage",
        "instantaneous-over-current",
    ]


def test_power_mode_follows_a_file_that_is_replaced(board_tree: Any) -> None:
    tree = board_tree("jetson-orin-nano")
    part = PowerMode(tree.open())

    def mode() -> str | None:
        draft = Draft(0.0)
        part.read(draft)
        return draft.power_mode

    status = tree.root / "var/lib/nvpmodel/status"
    found = [mode()]
    for number in (2, 9):
        new = status.with_suffix(".new")
        new.write_text(f"pmode:{number:04d} fmode:quiet\n")
        new.replace(status)
        found.append(mode())
    status.unlink()
    found.append(mode())
    # IDs are not ordered by watts; a mode that the table does not have keeps its number.
    assert found == ["25W", "MAXN_SUPER", "9", None]


@pytest.mark.parametrize("path", ["etc/nvpmodel.conf", "var/lib/nvpmodel/status"])
def test_power_mode_that_may_not_be_read_leaves_the_board(
    board_tree: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    board = open_tree_board(board_tree("jetson-orin-nano").open(faults={path: errno.EACCES}))
    for second in (101.0, 102.0):
        readings = board.read(second)
        assert readings.power is not None
        assert hardware(readings).power_mode is None
    assert failing(board) == {"power_mode"}
    assert caplog.text.count("reader_failed reader=power_mode") == 1
    board.close()


def test_several_fans_are_numbered(tmp_path: Path) -> None:
    folder = "sys/class/hwmon"
    files: dict[str, object] = {
        f"{folder}/hwmon0/name": "pwmfan",
        f"{folder}/hwmon0/pwm1": 255,
        f"{folder}/hwmon1/name": "pwm_tach",
        f"{folder}/hwmon1/rpm": 900,
        f"{folder}/hwmon2/name": "pwm_tach",
        f"{folder}/hwmon2/rpm": 1800,
    }
    draft = Draft(0.0)
    assert Fans(write(tmp_path, files)).read(draft)
    assert draft.fans == [FanReading("fan1", 900.0, 1.0), FanReading("fan2", 1800.0, None)]


def test_throttle_flags_are_hexadecimal(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-4")
    tree.write(FLAGS, "d0005\n")
    board = open_tree_board(tree.open())
    throttles = hardware(board.read(101.0)).throttles
    assert [(each.reason, each.active, each.since_boot) for each in throttles] == [
        ("under-voltage", True, True),
        ("frequency-capped", False, False),
        ("throttled", True, True),
        ("soft-temperature-limit", False, True),
    ]
    board.close()


def test_flags_that_are_none_are_told_once(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("raspberry-pi-4")
    board = open_tree_board(tree.open())
    for text in ("what", "what", "0"):
        tree.write(FLAGS, text)
        board.read(101.0)
    assert caplog.text.count("reader_failed reader=throttle") == 1
    assert caplog.text.count("reader_recovered reader=throttle") == 1
    board.close()


def test_without_the_flags_the_monitor_tells_under_voltage(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-5")
    (tree.root / FLAGS).unlink()
    part = ThrottleBits(tree.open())
    alarm = "sys/devices/platform/soc/soc:firmware/raspberrypi-hwmon/hwmon/hwmon3/in0_lcrit_alarm"
    tree.write(alarm, "1\n")
    draft = Draft(0.0)
    assert part.read(draft)
    assert draft.throttles == [ThrottleReading("under-voltage", active=True)]
    tree.write(alarm, "\n")
    draft = Draft(0.0)
    assert part.read(draft)
    assert draft.throttles == []


def test_a_board_without_any_of_it_has_none(tmp_path: Path) -> None:
    sysfs = SysFs(tmp_path)
    draft = Draft(0.0)
    for part in (
        TegraClocks(sysfs),
        GpuLoad(sysfs),
        OverCurrent(sysfs),
        PowerMode(sysfs),
        Fans(sysfs),
        ThrottleBits(sysfs),
    ):
        assert part.read(draft)
    assert draft.readings(None).hardware is None
