"""The firmware of a Raspberry Pi, asked by its mailbox as ``vcgencmd`` asks it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Protocol

from node.board.sysfs import SysFs
from node.errors import SensorError

_DEVICES = ("dev/vcio_gencmd", "dev/vcio")
"""Newer kernels have a device for these questions alone; both take the same message."""
_PROPERTY = 0xC0006400 | struct.calcsize("P") << 16
"""_IOWR(100, 0, char *)"""
_GENERAL_COMMAND = 0x00030080
_TEXT_BYTES = 1024
_HEAD = struct.Struct("<6I")
_END = struct.pack("<I", 0)
_ERROR_WORD = 5


class Mailbox(Protocol):
    """Asks the firmware."""

    def ask(self, command: str) -> str:
        """Return the firmware's answer.

        Raises:
            SensorError: it could not be asked, or does not know the command.
        """

    def close(self) -> None:
        """Release what is open."""


class VcioMailbox:
    """The mailbox by its character device. A question takes some 23 ms, in which the caller waits.

    The message is a head of six words (its size, 0 for a request, the tag, the size of the tag's
    buffer, 0, the command's error) and the buffer with the command, which the answer replaces.
    """

    def __init__(self, sysfs: SysFs) -> None:
        """Open the device.

        Raises:
            SensorError: there is none, or it may not be opened.
        """
        self.device = next((path for path in _DEVICES if sysfs.exists(path)), _DEVICES[-1])
        try:
            self._descriptor = sysfs.open_file(self.device, os.O_RDONLY)
        except OSError as error:
            raise SensorError(error.errno, error.strerror, f"/{self.device}") from error

    def ask(self, command: str) -> str:
        """Return the firmware's answer.

        Raises:
            SensorError: it could not be asked, or does not know the command.
        """
        text = command.encode()
        size = _HEAD.size + _TEXT_BYTES + len(_END)
        head = _HEAD.pack(size, 0, _GENERAL_COMMAND, _TEXT_BYTES, 0, 0)
        message = bytearray(head + text.ljust(_TEXT_BYTES, b"\0") + _END)
        try:
            fcntl.ioctl(self._descriptor, _PROPERTY, message)
        except OSError as error:
            raise SensorError(error.errno, error.strerror, f"/{self.device}") from error
        failure = _HEAD.unpack_from(message)[_ERROR_WORD]
        answer = bytes(message[_HEAD.size : _HEAD.size + _TEXT_BYTES]).partition(b"\0")[0]
        found = answer.decode("utf-8", "replace")
        # What it does not know it answers with a text, and the error word may say nothing of it.
        if failure or found.startswith("error="):
            raise SensorError(errno.EOPNOTSUPP, found.strip() or f"error {failure}", command)
        return found

    def close(self) -> None:
        """Close the device."""
        os.close(self._descriptor)
