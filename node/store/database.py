"""One SQLite database with one writer thread, group commit and honest failure.

Writers hand a function to the thread; what arrives within 10 ms (or 64 functions) shares one
transaction and one fsync. A function that raises rolls back its own savepoint only. A caller hears
of success after the commit, never before.

Durability: a group with at least one durable function commits with ``synchronous=FULL`` and
survives a power cut; a group of others commits with NORMAL, and a power cut may take the last of
them, but never corrupts (WAL).

A database that SQLite finds corrupt at start is set aside beside its path and replaced by a new
one; ``Database.set_aside`` and the log say so. Corruption inside the bytes of a value is outside
what SQLite can see: objects carry their SHA-256 for that.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from node.errors import StoreError
from node.store.files import set_aside_path, sync_folder

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

GROUP_WINDOW_S = 0.010
GROUP_SIZE = 64
_BUSY_TIMEOUT_MS = 5000
_WAL_PAGES = 1024
"""Pages (4 MiB) after which the log is copied back: fewer, larger writes spare an SD card."""


class _Item(NamedTuple):
    """One function on its way to the writer thread."""

    work: Work[Any]
    durable: bool
    future: Future[Any]


class Database:
    """A database file and its threads; open for one process at a time."""

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        """Open, check and migrate; blocks, so do it before the loop runs.

        Args:
            path: of the database file; its folder is made.
            migrations: SQL scripts; script ``i`` brings the schema from version ``i`` to ``i + 1``.

        Raises:
            StoreError: another process has it open, the disk refuses, or the schema is newer than
                this program.
        """
        self.path = path
        self.set_aside: Path | None = None
        """Where the corrupt database of this start went; None where all was well."""
        self.groups = 0
        """Transactions committed by the writer so far."""
        _make_folder(path.parent)
        self._lock_fd = _lock(path)
        try:
            self._writer, self.set_aside = _open_or_replace(path, migrations)
        except BaseException:
            os.close(self._lock_fd)
            raise
        self._reader = _connect(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._closed = False
        self._full_synchronous = True
        self._read_thread = ThreadPoolExecutor(1, f"{path.name}-read")
        self._write_thread = threading.Thread(
            target=self._write_groups, name=f"{path.name}-write", daemon=True
        )
        self._write_thread.start()

    async def write(self, work: Work[Result], *, durable: bool = True) -> Result:
        """Run ``work(connection)`` inside a group's transaction; return after the commit.

        ``work`` runs on the writer thread and must do nothing but SQL.

        Raises:
            StoreError: the disk is full or fails, or the database is closed; nothing was kept.
            Exception: what ``work`` raised; nothing of it was kept.
        """
        return await asyncio.wrap_future(self.submit(work, durable=durable))

    def submit(self, work: Work[Result], *, durable: bool = True) -> Future[Result]:
        """Do as ``write`` does, for callers on other threads."""
        if self._closed:
            raise StoreError(f"{self.path.name} is closed")
        future: Future[Result] = Future()
        self._queue.put(_Item(work, durable, future))
        return future

    async def read(self, work: Work[Result]) -> Result:
        """Run ``work(connection)`` on the read connection, in one consistent view.

        Raises:
            StoreError: the disk fails, or the database is closed.
        """
        return await asyncio.wrap_future(self.submit_read(work))

    def submit_read(self, work: Work[Result]) -> Future[Result]:
        """Do as ``read`` does, for callers on other threads."""
        if self._closed:
            raise StoreError(f"{self.path.name} is closed")
        return self._read_thread.submit(self._read_now, work)

    async def close(self) -> None:
        """Commit what was submitted, fold the log into the file and end the threads."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """Do as ``close`` does, where no loop runs."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._write_thread.join()
        self._read_thread.shutdown()
        self._reader.close()
        try:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            logger.warning("checkpoint at close failed database=%s error=%s", self.path, error)
        self._writer.close()
        os.close(self._lock_fd)

    def _read_now(self, work: Work[Result]) -> Result:
        try:
            self._reader.execute("BEGIN")
            try:
                return work(self._reader)
            finally:
                self._reader.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"cannot read {self.path.name}: {error}") from error

    def _write_groups(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            until_s = time.monotonic() + GROUP_WINDOW_S
            while len(group) < GROUP_SIZE and not ended:
                try:
                    item = self._queue.get(timeout=max(0.0, until_s - time.monotonic()))
                except queue.Empty:
                    break
                if item is None:
                    ended = True
                else:
                    group.append(item)
            live = [item for item in group if item.future.set_running_or_notify_cancel()]
            if live:
                self._commit(live)

    def _commit(self, group: list[_Item]) -> None:
        """Run a group in one transaction and tell every caller how it went."""
        try:
            self._set_synchronous(full=any(item.durable for item in group))
            self._writer.execute("BEGIN IMMEDIATE")
            outcomes = [(item, *self._run_in_savepoint(item.work)) for item in group]
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            # SQLite may have rolled the whole transaction back by itself (disk full, I/O error).
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            failure = StoreError(f"cannot write {self.path.name}: {error}")
            failure.__cause__ = error
            for item in group:
                item.future.set_exception(failure)
            return
        self.groups += 1
        for item, result, failed in outcomes:
            if failed is None:
                item.future.set_result(result)
            else:
                item.future.set_exception(failed)

    def _run_in_savepoint(self, work: Work[Any]) -> tuple[Any, Exception | None]:
        self._writer.execute("SAVEPOINT item")
        try:
            result = work(self._writer)
        except Exception as error:
            # It belongs to the caller, not to this thread.
            if not self._writer.in_transaction:
                # SQLite ended the transaction itself (disk full): the whole group fails.
                raise sqlite3.OperationalError(str(error)) from error
            self._writer.execute("ROLLBACK TO item")
            self._writer.execute("RELEASE item")
            return None, self._translate(error)
        self._writer.execute("RELEASE item")
        return result, None

    def _translate(self, error: Exception) -> Exception:
        """Turn the disk's failures into ``StoreError``; leave the caller's own mistakes as is."""
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            failure = StoreError(f"cannot write {self.path.name}: {error}")
            failure.__cause__ = error
            return failure
        return error

    def _set_synchronous(self, *, full: bool) -> None:
        if full != self._full_synchronous:
            self._writer.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            self._full_synchronous = full


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}") from error


def _lock(path: Path) -> int:
    """Take the lock that keeps a second process out; the kernel drops it with the process."""
    try:
        fd = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise StoreError(f"{path} is in use by another process") from error
    return fd


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_PAGES * 4096}")
    return connection


def _open_or_replace(
    path: Path, migrations: Sequence[str]
) -> tuple[sqlite3.Connection, Path | None]:
    """Open the database, or set it aside and open a new one where SQLite finds it corrupt."""
    set_aside: Path | None = None
    try:
        if path.exists():
            damage = _damage(path)
            if damage is not None:
                set_aside = _set_aside(path)
                logger.error(
                    "database corrupt, set aside database=%s damage=%s kept_as=%s",
                    path,
                    damage,
                    set_aside,
                )
        if not path.exists():
            _create(path)
        connection = _connect(path)
        try:
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot open {path}: {error}") from error
    return connection, set_aside


def _create(path: Path) -> None:
    """Make an empty database that appears under its name only when it is whole.

    So an empty file under that name is always damage, never an interrupted start.
    """
    temporary = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{temporary}{suffix}").unlink(missing_ok=True)
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    temporary.rename(path)
    sync_folder(path.parent)


def _damage(path: Path) -> str | None:
    """Say what is wrong with the file, or None; raise where the disk refuses to tell."""
    if path.stat().st_size == 0:
        return "the file is empty"
    # Read only, so that closing it does not fold the log into a file that may be damaged.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        findings = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        # The disk's fault, unless the text says that the content makes no sense.
        if "malformed" in str(error):
            return str(error)
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return None if findings == ["ok"] else "; ".join(findings)


def _set_aside(path: Path) -> Path:
    """Rename the database and its log to the first free ``.corrupt-N``, still openable there."""
    kept = set_aside_path(path)
    # The log first: with it gone and the file still there, the next start finds the same damage.
    for suffix in ("-wal", "-shm", ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{kept}{suffix}")
    sync_folder(path.parent)
    return kept


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise StoreError(
            f"{path} has schema version {version}, this program knows {len(migrations)}; "
            "use the newer program or another state folder"
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version={number};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        logger.info("database migrated database=%s schema_version=%d", path, number)
