from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from node.errors import StoreError
from node.store.database import GROUP_SIZE, Database

VERSION_1 = "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB);"
VERSION_2 = "ALTER TABLE facts ADD COLUMN unit TEXT NOT NULL DEFAULT 'W';"


@asynccontextmanager
async def opened(path: Path, *migrations: str) -> AsyncIterator[Database]:
    database = Database(path, migrations or (VERSION_1,))
    try:
        yield database
    finally:
        await database.close()


def insert(name: str, value: Any = b"") -> Any:
    return lambda db: db.execute("INSERT INTO facts (name, value) VALUES (?, ?)", (name, value))


def names(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT name FROM facts ORDER BY name")]


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.sqlite3"
    async with opened(path) as database:
        await database.write(insert("one"))
    async with opened(path) as database:
        assert await database.read(names) == ["one"]
        assert database.set_aside is None


async def test_concurrent_writes_share_commits(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        before = database.groups
        writes = [asyncio.ensure_future(database.write(insert(f"{n:03}"))) for n in range(200)]
        await asyncio.wait(writes)
        assert [write.exception() for write in writes] == [None] * 200
        assert len(await database.read(names)) == 200
        assert 200 // GROUP_SIZE <= database.groups - before <= 20


async def test_a_write_is_visible_to_reads_once_it_returns(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        for n in range(20):
            await database.write(insert(f"{n:02}"))
            assert len(await database.read(names)) == n + 1


async def test_one_failure_in_a_group_leaves_the_others(tmp_path: Path) -> None:
    def failing(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO facts (name) VALUES ('half')")
        raise ZeroDivisionError("mine")

    async with opened(tmp_path / "a") as database:
        before = database.groups
        good = asyncio.ensure_future(database.write(insert("good")))
        bad = asyncio.ensure_future(database.write(failing))
        late = asyncio.ensure_future(database.write(insert("late")))
        await asyncio.wait((good, bad, late))
        assert isinstance(bad.exception(), ZeroDivisionError)
        assert good.exception() is None
        assert late.exception() is None
        assert await database.read(names) == ["good", "late"]
        assert database.groups == before + 1


async def test_integrity_errors_reach_the_caller_as_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        await database.write(insert("one"))
        with pytest.raises(sqlite3.IntegrityError):
            await database.write(insert("one"))


async def test_disk_full_is_a_store_error_and_the_thread_lives(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        await database.write(insert("before"))
        pages = await database.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await database.write(lambda db: db.execute(f"PRAGMA max_page_count={pages + 4}").fetchall())
        with pytest.raises(StoreError, match="full"):
            await database.write(insert("large", bytes(1_000_000)))
        await database.write(insert("after"))
        assert await database.read(names) == ["after", "before"]


async def test_a_write_that_fills_the_disk_fails_its_whole_group(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        pages = await database.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await database.write(lambda db: db.execute(f"PRAGMA max_page_count={pages + 4}").fetchall())
        small = asyncio.ensure_future(database.write(insert("small")))
        large = asyncio.ensure_future(database.write(insert("large", bytes(1_000_000))))
        await asyncio.wait((small, large))
        assert isinstance(large.exception(), StoreError)
        kept = await database.read(names)
        assert kept == ([] if small.exception() else ["small"])


async def test_cancelled_caller_does_not_stop_the_writer(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(db: sqlite3.Connection) -> None:
        entered.set()
        assert leave.wait(10)
        db.execute("INSERT INTO facts (name) VALUES ('slow')")

    async with opened(tmp_path / "a") as database:
        task = asyncio.ensure_future(database.write(slow))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        leave.set()
        await database.write(insert("next"))
        assert await database.read(names) == ["next", "slow"]


async def test_relaxed_writes_use_normal_and_durable_ones_full(tmp_path: Path) -> None:
    def level(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])

    async with opened(tmp_path / "a") as database:
        assert await database.write(level) == 2
        assert await database.write(level, durable=False) == 1
        assert await database.write(level) == 2


async def test_reads_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        with pytest.raises(StoreError, match="readonly"):
            await database.read(insert("one"))


async def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    async with opened(tmp_path / "a"):
        with pytest.raises(StoreError, match="in use"):
            Database(tmp_path / "a", (VERSION_1,))
    async with opened(tmp_path / "a"):
        pass


async def test_closed_database_refuses(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        await database.close()
        with pytest.raises(StoreError, match="closed"):
            await database.write(insert("one"))
        with pytest.raises(StoreError, match="closed"):
            await database.read(names)


async def test_close_commits_what_was_submitted(tmp_path: Path) -> None:
    database = Database(tmp_path / "a", (VERSION_1,))
    futures = [database.submit(insert(f"{n:03}")) for n in range(100)]
    await database.close()
    assert all(future.exception() is None for future in futures)
    async with opened(tmp_path / "a") as database:
        assert len(await database.read(names)) == 100


async def test_migrates_forward_and_keeps_the_rows(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        await database.write(insert("power"))
    async with opened(tmp_path / "a", VERSION_1, VERSION_2) as database:
        rows = await database.read(lambda db: db.execute("SELECT name, unit FROM facts").fetchall())
        assert rows == [("power", "W")]
        version = await database.read(lambda db: db.execute("PRAGMA user_version").fetchone()[0])
        assert version == 2


async def test_a_failing_migration_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as database:
        await database.write(insert("power"))
    broken = "ALTER TABLE facts ADD COLUMN unit TEXT; INSERT INTO nowhere VALUES (1);"
    with pytest.raises(StoreError, match="nowhere"):
        Database(tmp_path / "a", (VERSION_1, broken))
    async with opened(tmp_path / "a", VERSION_1, VERSION_2) as database:
        assert await database.read(names) == ["power"]


async def test_a_newer_schema_is_refused_not_set_aside(tmp_path: Path) -> None:
    async with opened(tmp_path / "a", VERSION_1, VERSION_2):
        pass
    with pytest.raises(StoreError, match="schema version 2, this program knows 1"):
        Database(tmp_path / "a", (VERSION_1,))
    async with opened(tmp_path / "a", VERSION_1, VERSION_2) as database:
        assert database.set_aside is None


async def filled(path: Path) -> Path:
    async with opened(path) as database:
        for n in range(8):
            await database.write(
                lambda db, n=n: db.executemany(
                    "INSERT INTO facts VALUES (?, ?)",
                    [(f"{n}-{i:04}", bytes([i % 256]) * 100) for i in range(100)],
                )
            )
    return path


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2 + 7]


def empty(_content: bytes) -> bytes:
    return b""


def flip_header(content: bytes) -> bytes:
    return b"\xff" + content[1:]


def flip_pages(content: bytes) -> bytes:
    damaged = bytearray(content)
    for page in range(4096, len(damaged), 4096):
        for at in range(page, page + 12):
            damaged[at] ^= 0x55
    return bytes(damaged)


@pytest.mark.parametrize("damage", [cut, empty, flip_header, flip_pages])
async def test_a_damaged_database_is_set_aside_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.sqlite3"
    damaged = damage((await filled(path)).read_bytes())
    for number in (1, 2):
        path.write_bytes(damaged)
        with caplog.at_level(logging.ERROR):
            async with opened(path) as database:
                kept = tmp_path / f"a.sqlite3.corrupt-{number}"
                assert database.set_aside == kept
                assert kept.read_bytes() == damaged
                assert await database.read(names) == []
                await database.write(insert("new"))
        assert f"kept_as={kept}" in caplog.text


async def test_unreadable_folder_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot make"):
        Database(tmp_path / "file" / "a", (VERSION_1,))
