"""The rows of the ground's ledger: tables, records, and the SQL that reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from node.core.jobs import ENDED_BADLY, JobState
from node.errors import GroundError
from node.icd import InferenceReport, JobSpec, Manifest, Priority
from node.store.object_rows import OBJECTS_SCHEMA, HeldState, held_state

SUBMITTED = "submitted"
LOST = "lost"
DELIVERED = JobState.DELIVERED.value
ENDED = frozenset({DELIVERED, LOST, *(state.value for state in ENDED_BADLY)})
_ENDED_SQL = ", ".join(f"'{state}'" for state in sorted(ENDED))

_SCHEMA_1 = (
    OBJECTS_SCHEMA
    + """
CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    node TEXT NOT NULL,
    spec BLOB NOT NULL, -- JSON
    input_id TEXT, -- NULL: the node brought the job up, its input was never here
    input_bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_s REAL NOT NULL, -- mission time of the last change of state
    until_s REAL -- while deferred: until when, if the node knows
);
CREATE INDEX jobs_by_input ON jobs (input_id);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE results (
    job_id TEXT PRIMARY KEY REFERENCES jobs (job_id),
    object_id TEXT NOT NULL,
    manifest BLOB NOT NULL, -- JSON
    received_s REAL, -- mission time; NULL while the bytes come in
    arrival INTEGER UNIQUE -- counts results in the order in which they became whole
);
CREATE INDEX results_by_object ON results (object_id);
"""
)
MIGRATIONS = (_SCHEMA_1,)


class JobRecord(Struct, frozen=True):
    """A job as the ground knows it; times are mission seconds."""

    job_id: str
    node: str
    model: str
    priority: Priority
    state: str
    reason: str
    submitted_s: float
    changed_s: float
    deadline_s: float | None
    until_s: float | None
    """While deferred: until when, if the node knows."""
    input_bytes: int
    delivered_s: float | None
    """When the result was whole on the ground's disk."""
    deliveries: int
    """Results that count for this job: 0 or 1."""
    result: Manifest | None
    """Once it is delivered."""


class ResultRecord(Struct, frozen=True):
    """A result that is here."""

    arrival: int
    job_id: str
    node: str
    object_id: str
    size_bytes: int
    received_s: float
    report: InferenceReport | None


class OpenOffer(NamedTuple):
    """An object that one end still owes the other, with its node."""

    node: str
    manifest: Manifest
    held: HeldState
    """What is on our disk of it."""


def unneeded(connection: sqlite3.Connection, object_ids: Iterable[str | None]) -> tuple[str, ...]:
    """Return those objects that no job and no result needs."""
    return tuple(
        object_id
        for object_id in object_ids
        if object_id is not None
        and connection.execute(
            "SELECT 1 FROM jobs"  # noqa: S608 - fixed states
            f" WHERE input_id = :id AND state NOT IN ({_ENDED_SQL})"
            " UNION ALL SELECT 1 FROM results WHERE object_id = :id LIMIT 1",
            {"id": object_id},
        ).fetchone()
        is None
    )


def unneeded_everywhere(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return every object that no job and no result needs."""
    rows = connection.execute("SELECT object_id FROM objects UNION SELECT object_id FROM partials")
    return unneeded(connection, [row[0] for row in rows.fetchall()])


def same_job(
    connection: sqlite3.Connection, node: str, spec: JobSpec, object_id: str
) -> tuple[JobRecord, Manifest]:
    """Return the job as it stands.

    Raises:
        GroundError: it is for another node, model or input.
    """
    record = records(connection, "WHERE jobs.job_id = ?", (spec.job_id,))[0]
    input_id, stored = connection.execute(
        "SELECT input_id, spec FROM jobs WHERE job_id = ?", (spec.job_id,)
    ).fetchone()
    if (record.node, record.model) != (node, spec.model) or input_id not in (None, object_id):
        raise GroundError(
            f"job {spec.job_id} is known for node {record.node}, model {record.model}"
            + ("" if input_id in (None, object_id) else " and another input")
        )
    job = msgspec.json.decode(stored, type=JobSpec)
    return record, Manifest(object_id=object_id, size_bytes=record.input_bytes, job=job)


def records(
    connection: sqlite3.Connection, where: str, values: tuple[str, ...] = ()
) -> list[JobRecord]:
    """Return the jobs that a WHERE clause picks, in order of submission."""
    rows = connection.execute(
        "SELECT node, spec, state, reason, changed_s, until_s, input_bytes, manifest, received_s"  # noqa: S608 - ``where`` is ours
        f" FROM jobs LEFT JOIN results USING (job_id) {where} ORDER BY jobs.sequence",
        values,
    ).fetchall()
    return [_record(*row) for row in rows]


def _record(
    node: str,
    spec: bytes,
    state: str,
    reason: str,
    changed_s: float,
    until_s: float | None,
    input_bytes: int,
    result: bytes | None,
    received_s: float | None,
) -> JobRecord:
    job = msgspec.json.decode(spec, type=JobSpec)
    here = result is not None and received_s is not None
    return JobRecord(
        job_id=job.job_id,
        node=node,
        model=job.model,
        priority=job.priority,
        state=state,
        reason=reason,
        submitted_s=job.submitted_s,
        changed_s=changed_s,
        deadline_s=job.deadline_s,
        until_s=until_s,
        input_bytes=input_bytes,
        delivered_s=received_s,
        deliveries=int(here),
        result=_decode(result) if here and result is not None else None,
    )


def result_record(arrival: int, node: str, received_s: float, manifest: bytes) -> ResultRecord:
    """Make a record of one row."""
    result = _decode(manifest)
    return ResultRecord(
        arrival=arrival,
        job_id=result.job.job_id,
        node=node,
        object_id=result.object_id,
        size_bytes=result.size_bytes,
        received_s=received_s,
        report=result.report,
    )


def open_jobs(connection: sqlite3.Connection) -> list[OpenOffer]:
    """Return every job that has not ended and was submitted here, in order of submission."""
    rows = connection.execute(
        "SELECT node, spec, input_id, input_bytes FROM jobs"  # noqa: S608 - fixed states
        f" WHERE state NOT IN ({_ENDED_SQL}) AND input_id IS NOT NULL ORDER BY sequence"
    ).fetchall()
    return [
        OpenOffer(
            node,
            Manifest(input_id, size, msgspec.json.decode(spec, type=JobSpec)),
            held_state(connection, input_id),
        )
        for node, spec, input_id, size in rows
    ]


def open_results(connection: sqlite3.Connection) -> list[OpenOffer]:
    """Return every result that is announced and not whole."""
    rows = connection.execute(
        "SELECT node, manifest, object_id FROM results JOIN jobs USING (job_id)"
        " WHERE received_s IS NULL ORDER BY sequence"
    ).fetchall()
    return [
        OpenOffer(node, _decode(manifest), held_state(connection, object_id))
        for node, manifest, object_id in rows
    ]


def _decode(manifest: bytes) -> Manifest:
    return msgspec.json.decode(manifest, type=Manifest)
