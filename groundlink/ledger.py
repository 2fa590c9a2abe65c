"""What the ground keeps: jobs with their inputs, results with their bytes.

A job is in the ledger, its input on disk, before its submitter hears so. A result counts once: the
first one that comes in whole for a job stays, whatever arrives later. The input is kept while the
job can still need it.

States of a job are ``submitted`` (the node has not heard of it), then the node's own words, then
``delivered`` (its result is here) or ``lost`` (the node says that it delivered a result, and the
ground has none).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from groundlink.ledger_rows import (
    DELIVERED,
    ENDED,
    LOST,
    MIGRATIONS,
    SUBMITTED,
    JobRecord,
    OpenOffer,
    ResultRecord,
    open_jobs,
    open_results,
    records,
    result_record,
    same_job,
    unneeded,
    unneeded_everywhere,
)
from node.core.jobs import JobState
from node.icd import Ack, JobSpec, Manifest
from node.store.database import Database
from node.store.objects import ObjectStore

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


class Ledger:
    """The ground's state folder."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """Open or make it; blocks, so do it before the loop runs.

        Raises:
            StoreError: another process has it open, or the disk refuses.
        """
        self._database = Database(folder / "ground.sqlite3", MIGRATIONS)
        try:
            self.objects = ObjectStore(folder, self._database, max_bytes)
        except BaseException:
            self._database.close_now()
            raise

    @property
    def set_aside(self) -> Path | None:
        """Where the corrupt database of this start went; None where all was well."""
        return self._database.set_aside

    async def submit(self, node: str, spec: JobSpec, data: bytes) -> tuple[JobRecord, Manifest]:
        """Take custody of a job; return it, and what to offer the node.

        A job that is known is returned as it stands.

        Raises:
            GroundError: the job id is known for another node, model or input.
            StoreError: full, or the disk refuses; nothing was kept.
        """

        def insert(connection: sqlite3.Connection, object_id: str) -> None:
            connection.execute(
                "INSERT OR IGNORE INTO jobs (job_id, node, spec, input_id, input_bytes, state,"
                " reason, changed_s) VALUES (?, ?, ?, ?, ?, ?, '', ?)",
                (
                    spec.job_id,
                    node,
                    msgspec.json.encode(spec),
                    object_id,
                    len(data),
                    SUBMITTED,
                    spec.submitted_s,
                ),
            )
            # Refuses another job of this id, and with it the object that came along.
            same_job(connection, node, spec, object_id)

        known = await self.job(spec.job_id)
        if known is not None and known.state in ENDED:
            # Its input is gone already, and must not come back.
            object_id = await asyncio.to_thread(_sha256, data)
        else:
            object_id = await self.objects.put(data, insert)
        return await self._database.read(
            lambda connection: same_job(connection, node, spec, object_id)
        )

    async def job(self, job_id: str) -> JobRecord | None:
        """Return a job or None."""
        found = await self._database.read(
            lambda connection: records(connection, "WHERE jobs.job_id = ?", (job_id,))
        )
        return found[0] if found else None

    async def jobs(self) -> list[JobRecord]:
        """Return every job in the order of submission."""
        return await self._database.read(lambda connection: records(connection, ""))

    async def counts(self) -> dict[str, int]:
        """Jobs by state."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state"
            ).fetchall()
        )
        return {str(state): int(count) for state, count in rows}

    async def acknowledge(self, node: str, ack: Ack) -> str | None:
        """Take the node's word on a job; return the state that stands now, None if unknown.

        What has ended stays ended. ``delivered`` from the node, without a result here, is ``lost``.
        """

        def change(connection: sqlite3.Connection) -> tuple[str | None, tuple[str, ...]]:
            row = connection.execute(
                "SELECT state, input_id FROM jobs WHERE job_id = ? AND node = ?",
                (ack.job_id, node),
            ).fetchone()
            if row is None or row[0] in ENDED:
                return (None if row is None else str(row[0])), ()
            state = LOST if ack.state == DELIVERED else ack.state
            connection.execute(
                "UPDATE jobs SET state = ?, reason = ?, changed_s = ?, until_s = ?"
                " WHERE job_id = ?",
                (state, ack.reason, ack.mission_s, ack.until_s, ack.job_id),
            )
            return state, unneeded(connection, [row[1]])

        return await self._change(change)

    async def announce_result(self, node: str, manifest: Manifest) -> bool:
        """Note that a node has a result; return whether the job's result is here already.

        A job that the ground does not know (its ledger was lost) is taken up from the manifest.
        """
        job = manifest.job

        def note(connection: sqlite3.Connection) -> tuple[bool, tuple[str, ...]]:
            connection.execute(
                "INSERT OR IGNORE INTO jobs (job_id, node, spec, input_bytes, state, reason,"
                " changed_s) VALUES (?, ?, ?, 0, ?, '', ?)",
                (
                    job.job_id,
                    node,
                    msgspec.json.encode(job),
                    JobState.STORED.value,
                    job.submitted_s,
                ),
            )
            row = connection.execute(
                "SELECT object_id, received_s FROM results WHERE job_id = ?", (job.job_id,)
            ).fetchone()
            if row is not None and row[1] is not None:
                return True, ()
            connection.execute(
                "INSERT OR REPLACE INTO results (job_id, object_id, manifest) VALUES (?, ?, ?)",
                (job.job_id, manifest.object_id, msgspec.json.encode(manifest)),
            )
            return False, unneeded(connection, [row[0]] if row is not None else [])

        return await self._change(note)

    async def receive_result(self, object_id: str, mission_s: float) -> list[str]:
        """The object is whole on disk: every job that it is the result of is delivered.

        Returns:
            The jobs that are delivered by this call.
        """

        def deliver(connection: sqlite3.Connection) -> tuple[list[str], tuple[str, ...]]:
            rows = connection.execute(
                "SELECT results.job_id, jobs.input_id FROM results JOIN jobs USING (job_id)"
                " WHERE object_id = ? AND received_s IS NULL ORDER BY jobs.sequence",
                (object_id,),
            ).fetchall()
            for job_id, _ in rows:
                connection.execute(
                    "UPDATE results SET received_s = ?,"
                    " arrival = (SELECT coalesce(max(arrival), 0) + 1 FROM results)"
                    " WHERE job_id = ?",
                    (mission_s, job_id),
                )
                connection.execute(
                    "UPDATE jobs SET state = ?, reason = '', changed_s = ?, until_s = NULL"
                    " WHERE job_id = ?",
                    (DELIVERED, mission_s, job_id),
                )
            return [row[0] for row in rows], unneeded(connection, [row[1] for row in rows])

        return await self._change(deliver)

    async def delivered_as(self, object_id: str) -> list[str]:
        """Return the jobs whose result is here as this object."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT job_id FROM results WHERE object_id = ? AND received_s IS NOT NULL",
                (object_id,),
            ).fetchall()
        )
        return [row[0] for row in rows]

    async def results(self, after: int = 0) -> list[ResultRecord]:
        """Return the results that are here, in the order of arrival, from ``after`` on."""
        return await self._database.read(
            lambda connection: [
                result_record(*row)
                for row in connection.execute(
                    "SELECT arrival, node, received_s, manifest FROM results"
                    " JOIN jobs USING (job_id) WHERE arrival > ? ORDER BY arrival",
                    (after,),
                )
            ]
        )

    async def result_object(self, job_id: str) -> str | None:
        """Return the object id of a job's result, or None while it is not here."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT object_id FROM results WHERE job_id = ? AND received_s IS NOT NULL",
                (job_id,),
            ).fetchone()
        )
        return None if row is None else str(row[0])

    async def open_jobs(self) -> list[OpenOffer]:
        """Return every job that has not ended, in order of submission.

        A job that no result brought up has its input here.
        """
        return await self._database.read(open_jobs)

    async def open_results(self) -> list[OpenOffer]:
        """Return every result that is announced and not whole."""
        return await self._database.read(open_results)

    async def mend(self, mission_s: float) -> None:
        """Finish what an interruption left between two commits; call once, at start."""
        for offer in await self.open_results():
            if offer.held.complete:
                await self.receive_result(offer.manifest.object_id, mission_s)
        for offer in await self.open_jobs():
            if not offer.held.complete:
                job_id = offer.manifest.job.job_id
                logger.error(
                    "input lost on disk job=%s object=%s", job_id, offer.manifest.object_id
                )
                failed = Ack(job_id, JobState.FAILED.value, mission_s, "input lost on the ground")
                await self.acknowledge(offer.node, failed)
        await self.objects.release(unneeded_everywhere)

    def close_now(self) -> None:
        """Finish what was begun and close the files; blocks."""
        self.objects.close_now()
        self._database.close_now()

    async def _change(
        self, work: Callable[[sqlite3.Connection], tuple[Value, tuple[str, ...]]]
    ) -> Value:
        """Run SQL that returns a value and, in the same commit, forget the objects it names."""
        values: list[Value] = []

        def choose(connection: sqlite3.Connection) -> tuple[str, ...]:
            value, gone = work(connection)
            values.append(value)
            return gone

        await self.objects.release(choose)
        return values[-1]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
