"""Files that survive a power cut: every name appears only after its bytes are on disk.

Each function turns the disk's refusal (full, read-only, too large) into ``StoreError``.
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import StoreError

logger = logging.getLogger(__name__)

_HASH_PIECE_BYTES = 1 << 20
_OWNER = "OWNER"


class Folders:
    """``objects/ab/cdef...`` for whole objects, ``partial/`` for what is not whole yet."""

    def __init__(self, state: Path) -> None:
        """Name the folders below the state folder; ``claim`` makes them."""
        self.objects = state / "objects"
        self.partials = state / "partial"

    def whole(self, object_id: str) -> Path:
        """Path of a whole object."""
        return self.objects / object_id[:2] / object_id[2:]

    def partial(self, object_id: str) -> Path:
        """Path of a partial object."""
        return self.partials / object_id

    def claim(self, owner: str) -> tuple[Path, ...]:
        """Make the folders for the database ``owner``; return what was set aside.

        Folders that belong to another database (this one was replaced, say) are set aside: their
        files have no rows here, and a sweep would delete what may still be wanted.
        """
        with _refusals(self.objects):
            mark = self.objects / _OWNER
            kept: list[Path] = []
            found = mark.read_text(encoding="ascii") if mark.exists() else None
            if found != owner:
                kept = [
                    _set_aside(folder)
                    for folder in (self.objects, self.partials)
                    if folder.exists() and any(folder.iterdir())
                ]
            self.objects.mkdir(parents=True, exist_ok=True)
            self.partials.mkdir(parents=True, exist_ok=True)
            if found != owner:
                _write_new(mark, owner.encode("ascii"))
            return tuple(kept)

    def whole_files(self) -> Iterator[tuple[str, Path]]:
        """Yield id and path of every file in ``objects/``."""
        for folder in self.objects.iterdir():
            if folder.is_dir():
                for path in folder.iterdir():
                    yield folder.name + path.name, path


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"the disk refuses {path}: {error.strerror}") from error


def write_whole(folders: Folders, object_id: str, data: bytes) -> None:
    """Write a whole object under its final name."""
    path = folders.whole(object_id)
    with _refusals(path):
        temporary = folders.partials / f"put-{uuid.uuid4().hex}"
        try:
            _write_file(temporary, data)
            _place(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def move(source: Path, target: Path) -> None:
    """Rename a file whose bytes are on disk, durably."""
    with _refusals(target):
        _place(source, target)


def allocate(path: Path, size: int) -> None:
    """Make a file of ``size`` bytes whose blocks are there already, so that no write fails later.

    Raises:
        StoreError: the disk is full; nothing is left behind.
    """
    with _refusals(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            if size:
                os.posix_fallocate(fd, 0, size)
            os.fsync(fd)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        sync_folder(path.parent)


def write_pieces(path: Path, pieces: Iterable[tuple[int, bytes]]) -> None:
    """Write pieces at their offsets; return once all are on disk."""
    with _refusals(path):
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for offset, data in pieces:
                written = 0
                while written < len(data):
                    written += os.pwrite(fd, data[written:], offset + written)
            os.fdatasync(fd)
        finally:
            os.close(fd)


def read_piece(path: Path, start: int, stop: int) -> bytes:
    """Return bytes ``[start, stop)`` of a file."""
    with _refusals(path):
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(stop - start)
        if len(data) != stop - start:
            raise StoreError(f"{path} ends before byte {stop}")
        return data


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with _refusals(path), path.open("rb") as file:
        while piece := file.read(_HASH_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def has_size(path: Path, size: int) -> bool:
    """Say whether the file is there with this size."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def remove(path: Path) -> None:
    """Delete a file that no row names; a refusal is logged, since the next sweep tries again."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("cannot delete path=%s error=%s", path, error.strerror)


def sync_folder(folder: Path) -> None:
    """Make a new or changed name in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def set_aside_path(path: Path) -> Path:
    """Return the first free ``<path>.corrupt-N``."""
    number = 1
    while (kept := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    return kept


def _set_aside(folder: Path) -> Path:
    kept = set_aside_path(folder)
    folder.rename(kept)
    sync_folder(kept.parent)
    logger.error("folder of another database set aside folder=%s kept_as=%s", folder, kept)
    return kept


def _write_new(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    _write_file(temporary, data)
    temporary.rename(path)
    sync_folder(path.parent)


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _place(source: Path, target: Path) -> None:
    """Rename into a folder that is made, durably, where it is missing."""
    if not target.parent.exists():
        target.parent.mkdir()
        sync_folder(target.parent.parent)
    source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
