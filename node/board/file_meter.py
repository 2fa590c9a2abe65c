"""A power meter whose program writes a file: its newest record counts."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

from node.board.external_meter import ExternalMeter
from node.board.meter import MeterSample
from node.board.meter_text import DEFAULT_KEY, figures_of_file
from node.board.parts import Draft

_MAX_RECORD_BYTES = 4096


class _Look(NamedTuple):
    """What the file was at one look; another one is a new record."""

    inode: int
    changed_ns: int
    size_bytes: int
    tail: str


class FileMeter(ExternalMeter):
    """Reads the file whenever the board is read.

    A record is new when the file is another than at the look before: age is told by this
    machine's monotonic clock alone, so that neither the meter's nor the wall clock can be wrong.
    What the first look finds is of unknown age and counts for nothing.
    """

    def __init__(self, path: Path, scope: str, max_age_s: float, *, key: str = DEFAULT_KEY) -> None:
        super().__init__(scope, max_age_s)
        self._path = path
        self._key = key
        self._before: _Look | None = None
        self._looked_s = 0.0

    def sample(self, draft: Draft) -> MeterSample | None:
        """Look at the file, and tell the last record."""
        try:
            self._look(draft.wall_s)
        except (OSError, ValueError) as error:
            self.refuse(error)
        return super().sample(draft)

    def _look(self, wall_s: float) -> None:
        before, looked_s = self._before, self._looked_s
        self._looked_s = wall_s
        try:
            now, head = self._read()
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            # What appears from now on is new.
            self._before = _Look(0, 0, 0, "")
            return
        self._before = now
        if now == before:
            return
        figures = figures_of_file(head, now.tail, self._key)
        if figures is not None and before is not None:
            self.take(figures, wall_s, looked_s)

    def _read(self) -> tuple[_Look, str]:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"{self._path} is no regular file")
            start = max(0, found.st_size - _MAX_RECORD_BYTES)
            tail = _text(os.pread(descriptor, _MAX_RECORD_BYTES, start))
            head = _text(os.pread(descriptor, _MAX_RECORD_BYTES, 0)) if start else tail
        finally:
            os.close(descriptor)
        return _Look(found.st_ino, found.st_mtime_ns, found.st_size, tail), head


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
