"""Opens kernel files below a root in such a way that nothing planted there leads out of it.

A path is walked folder by folder from the root's descriptor, each opened with ``O_NOFOLLOW``: where
a symbolic link stands in the way, there is no such file. The kernel's own links in ``/sys/class``
are read, not followed: what they say must lie under ``sys/devices`` and is walked likewise.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from pathlib import Path

_MAX_BYTES = 4096
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
DEVICES = "sys/devices/"
WRITABLE = (DEVICES, "sys/kernel/nvpmodel_clk_cap/", "sys/kernel/nvpmodel_emc_cap/")
"""Nothing outside these folders is opened for writing."""


class Tree:
    """A file tree with ``sys``; its root can be moved, so that a copied tree is a board."""

    def __init__(self, root: str | Path = "/") -> None:
        """Open the root, which may be a link.

        Raises:
            OSError: there is no such folder.
        """
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the root."""
        os.close(self._root)

    def text(self, path: str) -> str | None:
        """Read up to 4 KiB, stripped; None where there is nothing to read."""
        try:
            descriptor = self._open(path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return os.read(descriptor, _MAX_BYTES).decode("utf-8", "replace").strip(" \t\r\n\0")
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def number(self, path: str) -> int | None:
        """Read one decimal number that is not negative; None where there is none."""
        text = self.text(path) or ""
        # int() would take "1_000", "+5" and digits of other scripts too.
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004 - 64 bits

    def write(self, path: str, value: int) -> None:
        """Write one number.

        Raises:
            OSError: the path is none that may be written, or the kernel refuses.
        """
        if not path.startswith(WRITABLE):
            raise PermissionError(errno.EACCES, "not a limit", path)
        descriptor = self._open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            text = b"%d\n" % value
            if os.write(descriptor, text) != len(text):
                raise OSError(errno.EIO, "written in part", path)
        finally:
            os.close(descriptor)

    def children(self, path: str) -> list[str]:
        """Names in a folder, sorted by their numbers too; empty where there is no such folder."""
        try:
            folder = self._folder(path.split("/"))
        except OSError:
            return []
        try:
            descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                names = os.listdir(descriptor)  # noqa: PTH208 - a Path cannot list a descriptor
            finally:
                os.close(descriptor)
        except OSError:
            return []
        finally:
            os.close(folder)
        return sorted(names, key=lambda name: (len(name), name))

    def device(self, path: str) -> str | None:
        """Where a link of ``sys/class`` leads, below ``sys/devices``; None where it does not."""
        *folders, name = path.split("/")
        try:
            folder = self._folder(folders)
        except OSError:
            return None
        try:
            # In terms of descriptors there is no Path.readlink.
            target = os.readlink(name, dir_fd=folder)
        except OSError:
            return None
        finally:
            os.close(folder)
        # The folders above are no links, so that ".." may be resolved by its text.
        resolved = posixpath.normpath(posixpath.join(*folders, target))
        return resolved if resolved.startswith(DEVICES) else None

    def _open(self, path: str, flags: int) -> int:
        *folders, name = path.split("/")
        folder = self._folder(folders)
        try:
            descriptor = os.open(name, flags | _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a file", path)
        return descriptor

    def _folder(self, names: list[str]) -> int:
        descriptor = os.dup(self._root)
        for name in names:
            if name in {"", ".", ".."}:
                os.close(descriptor)
                raise OSError(errno.EINVAL, "not a plain path", "/".join(names))
            try:
                deeper = os.open(name, _FOLDER, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = deeper
        return descriptor
