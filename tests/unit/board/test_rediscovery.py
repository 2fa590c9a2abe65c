"""Devices that come, go and are renumbered while the board is read."""

from __future__ import annotations

import errno
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from board_tree import failing, hardware, open_tree_board, rails_w, temperatures

from node.board.inventory import EVERY_S, Inventory
from node.board.sysfs import SysFs

I2C = "sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0040/hwmon"
GPU = "sys/devices/platform/bus@0/17000000.gpu"


def renumber(root: Path, chips: str, old: str, new: str) -> None:
    """Bind a monitor chip again under another number, its files in another folder."""
    (root / chips / old).rename(root / chips / new)
    link = root / "sys/class/hwmon" / old
    target = str(link.readlink())
    link.unlink()
    (root / "sys/class/hwmon" / new).symlink_to(target.replace(f"hwmon/{old}", f"hwmon/{new}"))


def test_a_monitor_under_a_new_number_is_found_again(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("jetson-orin-nano")
    sysfs = tree.open()
    board = open_tree_board(sysfs)
    before = board.read(101.0)
    renumber(tree.root, I2C, "hwmon1", "hwmon7")
    sysfs.close()  # as the kernel closes the files of a device that is unbound
    lost = board.read(102.0)
    assert lost.power is None
    assert temperatures(lost) == temperatures(before)
    assert failing(board) == {"rails_power"}
    for second in (103.0, 109.9):
        assert board.read(second).power is None
    found = board.read(110.0)
    assert found.power is not None
    assert rails_w(found) == rails_w(before)
    assert failing(board) == set()
    # Each of the three rails: one line when it was lost, one when it was found.
    assert caplog.text.count("sensor_failed") == 3
    assert caplog.text.count("sensor_recovered") == 3
    assert caplog.text.count("devices_changed") == 1
    board.close()


def test_another_chip_under_the_old_number_is_not_taken_for_it(board_tree: Any) -> None:
    tree = board_tree("jetson-agx-orin")
    sysfs = tree.open()
    board = open_tree_board(sysfs)
    before = rails_w(board.read(101.0))
    other = I2C.replace("1-0040", "1-0041")
    renumber(tree.root, I2C, "hwmon3", "hwmon9")
    renumber(tree.root, other, "hwmon4", "hwmon3")
    sysfs._faults = {path.replace("hwmon4", "hwmon3"): code for path, code in sysfs._faults.items()}
    sysfs.close()
    assert rails_w(board.read(102.0)).keys() <= before.keys()
    assert rails_w(board.read(111.0)) == before
    board.close()


def test_a_gpu_that_comes_late_is_found(board_tree: Any) -> None:
    tree = board_tree("jetson-agx-orin")
    link = tree.root / "sys/class/devfreq/17000000.gpu"
    target = link.readlink()
    link.unlink()
    hidden = [
        (tree.root / path, (tree.root / path).readlink())
        for path in ("sys/devices/platform/gpu.0", "sys/devices/platform/17000000.gpu")
    ]
    for path, _ in hidden:
        path.unlink()
    (tree.root / GPU).rename(tree.root / "gpu-to-come")
    board = open_tree_board(tree.open())
    early = hardware(board.read(101.0))
    assert early.gpu_utilisation_ratio is None
    assert "gpu" not in {clock.clock for clock in early.clocks}
    (tree.root / "gpu-to-come").rename(tree.root / GPU)
    link.symlink_to(target)
    assert hardware(board.read(105.0)).gpu_utilisation_ratio is None
    late = hardware(board.read(110.0))
    assert late.gpu_utilisation_ratio == pytest.approx(0.14)
    assert "gpu" in {clock.clock for clock in late.clocks}
    assert failing(board) == set()
    board.close()


def test_a_sensor_that_is_gone_for_good_stays_a_failure(
    board_tree: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tree = board_tree("generic-x86")
    sysfs = tree.open()
    board = open_tree_board(sysfs)
    assert "nvme/Composite" in temperatures(board.read(101.0))
    (tree.root / "sys/class/hwmon/hwmon1").unlink()
    shutil.rmtree(tree.root / "sys/devices/pci0000:00")
    sysfs.close()
    for second in (102.0, 111.0, 112.0, 125.0):
        assert "nvme/Composite" not in temperatures(board.read(second))
        assert failing(board) == {"hwmon"}
    assert caplog.text.count("sensor_failed sensor='nvme/Composite'") == 1
    board.close()


def test_a_device_lost_behind_an_open_file_makes_it_look(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("1")
    sysfs = SysFs(tmp_path)
    inventory = Inventory(sysfs, 0.0)
    sysfs.read("value")
    sysfs._faults["value"] = errno.ENODEV
    assert sysfs.read("value") is None
    assert not inventory.changed(EVERY_S - 0.1)
    assert inventory.changed(EVERY_S)
    assert not inventory.changed(2 * EVERY_S)


def test_a_search_that_fails_leaves_what_was_found(
    board_tree: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tree = board_tree("generic-x86")
    board = open_tree_board(tree.open())
    before = temperatures(board.read(101.0))

    def fail() -> None:
        tree.open(faults={"proc/stat": errno.EIO}).read("proc/stat")

    monkeypatch.setattr(board._parts[3], "find", fail)
    (tree.root / "sys/class/hwmon/hwmon5").mkdir()
    assert temperatures(board.read(111.0)) == before
    assert caplog.text.count("search_failed reader=hwmon") == 1
    board.close()
