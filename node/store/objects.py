"""Immutable bytes under their SHA-256, whole or coming in piece by piece.

Up to 64 KiB a body stands in the database row; above, in ``objects/ab/cdef...``, which is on disk
(file and folder fsynced) before its row is. A row therefore never names bytes that are not there,
and a file without a row is the remains of an interrupted write, swept at start.

An object that comes in by pieces is a preallocated file in ``partial/``; the ranges held stand in
the database and are committed after the bytes are on disk. Whole objects and partial ones count
against ``max_bytes`` with their full size from their first byte.

All changes run on one thread in their order, so a cancelled caller never leaves one half done.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from node.errors import ObjectMismatchError, StoreError
from node.store import files
from node.store.database import Database
from node.store.object_rows import (
    HeldState,
    ObjectRow,
    held_state,
    object_row,
    owner,
    partials,
    rows_with_files,
    total_bytes,
)
from node.transfer.ranges import RangeSet

logger = logging.getLogger(__name__)

INLINE_BYTES = 64 * 1024
"""Bodies up to this size stand in the database row."""

Within = Callable[[sqlite3.Connection, str], None]
"""More SQL for the same commit, given the object's id."""
Choose = Callable[[sqlite3.Connection], Iterable[str]]
"""SQL for the same commit; returns the objects that may go."""
Value = TypeVar("Value")


class _Piece(NamedTuple):
    """One piece on its way to the disk thread."""

    offset: int
    data: bytes
    future: Future[HeldState]

    @property
    def stop(self) -> int:
        return self.offset + len(self.data)


class ObjectStore:
    """The objects of one database."""

    def __init__(self, folder: Path, database: Database, max_bytes: int) -> None:
        """Sweep what an interruption left behind; blocks, so do it before the loop runs.

        Args:
            folder: the state folder; ``objects/`` and ``partial/`` are made in it.
            database: with the tables of ``object_rows.OBJECTS_SCHEMA``.
            max_bytes: of whole and partial objects together.

        Raises:
            StoreError: the disk refuses.
        """
        self._database = database
        self._max_bytes = max_bytes
        self._folders = files.Folders(folder)
        self._pieces: dict[str, list[_Piece]] = {}
        self._thread = ThreadPoolExecutor(1, "object-store")
        self.set_aside = self._folders.claim(database.submit(owner).result())
        """Folders of another database that were found here and kept under another name."""
        self.lost: tuple[str, ...] = self._recover()
        """Objects whose row was there at start and whose file was not; the rows are gone too."""
        self._size_bytes: int = database.submit_read(total_bytes).result()
        self._promote_covered()

    @property
    def size_bytes(self) -> int:
        """Bytes of whole objects and, at full size, of partial ones."""
        return self._size_bytes

    @property
    def max_bytes(self) -> int:
        """The cap on ``size_bytes``."""
        return self._max_bytes

    async def put(self, data: bytes, within: Within | None = None) -> str:
        """Keep ``data``; return its id once it is on disk. Keeping it twice is harmless.

        Args:
            data: the object's bytes.
            within: more SQL for the commit that makes the object exist.

        Raises:
            StoreError: full, or the disk refuses; nothing was kept.
        """
        return await self._on_thread(lambda: self._put(data, within))

    async def read(self, object_id: str) -> bytes:
        """Return a whole object, its hash checked.

        Raises:
            StoreError: not here, unreadable, or its bytes rotted.
        """
        size = await self.size_of(object_id)
        data = await self.read_span(object_id, 0, size or 0)
        if await asyncio.to_thread(_sha256, data) != object_id:
            raise StoreError(f"object {object_id} is damaged on disk")
        return data

    async def read_span(self, object_id: str, start: int, stop: int) -> bytes:
        """Return bytes ``[start, stop)`` of a whole object.

        Raises:
            StoreError: not here, outside the object, or unreadable.
        """
        row: tuple[int, bool, bytes | None] | None = await self._database.read(
            lambda connection: connection.execute(
                "SELECT size_bytes, body IS NULL, substr(body, ?, ?)"
                " FROM objects WHERE object_id = ?",
                (start + 1, stop - start, object_id),
            ).fetchone()
        )
        if row is None:
            raise StoreError(f"no object {object_id}")
        size, in_file, body = row
        if not 0 <= start <= stop <= size:
            raise StoreError(f"bytes {start} to {stop} are outside object {object_id} of {size}")
        if in_file:
            path = self._folders.whole(object_id)
            return await asyncio.to_thread(files.read_piece, path, start, stop)
        return body or b""  # SQLite answers an empty substring with NULL

    async def size_of(self, object_id: str) -> int | None:
        """Return the size of a whole object, or None where it is not here."""
        row = await self._database.read(lambda connection: object_row(connection, object_id))
        return row.size if row is not None and row.state.complete else None

    async def held(self, object_id: str) -> HeldState:
        """Return what is on disk of an object; nothing, where it is unknown."""
        return await self._database.read(lambda connection: held_state(connection, object_id))

    async def write_span(self, object_id: str, size: int, offset: int, data: bytes) -> HeldState:
        """Keep a piece of an object; return what is on disk once the piece is.

        Pieces that wait together share one fsync and one commit.

        Raises:
            StoreError: full, the disk refuses, or the piece does not fit.
            ObjectMismatchError: the object is whole and its hash is wrong; all of it is dropped,
                so that it can be sent again.
        """
        if not 0 <= offset <= offset + len(data) <= size:
            raise StoreError(f"a piece at {offset} does not fit object {object_id} of {size} bytes")
        piece = _Piece(offset, data, Future())
        self._pieces.setdefault(object_id, []).append(piece)
        self._thread.submit(self._write_waiting, object_id, size)
        return await asyncio.wrap_future(piece.future)

    async def delete(self, object_id: str) -> None:
        """Forget an object, whole or partial; an unknown one is forgotten already."""
        await self.release(lambda _: (object_id,))

    async def release(self, choose: Choose) -> None:
        """Run SQL and forget, in the same commit, the objects that it returns."""
        await self._on_thread(lambda: self._release(choose))

    async def close(self) -> None:
        """Finish what was begun; the database stays open."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """Do as ``close`` does, where no loop runs."""
        self._thread.shutdown()

    async def _on_thread(self, work: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # Below: on the disk thread (or before the loop runs).

    def _find(self, object_id: str) -> ObjectRow | None:
        return self._database.submit_read(
            lambda connection: object_row(connection, object_id)
        ).result()

    def _reserve(self, size: int) -> None:
        if self._size_bytes + size > self._max_bytes:
            free = max(0, self._max_bytes - self._size_bytes)
            raise StoreError(f"full: {size} bytes asked, {free} of {self._max_bytes} free")
        self._size_bytes += size

    def _put(self, data: bytes, within: Within | None) -> str:
        object_id = _sha256(data)
        row = self._find(object_id)
        if row is not None and row.state.complete:
            if within is not None:
                self._database.submit(lambda connection: within(connection, object_id)).result()
            return object_id
        more = len(data) - (0 if row is None else row.size)
        inline = len(data) <= INLINE_BYTES
        self._reserve(more)
        try:
            if not inline:
                files.write_whole(self._folders, object_id, data)
            self._insert(object_id, len(data), data if inline else None, within)
        except BaseException:
            self._size_bytes -= more
            files.remove(self._folders.whole(object_id))
            raise
        files.remove(self._folders.partial(object_id))
        return object_id

    def _insert(
        self, object_id: str, size: int, body: bytes | None, within: Within | None = None
    ) -> None:
        """Make the row of a whole object; its partial row goes in the same commit."""

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO objects (object_id, size_bytes, body) VALUES (?, ?, ?)",
                (object_id, size, body),
            )
            connection.execute("DELETE FROM partials WHERE object_id = ?", (object_id,))
            if within is not None:
                within(connection, object_id)

        self._database.submit(insert).result()

    def _write_waiting(self, object_id: str, size: int) -> None:
        """Write every piece of an object that waits; the calls of the others find nothing to do."""
        pieces = [
            piece
            for piece in self._pieces.pop(object_id, [])
            if piece.future.set_running_or_notify_cancel()
        ]
        if not pieces:
            return
        try:
            state = self._write_pieces(object_id, size, pieces)
        except Exception as error:  # noqa: BLE001 - every caller is told, and the thread lives
            for piece in pieces:
                piece.future.set_exception(error)
        else:
            for piece in pieces:
                piece.future.set_result(state)

    def _write_pieces(self, object_id: str, size: int, pieces: list[_Piece]) -> HeldState:
        row = self._find(object_id)
        if row is not None and row.size != size:
            raise StoreError(f"object {object_id} has {row.size} bytes, not {size}")
        if row is not None and row.state.complete:
            return row.state
        whole = next((piece for piece in pieces if len(piece.data) == size), None)
        if whole is not None and size <= INLINE_BYTES:
            return self._take_small(object_id, whole.data)
        if row is None:
            self._begin(object_id, size)
        ranges = RangeSet(() if row is None else row.state.held)
        fresh = [piece for piece in pieces if not ranges.covers(piece.offset, piece.stop)]
        if fresh:
            path = self._folders.partial(object_id)
            files.write_pieces(path, [(piece.offset, piece.data) for piece in fresh])
            for piece in fresh:
                ranges.add(piece.offset, piece.stop)
            self._set_held(object_id, size, ranges)
        if ranges.covers(0, size):
            self._promote(object_id, size)
            return HeldState(((0, size),), complete=True)
        return HeldState(ranges.spans, complete=False)

    def _take_small(self, object_id: str, data: bytes) -> HeldState:
        """Keep a small object that came in one piece; it needs no partial file."""
        if _sha256(data) != object_id:
            self._refuse(object_id)
        self._put(data, None)
        return HeldState(((0, len(data)),) if data else (), complete=True)

    def _begin(self, object_id: str, size: int) -> None:
        self._reserve(size)
        try:
            files.allocate(self._folders.partial(object_id), size)
            self._set_held(object_id, size, RangeSet())
        except BaseException:
            self._size_bytes -= size
            files.remove(self._folders.partial(object_id))
            raise

    def _set_held(self, object_id: str, size: int, ranges: RangeSet) -> None:
        row = (object_id, size, json.dumps(ranges.spans))
        self._database.submit(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO partials (object_id, size_bytes, held) VALUES (?, ?, ?)",
                row,
            )
        ).result()

    def _promote(self, object_id: str, size: int) -> None:
        """Make a whole object of a partial one that has all its bytes; drop it if they are wrong.

        An interruption between the rename and the row is mended at the next start.
        """
        partial = self._folders.partial(object_id)
        if files.hash_file(partial) != object_id:
            self._refuse(object_id)
        if size <= INLINE_BYTES:
            self._insert(object_id, size, files.read_piece(partial, 0, size))
            files.remove(partial)
            return
        whole = self._folders.whole(object_id)
        files.move(partial, whole)
        try:
            self._insert(object_id, size, None)
        except BaseException:
            files.move(whole, partial)
            raise

    def _refuse(self, object_id: str) -> None:
        self._release(lambda _: (object_id,))
        raise ObjectMismatchError(f"the bytes of object {object_id} have another SHA-256")

    def _release(self, choose: Choose) -> None:
        def forget(connection: sqlite3.Connection) -> tuple[list[str], int]:
            gone = list(choose(connection))
            freed = 0
            for object_id in gone:
                row = object_row(connection, object_id)
                freed += 0 if row is None else row.size
                connection.execute("DELETE FROM objects WHERE object_id = ?", (object_id,))
                connection.execute("DELETE FROM partials WHERE object_id = ?", (object_id,))
            return gone, freed

        gone, freed = self._database.submit(forget).result()
        self._size_bytes -= freed
        for object_id in gone:
            files.remove(self._folders.whole(object_id))
            files.remove(self._folders.partial(object_id))

    def _recover(self) -> tuple[str, ...]:
        """Bring rows and files together after an interruption; return the objects that are lost."""
        whole, partial = self._database.submit_read(rows_with_files).result()
        lost = {
            object_id
            for object_id, size in whole.items()
            if not files.has_size(self._folders.whole(object_id), size)
        }
        stale = set()
        for object_id, size in partial.items():
            path = self._folders.partial(object_id)
            moved = self._folders.whole(object_id)
            if object_id not in whole and not path.exists() and moved.exists():
                files.move(moved, path)
            if object_id in whole or not files.has_size(path, size):
                stale.add(object_id)

        def forget(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM objects WHERE object_id = ?", [(i,) for i in lost])
            connection.executemany(
                "DELETE FROM partials WHERE object_id = ?", [(i,) for i in stale]
            )

        if lost or stale:
            self._database.submit(forget).result()
        for object_id in sorted(lost):
            logger.error("object lost, its file is gone or short id=%s", object_id)
        orphans = [
            path
            for object_id, path in self._folders.whole_files()
            if object_id not in whole or object_id in lost
        ]
        orphans += [
            path
            for path in self._folders.partials.iterdir()
            if path.name not in partial or path.name in stale
        ]
        for path in orphans:
            files.remove(path)
        if orphans:
            logger.info("orphan files swept count=%d", len(orphans))
        return tuple(sorted(lost))

    def _promote_covered(self) -> None:
        """Finish the objects whose last step was interrupted."""
        for object_id, row in self._database.submit_read(partials).result():
            if RangeSet(row.state.held).covers(0, row.size):
                try:
                    self._promote(object_id, row.size)
                except StoreError as error:
                    logger.warning("interrupted object not whole id=%s error=%s", object_id, error)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
