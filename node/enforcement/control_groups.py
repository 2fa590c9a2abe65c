"""Where the kernel's control groups are, and their files, below a root that tests can move."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """The group of a process in the hierarchy that limits CPU time."""

    version: int
    """Of the control groups: 1 or 2."""
    path: str
    """Of the group's folder, relative to the root."""
    mounted: bool
    """The hierarchy can be reached."""


class GroupFiles:
    """Reads and writes control files."""

    def __init__(self, root: str | Path = "/") -> None:
        """Take the root that ``proc`` and ``sys`` are below."""
        self.root = Path(root)

    def read(self, path: str) -> str | None:
        """Read a file, or None where there is none that may be read."""
        try:
            return (self.root / path).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return None

    def write(self, path: str, text: str) -> None:
        """Write a file in one piece, as the kernel wants it.

        Raises:
            OSError: the kernel refuses.
        """
        descriptor = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def make(self, path: str) -> None:
        """Make a group; one that is there already is taken.

        Raises:
            OSError: the kernel refuses.
        """
        (self.root / path).mkdir(exist_ok=True)

    def remove(self, path: str) -> None:
        """Remove a group.

        Raises:
            OSError: it is in use, or not ours.
        """
        (self.root / path).rmdir()

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return (self.root / path).exists()

    def children(self, path: str) -> list[str]:
        """Names in a folder."""
        try:
            return sorted(each.name for each in (self.root / path).iterdir())
        except OSError:
            return []

    def processes(self, path: str) -> set[int]:
        """Processes in a group."""
        return {int(word) for word in (self.read(f"{path}/cgroup.procs") or "").split()}


def find_place(files: GroupFiles) -> Place | None:
    """Find this process's group where CPU time is limited; None where there are no groups."""
    version, group = 0, ""
    for line in (files.read("proc/self/cgroup") or "").splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            version, group = 1, path
            break
        if number == "0":
            version, group = 2, path
    if not version:
        return None
    mount = _mount(files, version)
    return Place(version, f"{mount or ''}{group.rstrip('/')}".lstrip("/"), mount is not None)


def _mount(files: GroupFiles, version: int) -> str | None:
    for line in (files.read("proc/self/mounts") or "").splitlines():
        _, folder, kind, options, *_ = line.split(" ")
        if version == 2 and kind == "cgroup2":  # noqa: PLR2004 - of the control groups
            return folder
        if version == 1 and kind == "cgroup" and "cpu" in options.split(","):
            return folder
    return None
