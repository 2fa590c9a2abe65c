"""Which monitor channels count as the board's power."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.board.hwmon import find_power
from node.board.sysfs import SysFs


def chip(root: Path, number: int, name: str, **files: int | str) -> None:
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    for file, value in files.items():
        (folder / file).write_text(f"{value}\n")


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
    meter = find_power(SysFs(tmp_path))
    assert meter is not None
    sample = meter.sample(1.0)
    assert sample is not None
    assert sample.power_w == pytest.approx(power_w)
    assert sample.energy_j == 0.0
    assert meter.scope == scope


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
    assert find_power(SysFs(tmp_path)) is None


def test_two_meters_are_unsure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chip(tmp_path, 0, "ina226", in1_input=5100, curr1_input=1200)
    chip(tmp_path, 1, "ina260", in1_input=5100, curr1_input=100)
    assert find_power(SysFs(tmp_path)) is None
    assert "hwmon_power_unsure" in caplog.text


def test_energy_is_integrated_between_samples(tmp_path: Path) -> None:
    chip(tmp_path, 0, "power_meter", power1_average=10_000_000)
    meter = find_power(SysFs(tmp_path))
    assert meter is not None
    meter.sample(10.0)
    (tmp_path / "sys/class/hwmon/hwmon0/power1_average").write_text("20000000\n")
    sample = meter.sample(14.0)
    assert sample is not None
    assert sample.energy_j == pytest.approx(60.0)
    (tmp_path / "sys/class/hwmon/hwmon0/power1_average").write_text("\n")
    assert meter.sample(15.0) is None
