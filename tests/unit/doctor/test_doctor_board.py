"""What is said of boards: judged from readings made by hand, and from captured trees."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from board_tree import copy_board

from node.board.health import ReaderHealth
from node.board.identity import identify
from node.board.sysfs import SysFs
from node.core.events import (
    Hardware,
    PowerReading,
    RailReading,
    Readings,
    Source,
    ThrottleReading,
)
from node.doctor.board import check_board, judge_identity, judge_power, judge_sensors
from node.doctor.finding import Finding
from node.doctor.patient import Patient
from node.doctor.permissions import MEND_COUNTERS, MEND_MAILBOX, judge_permissions


def texts(findings: list[Finding], status: str) -> list[str]:
    return [finding.text for finding in findings if finding.status == status]


def power(**changes: Any) -> PowerReading:
    made = PowerReading(7.25, 100.0, 1.0, 0.43, Source.MEASURED, "module")
    values = {name: getattr(made, name) for name in made.__struct_fields__} | changes
    return PowerReading(**values)


def test_a_board_says_what_it_is_and_why(tmp_path: Path) -> None:
    tree = copy_board("jetson-orin-nano", tmp_path)
    identity = identify(SysFs(tree.root))
    said = texts(list(judge_identity("jetson", identity)), "ok")
    assert said[0] == 'jetson, by "nvidia,tegra234" (proc/device-tree/compatible)'
    assert 'jetpack "6.2" (etc/nv_tegra_release)' in said
    assert any(line.startswith("memory 7.43 GiB") for line in said)
    nothing = list(judge_identity("generic", identify(SysFs(tmp_path / "nowhere"))))
    assert texts(nothing, "ok") == ["generic, no file names a family"]


@pytest.mark.parametrize(
    ("reading", "status", "words"),
    [
        (power(), "ok", "measured: 7.25 W, scope module, at most 0.43 s old"),
        (
            power(source=Source.MODELLED, model="pi5-pmic-fit", age_s=0.0),
            "note",
            "modelled by pi5-pmic-fit: 7.25 W, scope module, no published error",
        ),
        (power(source=Source.MODELLED, model="m", error_ratio=0.25), "note", "up to 25% off"),
        (power(age_s=60.0), "warning", "the last figure is 60 s old"),
        (None, "error", "the board's meter is there and tells nothing"),
    ],
)
def test_power_bears_its_label(reading: PowerReading | None, status: str, words: str) -> None:
    findings = [each for each in judge_power(reading, unknown=False) if each.status == status]
    assert words in findings[0].text
    assert bool(findings[0].remedy) is (status != "ok")


def test_power_that_nobody_tells_is_a_warning() -> None:
    (found,) = judge_power(power(source=Source.MODELLED), unknown=True)
    assert found.status == "warning"
    assert "idle_w" in found.remedy


def test_throttling_and_readers_that_fail_are_warnings() -> None:
    hardware = Hardware(
        rails=(RailReading("VDD_IN", 7.2), RailReading("NC")),
        throttles=(
            ThrottleReading("under-voltage", active=True, since_boot=True),
            ThrottleReading("throttled", active=False, since_boot=True),
            ThrottleReading("soft-temperature-limit", active=False, since_boot=False),
        ),
    )
    readings = Readings(cpu_utilisation_ratio=0.25, hardware=hardware)
    health = [ReaderHealth("cpu", True, 0.001), ReaderHealth("hwmon", False, 0.001)]
    findings = list(judge_sensors(readings, health))
    warnings = [finding for finding in findings if finding.status == "warning"]
    assert [each.text for each in warnings] == [
        "reader hwmon could not read everything that was there",
        "the board slows itself down: under-voltage",
        "the board has slowed itself down since boot: throttled",
    ]
    assert "supply" in warnings[1].remedy
    assert texts(findings, "ok") == ["processor busy 25%", "supplies: VDD_IN 7.20 W"]


@dataclasses.dataclass
class Expected:
    board: str
    power: str
    status: str


@pytest.mark.parametrize(
    "expected",
    [
        Expected("jetson-orin-nano", "scope module", "ok"),
        Expected("jetson-agx-orin", "scope module", "ok"),
        Expected("raspberry-pi-4", "modelled by powerjoular-rbp4b1.2-64", "note"),
        Expected("generic-x86", "scope", "ok"),
    ],
    ids=lambda expected: expected.board,
)
async def test_captured_boards_tell_their_power(tmp_path: Path, expected: Expected) -> None:
    tree = copy_board(expected.board, tmp_path)
    findings = await check_board(Patient(root=str(tree.root)))
    (found,) = [finding for finding in findings if finding.area == "power"]
    assert found.status == expected.status
    assert expected.power in found.text
    temperatures = [each.text for each in findings if each.text.startswith("temperatures:")]
    assert len(temperatures) == 1


async def test_no_board_is_an_error(tmp_path: Path) -> None:
    (found,) = await check_board(Patient(root=str(tmp_path)))
    assert found.status == "error"
    assert "proc/stat is missing" in found.text
    assert found.remedy


def test_counters_that_root_alone_may_read_are_a_warning(tmp_path: Path) -> None:
    tree = copy_board("generic-x86", tmp_path)
    (allowed,) = judge_permissions(tree.open())
    assert allowed.status == "ok"
    (denied,) = judge_permissions(tree.open(unprivileged=True))
    assert denied.status == "warning"
    assert "energy counters are not readable: /sys/class/powercap/intel-rapl:0/" in denied.text
    assert denied.remedy == MEND_COUNTERS


def test_the_mailbox_of_a_raspberry_pi_5(tmp_path: Path) -> None:
    tree = copy_board("raspberry-pi-5", tmp_path)
    (missing,) = judge_permissions(tree.open())
    assert "neither /dev/vcio_gencmd nor /dev/vcio" in missing.text
    (tree.root / "dev").mkdir()
    tree.write("dev/vcio", "")
    (there,) = judge_permissions(tree.open())
    assert (there.status, there.text) == ("ok", "/dev/vcio can be opened")
    (denied,) = judge_permissions(tree.open(faults={"dev/vcio": 13}))
    assert denied.status == "warning"
    assert denied.remedy == MEND_MAILBOX
    assert list(judge_permissions(copy_board("raspberry-pi-4", tmp_path).open())) == []
