"""Jobs on board: their states, their order and what is known of each model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from node.icd import InferenceReport, Manifest


class JobState(str, Enum):
    """Life of a job on board."""

    RECEIVED = "received"
    """Custody taken; the input is still on its way."""
    QUEUED = "queued"
    DEFERRED = "deferred"
    """The governor makes it wait."""
    RUNNING = "running"
    STORED = "stored"
    """The result is on disk, the ground does not have it yet."""
    DELIVERED = "delivered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


WAITING = frozenset({JobState.QUEUED, JobState.DEFERRED})
ENDED_BADLY = frozenset({JobState.REJECTED, JobState.EXPIRED, JobState.FAILED})
ENDED = ENDED_BADLY | {JobState.DELIVERED}
MAX_WORKER_DEATHS = 5
"""A job that costs this many workers their lives is at fault itself."""


@dataclass(slots=True)
class Job:
    """One job as the core knows it."""

    manifest: Manifest
    state: JobState
    sequence: int
    worker_deaths: int = 0
    result: Manifest | None = None
    reason: str = ""
    """Why it is in this state, where there is something to say."""

    @property
    def job_id(self) -> str:
        """Identity given by the submitter."""
        return self.manifest.job.job_id

    @property
    def order(self) -> tuple[int, float, int]:
        """Who runs first: by class, then deadline, then arrival."""
        deadline_s = self.manifest.job.deadline_s
        return (
            self.manifest.job.priority,
            math.inf if deadline_s is None else deadline_s,
            self.sequence,
        )


class JobTable:
    """The jobs that have not ended, and counts by state of all that this boot knows.

    A job that has ended is forgotten, or a long mission would fill the memory: the disk knows it.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self.waiting: dict[str, Job] = {}
        """By identity, the jobs that wait for their run."""
        self._by_state = dict.fromkeys(JobState, 0)
        self._sequence = itertools.count()

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def get(self, job_id: str) -> Job | None:
        """Return a job or None."""
        return self._jobs.get(job_id)

    def add(self, manifest: Manifest, state: JobState) -> Job:
        """Take a job in; a job that is there already stays as it is."""
        known = self._jobs.get(manifest.job.job_id)
        if known is not None:
            return known
        job = Job(manifest, state, next(self._sequence))
        self._jobs[job.job_id] = job
        self._by_state[state] += 1
        if state in WAITING:
            self.waiting[job.job_id] = job
        return job

    def move(self, job: Job, state: JobState) -> None:
        """Give a job a new state; with one that ends it, it is forgotten."""
        self._by_state[job.state] -= 1
        self._by_state[state] += 1
        job.state = state
        if state in WAITING:
            self.waiting[job.job_id] = job
        else:
            self.waiting.pop(job.job_id, None)
        if state in ENDED:
            self._jobs.pop(job.job_id, None)

    def first_waiting(self) -> Job | None:
        """Return the waiting job that runs next, or None."""
        return min(self.waiting.values(), key=lambda job: job.order, default=None)

    def open_count(self) -> int:
        """Count the jobs that have not ended."""
        return len(self._jobs)

    def counts(self) -> dict[str, int]:
        """Jobs by state; every state is a key."""
        return {state.value: count for state, count in self._by_state.items()}


_LEARNING_GAIN = 0.2
"""Weight of a new run in the running estimate."""


@dataclass(slots=True)
class ModelEstimate:
    """What one run of a model costs: the scenario's figure first, then what runs really took."""

    max_duration_s: float
    duration_s: float
    energy_j: float
    measured: bool = False

    def learn(self, report: InferenceReport, slowed_s: float = 0.0) -> None:
        """Take a finished run into account; the first one replaces the scenario's figure.

        Args:
            report: how it went.
            slowed_s: of its seconds, what it would not have taken without a limit on its share.
        """
        gain = _LEARNING_GAIN if self.measured else 1.0
        self.duration_s += gain * (max(0.0, report.duration_s - slowed_s) - self.duration_s)
        if report.energy_j > 0.0:
            # No joules at all is no measurement: the sensor was away.
            self.energy_j += gain * (report.energy_j - self.energy_j)
        self.measured = True
