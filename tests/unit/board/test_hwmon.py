"""Which monitor channels count as the board's power."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from node.board.hwmon import find_rails, find_total
from node.board.parts import Draft
from node.board.rails import Rail, RailsMeter
from node.board.sysfs import SysFs


def chip(root: Path, number: int, name: str, **files: int | str) -> None:
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    for file, value in files.items():
        (folder / file).write_text(f"{value}\n")


def meter_of(sysfs: SysFs, rail: Rail) -> RailsMeter:
    return RailsMeter("hwmon", sysfs, lambda: find_rails(sysfs), [rail.name], "board")


@pytest.mark.parametrize(
    ("name", "files", "power_w", "scope"),
    [
        ("ina226", {"in1_input": 5100, "curr1_input": 1200}, 6.12, "board"),
        ("ina238", {"power1_input": 23_000_000, "in1_input": 1, "curr1_input": 1}, 23.0, "board"),
        ("ltc2947", {"in0_input": 12_000, "curr1_input": 500}, 6.0, "board"),
        ("power_meter", {"power1_average": 180_000_000}, 180.0, "wall"),
        (
            "ina3221",
            {"in1_label": "VDD_IN", "in1_input": 5000, "curr1_input": 2000},
            10.0,
            "module",
        ),
        ("ina219", {"in1_input": 5000, "curr1_input": -80}, 0.0, "board"),
    ],
)
def test_known_chips(
    tmp_path: Path, name: str, files: dict[str, int | str], power_w: float, scope: str
) -> None:
    chip(tmp_path, 0, "nvme", temp1_input=30_000)
    chip(tmp_path, 1, name, **files)
    sysfs = SysFs(tmp_path)
    found = find_total(sysfs)
    assert found is not None
    rail, found_scope = found
    sample = meter_of(sysfs, rail).sample(Draft(1.0))
    assert sample is not None
    assert sample.power_w == pytest.approx(power_w)
    assert (sample.energy_j, sample.age_s) == (0.0, 0.0)
    assert found_scope == scope


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("amdgpu", {"power1_average": 9_000_000}),
        ("ina3221", {"in1_label": "VDD_GPU_SOC", "in1_input": 12_000, "curr1_input": 280}),
        ("ina226", {"in0_input": 12, "curr1_input": 1200}),
    ],
)
def test_partial_or_unknown_rails_do_not_count(
    tmp_path: Path, name: str, files: dict[str, int | str]
) -> None:
    chip(tmp_path, 0, name, **files)
    assert find_total(SysFs(tmp_path)) is None


def test_two_meters_are_unsure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chip(tmp_path, 0, "ina226", in1_input=5100, curr1_input=1200)
    chip(tmp_path, 1, "ina260", in1_input=5100, curr1_input=100)
    assert find_total(SysFs(tmp_path)) is None
    assert "hwmon_power_unsure" in caplog.text


def test_a_total_that_may_not_be_read_is_none(tmp_path: Path) -> None:
    chip(tmp_path, 0, "ina226", in1_input=5100, curr1_input=1200)
    denied = SysFs(tmp_path, {"sys/class/hwmon/hwmon0/curr1_input": errno.EACCES})
    assert find_total(denied) is None


def test_rails_are_all_known_channels_by_unique_names(tmp_path: Path) -> None:
    labels = {"in1_label": "VDD_IN", "in2_label": "NC", "in7_label": "sum of shunt voltages"}
    volts = {f"in{number}_input": 5000 for number in range(1, 8)}
    amperes = {f"curr{number}_input": 100 for number in range(1, 5)}
    chip(tmp_path, 0, "ina3221", **labels, **volts, **amperes, update_interval=430)
    chip(tmp_path, 1, "ina219", in1_input=5000, curr1_input=10)
    chip(tmp_path, 2, "ina219", in1_input=5000, curr1_input=10)
    chip(tmp_path, 3, "nvme", in1_input=5000, curr1_input=10)
    rails = find_rails(SysFs(tmp_path))
    assert [rail.name for rail in rails] == ["VDD_IN", "ina3221/3", "ina219", "ina219#2"]
    assert [rail.average_s for rail in rails] == [0.43, 0.43, 0.0, 0.0]


def test_energy_is_integrated_between_samples(tmp_path: Path) -> None:
    chip(tmp_path, 0, "power_meter", power1_average=10_000_000)
    sysfs = SysFs(tmp_path)
    meter = meter_of(sysfs, find_rails(sysfs)[0])
    meter.sample(Draft(10.0))
    (tmp_path / "sys/class/hwmon/hwmon0/power1_average").write_text("20000000\n")
    sample = meter.sample(Draft(14.0))
    assert sample is not None
    assert sample.energy_j == pytest.approx(60.0)
    (tmp_path / "sys/class/hwmon/hwmon0/power1_average").write_text("\n")
    assert meter.sample(Draft(15.0)) is None
    assert meter.ok
