"""The message that the firmware is asked with."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from node.board.mailbox import VcioMailbox
from node.board.sysfs import SysFs
from node.errors import SensorError

WORDS_OF_HEAD = 6
TEXT = 1024


class Firmware:
    """Takes the place of ioctl."""

    def __init__(self, answer: bytes = b"", error: int = 0) -> None:
        self.answer = answer
        self.error = error
        self.asked: list[tuple[int, bytes]] = []

    def __call__(self, _: int, request: int, message: bytearray) -> int:
        self.asked.append((request, bytes(message)))
        struct.pack_into("<I", message, 20, self.error)
        message[24 : 24 + TEXT] = self.answer.ljust(TEXT, b"\0")
        return 0


@pytest.fixture
def device(tmp_path: Path) -> SysFs:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/vcio").write_text("")
    return SysFs(tmp_path)


def test_the_question_has_the_layout_of_the_property_interface(
    device: SysFs, monkeypatch: Any
) -> None:
    firmware = Firmware(b"  A_A current(0)=1.0A\n")
    monkeypatch.setattr("node.board.mailbox.fcntl.ioctl", firmware)
    mailbox = VcioMailbox(device)
    assert mailbox.ask("pmic_read_adc") == "  A_A current(0)=1.0A\n"
    ((request, message),) = firmware.asked
    assert request == (0xC0086400 if struct.calcsize("P") == 8 else 0xC0046400)
    assert len(message) == 4 * (WORDS_OF_HEAD + 1) + TEXT
    assert struct.unpack_from("<6I", message) == (len(message), 0, 0x00030080, TEXT, 0, 0)
    assert message[24:].rstrip(b"\0") == b"pmic_read_adc"
    mailbox.close()


@pytest.mark.parametrize(
    "firmware",
    [Firmware(b'error=1 error_msg="Command not registered"'), Firmware(b"text", error=1)],
)
def test_what_the_firmware_does_not_know_is_an_error(
    device: SysFs, monkeypatch: Any, firmware: Firmware
) -> None:
    monkeypatch.setattr("node.board.mailbox.fcntl.ioctl", firmware)
    mailbox = VcioMailbox(device)
    with pytest.raises(SensorError) as caught:
        mailbox.ask("pmic_read_adc")
    assert caught.value.errno == errno.EOPNOTSUPP
    mailbox.close()


def test_a_file_that_is_no_mailbox_is_an_error(device: SysFs) -> None:
    mailbox = VcioMailbox(device)
    with pytest.raises(SensorError, match="/dev/vcio") as caught:
        mailbox.ask("pmic_read_adc")
    assert caught.value.errno == errno.ENOTTY
    mailbox.close()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(mailbox._descriptor)


def test_the_newer_device_goes_first(device: SysFs) -> None:
    (device.root / "dev/vcio_gencmd").write_text("")
    mailbox = VcioMailbox(device)
    assert mailbox.device == "dev/vcio_gencmd"
    mailbox.close()


def test_no_device_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SensorError, match="/dev/vcio") as caught:
        VcioMailbox(SysFs(tmp_path))
    assert caught.value.errno == errno.ENOENT
