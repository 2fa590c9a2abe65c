"""Energy counters: which of them count, when they wrap, and when they may not be read."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from board_tree import BoardTree

from node.board.meter import MeterSample
from node.board.parts import Draft
from node.board.rapl import RaplMeter, find_rapl
from node.board.sysfs import SysFs

ZONES = "sys/devices/virtual/powercap/intel-rapl"
RANGE_UJ = 262_143_328_850


class Counters:
    """Zones made by hand."""

    def __init__(self, root: Path, **names: str) -> None:
        self.root = root
        for zone, name in names.items():
            folder = self.folder(zone)
            folder.mkdir(parents=True)
            (folder / "name").write_text(f"{name}\n")
            (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
            self.set(zone, 0.0)

    def folder(self, zone: str) -> Path:
        return self.root / "sys/class/powercap" / f"intel-rapl:{zone[1:].replace('_', ':')}"

    def set(self, zone: str, joules: float) -> None:
        (self.folder(zone) / "energy_uj").write_text(f"{round(joules * 1e6)}\n")

    def open(self) -> RaplMeter:
        meter = find_rapl(SysFs(self.root), 10.0)
        assert meter is not None
        return meter


def sample(meter: RaplMeter, wall_s: float) -> MeterSample | None:
    return meter.sample(Draft(wall_s))


def test_the_captured_board_has_the_zones_expected(
    board_tree: Callable[[str], BoardTree],
) -> None:
    tree = board_tree("generic-x86")
    assert tree.expected["power_source"] == "rapl"
    meter = find_rapl(tree.open(), 10.0)
    assert meter is not None
    draft = Draft(11.0)
    meter.sample(draft)
    named = {each.rail.rpartition("/")[2] for each in draft.rails}
    # Each once: what intel-rapl-mmio shows is the package again.
    assert named == set(tree.expected["rapl_zones"])
    assert len(draft.rails) == len(named)
    assert tree.expected["rapl_duplicates"] == ["intel-rapl-mmio:0"]


def test_the_captured_counter_wraps_where_expected(
    board_tree: Callable[[str], BoardTree],
) -> None:
    tree = board_tree("generic-x86")
    package = f"{ZONES}/intel-rapl:0/energy_uj"
    tree.write(package, f"{tree.expected['wrap_uj'] - 5_000_000}\n")
    meter = find_rapl(tree.open(), 10.0, platform=False)
    assert meter is not None
    tree.write(package, "15000000\n")
    assert sample(meter, 12.0) == pytest.approx(MeterSample(10.0, 20.0, 12.0))


def test_unreadable_counters_are_told_once_with_the_remedy(
    board_tree: Callable[[str], BoardTree], caplog: pytest.LogCaptureFixture
) -> None:
    tree = board_tree("generic-x86")
    assert tree.expected["energy_unreadable_non_root"]
    caplog.set_level(logging.INFO)
    assert find_rapl(tree.open(unprivileged=True), 10.0) is None
    assert len(caplog.records) == 1
    assert "rapl_unreadable_without_root" in caplog.text
    assert "docs/boards.md" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_a_counter_that_is_broken_is_another_matter(
    board_tree: Callable[[str], BoardTree], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("generic-x86")
    meter = find_rapl(tree.open(faults={f"{ZONES}/intel-rapl:1/energy_uj": errno.EIO}), 10.0)
    assert meter is not None
    assert meter.scope == "package+dram"
    assert "rapl_not_readable zone=intel-rapl:1" in caplog.text
    assert "without_root" not in caplog.text


def test_sockets_and_their_memory_are_added_up(tmp_path: Path) -> None:
    zones = Counters(
        tmp_path, z0="package-0", z0_0="core", z0_1="dram", z1="package-1", z1_0="core", z1_1="dram"
    )
    meter = zones.open()
    assert meter.scope == "package+dram"
    for zone, joules in (
        ("z0", 100.0),
        ("z0_0", 90.0),
        ("z0_1", 10.0),
        ("z1", 50.0),
        ("z1_1", 4.0),
    ):
        zones.set(zone, joules)
    assert sample(meter, 12.0) == pytest.approx(MeterSample(82.0, 164.0, 12.0))
    # Nothing has gone by: the same again.
    assert sample(meter, 12.0) == pytest.approx(MeterSample(82.0, 164.0, 12.0))


def test_the_platform_comes_first_unless_it_is_not_wanted(tmp_path: Path) -> None:
    zones = Counters(tmp_path, z0="package-0", z1="psys")
    meter = zones.open()
    assert meter.scope == "board"
    zones.set("z0", 20.0)
    zones.set("z1", 30.0)
    assert sample(meter, 11.0) == pytest.approx(MeterSample(30.0, 30.0, 11.0))
    packages = find_rapl(SysFs(tmp_path), 10.0, platform=False)
    assert packages is not None
    assert packages.scope == "package"


def test_without_a_package_cores_and_memory_count(tmp_path: Path) -> None:
    zones = Counters(tmp_path, z0="package-0", z0_0="core", z0_1="uncore", z0_2="dram")
    (zones.folder("z0") / "energy_uj").unlink()
    meter = zones.open()
    assert meter.scope == "core+dram"
    for zone, joules in (("z0_0", 9.0), ("z0_1", 5.0), ("z0_2", 2.0)):
        zones.set(zone, joules)
    assert sample(meter, 11.0) == pytest.approx(MeterSample(11.0, 11.0, 11.0))


def test_an_interval_in_which_one_socket_is_silent_is_made_up_for(tmp_path: Path) -> None:
    zones = Counters(tmp_path, z0="package-0", z1="package-1")
    meter = zones.open()
    zones.set("z0", 10.0)
    (zones.folder("z1") / "energy_uj").write_text("\n")
    assert sample(meter, 11.0) is None
    zones.set("z0", 20.0)
    zones.set("z1", 40.0)
    assert sample(meter, 12.0) == pytest.approx(MeterSample(30.0, 60.0, 12.0))


def test_a_machine_without_counters(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert find_rapl(SysFs(tmp_path), 10.0) is None
    Counters(tmp_path, z0="uncore")
    assert find_rapl(SysFs(tmp_path), 10.0) is None
    assert not caplog.records
