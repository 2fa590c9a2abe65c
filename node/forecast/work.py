"""What became of the jobs, and what their inferences cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from node.core.jobs import JobState
from node.forecast.bottleneck import DeadlineUse
from node.forecast.model import JobBudget, ModelCost
from node.report.run import LOST
from node.simulation.milestones import JobMilestones


def outcome(job: JobMilestones, state: str | None) -> str:
    """Name what became of one job.

    Args:
        job: its way.
        state: ``lost``, or what the disk on board says, if it has the job.
    """
    if job.delivered is not None:
        return "delivered"
    if state in {LOST, JobState.REJECTED.value, JobState.EXPIRED.value, JobState.FAILED.value}:
        return str(state)
    if job.result_bytes is not None:
        return "open_results"
    return "open_on_ground" if job.uploaded is None else "open_on_board"


def job_budget(outcomes: Sequence[str], days: float) -> JobBudget:
    """Count the jobs by outcome."""
    counts = {name: outcomes.count(name) for name in set(outcomes)}
    delivered = counts.get("delivered", 0)
    return JobBudget(
        submitted=len(outcomes),
        delivered=delivered,
        rejected=counts.get("rejected", 0),
        expired=counts.get("expired", 0),
        failed=counts.get("failed", 0),
        open_on_ground=counts.get("open_on_ground", 0),
        open_on_board=counts.get("open_on_board", 0),
        open_results=counts.get("open_results", 0),
        lost=counts.get(LOST, 0),
        submitted_per_day=len(outcomes) / days,
        delivered_per_day=delivered / days,
    )


def model_costs(
    models: Iterable[str],
    jobs: Iterable[JobMilestones],
    inferences: Mapping[str, int],
    idle_w: float,
    converter_efficiency: float,
) -> list[ModelCost]:
    """Say what an inference costs, for each model that ran.

    Args:
        models: of the scenario, in order.
        jobs: every job of the flight.
        inferences: the core's counts by ``<model>|<outcome>``.
        idle_w: what the board draws anyway.
        converter_efficiency: of the board's converter.
    """
    runs: dict[str, list[tuple[float, float]]] = {}
    for job in jobs:
        if job.finished is not None and job.started_s is not None:
            duration_s = job.finished.mission_s - job.started_s
            runs.setdefault(job.manifest.job.model, []).append((duration_s, job.energy_j))
    costs = []
    for model in models:
        ended = runs.get(model)
        if not ended:
            continue
        duration_s = fmean(duration for duration, _ in ended)
        net_j = fmean(energy for _, energy in ended)
        gross_j = net_j + idle_w * duration_s
        costs.append(
            ModelCost(
                model=model,
                runs=inferences[f"{model}|ok"],
                aborted=inferences[f"{model}|aborted"],
                failed=inferences[f"{model}|failed"],
                duration_s=duration_s,
                gross_j=gross_j,
                net_j=net_j,
                bus_j=gross_j / converter_efficiency,
            )
        )
    return costs


def deadline_use(jobs: Iterable[JobMilestones], end_s: float) -> DeadlineUse:
    """Compare the times to result with the deadlines of the jobs that have one.

    Args:
        jobs: every job of the flight.
        end_s: of the flight: a job that is not delivered has missed a deadline before it.
    """
    ratios = []
    missed = 0
    for job in jobs:
        spec = job.manifest.job
        if spec.deadline_s is None:
            continue
        if job.delivered is not None:
            submitted_s = job.submitted.mission_s
            took_s = job.delivered.at.mission_s - submitted_s
            ratios.append(took_s / (spec.deadline_s - submitted_s))
            missed += ratios[-1] > 1.0
        else:
            missed += spec.deadline_s <= end_s
    return DeadlineUse(ratios, missed)
