"""Which rails are a Jetson's power. Trees made here are synthetic, from what drivers document."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from board_tree import failing, hardware, open_tree_board, rails_w, temperatures

from node.board.sysfs import SysFs
from node.core.events import Source
from node.errors import BoardError


def jetson(root: Path, soc: str) -> Path:
    for path, text in {
        "proc/stat": "cpu  1 0 0 1 0 0 0 0 0 0\n",
        "proc/device-tree/compatible": f"nvidia,{soc}\0",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def ina3221(root: Path, number: int, rails: dict[str, tuple[int, int]]) -> None:
    """A chip by the driver of Jetson Linux 35 and later: mV and mA by channel, 1 to 3."""
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text("ina3221\n")
    (folder / "update_interval").write_text("430\n")
    for channel, (label, (millivolts, milliamperes)) in enumerate(rails.items(), 1):
        (folder / f"in{channel}_label").write_text(f"{label}\n")
        (folder / f"in{channel}_input").write_text(f"{millivolts}\n")
        (folder / f"curr{channel}_input").write_text(f"{milliamperes}\n")


def iio(root: Path, device: str, number: int, rails: dict[str, int]) -> None:
    """A chip by the driver of Jetson Linux 32: mW by channel, 0 to 2."""
    folder = root / f"sys/bus/i2c/drivers/ina3221x/{device}/iio:device{number}"
    folder.mkdir(parents=True)
    for channel, (name, milliwatts) in enumerate(rails.items()):
        (folder / f"rail_name_{channel}").write_text(f"{name}\n")
        (folder / f"in_power{channel}_input").write_text(f"{milliwatts}\n")


def zone(root: Path, number: int, kind: str, temp: str) -> None:
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(temp)


def test_thor_is_measured_on_its_carrier(tmp_path: Path) -> None:
    root = jetson(tmp_path, "tegra264")
    ina3221(
        root,
        0,
        {"VDD_GPU": (12_000, -33), "VDD_CPU_SOC_MSS": (12_000, 600), "VIN_SYS_5V0": (5000, 1000)},
    )
    chip = root / "sys/class/hwmon/hwmon1"
    chip.mkdir()
    (chip / "name").write_text("ina238\n")
    (chip / "power1_input").write_text("23000000\n")
    for number, kind in enumerate(("cpu", "gpu", "soc012", "soc345", "tj")):
        zone(root, number, f"{kind}-thermal", "" if kind == "gpu" else f"{40_000 + number}\n")
    gpu = root / "sys/class/devfreq/gpu-gpc-0"
    gpu.mkdir(parents=True)
    (gpu / "cur_freq").write_text("315000000\n")
    (gpu / "max_freq").write_text("1575000000\n")
    (root / "sys/class/devfreq/bwmgr").mkdir()
    board = open_tree_board(SysFs(root))
    readings = board.read(101.0)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(23.0)
    assert (readings.power.source, readings.power.scope) == (Source.MEASURED, "carrier")
    # At rest the GPU's amplifier reads below zero.
    assert rails_w(readings) == pytest.approx(
        {"VDD_GPU": 0.0, "VDD_CPU_SOC_MSS": 7.2, "VIN_SYS_5V0": 5.0, "VIN": 23.0}
    )
    assert [(clock.clock, clock.limit_hz) for clock in hardware(readings).clocks] == [
        ("gpu", 1.575e9)
    ]
    assert hardware(readings).gpu_utilisation_ratio is None
    assert hardware(readings).die_c == 40.004
    assert failing(board) == set()
    board.close()


def test_thor_without_its_carriers_chip_has_no_total(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = jetson(tmp_path, "tegra264")
    ina3221(root, 0, {"VDD_GPU": (12_000, 0), "VDD_CPU_SOC_MSS": (12_000, 6)})
    board = open_tree_board(SysFs(root))
    power = board.read(101.0).power
    assert power is not None
    assert power.source is Source.MODELLED
    assert "total_power_unknown rails=['VDD_CPU_SOC_MSS', 'VDD_GPU'] remedy=" in caplog.text
    board.close()


def test_a_jetson_without_a_monitor_is_modelled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    board = open_tree_board(SysFs(jetson(tmp_path, "tegra210")))
    power = board.read(101.0).power
    assert power is not None
    assert (power.source, power.scope) == (Source.MODELLED, "board")
    assert [record.getMessage() for record in caplog.records] == [
        "power_not_measured because=no power monitor was found"
    ]
    board.close()


def test_nano_by_the_driver_of_its_time(tmp_path: Path) -> None:
    root = jetson(tmp_path, "tegra210")
    iio(root, "6-0040", 0, {"POM_5V_IN": 4321, "POM_5V_GPU": 40, "POM_5V_CPU": 900})
    for number, (kind, temp) in enumerate(
        [("AO-therm", 40_000), ("CPU-therm", 31_500), ("PMIC-Die", 100_000), ("GPU-therm", 30_000)]
    ):
        zone(root, number, kind, f"{temp}\n")
    (root / "sys/devices/gpu.0").mkdir(parents=True)
    (root / "sys/devices/gpu.0/load").write_text("375\n")
    board = open_tree_board(SysFs(root))
    readings = board.read(101.0)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(4.321)
    assert (readings.power.scope, readings.power.age_s) == ("module", 0.0)
    assert rails_w(readings)["POM_5V_CPU"] == pytest.approx(0.9)
    # The PMIC's driver says 100 degrees whatever they are.
    assert sorted(temperatures(readings)) == ["AO-therm", "CPU-therm", "GPU-therm"]
    assert hardware(readings).die_c == 40.0
    assert hardware(readings).gpu_utilisation_ratio == pytest.approx(0.375)
    assert failing(board) == set()
    board.close()


def test_agx_xavier_is_the_sum_of_six(tmp_path: Path) -> None:
    root = jetson(tmp_path, "tegra194")
    iio(root, "1-0040", 0, {"GPU": 1000, "CPU": 2000, "SOC": 3000})
    iio(root, "1-0041", 1, {"CV": 100, "VDDRQ": 200, "SYS5V": 300})
    board = open_tree_board(SysFs(root))
    power = board.read(101.0).power
    assert power is not None
    assert power.power_w == pytest.approx(6.6)
    assert power.scope == "module"
    board.close()


def test_tx2_is_measured_at_the_module(tmp_path: Path) -> None:
    root = jetson(tmp_path, "tegra186")
    iio(root, "0-0040", 0, {"VDD_SYS_GPU": 100, "VDD_SYS_SOC": 200, "VDD_4V0_WIFI": 0})
    iio(root, "0-0041", 1, {"VDD_IN": 5500, "VDD_SYS_CPU": 400, "VDD_SYS_DDR": 500})
    iio(root, "0-0042", 2, {"VDD_MUX": 9000, "NC": 0})
    board = open_tree_board(SysFs(root))
    readings = board.read(101.0)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(5.5)
    assert "NC" not in rails_w(readings)
    board.close()


def test_a_rail_that_another_feeds_is_not_added(board_tree: Any) -> None:
    tree = board_tree("jetson-agx-orin")
    board = open_tree_board(tree.open())
    (unwanted,) = tree.expected["do_not_add"]
    assert unwanted in rails_w(board.read(101.0))
    assert unwanted not in board._meter.total  # type: ignore[attr-defined]  # it is a RailsMeter
    board.close()


def test_named_rails_are_the_power(board_tree: Any) -> None:
    names = ["VDD_CPU_GPU_CV", "VDD_SOC"]
    board = open_tree_board(board_tree("jetson-orin-nano").open(), total_rails=names)
    power = board.read(101.0).power
    assert power is not None
    assert power.power_w == pytest.approx(2.1669 + 2.4077, abs=1e-4)
    assert (power.source, power.scope) == (Source.MEASURED, "rails")
    board.close()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("jetson-orin-nano", "found VDD_IN, VDD_CPU_GPU_CV, VDD_SOC"),
        ("raspberry-pi-4", "found no rail at all"),
    ],
)
def test_a_named_rail_that_is_not_there_is_refused_with_those_that_are(
    board_tree: Any, name: str, found: str
) -> None:
    sysfs = board_tree(name).open()
    with pytest.raises(BoardError, match=rf"board\.total_rails: no rail 5V_IN; {found}$"):
        open_tree_board(sysfs, total_rails=["5V_IN"])
    assert sysfs._descriptors == {}


def test_die_is_the_hottest_zone_where_tj_says_nothing(board_tree: Any) -> None:
    tree = board_tree("jetson-agx-orin")
    tree.write("sys/devices/virtual/thermal/thermal_zone8/temp", "\n")
    tree.write("sys/devices/virtual/thermal/thermal_zone9/temp", "90000\n")
    board = open_tree_board(tree.open())
    readings = board.read(101.0)
    assert "tj-thermal" not in temperatures(readings)
    assert temperatures(readings)["tboard-thermal"] == 90.0
    assert hardware(readings).die_c == 47.5
    board.close()


def test_opening_says_what_the_power_is(board_tree: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    open_tree_board(board_tree("jetson-agx-orin").open()).close()
    assert "power=rails source=measured scope=module model=none" in caplog.text
