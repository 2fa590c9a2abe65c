"""The power chip of a Raspberry Pi 5, by the captured answer of its firmware."""

from __future__ import annotations

import errno
import logging
import time
from typing import Any

import pytest
from board_tree import CapturedMailbox, failing, open_tree_board, rails_w

from node.board.parts import Draft
from node.board.pmic import PmicMeter, board_power_w, open_pmic, read_rails
from node.board.sysfs import SysFs
from node.core.events import RailReading, Source
from node.errors import SensorError


class Clock:
    def __init__(self) -> None:
        self.wall_s = 100.0

    def __call__(self) -> float:
        return self.wall_s


@pytest.fixture
def mailbox(board_tree: Any) -> CapturedMailbox:
    return CapturedMailbox(board_tree("raspberry-pi-5").open())


def test_rails_are_paired_by_name_whatever_their_numbers() -> None:
    text = (
        "  0V8_SYS_A current(7)=0.5A\n  DDR_VDD2_A current(3)=-0.01A\n"
        "  0V8_SYS_V volt(14)=0.8V\n  DDR_VDD2_V volt(9)=1.1V\n     EXT5V_V volt(24)=5.09V\n"
        "  LOST_A current(30)=1.0A\nnonsense\n"
    )
    assert list(read_rails(text)) == [
        RailReading("0V8_SYS", pytest.approx(0.4), 0.8),
        RailReading("DDR_VDD2", 0.0, 1.1),
        RailReading("EXT5V", None, 5.09),
    ]


def test_the_fit_is_the_published_one() -> None:
    assert board_power_w(7.2398) == pytest.approx(8.8782, abs=1e-4)


def test_answers_are_integrated_and_grow_old(mailbox: CapturedMailbox) -> None:
    clock = Clock()
    meter = PmicMeter(mailbox, clock)
    first = meter.sample(Draft(100.2))
    assert first is not None
    assert (first.energy_j, first.wall_s) == (0.0, 100.0)
    assert first.age_s == pytest.approx(0.2)
    text = mailbox._path.read_text()
    # Twice the core's current adds the core's 5.3636 W to the rails.
    mailbox._path.write_text(text.replace("=6.22421000A", "=12.44842000A"))
    clock.wall_s = 102.0
    meter.take()
    second = meter.sample(Draft(102.0))
    assert second is not None
    assert second.power_w - first.power_w == pytest.approx(1.1451 * 5.3636, abs=1e-3)
    assert second.energy_j == pytest.approx(first.power_w + second.power_w)
    assert second.age_s == 0.0
    meter.close()
    assert mailbox.closed


def test_a_failing_chip_is_told_once_and_recovers(
    mailbox: CapturedMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    meter = PmicMeter(mailbox, Clock())
    mailbox.error = SensorError(errno.EIO, "failed", "/dev/vcio")
    for _ in range(3):
        meter.take()
    draft = Draft(100.5)
    assert meter.sample(draft) is None
    assert draft.rails == []
    assert not meter.ok
    assert caplog.text.count("sensor_failed sensor='pmic'") == 1
    mailbox.error = None
    meter.take()
    assert meter.sample(draft) is not None
    assert meter.ok
    assert caplog.text.count("sensor_recovered sensor='pmic'") == 1


def test_a_firmware_that_hangs_is_a_failure(
    mailbox: CapturedMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    meter = PmicMeter(mailbox, Clock())
    assert meter.sample(Draft(105.0)) is not None
    assert meter.sample(Draft(105.1)) is None
    assert meter.sample(Draft(106.1)) is None
    assert not meter.ok
    assert caplog.text.count("sensor_failed sensor='pmic' error=no answer") == 1


def test_the_thread_asks_and_ends(mailbox: CapturedMailbox, monkeypatch: Any) -> None:
    monkeypatch.setattr("node.board.pmic._PERIOD_S", 0.001)
    meter = PmicMeter(mailbox)
    meter.start()
    begun_s = meter._last.wall_s
    until_s = time.monotonic() + 10.0
    while meter._last.wall_s <= begun_s:
        assert time.monotonic() < until_s
    meter.close()
    assert not meter._thread.is_alive()
    assert mailbox.closed


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_no_permission_is_said_with_its_remedy(
    board_tree: Any, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = board_tree("raspberry-pi-5")
    (tree.root / "dev").mkdir()
    tree.write("dev/vcio", "")
    assert open_pmic(tree.open(faults={"dev/vcio": code})) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    text = record.getMessage()
    assert text.startswith("pmic_not_permitted")
    assert "/dev/vcio" in text
    assert 'KERNEL=="vcio|vcio_gencmd", GROUP="video", MODE="0660"' in text


def test_a_board_without_permission_is_modelled(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-5")

    def denied(_: SysFs) -> CapturedMailbox:
        raise SensorError(errno.EACCES, "Permission denied", "/dev/vcio")

    board = open_tree_board(tree.open(), mailbox=denied)
    readings = board.read(101.0)
    assert readings.power is not None
    assert readings.power.source is Source.MODELLED
    assert readings.power.model != "pi5-pmic-fit"
    assert failing(board) == set()
    board.close()


@pytest.mark.parametrize(
    "answer", [SensorError(errno.EOPNOTSUPP, "Command not registered", "pmic_read_adc"), None]
)
def test_a_firmware_without_the_chip_leaves_none(
    mailbox: CapturedMailbox, answer: SensorError | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mailbox.error = answer
    mailbox._path.write_text("BATT_V volt(25)=0.00000000V\n")
    assert open_pmic(SysFs("/"), lambda _: mailbox) is None
    assert mailbox.closed
    assert "pmic_not_there" in caplog.text


def test_no_other_pi_is_asked(board_tree: Any) -> None:
    def never(_: SysFs) -> CapturedMailbox:
        raise AssertionError

    open_tree_board(board_tree("raspberry-pi-4").open(), mailbox=never).close()


def test_a_meter_on_the_supply_goes_before_the_chip(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-5")
    folder = tree.root / "sys/class/hwmon/hwmon9"
    folder.mkdir()
    for name, text in {"name": "ina260", "in1_input": "5100", "curr1_input": "1700"}.items():
        (folder / name).write_text(f"{text}\n")
    board = open_tree_board(tree.open())
    readings = board.read(101.0)
    assert readings.power is not None
    assert readings.power.power_w == pytest.approx(8.67)
    assert (readings.power.source, readings.power.scope) == (Source.MEASURED, "board")
    assert rails_w(readings).keys() == {"ina260"}
    board.close()
