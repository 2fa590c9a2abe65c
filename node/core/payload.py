"""The payload computer: custody of jobs, the governor's answer to each, the run that is going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.core import effects, governor
from node.core.ceiling import LONG_RUN_S
from node.core.effects import Effect
from node.core.events import JobFailed, JobFinished, ManifestStored, StoredJob
from node.core.governor import Admit, Defer, Demand, Reason, Supply
from node.core.jobs import (
    ENDED,
    MAX_WORKER_DEATHS,
    Job,
    JobState,
    JobTable,
    ModelEstimate,
)
from node.core.modes import LIMITS, OperatingMode, Thresholds
from node.core.pacing import EnergyBucket
from node.core.protection import BoardLimits
from node.icd import Ack, Manifest
from node.transfer.ranges import RangeSet

_BUDGET = "budget"
"""Reason of a stop that ends the job; after any other the job waits again."""
_WORKER_START_S = 60.0
"""Real seconds that a worker which has to be started first may take before a run counts as late."""


@dataclass(frozen=True, slots=True)
class PayloadLimits:
    """What the payload computer takes in."""

    max_object_bytes: int
    max_jobs: int
    thread_count: int
    converter_efficiency: float
    rate: float
    slows_runs: bool = False
    """A run that goes on can be given a share of the worker's time; else it is paced whole."""
    board: BoardLimits = field(default_factory=BoardLimits)
    """What the real board protects itself at."""


@dataclass(slots=True)
class Run:
    """The inference that is going on."""

    job: Job
    started_s: float
    budget_s: float
    """Mission time at which it is stopped."""
    paid_j: float | None
    """Taken out of the bucket at its start; None where no ceiling stood then."""
    long: bool
    """It is held within itself, not only paced against the next one."""
    slowed_s: float = 0.0
    """Mission seconds that a limit on its share has cost it."""
    stop_reason: str | None = None
    """Why it was told to stop."""


@dataclass(slots=True)
class PayloadTotals:
    """Counts that survive a power loss of the emulated board: they belong to the ground truth."""

    decisions: dict[str, int]
    inferences: dict[str, int]
    inference_energy_j: dict[str, float]


def new_totals(models: Mapping[str, ModelEstimate]) -> PayloadTotals:
    """Start every count that can ever appear at zero."""
    return PayloadTotals(
        decisions=dict.fromkeys(governor.DECISIONS, 0),
        inferences={
            f"{model}|{outcome}": 0 for model in models for outcome in ("ok", "failed", "aborted")
        },
        inference_energy_j=dict.fromkeys(models, 0.0),
    )


class Payload:
    """Jobs from custody to result; lives from boot to power loss."""

    def __init__(
        self,
        limits: PayloadLimits,
        thresholds: Thresholds,
        models: dict[str, ModelEstimate],
        totals: PayloadTotals,
        headroom_w: float,
    ) -> None:
        """Begin with no job; ``headroom_w`` is what the power ceiling leaves above idle."""
        self._limits = limits
        self._thresholds = thresholds
        self._models = models
        self.totals = totals
        self.jobs = JobTable()
        self.run: Run | None = None
        self.deferral: Defer | None = None
        self.bucket = EnergyBucket(headroom_w)
        self._last_decision: tuple[str, str] | None = None

    # Custody

    def restore(self, stored: StoredJob) -> Job:
        """Take up a job as the disk has it; what was running or waiting waits again."""
        state = JobState(stored.state)
        if state not in ENDED and state is not JobState.STORED:
            whole = RangeSet(stored.held).covers(0, stored.manifest.size_bytes)
            state = JobState.QUEUED if whole else JobState.RECEIVED
        job = self.jobs.add(stored.manifest, state)
        job.result = stored.result
        return job

    def offered(self, manifest: Manifest, now: float) -> list[Effect]:
        """The ground offers a job: take custody, turn it away, or repeat what is known of it."""
        known = self.jobs.get(manifest.job.job_id)
        if known is not None:
            return [effects.SendAck(self._ack(known.job_id, known.state, now, known.reason))]
        reason = self._objection(manifest, now)
        if reason is None:
            return [effects.StoreManifest(manifest, JobState.RECEIVED.value, "")]
        self._count(manifest.job.job_id, f"reject:{reason.value}")
        return [effects.StoreManifest(manifest, JobState.REJECTED.value, reason.value)]

    def offer_stored(self, event: ManifestStored, now: float) -> tuple[list[Effect], bool]:
        """The offer is on disk. Return effects, and whether its input is still to be pulled."""
        state = JobState(event.state)
        if state in ENDED or event.known:
            job_id = event.manifest.job.job_id
            return [effects.SendAck(self._ack(job_id, state, now, event.reason))], False
        job = self.jobs.add(event.manifest, JobState.RECEIVED)
        if RangeSet(event.held).covers(0, event.manifest.size_bytes):
            return self._queue(job, now), False
        return [effects.SendAck(self._ack(job.job_id, job.state, now))], True

    def input_complete(self, object_id: str, now: float) -> list[Effect]:
        """An input is whole on disk: every job that waited for these bytes may run."""
        done: list[Effect] = []
        for job in self.jobs:
            if job.state is JobState.RECEIVED and job.manifest.object_id == object_id:
                done += self._queue(job, now)
        return done

    # Running

    def dispatch(self, supply: Supply, now: float) -> list[Effect]:
        """Ask the governor about the job that is next, and start it if it may run.

        To be called only where none runs and one waits.
        """
        done: list[Effect] = []
        while (job := self.jobs.first_waiting()) is not None:
            estimate = self._models.get(job.manifest.job.model)
            if estimate is None:
                # Accepted before a restart of the daemon that took the model away.
                done.append(self._turn_away(job, JobState.REJECTED, Reason.UNKNOWN_MODEL, now))
                continue
            demand = Demand(
                mission_duration_s=estimate.duration_s * self._limits.rate,
                energy_j=estimate.energy_j / self._limits.converter_efficiency,
                heat_j=estimate.energy_j,
                deadline_s=job.manifest.job.deadline_s,
                pacing_ready_s=self.bucket.ready_s(now, self._entry_j(estimate)),
            )
            decision = governor.decide(demand, supply, self._thresholds, now)
            if isinstance(decision, Admit):
                under_ceiling = supply.mode is OperatingMode.REDUCED
                return [*done, *self._start(job, estimate, now, under_ceiling=under_ceiling)]
            if isinstance(decision, Defer):
                return [*done, *self._defer(job, decision, now)]
            done.append(self._turn_away(job, JobState.EXPIRED, decision.reason, now))
        self.deferral = None
        return done

    def started(self, job_id: str, now: float) -> None:
        """The worker has the job: its budget counts from here."""
        if self.run is not None and self.run.job.job_id == job_id:
            estimate = self._models[self.run.job.manifest.job.model]
            self.run.budget_s = now + estimate.max_duration_s * self._limits.rate

    def slow(self, run: Run, now: float, share: float, step_s: float) -> None:
        """The run had this share of the worker's time for so long: its budget is in full time."""
        run.slowed_s += (1.0 - share) * step_s
        run.budget_s += (1.0 - share) * step_s
        if now - run.started_s >= LONG_RUN_S * self._limits.rate:
            run.long = self._limits.slows_runs

    def stop_if_over_budget(self, now: float) -> list[Effect]:
        """Stop the run that takes longer than its model may."""
        if self.run is not None and now >= self.run.budget_s:
            return self.stop(_BUDGET)
        return []

    def stop(self, reason: str) -> list[Effect]:
        """Stop the run that is going, once."""
        if self.run is None or self.run.stop_reason is not None:
            return []
        self.run.stop_reason = reason
        return [effects.AbortJob(self.run.job.job_id, reason)]

    def finished(self, event: JobFinished, now: float) -> list[Effect]:
        """A run ended well: its result goes to disk before anyone hears of it."""
        run = self._take_run(event.job_id)
        if run is None:
            return []
        model = run.job.manifest.job.model
        self._models[model].learn(event.report, run.slowed_s / self._limits.rate)
        self._account(run, "ok", event.report.energy_j, now)
        return [effects.StoreResult(run.job.manifest.job, event.report)]

    def failed(self, event: JobFailed, now: float) -> list[Effect]:
        """A run ended badly: stopped jobs wait again, jobs at fault have failed."""
        run = self._take_run(event.job_id)
        if run is None:
            return []
        job = run.job
        outcome = "aborted" if event.aborted else "failed"
        self._account(run, outcome, event.energy_j, now)
        over_budget = event.aborted and run.stop_reason == _BUDGET
        worker_died = event.worker_killed and not event.aborted
        job.worker_deaths += worker_died
        if (event.aborted and not over_budget) or (
            worker_died and job.worker_deaths < MAX_WORKER_DEATHS
        ):
            return self._queue(job, now)
        self.jobs.move(job, JobState.FAILED)
        return [self._stored_state(job, now, _BUDGET if over_budget else event.reason)]

    def result_stored(self, result: Manifest, now: float) -> list[Effect]:
        """The result is on disk: from here on it will be delivered."""
        job = self.jobs.get(result.job.job_id)
        if job is None:
            return []
        job.result = result
        self.jobs.move(job, JobState.STORED)
        return [effects.SendAck(self._ack(job.job_id, job.state, now))]

    def result_released(self, job_id: str) -> None:
        """The ground has the result, and our disk knows that."""
        job = self.jobs.get(job_id)
        if job is not None:
            self.jobs.move(job, JobState.DELIVERED)

    def next_deadline(self) -> float | None:
        """Mission time of the next budget or deferral that ends, or None."""
        run = self.run
        if run is not None:
            # The budget of a slowed run moves away with every tick: any tick will do for it.
            return None if run.stop_reason is not None or run.slowed_s > 0.0 else run.budget_s
        return None if self.deferral is None else self.deferral.until_s

    def mode_changed(self, mode: OperatingMode) -> list[Effect]:
        """Stop what the new mode does not allow."""
        return [] if LIMITS[mode].inference else self.stop(f"mode {mode.value}")

    def _objection(self, manifest: Manifest, now: float) -> Reason | None:
        job = manifest.job
        if job.model not in self._models:
            return Reason.UNKNOWN_MODEL
        if manifest.size_bytes > self._limits.max_object_bytes:
            return Reason.OVERSIZE
        if self.jobs.open_count() >= self._limits.max_jobs:
            return Reason.QUEUE_FULL
        if job.deadline_s is not None and job.deadline_s <= now:
            return Reason.DEADLINE
        return None

    def _turn_away(self, job: Job, state: JobState, reason: Reason, now: float) -> Effect:
        self._count(job.job_id, f"reject:{reason.value}")
        self.jobs.move(job, state)
        return self._stored_state(job, now, reason.value)

    def _queue(self, job: Job, now: float) -> list[Effect]:
        self.jobs.move(job, JobState.QUEUED)
        return [self._stored_state(job, now, "")]

    def _is_long(self, estimate: ModelEstimate) -> bool:
        return self._limits.slows_runs and estimate.duration_s > LONG_RUN_S

    def _entry_j(self, estimate: ModelEstimate) -> float:
        """What has to be in the bucket: all of it, or a burst for a run that is held within itself.

        Such a run pays its way while the bucket fills.
        """
        if self._is_long(estimate) and self.bucket.refill_w > 0.0:
            return min(estimate.energy_j, self.bucket.burst_j)
        return estimate.energy_j

    def _start(
        self, job: Job, estimate: ModelEstimate, now: float, *, under_ceiling: bool
    ) -> list[Effect]:
        self._count(job.job_id, "admit")
        self.deferral = None
        self.jobs.move(job, JobState.RUNNING)
        longest_s = estimate.max_duration_s + _WORKER_START_S
        if under_ceiling:
            self.bucket.spend(now, estimate.energy_j)
        else:
            # Whoever falls under the ceiling next begins with nothing owed and nothing saved.
            self.bucket.empty(now)
        self.run = Run(
            job,
            now,
            now + longest_s * self._limits.rate,
            paid_j=estimate.energy_j if under_ceiling else None,
            long=self._is_long(estimate),
        )
        spec = job.manifest.job
        return [effects.StartJob(spec, job.manifest.object_id, self._limits.thread_count)]

    def _defer(self, job: Job, decision: Defer, now: float) -> list[Effect]:
        self.deferral = decision
        if not self._count(job.job_id, f"defer:{decision.reason.value}"):
            return []
        self.jobs.move(job, JobState.DEFERRED)
        ack = self._ack(job.job_id, job.state, now, decision.reason.value, decision.until_s)
        return [effects.SendAck(ack)]

    def _take_run(self, job_id: str) -> Run | None:
        run = self.run
        if run is None or run.job.job_id != job_id:
            return None
        self.run = None
        return run

    def _account(self, run: Run, outcome: str, energy_j: float, now: float) -> None:
        model = run.job.manifest.job.model
        self.totals.inferences[f"{model}|{outcome}"] += 1
        self.totals.inference_energy_j[model] += energy_j
        if run.paid_j is not None and energy_j > 0.0:
            self.bucket.spend(now, energy_j - run.paid_j)

    def _count(self, job_id: str, decision: str) -> bool:
        """Count a decision; the same answer to the same job again is no new decision."""
        if self._last_decision == (job_id, decision) and decision != "admit":
            return False
        self._last_decision = (job_id, decision)
        self.totals.decisions[decision] += 1
        return True

    def _stored_state(self, job: Job, now: float, reason: str) -> Effect:
        job.reason = reason
        return effects.StoreJobState(self._ack(job.job_id, job.state, now, reason))

    @staticmethod
    def _ack(
        job_id: str, state: JobState, now: float, reason: str = "", until_s: float | None = None
    ) -> Ack:
        finite = None if until_s is None or until_s == float("inf") else until_s
        return Ack(job_id=job_id, state=state.value, mission_s=now, reason=reason, until_s=finite)
