import pytest
from spacecraft import offer, report

from node.core.jobs import ENDED, WAITING, JobState, JobTable, ModelEstimate


def test_states() -> None:
    assert {state.value for state in ENDED} == {"delivered", "rejected", "expired", "failed"}
    assert {state.value for state in WAITING} == {"queued", "deferred"}


def test_a_job_is_taken_in_once() -> None:
    table = JobTable()
    job = table.add(offer("a"), JobState.QUEUED)
    assert table.add(offer("a", 5), JobState.RECEIVED) is job
    assert table.get("a") is job
    assert table.get("b") is None
    assert list(table) == [job]


def test_counts_follow_the_moves() -> None:
    table = JobTable()
    assert set(table.counts()) == {state.value for state in JobState}
    assert set(table.counts().values()) == {0}
    a = table.add(offer("a"), JobState.RECEIVED)
    b = table.add(offer("b"), JobState.QUEUED)
    table.move(a, JobState.DEFERRED)
    table.move(b, JobState.DELIVERED)
    counts = table.counts()
    assert (counts["deferred"], counts["delivered"], counts["received"]) == (1, 1, 0)
    assert table.open_count() == 1
    table.move(a, JobState.FAILED)
    assert table.open_count() == 0
    # What has ended is counted and takes no room.
    assert table.counts()["delivered"] == table.counts()["failed"] == 1
    assert (list(table), table.get("a"), table.get("b")) == ([], None, None)


def test_who_runs_first() -> None:
    table = JobTable()
    assert table.first_waiting() is None
    assert not table.waiting
    for name, priority, deadline_s in [
        ("plain", 3, None),
        ("later", 3, None),
        ("due", 3, 900.0),
        ("sooner", 3, 800.0),
        ("urgent", 2, None),
        ("bulk", 4, 1.0),
    ]:
        table.add(offer(name, priority=priority, deadline_s=deadline_s), JobState.QUEUED)
    table.add(offer("not here yet", priority=2), JobState.RECEIVED)
    assert table.waiting
    order = []
    while (job := table.first_waiting()) is not None:
        order.append(job.job_id)
        table.move(job, JobState.RUNNING)
    assert order == ["urgent", "sooner", "due", "plain", "later", "bulk"]


def test_the_first_run_replaces_the_estimate_and_others_move_it() -> None:
    estimate = ModelEstimate(max_duration_s=30.0, duration_s=1.0, energy_j=10.0)
    estimate.learn(report(energy_j=20.0, duration_s=2.0))
    assert (estimate.duration_s, estimate.energy_j) == (2.0, 20.0)
    estimate.learn(report(energy_j=30.0, duration_s=3.0))
    assert estimate.duration_s == pytest.approx(2.2)
    assert estimate.energy_j == pytest.approx(22.0)
    assert estimate.max_duration_s == 30.0


def test_a_slowed_run_is_learned_at_its_full_pace_and_no_joules_are_no_measurement() -> None:
    estimate = ModelEstimate(30.0, 2.0, 20.0)
    estimate.learn(report(energy_j=0.0, duration_s=9.0), 6.0)
    assert (estimate.duration_s, estimate.energy_j) == (3.0, 20.0)
    estimate.learn(report(energy_j=10.0, duration_s=3.0), 3.5)
    assert estimate.duration_s == pytest.approx(2.4)
