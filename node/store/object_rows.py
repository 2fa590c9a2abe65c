"""The rows of an object store: tables, and the SQL that more than one module needs."""

from __future__ import annotations

import json
import sqlite3
import uuid
from typing import NamedTuple

from node.icd import Span

OBJECTS_SCHEMA = """
CREATE TABLE object_owner (owner TEXT NOT NULL);
CREATE TABLE objects (
    object_id TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    body BLOB -- NULL: in a file
);
CREATE TABLE partials (
    object_id TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    held TEXT NOT NULL -- JSON: [[start, stop], ...]
);
"""
"""Tables that an ``ObjectStore`` needs; part of the first migration of its database."""


class HeldState(NamedTuple):
    """What is on disk of one object."""

    held: tuple[Span, ...]
    complete: bool
    """Whole, and its SHA-256 is right."""


class ObjectRow(NamedTuple):
    """An object as the database knows it."""

    size: int
    state: HeldState


def held_state(connection: sqlite3.Connection, object_id: str) -> HeldState:
    """Return what is on disk of an object, within a transaction of the caller."""
    row = object_row(connection, object_id)
    return HeldState((), complete=False) if row is None else row.state


def object_row(connection: sqlite3.Connection, object_id: str) -> ObjectRow | None:
    """Return an object, whole or partial, or None."""
    whole = connection.execute(
        "SELECT size_bytes FROM objects WHERE object_id = ?", (object_id,)
    ).fetchone()
    if whole is not None:
        spans = ((0, int(whole[0])),) if whole[0] else ()
        return ObjectRow(int(whole[0]), HeldState(spans, complete=True))
    partial = connection.execute(
        "SELECT size_bytes, held FROM partials WHERE object_id = ?", (object_id,)
    ).fetchone()
    return None if partial is None else _partial_row(partial[0], partial[1])


def _partial_row(size: int, held: str) -> ObjectRow:
    spans = tuple((int(start), int(stop)) for start, stop in json.loads(held))
    return ObjectRow(size, HeldState(spans, complete=False))


def partials(connection: sqlite3.Connection) -> list[tuple[str, ObjectRow]]:
    """Return id and row of every partial object."""
    rows = connection.execute("SELECT object_id, size_bytes, held FROM partials").fetchall()
    return [(object_id, _partial_row(size, held)) for object_id, size, held in rows]


def rows_with_files(connection: sqlite3.Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Return sizes by id: of whole objects that are files, and of partial ones."""
    whole = connection.execute("SELECT object_id, size_bytes FROM objects WHERE body IS NULL")
    partial = connection.execute("SELECT object_id, size_bytes FROM partials")
    return dict(whole.fetchall()), dict(partial.fetchall())


def total_bytes(connection: sqlite3.Connection) -> int:
    """Count the bytes of all objects, partial ones at full size."""
    return int(
        connection.execute(
            "SELECT (SELECT coalesce(sum(size_bytes), 0) FROM objects)"
            " + (SELECT coalesce(sum(size_bytes), 0) FROM partials)"
        ).fetchone()[0]
    )


def owner(connection: sqlite3.Connection) -> str:
    """Return the name under which the database owns its folders; made once."""
    row = connection.execute("SELECT owner FROM object_owner").fetchone()
    if row is not None:
        return str(row[0])
    made = uuid.uuid4().hex
    connection.execute("INSERT INTO object_owner (owner) VALUES (?)", (made,))
    return made
