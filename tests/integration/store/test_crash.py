from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.errors import StoreError
from node.store.database import Database
from node.store.object_rows import OBJECTS_SCHEMA
from node.store.objects import ObjectStore

WRITER = Path(__file__).with_name("crash_writer.py")
ROOT = Path(__file__).parents[3]
SCHEMA = OBJECTS_SCHEMA + "CREATE TABLE facts (name TEXT PRIMARY KEY);"
ROUNDS = 12


def write_until_killed(folder: Path, seed: int, after_s: float) -> list[tuple[str, str]]:
    process = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(word, value) for word, value in whole]


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[str, set[str]] = {"row": set(), "object": set(), "span": set()}
    for seed in range(ROUNDS):
        for word, value in write_until_killed(
            tmp_path, seed, random.Random(seed).uniform(0.05, 0.4)
        ):
            acknowledged[word].add(value)
        database = Database(tmp_path / "a.sqlite3", (SCHEMA,))
        objects = ObjectStore(tmp_path, database, 1 << 30)
        try:
            assert database.set_aside is None
            assert objects.lost == ()
            check = await database.read(lambda db: db.execute("PRAGMA integrity_check").fetchall())
            assert check == [("ok",)]
            kept = await database.read(lambda db: db.execute("SELECT name FROM facts").fetchall())
            assert acknowledged["row"] <= {row[0] for row in kept}
            for object_id in acknowledged["object"]:
                await objects.read(object_id)
            for span in acknowledged["span"]:
                object_id, stop = span.split(":")
                held = (await objects.held(object_id)).held
                assert held[0][0] == 0
                assert held[0][1] >= int(stop)
            files = [path for path in (tmp_path / "objects").glob("??/*") if path.is_file()]
            rows = await database.read(
                lambda db: db.execute("SELECT count(*) FROM objects WHERE body IS NULL").fetchone()
            )
            assert len(files) == rows[0]
        finally:
            await objects.close()
            await database.close()
    assert len(acknowledged["row"]) > 10 * ROUNDS
    assert len(acknowledged["object"]) > ROUNDS


async def test_a_disk_that_refuses_larger_files_is_a_store_error(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite3", (SCHEMA,))
    objects = ObjectStore(tmp_path, database, 1 << 30)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    body = bytes(2_000_000)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        with pytest.raises(StoreError, match="File too large"):
            await objects.put(body)
        with pytest.raises(StoreError, match="File too large"):
            await objects.write_span("0" * 64, len(body), 0, body[:10])
        with pytest.raises(StoreError, match=r"disk"):
            await database.write(
                lambda db: db.execute("INSERT INTO facts VALUES (?)", (body.decode(),))
            )
        assert objects.size_bytes == 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        object_id = await objects.put(body)
        await database.write(lambda db: db.execute("INSERT INTO facts VALUES ('after')"))
        assert await objects.read(object_id) == body
        kept = await database.read(lambda db: db.execute("SELECT name FROM facts").fetchall())
        assert kept == [("after",)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await objects.close()
        await database.close()
