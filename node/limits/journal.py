"""What is lowered, on disk before it is, so that a killed helper's successor can restore it.

The journal belongs to one boot: after the next the kernel has its own defaults, and restoring would
only do harm. So what must survive a power loss is nothing; what must survive a kill is the page
cache. A new baseline is flushed to disk all the same before its file is touched, and the changes of
a cap that follow are not, which spares the SD card of a board whose cap follows its power.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_log = logging.getLogger(__name__)
_VERSION = 1
_MAX_BYTES = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_Value = Annotated[int, Meta(ge=0, le=1 << 62)]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One file that holds, or is about to hold, a value of ours."""

    file: str
    """Relative to the root of the tree."""
    baseline: _Value
    written: _Value
    read_back: _Value | None
    """What the kernel made of it; None until that is known."""

    def owns(self, current: int, *, cooling: bool) -> bool:
        """Whether a value is ours, and not one that somebody else has put there since.

        Where a kill came between writing and reading back, the kernel may have rounded: whatever
        is not above the baseline is ours then. While the kernel cools, the file shows its limit
        where that is lower than ours.
        """
        if current in {self.written, self.read_back}:
            return True
        if self.read_back is None:
            return current <= self.baseline
        return cooling and current < self.written


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    v: Annotated[int, Meta(ge=_VERSION, le=_VERSION)]
    boot_id: str
    entries: list[Entry]


def parse(data: bytes, boot_id: str) -> list[Entry] | None:
    """Read the entries of this boot; None where the journal is of another.

    Raises:
        ValueError: it is no journal.
    """
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if len({entry.file for entry in document.entries}) != len(document.entries):
        raise ValueError("a file is there twice")
    return document.entries if document.boot_id == boot_id else None


class Journal:
    """The journal in its folder."""

    def __init__(self, folder: Path, boot_id: str) -> None:
        """Take the folder, which is there and is ours alone, and the id of this boot."""
        self._folder = folder
        self._path = folder / "journal.json"
        self._boot_id = boot_id

    def load(self) -> list[Entry]:
        """Read what an earlier helper of this boot left; a journal of no use is put out of the way.

        One of another boot is removed. A corrupt one is set aside under another name, and nothing
        in it is believed.
        """
        try:
            descriptor = os.open(self._path, _OLD)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._set_aside(error)
            return []
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
            data = file.read(_MAX_BYTES)
        try:
            entries = parse(data, self._boot_id)
        except ValueError as error:
            self._set_aside(error)
            return []
        if entries is None:
            _log.info("journal_of_another_boot removed=%s", self._path)
            self.save([], durable=False)
            return []
        return entries

    def save(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Replace the journal as a whole; without entries there is none.

        Raises:
            OSError: it could not be written; the old one is still there.
        """
        listed = list(entries)
        if not listed:
            self._path.unlink(missing_ok=True)
            return
        data = msgspec.json.encode(_Document(_VERSION, self._boot_id, listed))
        draft = self._folder / "journal.new"
        draft.unlink(missing_ok=True)
        try:
            with open(os.open(draft, _NEW, 0o600), "wb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
                _write_whole(file, data)
                if durable:
                    os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
        if durable:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _set_aside(self, reason: Exception) -> None:
        aside = self._folder / "journal.corrupt"
        _log.error(
            "journal_corrupt reason=%s moved_to=%s: limits that an earlier helper lowered are "
            "not restored; a reboot does",
            reason,
            aside,
        )
        try:
            self._path.replace(aside)
        except OSError as error:
            _log.error("journal_not_moved reason=%s", error)


def _write_whole(file: RawIOBase, data: bytes) -> None:
    if file.write(data) != len(data):
        # The disk is full, or nearly so.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_boot_id(path: Path) -> str:
    """Read the kernel's id of this boot.

    Raises:
        OSError: there is none.
        ValueError: it is empty.
    """
    boot_id = path.read_text("ascii").strip()
    if not boot_id:
        raise ValueError(f"{path} is empty")
    return boot_id
