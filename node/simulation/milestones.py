"""When each job of a simulated run passed each point of its way, and how long it was in contact."""

from __future__ import annotations

from dataclasses import dataclass

from node.icd import Manifest


@dataclass(frozen=True, slots=True)
class Mark:
    """One instant."""

    mission_s: float
    linked_s: float
    """How long the link had been up by then, all sessions together."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The last byte of something at its receiver."""

    at: Mark
    light_time_s: float
    backhaul_s: float


@dataclass(slots=True)
class JobMilestones:
    """The way of one job; None where it has not come so far."""

    manifest: Manifest
    submitted: Mark
    offered_s: float | None = None
    """The node hears of it."""
    uploaded: Arrival | None = None
    """The whole input is on board."""
    started_s: float | None = None
    """Of the last run."""
    finished: Mark | None = None
    """Of the run that ended well."""
    result_bytes: int | None = None
    """Of the result, once it is on disk."""
    energy_j: float = 0.0
    """Above idle, of the run that ended well."""
    announced_s: float | None = None
    """The first message of the downlink is sent."""
    turned_away: bool = False
    """Rejected, expired or failed."""
    delivered: Arrival | None = None
    """The ground has the whole result."""


class Milestones:
    """Takes down what the hands do; every first time counts, of runs the last."""

    def __init__(self) -> None:
        self.jobs: dict[str, JobMilestones] = {}
        self.input_queue_bytes = 0
        """Of inputs that are still to come on board whole."""
        self.result_queue_bytes = 0
        """Of results on board that the ground does not have."""
        self._objects: dict[str, str] = {}
        """Job by its input."""
        self._linked_s = 0.0
        self._linked_since_s: float | None = None

    def mark(self, now: float) -> Mark:
        """Return this instant."""
        running_s = 0.0 if self._linked_since_s is None else now - self._linked_since_s
        return Mark(now, self._linked_s + running_s)

    def linked(self, now: float) -> None:
        """A session begins."""
        self.cut(now)
        self._linked_since_s = now

    def cut(self, now: float) -> None:
        """The session ends, if there is one."""
        self._linked_s = self.mark(now).linked_s
        self._linked_since_s = None

    def submitted(self, manifest: Manifest, now: float) -> None:
        """The ground takes a job."""
        self.jobs[manifest.job.job_id] = JobMilestones(manifest, self.mark(now))
        self._objects[manifest.object_id] = manifest.job.job_id
        self.input_queue_bytes += manifest.size_bytes

    def offered(self, job_id: str, now: float) -> None:
        """The node hears of a job."""
        job = self.jobs[job_id]
        if job.offered_s is None:
            job.offered_s = now

    def uploaded(self, object_id: str, now: float, light_time_s: float, backhaul_s: float) -> None:
        """An input is whole on board."""
        job = self.jobs[self._objects[object_id]]
        if job.uploaded is None:
            job.uploaded = Arrival(self.mark(now), light_time_s, backhaul_s)
            self.input_queue_bytes -= job.manifest.size_bytes

    def started(self, job_id: str, now: float) -> None:
        """A run begins."""
        self.jobs[job_id].started_s = now

    def finished(self, job_id: str, now: float, energy_j: float) -> None:
        """A run ended well."""
        job = self.jobs[job_id]
        job.finished = self.mark(now)
        job.energy_j = energy_j

    def stored(self, job_id: str, size_bytes: int) -> None:
        """A result is on disk."""
        job = self.jobs[job_id]
        if job.result_bytes is None:
            job.result_bytes = size_bytes
            self.result_queue_bytes += size_bytes

    def turned_away(self, job_id: str) -> None:
        """A job has ended badly: what is not on board of its input will not come."""
        job = self.jobs[job_id]
        if job.uploaded is None and not job.turned_away:
            self.input_queue_bytes -= job.manifest.size_bytes
        job.turned_away = True

    def announced(self, job_id: str, now: float) -> None:
        """The node offers a result."""
        job = self.jobs[job_id]
        if job.announced_s is None:
            job.announced_s = now

    def delivered(self, job_id: str, now: float, light_time_s: float, backhaul_s: float) -> None:
        """The ground has a result whole."""
        job = self.jobs[job_id]
        if job.delivered is None:
            job.delivered = Arrival(self.mark(now), light_time_s, backhaul_s)
            self.result_queue_bytes -= job.result_bytes or 0
