"""Writes objects and rows until it is killed; says on stdout what was acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
from pathlib import Path

from node.store.database import Database
from node.store.object_rows import OBJECTS_SCHEMA
from node.store.objects import ObjectStore

SCHEMA = OBJECTS_SCHEMA + "CREATE TABLE facts (name TEXT PRIMARY KEY);"


def say(word: str, value: str) -> None:
    sys.stdout.write(f"{word} {value}\n")
    sys.stdout.flush()


async def main(folder: Path, seed: int) -> None:
    database = Database(folder / "a.sqlite3", (SCHEMA,))
    objects = ObjectStore(folder, database, 1 << 30)
    source = random.Random(seed)

    async def rows(worker: int) -> None:
        for n in range(100_000):
            name = f"{seed}-{worker}-{n}"
            await database.write(
                lambda db, name=name: db.execute("INSERT INTO facts VALUES (?)", (name,))
            )
            say("row", name)

    async def puts() -> None:
        while True:
            say(
                "object", await objects.put(source.randbytes(source.choice((100, 70_000, 200_000))))
            )

    async def pieces() -> None:
        while True:
            data = source.randbytes(100_000)
            object_id = hashlib.sha256(data).hexdigest()
            for at in range(0, len(data), 25_000):
                state = await objects.write_span(object_id, len(data), at, data[at : at + 25_000])
                say("span", f"{object_id}:{at + 25_000}")
            assert state.complete
            say("object", object_id)

    tasks = [rows(0), rows(1), rows(2), puts(), pieces()]
    await asyncio.wait([asyncio.ensure_future(task) for task in tasks])


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
