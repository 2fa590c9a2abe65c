"""What the node keeps through a power loss: jobs, their inputs and results, and the emulation.

Every verb returns after its commit. The input of a job is kept while the job can still run; the
result until the ground has it; the row of a job stays, so that a job that is offered again is
known. Objects shared by jobs (same bytes) go with the last job that needs them.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from node.core.events import Restored, StoredJob
from node.core.jobs import ENDED, WAITING, JobState
from node.errors import MessageError, StoreError
from node.icd import Chunk, InferenceReport, JobSpec, Manifest
from node.store.database import Database
from node.store.object_rows import OBJECTS_SCHEMA, HeldState, held_state
from node.store.objects import ObjectStore

_SCHEMA_1 = (
    OBJECTS_SCHEMA
    + """
CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_s REAL, -- mission time of the last change of state
    manifest BLOB NOT NULL, -- JSON
    input_id TEXT NOT NULL,
    result BLOB, -- JSON of the result's manifest
    result_id TEXT
);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_input ON jobs (input_id);
CREATE INDEX jobs_by_result ON jobs (result_id);
CREATE TABLE emulation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    state TEXT NOT NULL -- JSON
);
"""
)
MIGRATIONS = (_SCHEMA_1,)

# Values, not members: the hash of a member is not that of its value.
_NEEDS_INPUT = frozenset(state.value for state in (JobState.RECEIVED, JobState.RUNNING, *WAITING))
_NEEDS_INPUT_SQL = ", ".join(f"'{state}'" for state in sorted(_NEEDS_INPUT))
_ENDED_SQL = ", ".join(f"'{state.value}'" for state in sorted(ENDED))


class StoreCounters(NamedTuple):
    """State of the store, for metrics."""

    size_bytes: int
    max_bytes: int
    commits: int
    lost_objects: int
    """Objects whose file was gone at start."""
    set_aside: int
    """1 where the database of this start was corrupt."""


class NodeStore:
    """The node's state folder."""

    def __init__(self, folder: Path, *, max_bytes: int, max_jobs: int) -> None:
        """Open or make it; blocks, so do it before the loop runs.

        Args:
            folder: the state folder.
            max_bytes: of all objects together.
            max_jobs: rows kept; the oldest jobs that have ended make room for new ones.

        Raises:
            StoreError: another process has it open, or the disk refuses.
        """
        self._database = Database(folder / "node.sqlite3", MIGRATIONS)
        try:
            self._objects = ObjectStore(folder, self._database, max_bytes)
        except BaseException:
            self._database.close_now()
            raise
        self._max_jobs = max_jobs

    @property
    def set_aside(self) -> Path | None:
        """Where the corrupt database of this start went; None where all was well."""
        return self._database.set_aside

    @property
    def counters(self) -> StoreCounters:
        """State of the store now."""
        return StoreCounters(
            size_bytes=self._objects.size_bytes,
            max_bytes=self._objects.max_bytes,
            commits=self._database.groups,
            lost_objects=len(self._objects.lost),
            set_aside=0 if self.set_aside is None else 1,
        )

    async def insert_job(self, manifest: Manifest, state: str, reason: str) -> tuple[str, bool]:
        """Put an offered job on disk; return its state and whether it was known before.

        A known job keeps its state.
        """

        def insert(connection: sqlite3.Connection) -> tuple[str, bool]:
            known = connection.execute(
                "SELECT state FROM jobs WHERE job_id = ?", (manifest.job.job_id,)
            ).fetchone()
            if known is not None:
                return str(known[0]), True
            surplus = _count(connection) + 1 - self._max_jobs
            connection.execute(
                "DELETE FROM jobs WHERE sequence IN (SELECT sequence FROM jobs"  # noqa: S608 - fixed states
                f" WHERE state IN ({_ENDED_SQL}) ORDER BY sequence LIMIT ?)",
                (max(0, surplus),),
            )
            connection.execute(
                "INSERT INTO jobs (job_id, state, reason, changed_s, manifest, input_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    manifest.job.job_id,
                    state,
                    reason,
                    manifest.job.submitted_s,
                    msgspec.json.encode(manifest),
                    manifest.object_id,
                ),
            )
            return state, False

        return await self._database.write(insert)

    async def reason(self, job_id: str) -> str:
        """Return why a job is in its state; empty where there is nothing to say."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT reason FROM jobs WHERE job_id = ?", (job_id,)
            ).fetchone()
        )
        return "" if row is None else str(row[0])

    async def set_job_state(self, job_id: str, state: str, reason: str, mission_s: float) -> None:
        """Put a job's new state on disk; drop its input once it cannot run any more.

        A job that has its result or has ended stays so: this may be a late repetition.

        Raises:
            StoreError: there is no such job, or the disk refuses.
        """

        def change(connection: sqlite3.Connection) -> tuple[str, ...]:
            connection.execute(
                "UPDATE jobs SET state = ?, reason = ?, changed_s = ?"  # noqa: S608 - fixed states
                f" WHERE job_id = ? AND state IN ({_NEEDS_INPUT_SQL})",
                (state, reason, mission_s, job_id),
            )
            return _unneeded(connection, _objects_of(connection, job_id))

        if state in _NEEDS_INPUT:
            await self._database.write(change)
        else:
            await self._objects.release(change)

    async def store_result(self, job: JobSpec, report: InferenceReport, data: bytes) -> Manifest:
        """Keep a result: object, row and state ``stored`` in one commit; drop the job's input.

        Raises:
            StoreError: full, no such job, or the disk refuses; nothing was kept.
        """

        def manifest_of(object_id: str) -> Manifest:
            return Manifest(object_id=object_id, size_bytes=len(data), job=job, report=report)

        def keep(connection: sqlite3.Connection, object_id: str) -> None:
            changed = connection.execute(
                "UPDATE jobs SET state = ?, reason = '', changed_s = ?, result = ?, result_id = ?"
                " WHERE job_id = ?",
                (
                    JobState.STORED.value,
                    report.finished_s,
                    msgspec.json.encode(manifest_of(object_id)),
                    object_id,
                    job.job_id,
                ),
            )
            if not changed.rowcount:
                raise StoreError(f"no job {job.job_id}")

        object_id = await self._objects.put(data, keep)
        await self._objects.release(
            lambda connection: _unneeded(connection, _objects_of(connection, job.job_id))
        )
        return manifest_of(object_id)

    async def release_result(self, job_id: str) -> None:
        """The ground holds the result: state ``delivered``, the bytes go, the row stays."""

        def deliver(connection: sqlite3.Connection) -> tuple[str, ...]:
            connection.execute(
                "UPDATE jobs SET state = ? WHERE job_id = ? AND state = ?",
                (JobState.DELIVERED.value, job_id, JobState.STORED.value),
            )
            return _unneeded(connection, _objects_of(connection, job_id))

        await self._objects.release(deliver)

    async def restore(self) -> Restored:
        """Return every job that has not ended, after sweeping objects that no job needs.

        A job whose result was lost on disk has ``failed``, so it is not among them.
        """
        await self._objects.release(_mend)
        return Restored(jobs=await self._database.read(_open_jobs))

    async def write_chunk(self, chunk: Chunk) -> HeldState:
        """Keep a piece of a job's input; return what is on disk once the piece is.

        Raises:
            MessageError: the CRC-32 is wrong.
            StoreError: no job waits for this object, full, or the disk refuses.
            ObjectMismatchError: the whole hash is wrong; the object begins again from nothing.
        """
        if zlib.crc32(chunk.data) != chunk.crc32:
            raise MessageError(f"chunk of {chunk.object_id} at {chunk.offset} has a wrong CRC-32")
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT manifest FROM jobs"  # noqa: S608 - fixed states
                f" WHERE input_id = ? AND state IN ({_NEEDS_INPUT_SQL}) LIMIT 1",
                (chunk.object_id,),
            ).fetchone()
        )
        if row is None:
            raise StoreError(f"no job waits for object {chunk.object_id}")
        size = msgspec.json.decode(row[0], type=Manifest).size_bytes
        return await self._objects.write_span(chunk.object_id, size, chunk.offset, chunk.data)

    async def held(self, object_id: str) -> HeldState:
        """Return what is on disk of an object; nothing, where it is unknown."""
        return await self._objects.held(object_id)

    async def put_input(self, data: bytes) -> str:
        """Keep an input that did not come by radio; insert its job before the next ``restore``."""
        return await self._objects.put(data)

    async def input_bytes(self, job_id: str) -> bytes:
        """Return a job's input, its hash checked.

        Raises:
            StoreError: no such job, or its input is not whole.
        """
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT input_id FROM jobs WHERE job_id = ?", (job_id,)
            ).fetchone()
        )
        if row is None:
            raise StoreError(f"no job {job_id}")
        return await self._objects.read(row[0])

    async def read_span(self, object_id: str, start: int, stop: int) -> bytes:
        """Return bytes ``[start, stop)`` of a whole object, for a chunk.

        Raises:
            StoreError: not here, outside the object, or unreadable.
        """
        return await self._objects.read_span(object_id, start, stop)

    async def save_emulation(self, state: Mapping[str, Any]) -> None:
        """Keep the emulation's state; a power cut of the host may take the last seconds of it."""
        text = json.dumps(state, allow_nan=False)
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO emulation (one, state) VALUES (1, ?)", (text,)
            ),
            durable=False,
        )

    async def load_emulation(self) -> dict[str, Any] | None:
        """Return what ``save_emulation`` kept last, or None."""
        row = await self._database.read(
            lambda connection: connection.execute("SELECT state FROM emulation").fetchone()
        )
        if row is None:
            return None
        state: dict[str, Any] = json.loads(row[0])
        return state

    async def close(self) -> None:
        """Finish what was begun and close the files."""
        await self._objects.close()
        await self._database.close()


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])


def _objects_of(connection: sqlite3.Connection, job_id: str) -> tuple[str, ...]:
    """Return input and result of a job.

    Raises:
        StoreError: there is no such job.
    """
    row = connection.execute(
        "SELECT input_id, result_id FROM jobs WHERE job_id = ?", (job_id,)
    ).fetchone()
    if row is None:
        raise StoreError(f"no job {job_id}")
    return tuple(object_id for object_id in row if object_id is not None)


def _unneeded(connection: sqlite3.Connection, object_ids: Iterable[str]) -> tuple[str, ...]:
    """Return those objects that no job needs: to run, or to deliver."""
    return tuple(
        object_id
        for object_id in object_ids
        if connection.execute(
            "SELECT 1 FROM jobs"  # noqa: S608 - fixed states
            f" WHERE (input_id = :id AND state IN ({_NEEDS_INPUT_SQL}))"
            " OR (result_id = :id AND state = 'stored') LIMIT 1",
            {"id": object_id},
        ).fetchone()
        is None
    )


def _mend(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Fail jobs whose result is gone; return the objects that nobody needs."""
    connection.execute(
        "UPDATE jobs SET state = ?, reason = 'result lost on disk'"
        " WHERE state = ? AND result_id NOT IN (SELECT object_id FROM objects)",
        (JobState.FAILED.value, JobState.STORED.value),
    )
    present = connection.execute(
        "SELECT object_id FROM objects UNION SELECT object_id FROM partials"
    )
    return _unneeded(connection, [row[0] for row in present.fetchall()])


def _open_jobs(connection: sqlite3.Connection) -> tuple[StoredJob, ...]:
    rows = connection.execute(
        "SELECT manifest, state, result, input_id FROM jobs"  # noqa: S608 - fixed states
        f" WHERE state NOT IN ({_ENDED_SQL}) ORDER BY sequence"
    ).fetchall()
    return tuple(
        StoredJob(
            manifest=msgspec.json.decode(manifest, type=Manifest),
            state=state,
            result=None if result is None else msgspec.json.decode(result, type=Manifest),
            held=held_state(connection, input_id).held,
        )
        for manifest, state, result, input_id in rows
    )
