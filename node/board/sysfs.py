"""Reads small kernel files below a root that can be moved, so that a captured tree is a board.

Files are opened once and read by ``os.pread``: a tenth of the cost of opening each time, and an
errno arrives as ``OSError`` where Python's text layer would turn ``EAGAIN`` into a ``TypeError``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from node.errors import SensorError

_MAX_BYTES = 4096
NO_DATA = frozenset(
    {
        errno.EAGAIN,  # the block that the sensor sits in is powered down
        errno.ENODATA,  # the channel is disabled
        errno.EINVAL,  # the driver has no valid sample yet
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENODEV,  # the device went away while the file was open
        errno.ENXIO,
    }
)
"""Errors that say that there is nothing to read, not that reading failed."""


class SysFs:
    """A file tree with ``sys``, ``proc`` and ``etc``."""

    def __init__(self, root: str | Path = "/", faults: Mapping[str, int] | None = None) -> None:
        """Take the root and, for tests, the errno with which some files below it fail.

        Args:
            root: folder that holds ``sys`` and ``proc``.
            faults: errno by path relative to the root, symbolic links resolved.
        """
        self.root = Path(root)
        self._real_root = os.path.realpath(self.root)
        self._faults = dict(faults or {})
        self._descriptors: dict[str, int] = {}

    def read(self, path: str) -> str | None:
        """Read up to 4 KiB of a file, stripped; None where there is no data.

        Raises:
            SensorError: the file is there and could not be read.
        """
        try:
            if self._faults:
                self._fail_on_purpose(path)
            descriptor = self._descriptors.get(path)
            if descriptor is None:
                descriptor = os.open(self.root / path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                self._descriptors[path] = descriptor
            data = os.pread(descriptor, _MAX_BYTES, 0)
        except OSError as error:
            self._forget(path)
            if error.errno in NO_DATA:
                return None
            raise SensorError(error.errno, error.strerror, path) from error
        # Strings from the device tree end in NUL.
        return data.decode("utf-8", "replace").strip(" \t\r\n\0")

    def read_int(self, path: str) -> int | None:
        """Read one decimal number; None where there is no data or an empty file.

        Raises:
            SensorError: the file could not be read or holds something else.
        """
        text = self.read(path)
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise SensorError(errno.EBADMSG, f"not a number: {text[:32]!r}", path) from error

    def children(self, path: str) -> list[str]:
        """Names in a folder, sorted by their numbers too; empty where there is no such folder."""
        try:
            names = [child.name for child in (self.root / path).iterdir()]
        except OSError:
            return []
        return sorted(names, key=lambda name: (len(name), name))

    def resolved(self, path: str) -> str:
        """Return the path relative to the root with its symbolic links followed."""
        return os.path.relpath(os.path.realpath(self.root / path), self._real_root)

    def close(self) -> None:
        """Close every file."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _forget(self, path: str) -> None:
        descriptor = self._descriptors.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def _fail_on_purpose(self, path: str) -> None:
        code = self._faults.get(self.resolved(path))
        if code is not None:
            raise OSError(code, os.strerror(code), path)
