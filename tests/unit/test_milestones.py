from __future__ import annotations

import pytest
from spacecraft import offer

from node.simulation.milestones import Arrival, Mark, Milestones


def test_the_time_of_the_link_is_counted_over_all_sessions() -> None:
    milestones = Milestones()
    assert milestones.mark(5.0) == Mark(5.0, 0.0)
    milestones.linked(10.0)
    assert milestones.mark(14.0) == Mark(14.0, 4.0)
    milestones.linked(15.0)
    assert milestones.mark(16.0) == Mark(16.0, 6.0), "a session that follows at once"
    milestones.cut(20.0)
    milestones.cut(25.0)
    milestones.linked(30.0)
    assert milestones.mark(31.0) == Mark(31.0, 11.0)


def test_the_first_time_counts_and_of_runs_the_last() -> None:
    milestones = Milestones()
    job = offer("a", 1000)
    milestones.submitted(job, 0.0)
    for later_s in (0.0, 100.0):
        milestones.offered("a", 1.0 + later_s)
        milestones.uploaded(job.object_id, 2.0 + later_s, 0.004, 0.05)
        milestones.started("a", 3.0 + later_s)
        milestones.finished("a", 4.0 + later_s, 6.0 + later_s)
        milestones.stored("a", 2000)
        milestones.announced("a", 5.0 + later_s)
        milestones.delivered("a", 6.0 + later_s, 0.003, 0.04)

    found = milestones.jobs["a"]
    assert (found.offered_s, found.announced_s) == (1.0, 5.0)
    assert found.uploaded == Arrival(Mark(2.0, 0.0), 0.004, 0.05)
    assert found.delivered == Arrival(Mark(6.0, 0.0), 0.003, 0.04)
    assert (found.started_s, found.finished, found.energy_j) == (103.0, Mark(104.0, 0.0), 106.0)


def test_the_queues_hold_what_is_on_its_way() -> None:
    milestones = Milestones()
    queues: list[tuple[int, int]] = []

    def note() -> None:
        queues.append((milestones.input_queue_bytes, milestones.result_queue_bytes))

    for job_id, size_bytes in (("a", 1000), ("b", 500)):
        milestones.submitted(offer(job_id, size_bytes), 0.0)
    note()
    milestones.uploaded(offer("a").object_id, 1.0, 0.0, 0.0)
    note()
    milestones.stored("a", 70)
    note()
    milestones.delivered("a", 2.0, 0.0, 0.0)
    note()
    milestones.turned_away("b")
    milestones.turned_away("b")
    note()
    assert queues == [(1500, 0), (500, 0), (500, 70), (500, 0), (0, 0)]


def test_a_job_that_fails_on_board_leaves_no_queue() -> None:
    milestones = Milestones()
    milestones.submitted(offer("a", 1000), 0.0)
    milestones.uploaded(offer("a").object_id, 1.0, 0.0, 0.0)
    milestones.turned_away("a")
    assert milestones.input_queue_bytes == 0
    with pytest.raises(KeyError):
        milestones.turned_away("b")
