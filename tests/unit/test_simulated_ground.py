"""What the simulated ground says of jobs: delivered once, delivered again, lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from spacecraft import offer

from node.config.load import load_scenario
from node.forecast.run import fly
from node.icd import Ack, Manifest
from node.simulation.disk import SimulatedDisk
from node.simulation.ground import SimulatedGround

DEMO = Path(__file__).parents[2] / "scenarios" / "demo.toml"


def result(job_id: str, content: str) -> Manifest:
    return msgspec.structs.replace(offer(job_id), object_id=content * 64, size_bytes=100)


def deliver(ground: SimulatedGround, manifest: Manifest, now: float) -> None:
    ground.result_offered(manifest, now)
    ground.chunk_arrived(manifest.object_id, (0, 100), now)


def test_a_result_that_is_offered_again_is_delivered_once() -> None:
    ground = SimulatedGround()
    ground.submit(offer("a"))
    deliver(ground, result("a", "1"), 10.0)
    deliver(ground, result("a", "1"), 20.0)
    assert (ground.ledger["a"].deliveries, ground.ledger["a"].delivered_s) == (1, 10.0)


def test_another_result_of_a_delivered_job_is_a_duplicate() -> None:
    ground = SimulatedGround()
    ground.submit(offer("a"))
    deliver(ground, result("a", "1"), 10.0)
    deliver(ground, result("a", "2"), 20.0)
    assert (ground.ledger["a"].deliveries, ground.ledger["a"].delivered_s) == (2, 10.0)


def test_two_jobs_with_one_result_are_delivered_once_each() -> None:
    ground = SimulatedGround()
    for job_id in "ab":
        ground.submit(offer(job_id))
    deliver(ground, result("a", "1"), 10.0)
    ground.result_offered(result("b", "1"), 20.0)
    assert [entry.deliveries for entry in ground.ledger.values()] == [1, 1]


@pytest.mark.parametrize(
    ("state", "settled"),
    [("received", "lost"), ("stored", "lost"), ("expired", "expired"), (None, "submitted")],
)
def test_a_job_that_the_node_took_and_has_no_more_is_lost(state: str | None, settled: str) -> None:
    ground = SimulatedGround()
    for job_id in "ab":
        ground.submit(offer(job_id))
        if state is not None:
            ground.acknowledged(Ack(job_id=job_id, state=state, mission_s=0.0))
    ground.settle(lambda job_id: job_id == "b")
    assert ground.ledger["a"].state == settled
    assert ground.ledger["b"].state == (state or "submitted")


def test_a_forecast_counts_the_jobs_that_were_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedDisk, "state", lambda _self, _job_id: None)
    scenario = load_scenario(DEMO)
    model = msgspec.structs.replace(scenario.model[0], duration_s=30.0)
    slow = msgspec.structs.replace(scenario, model=[model])
    found = fly(slow, days=400.0 / 86_400.0, step_s=5.0)
    jobs = found.jobs
    # Those that still wait on board at the end.
    assert 0 < jobs.lost < jobs.submitted
    assert found.metrics["jobs_lost"] == jobs.lost
    assert jobs.submitted == jobs.delivered + jobs.lost + jobs.open_on_ground
