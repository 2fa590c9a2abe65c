from __future__ import annotations

import pytest
from spacecraft import MODEL, offer

from node.forecast.model import ModelCost
from node.forecast.work import deadline_use, job_budget, model_costs, outcome
from node.simulation.milestones import Milestones


def flown() -> Milestones:
    """Four jobs: delivered late, result on board, input on board, on the ground."""
    milestones = Milestones()
    for job_id in "abcd":
        job = offer(job_id, deadline_s=100.0 if job_id in "ad" else None)
        milestones.submitted(job, 50.0)
    for job_id in "abc":
        milestones.uploaded(offer(job_id).object_id, 60.0, 0.0, 0.0)
    for job_id, duration_s, energy_j in (("a", 2.0, 10.0), ("b", 4.0, 30.0)):
        milestones.started(job_id, 70.0)
        milestones.finished(job_id, 70.0 + duration_s, energy_j)
        milestones.stored(job_id, 2000)
    milestones.delivered("a", 125.0, 0.0, 0.0)
    return milestones


def test_every_job_has_one_outcome() -> None:
    jobs = flown().jobs
    assert [outcome(job, None) for job in jobs.values()] == [
        "delivered",
        "open_results",
        "open_on_board",
        "open_on_ground",
    ]
    assert outcome(jobs["a"], "expired") == "delivered"
    states = ("rejected", "expired", "failed", "lost")
    assert tuple(outcome(jobs["d"], state) for state in states) == states


def test_jobs_are_counted_by_outcome_and_by_day() -> None:
    found = job_budget(["delivered", "delivered", "expired", "open_on_ground"], 0.5)
    assert (found.lost, job_budget(["lost"], 1.0).lost) == (0, 1)
    assert (found.submitted, found.delivered, found.expired, found.open_on_ground) == (4, 2, 1, 1)
    assert (found.rejected, found.failed, found.open_on_board, found.open_results) == (0, 0, 0, 0)
    assert (found.submitted_per_day, found.delivered_per_day) == (8.0, 4.0)


def test_what_an_inference_costs() -> None:
    counts = {f"{MODEL}|ok": 2, f"{MODEL}|aborted": 1, f"{MODEL}|failed": 0}

    (cost,) = model_costs([MODEL, "unused"], flown().jobs.values(), counts, 4.0, 0.8)

    assert cost == ModelCost(
        model=MODEL,
        runs=2,
        aborted=1,
        failed=0,
        duration_s=3.0,
        gross_j=32.0,
        net_j=20.0,
        bus_j=40.0,
    )


def test_deadlines_are_met_or_missed() -> None:
    use = deadline_use(flown().jobs.values(), 130.0)
    assert use.ratios == [pytest.approx(1.5)]
    assert use.missed == 2
    assert deadline_use(flown().jobs.values(), 99.0).missed == 1
