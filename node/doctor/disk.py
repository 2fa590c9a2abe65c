"""Is there room for the store, can it be written, and how long does a write take?"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from node.config.load import LoadedInstallation
from node.doctor.finding import Finding, error, note, ok, warning

_AREA = "disk"
_MOUNTS = Path("/proc/self/mounts")
_VOLATILE = frozenset({"tmpfs", "ramfs", "overlay"})
_SLOW_S = 0.1
_PROBES = 5
_PROBE_BYTES = 4096
_MIB = 1 << 20


def check_disk(loaded: LoadedInstallation) -> Iterator[Finding]:
    """Look at the state folder, or at the folder that it would be made in."""
    folder, limit_bytes = loaded.state_path, loaded.installation.store.max_bytes
    place = folder
    while not place.exists():
        place = place.parent
    if place != folder:
        yield note(_AREA, f"{folder} is not there yet: the first start makes it")
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield error(
            _AREA,
            f"{place} cannot be written by this user",
            f"chown {_user()} {place}, or set [store] path",
        )
        return
    yield from judge_room(folder, os.statvfs(place), _held_bytes(folder), limit_bytes)
    kind = filesystem_of(place, _mounts())
    if kind in _VOLATILE:
        yield warning(
            _AREA,
            f"{place} lies on {kind}: what is on it does not survive a loss of power",
            "set [store] path to a folder on a disk",
        )
    yield from _probe(place)


def judge_room(
    folder: Path, found: os.statvfs_result, held_bytes: int, limit_bytes: int
) -> Iterator[Finding]:
    """Hold what is free against what the store may take. Pure."""
    free_bytes = found.f_bavail * found.f_frsize
    wanted_bytes = max(0, limit_bytes - held_bytes)
    figures = (
        f"{free_bytes / _MIB:.0f} MiB free, the store has {held_bytes / _MIB:.0f} MiB and may grow "
        f"to {limit_bytes / _MIB:.0f} MiB"
    )
    if free_bytes < wanted_bytes:
        fitting = (free_bytes + held_bytes) // _MIB * _MIB
        yield warning(
            _AREA,
            f"{folder}: {figures}",
            f"make room, or set [store] max_bytes to {fitting} or less",
        )
    else:
        yield ok(_AREA, f"{folder}: {figures}")


def filesystem_of(folder: Path, mounts: str) -> str:
    """Name the type of the file system that a folder lies on. Pure."""
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:  # noqa: PLR2004 - device, place, type
            continue
        place = Path(fields[1].replace("\\040", " "))
        # The last of equals lies on top.
        if (place == folder or place in folder.parents) and len(place.parts) >= best:
            best, kind = len(place.parts), fields[2]
    return kind


def _probe(place: Path) -> Iterator[Finding]:
    """Write to a file without a name, which goes when it is closed, however that comes."""
    times_s = []
    try:
        with tempfile.TemporaryFile(dir=place, buffering=0) as file:
            for _ in range(_PROBES):
                file.write(bytes(_PROBE_BYTES))
                begun_s = time.monotonic()
                os.fsync(file.fileno())
                times_s.append(time.monotonic() - begun_s)
    except OSError as failure:
        full = failure.errno == errno.ENOSPC
        yield error(
            _AREA,
            f"{place} cannot be written: {failure.strerror}",
            "make room" if full else "see mount(8): is it mounted read-only?",
        )
        return
    took_s = median(times_s)
    text = f"fsync of {_PROBE_BYTES} bytes takes {took_s * 1e3:.2g} ms (median of {_PROBES})"
    if took_s > _SLOW_S:
        yield warning(
            _AREA,
            f"{text}: each job is on disk before it is confirmed",
            "set [store] path to a folder on a faster disk than this",
        )
    else:
        yield ok(_AREA, text)


def _held_bytes(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*"))


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0  # gone since it was listed
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _mounts() -> str:
    try:
        return _MOUNTS.read_text()
    except OSError:
        return ""


def _user() -> str:
    return os.environ.get("USER") or str(os.geteuid())
