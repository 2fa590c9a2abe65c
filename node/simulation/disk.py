"""A store in memory with the verbs and the answers of the real one. It survives a power loss."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from node.core.events import Restored, StoredJob
from node.icd import InferenceReport, JobSpec, Manifest, Span
from node.transfer.ranges import RangeSet

_OPEN = frozenset({"received", "queued", "deferred", "running", "stored"})


@dataclass(slots=True)
class _Row:
    manifest: Manifest
    state: str
    result: Manifest | None = None


class SimulatedDisk:
    """Jobs, and which bytes of their inputs are there."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._held: dict[str, RangeSet] = {}

    def insert_job(self, manifest: Manifest, state: str) -> tuple[str, bool]:
        """Keep a job once; return its state and whether it was there before."""
        known = manifest.job.job_id in self._rows
        row = self._rows.setdefault(manifest.job.job_id, _Row(manifest, state))
        return row.state, known

    def set_state(self, job_id: str, state: str) -> None:
        """Keep a job's new state."""
        self._rows[job_id].state = state

    def state(self, job_id: str) -> str | None:
        """Return a job's state; None for a job that never came."""
        row = self._rows.get(job_id)
        return None if row is None else row.state

    def store_result(self, job: JobSpec, report: InferenceReport, size_bytes: int) -> Manifest:
        """Keep a result; a job has one result, whatever is stored later."""
        row = self._rows[job.job_id]
        if row.result is None:
            object_id = hashlib.sha256(f"result {job.job_id}".encode()).hexdigest()
            row.result = Manifest(
                object_id=object_id, size_bytes=size_bytes, job=job, report=report
            )
            row.state = "stored"
        return row.result

    def held(self, object_id: str) -> tuple[Span, ...]:
        """Return what is there of an input."""
        return self._held.setdefault(object_id, RangeSet()).spans

    def write(self, manifest: Manifest, span: Span) -> bool:
        """Keep bytes of an input; say whether it is whole."""
        held = self._held.setdefault(manifest.object_id, RangeSet())
        held.add(*span)
        return held.covers(0, manifest.size_bytes)

    def restore(self) -> Restored:
        """Return every job that has not ended."""
        return Restored(
            tuple(
                StoredJob(row.manifest, row.state, row.result, self.held(row.manifest.object_id))
                for row in self._rows.values()
                if row.state in _OPEN
            )
        )
