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
    }
)
"""Errors that say that there is nothing to read now, not that reading failed."""
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO})
"""Errors that say that the file or the device behind it is not there."""


class SysFs:
    """A file tree with ``sys``, ``proc``, ``etc`` and ``dev``."""

    def __init__(self, root: str | Path = "/", faults: Mapping[str, int] | None = None) -> None:
        """Take the root and, for tests, the errno with which some files below it fail.

        Args:
            root: folder that holds ``sys`` and ``proc``.
            faults: errno by path relative to the root, symbolic links resolved.
        """
        self.root = Path(root)
        self.devices_lost = 0
        """How often a device went away while its file was open."""
        self._real_root = os.path.realpath(self.root)
        self._faults = dict(faults or {})
        self._descriptors: dict[str, int] = {}

    def read(self, path: str, *, known: bool = False) -> str | None:
        """Read up to 4 KiB of a file, stripped; None where there is no data.

        Args:
            path: relative to the root.
            known: the file was there before, so that its absence is a failure.

        Raises:
            SensorError: the file is there and could not be read.
        """
        while True:
            descriptor = self._descriptors.get(path)
            try:
                self._fail_on_purpose(path)
                if descriptor is None:
                    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
                    self._descriptors[path] = os.open(self.root / path, flags)
                data = os.pread(self._descriptors[path], _MAX_BYTES, 0)
            except OSError as error:
                if error.errno in NO_DATA:
                    return None
                self._forget(path)
                if error.errno in GONE:
                    if descriptor is not None:
                        # The driver may be bound again already, under the same path.
                        self.devices_lost += 1
                        continue
                    if not known:
                        return None
                raise SensorError(error.errno, error.strerror, path) from error
            # Strings from the device tree end in NUL.
            return data.decode("utf-8", "replace").strip(" \t\r\n\0")

    def read_int(self, path: str, *, known: bool = False) -> int | None:
        """Read one decimal number; None where there is no data or an empty file.

        Args:
            path: relative to the root.
            known: the file was there before, so that its absence is a failure.

        Raises:
            SensorError: the file could not be read or holds something else.
        """
        text = self.read(path, known=known)
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise SensorError(errno.EBADMSG, f"not a number: {text[:32]!r}", path) from error

    def read_disk(self, path: str, max_bytes: int = 1 << 16) -> str | None:
        """Read a file on disk, which another program may replace; None where there is none.

        Raises:
            SensorError: the file is there and could not be read.
        """
        try:
            descriptor = self.open_file(path, os.O_RDONLY)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise SensorError(error.errno, error.strerror, path) from error
        with os.fdopen(descriptor, "rb") as file:
            return file.read(max_bytes).decode("utf-8", "replace")

    def open_file(self, path: str, flags: int) -> int:
        """Open a file or device that the caller closes.

        Raises:
            OSError: it could not be opened.
        """
        self._fail_on_purpose(path)
        return os.open(self.root / path, flags | os.O_CLOEXEC)

    def children(self, path: str) -> list[str]:
        """Names in a folder, sorted by their numbers too; empty where there is no such folder."""
        try:
            names = [child.name for child in (self.root / path).iterdir()]
        except OSError:
            return []
        return sorted(names, key=lambda name: (len(name), name))

    def links(self, path: str) -> tuple[tuple[str, str], ...]:
        """Names in a folder with where each leads to, as far as it is a symbolic link."""
        try:
            found = [
                (child.name, str(child.readlink()) if child.is_symlink() else "")
                for child in (self.root / path).iterdir()
            ]
        except OSError:
            return ()
        return tuple(sorted(found))

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return (self.root / path).exists()

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
        if not self._faults:
            return
        code = self._faults.get(self.resolved(path))
        if code is not None:
            raise OSError(code, os.strerror(code), path)
