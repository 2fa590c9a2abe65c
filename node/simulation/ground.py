"""A ground segment in memory: submits the workload, answers transfers, keeps a ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from node.config.scenario import Workload
from node.icd import Ack, JobSpec, Manifest, Priority, Receipt, Span
from node.transfer.ranges import RangeSet
from node.transfer.responder import Responder

_KNOWN = frozenset({"submitted", "delivered", "rejected", "expired", "failed"})
"""States of jobs that the ground has itself, or need not have any more."""


@dataclass(slots=True)
class LedgerEntry:
    """What the ground knows of one job."""

    manifest: Manifest
    state: str = "submitted"
    deliveries: int = 0
    """Different results that were taken in; more than one is a duplicate."""
    delivered_s: float | None = None


class SimulatedGround:
    """The other end of the link, with the same pure protocol as the real ground."""

    def __init__(self) -> None:
        self.responder = Responder("ground-1")
        self.ledger: dict[str, LedgerEntry] = {}
        self._held: dict[str, RangeSet] = {}
        self._waiting: dict[str, list[Manifest]] = {}
        """Results by the object that is still on its way."""
        self._whole: set[str] = set()

    def submit(self, manifest: Manifest) -> list[Manifest]:
        """Take custody of a job; return what to send now."""
        self.ledger[manifest.job.job_id] = LedgerEntry(manifest)
        return self.responder.offer(manifest)

    def acknowledged(self, ack: Ack) -> None:
        """The node reported a job's state."""
        entry = self.ledger[ack.job_id]
        if entry.state != "delivered":
            entry.state = ack.state
        if ack.state in {"rejected", "expired", "failed"}:
            self.responder.job_ended(ack.job_id)

    def result_offered(self, manifest: Manifest, now: float) -> Receipt:
        """The node offers a result; answer with what is held of it."""
        if manifest.object_id in self._whole:
            self._deliver(manifest, now)
            return _whole_receipt(manifest)
        waiting = self._waiting.setdefault(manifest.object_id, [])
        if manifest not in waiting:
            waiting.append(manifest)
        return self.responder.handle_manifest(manifest)

    def chunk_arrived(self, object_id: str, span: Span, now: float) -> Receipt | None:
        """Bytes of a result arrived; store them and answer with what is held of it."""
        manifest = self.responder.incoming(object_id)
        if manifest is None:
            return None
        held = self._held.setdefault(object_id, RangeSet())
        held.add(*span)
        complete = held.covers(0, manifest.size_bytes)
        noted: list[str] = []
        if complete:
            self._whole.add(object_id)
            for result in self._waiting.pop(object_id):
                # Of a job that is delivered this is a second result, taken in all the same.
                self.ledger[result.job.job_id].deliveries += self._is_delivered(result)
                self._deliver(result, now)
                noted.append(result.job.job_id)
        return self.responder.chunk_stored(object_id, held.spans, complete=complete, jobs=noted)

    def settle(self, on_board: Callable[[str], bool]) -> None:
        """At the end of a run, call the jobs lost that the node took and has no more.

        Args:
            on_board: says of a job whether the node has it on disk.
        """
        for job_id, entry in self.ledger.items():
            if entry.state not in _KNOWN and not on_board(job_id):
                entry.state = "lost"

    def _is_delivered(self, result: Manifest) -> bool:
        return self.ledger[result.job.job_id].state == "delivered"

    def _deliver(self, result: Manifest, now: float) -> None:
        entry = self.ledger[result.job.job_id]
        if not self._is_delivered(result):
            entry.state = "delivered"
            entry.delivered_s = now
            entry.deliveries += 1
        self.responder.job_ended(result.job.job_id)


def _whole_receipt(manifest: Manifest) -> Receipt:
    return Receipt(object_id=manifest.object_id, held=[], complete=True, jobs=[manifest.job.job_id])


def workload_jobs(workloads: list[Workload]) -> Iterator[tuple[float, Manifest]]:
    """Yield every job of the scenario's workload with its time of submission."""
    for number, workload in enumerate(workloads):
        for index in range(workload.count):
            submitted_s = workload.first_s + index * workload.every_s
            job_id = f"w{number}-{index:06d}"
            deadline_s = (
                None
                if workload.deadline_after_s is None
                else submitted_s + workload.deadline_after_s
            )
            yield (
                submitted_s,
                Manifest(
                    object_id=hashlib.sha256(f"input {job_id}".encode()).hexdigest(),
                    size_bytes=workload.input_bytes,
                    job=JobSpec(
                        job_id=job_id,
                        model=workload.model,
                        priority=Priority(workload.priority),
                        deadline_s=deadline_s,
                        submitted_s=submitted_s,
                    ),
                ),
            )
