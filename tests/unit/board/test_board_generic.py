"""Any Linux machine: temperatures by class, power by counters, a model where nothing measures."""

from __future__ import annotations

import errno
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from board_tree import failing, open_tree_board, rails_w, temperatures

from node.board.factory import open_board
from node.board.sysfs import SysFs
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.core.events import Source
from node.errors import BoardError

RAPL = "sys/devices/virtual/powercap/intel-rapl"
PACKAGE = f"{RAPL}/intel-rapl:0/energy_uj"
CORE = f"{RAPL}/intel-rapl:0/intel-rapl:0:0/energy_uj"
PSYS = f"{RAPL}/intel-rapl:1/energy_uj"
CORETEMP = "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input"


def energy(tree: Any, path: str) -> int:
    return int((tree.root / path).read_text())


def add_energy(tree: Any, path: str, joules: float) -> None:
    range_uj = energy(tree, path.replace("energy_uj", "max_energy_range_uj"))
    tree.write(path, f"{(energy(tree, path) + round(joules * 1e6)) % range_uj}\n")


def test_zone_copies_and_single_cores_are_left_out(board_tree: Any) -> None:
    pi = open_tree_board(board_tree("raspberry-pi-5").open(), "generic")
    assert sorted(temperatures(pi.read(101.0))) == ["cpu-thermal", "rp1_adc/temp1"]
    x86 = open_tree_board(board_tree("generic-x86").open())
    assert not [sensor for sensor in temperatures(x86.read(101.0)) if "Core" in sensor]
    pi.close()
    x86.close()


def test_platform_energy_is_power_and_wraps(board_tree: Any) -> None:
    tree = board_tree("generic-x86")
    range_uj = energy(tree, PSYS.replace("energy_uj", "max_energy_range_uj"))
    tree.write(PSYS, f"{range_uj - 10_000_000}\n")
    board = open_tree_board(tree.open())
    add_energy(tree, PSYS, 60.0)
    add_energy(tree, PACKAGE, 40.0)
    add_energy(tree, CORE, 30.0)
    readings = board.read(102.0)
    power = readings.power
    assert power is not None
    assert energy(tree, PSYS) < 60e6
    assert power.power_w == pytest.approx(30.0, abs=1e-5)
    assert power.energy_j == pytest.approx(60.0, abs=1e-5)
    assert (power.source, power.scope, power.wall_s) == (Source.MEASURED, "board", 102.0)
    assert rails_w(readings) == pytest.approx(
        {
            "psys": 30.0,
            "package-0": 20.0,
            "package-0/core": 15.0,
            "package-0/uncore": 0.0,
            "package-0/dram": 0.0,
        },
        abs=1e-5,
    )
    add_energy(tree, PSYS, 15.0)
    power = board.read(103.0).power
    assert power is not None
    assert power.power_w == pytest.approx(15.0)
    assert power.energy_j == pytest.approx(75.0)
    board.close()


def test_dead_platform_counter_gives_way_to_the_packages_counted_once(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tree = board_tree("generic-x86")
    board = open_tree_board(tree.open())
    mmio = "sys/devices/virtual/powercap/intel-rapl-mmio/intel-rapl-mmio:0/energy_uj"
    for second in (101.0, 102.0):
        add_energy(tree, PACKAGE, 40.0)
        add_energy(tree, CORE, 30.0)
        add_energy(tree, mmio, 40.0)
        power = board.read(second).power
        assert power is not None
        assert power.power_w == pytest.approx(40.0)
        assert power.scope == "package+dram"
    assert power.energy_j == pytest.approx(80.0)
    assert caplog.text.count("rapl_platform_counter_ignored") == 1
    board.close()


def test_a_second_reading_at_the_same_instant_is_the_first(board_tree: Any) -> None:
    tree = board_tree("generic-x86")
    board = open_tree_board(tree.open())
    assert board.read(100.0).power is None
    add_energy(tree, PSYS, 10.0)
    first = board.read(101.0).power
    add_energy(tree, PSYS, 10.0)
    assert board.read(101.0).power == first
    board.close()


def test_unreadable_counters_leave_a_modelled_board(board_tree: Any) -> None:
    tree = board_tree("generic-x86")
    board = open_tree_board(tree.open(unprivileged=True))
    # 800 jiffies pass on all cores together, 200 of them busy: user 150, steal 50.
    tree.write("proc/stat", "cpu  8150 0 3200 720600 100 0 50 50 9 9\ncpu0 1 2 3 4\n")
    readings = board.read(104.0)
    assert readings.cpu_utilisation_ratio == pytest.approx(0.25)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(5.0 + 20.0 * 0.25)
    assert readings.power.energy_j == pytest.approx(4.0 * 10.0)
    assert (readings.power.source, readings.power.scope) == (Source.MODELLED, "board")
    assert readings.power.model == "scenario"
    assert rails_w(readings) == {}
    # A model is no sensor: it has no health.
    assert {entry.name for entry in board.sensor_health()} == {
        "cpu",
        "cpu_clocks",
        "thermal_zones",
        "hwmon",
    }
    board.close()


def test_measured_power_that_fails_is_absent_and_never_modelled(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("generic-x86")
    sysfs = tree.open()
    board = open_tree_board(sysfs)
    sysfs._faults[PSYS] = errno.EIO
    for second in (101.0, 102.0, 103.0):
        readings = board.read(second)
        assert readings.power is None
        assert len(readings.temperatures) >= 3
    assert failing(board) == {"rapl_power"}
    assert caplog.text.count("sensor_failed sensor='psys'") == 1
    del sysfs._faults[PSYS]
    add_energy(tree, PSYS, 80.0)
    power = board.read(104.0).power
    assert power is not None
    # The counter went on: the interval without readings is in the figure.
    assert power.power_w == pytest.approx(20.0)
    assert caplog.text.count("sensor_recovered sensor='psys'") == 1
    board.close()


def test_a_domain_that_fails_leaves_the_power(board_tree: Any) -> None:
    tree = board_tree("generic-x86")
    sysfs = tree.open()
    board = open_tree_board(sysfs)
    sysfs._faults[CORE] = errno.EIO
    add_energy(tree, PSYS, 80.0)
    readings = board.read(102.0)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(40.0)
    assert "package-0/core" not in rails_w(readings)
    assert failing(board) == {"rapl_power"}
    board.close()


def test_one_broken_sensor_leaves_the_others(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sysfs = board_tree("generic-x86").open()
    board = open_tree_board(sysfs)
    sysfs._faults[CORETEMP] = errno.EIO
    for second in (101.0, 102.0):
        found = temperatures(board.read(second))
        assert "coretemp/Package id 0" not in found
        assert "acpitz" in found
    assert caplog.text.count("sensor_failed") == 1
    assert failing(board) == {"hwmon"}
    sysfs._faults.clear()
    assert "coretemp/Package id 0" in temperatures(board.read(103.0))
    assert caplog.text.count("sensor_recovered") == 1
    assert all(entry.ok and entry.duration_s > 0 for entry in board.sensor_health())
    board.close()


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENODATA, errno.EINVAL])
def test_no_data_is_no_failure(board_tree: Any, code: int) -> None:
    board = open_tree_board(board_tree("generic-x86").open(faults={CORETEMP: code}))
    assert "coretemp/Package id 0" not in temperatures(board.read(101.0))
    assert failing(board) == set()
    board.close()


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENODEV, errno.ENXIO])
def test_a_sensor_that_was_there_and_is_gone_has_failed(board_tree: Any, code: int) -> None:
    sysfs = board_tree("generic-x86").open()
    board = open_tree_board(sysfs)
    board.read(101.0)
    sysfs._faults[CORETEMP] = code
    assert "coretemp/Package id 0" not in temperatures(board.read(102.0))
    assert failing(board) == {"hwmon"}
    board.close()


@pytest.mark.parametrize("thousandths", [-273_000, 255_000])
def test_implausible_temperature_is_absent(board_tree: Any, thousandths: int) -> None:
    tree = board_tree("generic-x86")
    tree.write(CORETEMP, f"{thousandths}\n")
    board = open_tree_board(tree.open())
    assert "coretemp/Package id 0" not in temperatures(board.read(101.0))
    board.close()


def test_generic_board_takes_the_one_total_rail(board_tree: Any) -> None:
    board = open_tree_board(board_tree("jetson-orin-nano").open(), "generic")
    first = board.read(101.0).power
    assert first is not None
    assert first.power_w == pytest.approx(7.6644, abs=1e-3)
    assert (first.source, first.scope, board.family) == (Source.MEASURED, "module", "generic")
    board.close()


def test_utilisation_begins_anew_when_counters_fall(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-5")
    board = open_tree_board(tree.open())
    tree.write("proc/stat", "cpu  10 0 0 10 0 0 0 0 0 0\n")
    assert board.read(101.0).cpu_utilisation_ratio is None
    assert "cpu" not in failing(board)
    tree.write("proc/stat", "cpu  20 0 0 40 0 0 0 0 0 0\n")
    assert board.read(102.0).cpu_utilisation_ratio == pytest.approx(0.25)
    tree.write("proc/stat", "garbage\n")
    assert board.read(103.0).cpu_utilisation_ratio is None
    assert "cpu" in failing(board)
    board.close()


def test_what_a_reader_raises_is_logged_at_its_edges(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("generic-x86")
    board = open_tree_board(tree.open())
    for text in ("cpu  1 x\n", "cpu  1 x\n", "cpu  10 0 0 10 0 0 0 0 0 0\n"):
        tree.write("proc/stat", text)
        assert temperatures(board.read(101.0))
    assert caplog.text.count("reader_failed reader=cpu") == 1
    assert caplog.text.count("reader_recovered reader=cpu") == 1
    board.close()


def test_bare_machine_runs_with_no_sensor_at_all(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu  10 0 0 10 0 0 0 0 0 0\n")
    choice = BoardChoice(family="auto", root=str(tmp_path))
    board = open_board(choice, BoardFigures(3.0, 6.0))
    readings = board.read(time.monotonic() + 1.0)
    assert readings.temperatures == ()
    assert readings.hardware is None
    assert readings.power is not None
    assert readings.power.power_w == 3.0
    assert (board.idle_power_w, board.family) == (3.0, "generic")
    board.close()


@pytest.mark.parametrize("text", [None, "", "cpu 1 2\n", "cpu  a b c d e\n"])
def test_root_without_linux_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/stat").write_text(text)
    with pytest.raises(BoardError, match="no Linux board"):
        open_tree_board(SysFs(tmp_path))
