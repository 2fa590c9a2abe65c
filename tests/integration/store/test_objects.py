from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.errors import ObjectMismatchError, StoreError
from node.store.database import Database
from node.store.object_rows import OBJECTS_SCHEMA, HeldState
from node.store.objects import INLINE_BYTES, ObjectStore

SMALL = b"small" * 100
LARGE = random.Random(1).randbytes(300_001)
SIZES = [0, 1, INLINE_BYTES, INLINE_BYTES + 1, 300_000]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@asynccontextmanager
async def opened(folder: Path, max_bytes: int = 10_000_000) -> AsyncIterator[ObjectStore]:
    database = Database(folder / "a.sqlite3", (OBJECTS_SCHEMA,))
    objects = None
    try:
        objects = ObjectStore(folder, database, max_bytes)
        yield objects
    finally:
        if objects is not None:
            await objects.close()
        await database.close()


def files_of(folder: Path) -> list[str]:
    paths = [*(folder / "objects").rglob("*"), *(folder / "partial").rglob("*")]
    return sorted(
        str(path.relative_to(folder)) for path in paths if path.is_file() and path.name != "OWNER"
    )


@pytest.mark.parametrize("size", SIZES)
async def test_put_and_read_across_a_restart(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    async with opened(tmp_path) as objects:
        assert await objects.put(data) == sha(data)
        assert await objects.put(data) == sha(data)
        assert objects.size_bytes == size
    async with opened(tmp_path) as objects:
        assert await objects.read(sha(data)) == data
        assert objects.size_bytes == size
        assert await objects.held(sha(data)) == HeldState(
            ((0, size),) if size else (), complete=True
        )


async def test_small_bodies_are_rows_and_large_ones_files(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        await objects.put(SMALL)
        assert files_of(tmp_path) == []
        await objects.put(LARGE)
        assert files_of(tmp_path) == [f"objects/{sha(LARGE)[:2]}/{sha(LARGE)[2:]}"]


@pytest.mark.parametrize("data", [SMALL, LARGE])
async def test_read_span(tmp_path: Path, data: bytes) -> None:
    async with opened(tmp_path) as objects:
        object_id = await objects.put(data)
        assert await objects.read_span(object_id, 3, 400) == data[3:400]
        assert await objects.read_span(object_id, 0, len(data)) == data
        assert await objects.read_span(object_id, 7, 7) == b""
        for start, stop in [(0, len(data) + 1), (-1, 3), (5, 4)]:
            with pytest.raises(StoreError, match="outside"):
                await objects.read_span(object_id, start, stop)
        with pytest.raises(StoreError, match="no object"):
            await objects.read_span(sha(b"?"), 0, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("restart", [False, True])
async def test_pieces_in_any_order_twice_and_across_restarts(
    tmp_path: Path, size: int, restart: bool
) -> None:
    data = random.Random(size).randbytes(size)
    step = max(1, size // 7)
    pieces = [(at, data[at : at + step]) for at in range(0, size, step)] or [(0, b"")]
    pieces += pieces[:2]
    random.Random(2).shuffle(pieces)
    folder, held = tmp_path, set()
    remaining = list(pieces)
    while remaining:
        async with opened(folder) as objects:
            while remaining:
                at, piece = remaining.pop()
                state = await objects.write_span(sha(data), size, at, piece)
                held |= set(range(at, at + len(piece)))
                assert sum(stop - start for start, stop in state.held) == len(held)
                assert state.complete == (len(held) == size)
                assert await objects.held(sha(data)) == state
                assert objects.size_bytes == size
                if restart:
                    break
    async with opened(folder) as objects:
        assert await objects.read(sha(data)) == data
        assert objects.size_bytes == size


async def test_pieces_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        before = objects._database.groups
        writes = [
            asyncio.ensure_future(
                objects.write_span(sha(LARGE), len(LARGE), at, LARGE[at : at + 3000])
            )
            for at in range(0, len(LARGE), 3000)
        ]
        done, _ = await asyncio.wait(writes)
        assert any(write.result().complete for write in done)
        assert await objects.read(sha(LARGE)) == LARGE
        assert objects._database.groups - before <= 10


async def test_wrong_hash_drops_the_object_so_that_it_can_come_again(tmp_path: Path) -> None:
    wrong = bytes([LARGE[0] ^ 1]) + LARGE[1:]
    async with opened(tmp_path) as objects:
        await objects.write_span(sha(LARGE), len(LARGE), 0, wrong[:200_000])
        with pytest.raises(ObjectMismatchError):
            await objects.write_span(sha(LARGE), len(LARGE), 200_000, wrong[200_000:])
        assert await objects.held(sha(LARGE)) == HeldState((), complete=False)
        assert objects.size_bytes == 0
        assert files_of(tmp_path) == []
        await objects.write_span(sha(LARGE), len(LARGE), 0, LARGE[:200_000])
        state = await objects.write_span(sha(LARGE), len(LARGE), 200_000, LARGE[200_000:])
        assert state.complete
        with pytest.raises(ObjectMismatchError):
            await objects.write_span(sha(SMALL), len(SMALL), 0, SMALL[::-1])


async def test_pieces_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        with pytest.raises(StoreError, match="does not fit"):
            await objects.write_span(sha(LARGE), 100, 90, bytes(11))
        await objects.write_span(sha(LARGE), 100, 0, bytes(10))
        with pytest.raises(StoreError, match="has 100 bytes"):
            await objects.write_span(sha(LARGE), 200, 0, bytes(10))


async def test_full_is_said_before_anything_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=400_000) as objects:
        await objects.put(LARGE)
        other = LARGE[::-1]
        with pytest.raises(StoreError, match="full: 300001 bytes asked, 99999 of 400000 free"):
            await objects.put(other)
        with pytest.raises(StoreError, match="full"):
            await objects.write_span(sha(other), len(other), 0, other[:10])
        assert len(files_of(tmp_path)) == 1
        assert objects.size_bytes == len(LARGE)
        await objects.delete(sha(LARGE))
        assert objects.size_bytes == 0
        await objects.put(other)


async def test_put_completes_a_partial_object(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        await objects.write_span(sha(LARGE), len(LARGE), 0, LARGE[:10])
        await objects.put(LARGE)
        assert objects.size_bytes == len(LARGE)
        assert len(files_of(tmp_path)) == 1


async def test_delete_whole_partial_and_unknown(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        await objects.put(SMALL)
        await objects.put(LARGE)
        await objects.write_span(sha(LARGE[1:]), len(LARGE) - 1, 0, b"abc")
        for object_id in (sha(SMALL), sha(LARGE), sha(LARGE[1:]), sha(b"never")):
            await objects.delete(object_id)
            assert await objects.held(object_id) == HeldState((), complete=False)
        assert objects.size_bytes == 0
        assert files_of(tmp_path) == []


async def test_sql_within_a_put_shares_its_fate(tmp_path: Path) -> None:
    def refuse(_db: sqlite3.Connection, _object_id: str) -> None:
        raise KeyError("no")

    async with opened(tmp_path) as objects:
        for data in (SMALL, LARGE):
            with pytest.raises(KeyError):
                await objects.put(data, refuse)
            assert await objects.size_of(sha(data)) is None
        assert objects.size_bytes == 0
        assert files_of(tmp_path) == []


async def test_orphans_are_swept_and_lost_objects_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as objects:
        kept = await objects.put(LARGE)
        lost = await objects.put(LARGE[1:])
        await objects.write_span(sha(LARGE[2:]), len(LARGE) - 2, 0, b"abc")
    (tmp_path / "objects" / "ab").mkdir(exist_ok=True)
    (tmp_path / "objects" / "ab" / "cd").write_bytes(b"orphan")
    (tmp_path / "partial" / "put-123").write_bytes(b"orphan")
    (tmp_path / "objects" / lost[:2] / lost[2:]).unlink()
    (tmp_path / "partial" / sha(LARGE[2:])).unlink()
    with caplog.at_level(logging.ERROR):
        async with opened(tmp_path) as objects:
            assert objects.lost == (lost,)
            assert files_of(tmp_path) == [f"objects/{kept[:2]}/{kept[2:]}"]
            assert objects.size_bytes == len(LARGE)
            assert await objects.held(lost) == HeldState((), complete=False)
    assert lost in caplog.text


@pytest.mark.parametrize("moved", [False, True])
async def test_an_interrupted_last_step_is_finished_at_start(tmp_path: Path, moved: bool) -> None:
    object_id, size = sha(LARGE), len(LARGE)
    async with opened(tmp_path) as objects:
        await objects.write_span(object_id, size, 0, LARGE[:100])
        await objects._database.write(
            lambda db: db.execute("UPDATE partials SET held = ?", (f"[[0, {size}]]",))
        )
    partial = tmp_path / "partial" / object_id
    partial.write_bytes(LARGE)
    if moved:
        whole = tmp_path / "objects" / object_id[:2] / object_id[2:]
        whole.parent.mkdir()
        partial.rename(whole)
    async with opened(tmp_path) as objects:
        assert await objects.read(object_id) == LARGE
        assert objects.size_bytes == size


async def test_rotten_bytes_are_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        object_id = await objects.put(LARGE)
        path = tmp_path / "objects" / object_id[:2] / object_id[2:]
        path.write_bytes(LARGE[:-1] + b"?")
        with pytest.raises(StoreError, match="damaged"):
            await objects.read(object_id)
        path.write_bytes(LARGE[:-1])
        with pytest.raises(StoreError, match="ends before"):
            await objects.read(object_id)


async def test_files_of_another_database_are_set_aside_not_swept(tmp_path: Path) -> None:
    async with opened(tmp_path) as objects:
        object_id = await objects.put(LARGE)
    (tmp_path / "a.sqlite3").unlink()
    async with opened(tmp_path) as objects:
        assert objects.set_aside == (tmp_path / "objects.corrupt-1",)
        kept = tmp_path / "objects.corrupt-1" / object_id[:2] / object_id[2:]
        assert kept.read_bytes() == LARGE
        await objects.put(LARGE)
    async with opened(tmp_path) as objects:
        assert objects.set_aside == ()
        assert await objects.read(object_id) == LARGE


async def test_many_callers_at_once(tmp_path: Path) -> None:
    bodies = [random.Random(n).randbytes(n * 3000) for n in range(40)]

    async with opened(tmp_path) as objects:

        async def life(n: int, data: bytes) -> None:
            object_id = await objects.put(data)
            assert await objects.read(object_id) == data
            if n % 2:
                await objects.delete(object_id)

        tasks = [asyncio.ensure_future(life(n, data)) for n, data in enumerate(bodies)]
        done, _ = await asyncio.wait(tasks)
        assert [task.exception() for task in done] == [None] * 40
        assert objects.size_bytes == sum(len(data) for data in bodies[::2])
