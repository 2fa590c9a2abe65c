from __future__ import annotations

import pytest
from spacecraft import offer

from node.config.scenario import Terrestrial
from node.forecast.latency import (
    ModelOnGround,
    ground_parts,
    latency,
    orbit_parts,
    quantiles,
)
from node.forecast.model import Quantiles
from node.simulation.milestones import Milestones

MODEL = "clouds"


def delivered(milestones: Milestones, job_id: str, shift_s: float = 0.0) -> None:
    """One job: 100 s of waiting, 20 up, 30 in the queue, 5 of work, 45 of waiting, 10 down."""
    job = offer(job_id, 1000)
    milestones.submitted(job, shift_s)
    milestones.linked(shift_s + 100.0)
    milestones.offered(job_id, shift_s + 101.0)
    milestones.uploaded(job.object_id, shift_s + 120.0, 0.004, 0.05)
    milestones.cut(shift_s + 140.0)
    milestones.started(job_id, shift_s + 150.0)
    milestones.finished(job_id, shift_s + 155.0, 52.5)
    milestones.stored(job_id, 2000)
    milestones.linked(shift_s + 200.0)
    milestones.announced(job_id, shift_s + 201.0)
    milestones.delivered(job_id, shift_s + 210.0, 0.006, 0.07)
    milestones.cut(shift_s + 220.0)


def test_the_parts_of_a_job_are_cut_where_the_link_is_down_and_add_up() -> None:
    milestones = Milestones()
    delivered(milestones, "a")

    parts = orbit_parts(milestones.jobs["a"])

    assert parts is not None
    assert parts == pytest.approx(
        {
            "wait_for_uplink": 100.0,
            "uplink": 20.0 - 0.054,
            "queue": 30.0,
            "inference": 5.0,
            "wait_for_downlink": 45.0,
            "downlink": 10.0 - 0.076,
            "light_time": 0.010,
            "backhaul": 0.12,
        }
    )
    assert sum(parts.values()) == pytest.approx(210.0)


def test_a_job_that_is_not_delivered_has_no_time_to_a_result() -> None:
    milestones = Milestones()
    milestones.submitted(offer("a"), 0.0)

    found = latency(milestones.jobs.values(), {}, None)

    assert found.time_to_result_s.count == 0
    assert [part.seconds.count for part in found.parts] == [0] * 8
    assert found.terrestrial is None


def test_quantiles_take_the_nearest_rank() -> None:
    assert quantiles([]) == Quantiles(0, 0.0, 0.0, 0.0)
    assert quantiles([3.0]) == Quantiles(1, 3.0, 3.0, 3.0)
    hundred = [float(number) for number in range(100, 0, -1)]
    assert quantiles(hundred) == Quantiles(100, 50.5, 50.5, 95.0)
    assert quantiles([1.0, 2.0, 3.0, 4.0]).p95 == 4.0


def test_a_thousand_kilometres_of_fibre_take_4_897_ms_one_way() -> None:
    straight = Terrestrial(1000.0, 1.0, 1e9, 0.5)

    parts = ground_parts(125_000, ModelOnGround(2.0, 62_500), straight)

    assert parts["fibre"] == pytest.approx(2 * 4.897e-3, rel=1e-3)
    assert parts["upload"] == pytest.approx(1e-3)
    assert parts["download"] == pytest.approx(0.5e-3)
    assert parts["inference"] == 1.0
    detour = ground_parts(0, ModelOnGround(2.0, 0), Terrestrial(1000.0, 1.5, 1e9, 0.5))
    assert detour["fibre"] == pytest.approx(1.5 * parts["fibre"])


def test_the_data_centre_is_compared_over_the_same_jobs() -> None:
    milestones = Milestones()
    delivered(milestones, "a")
    delivered(milestones, "b", 1000.0)
    milestones.submitted(offer("c"), 1300.0)

    found = latency(
        milestones.jobs.values(),
        {MODEL: ModelOnGround(4.0, 2000)},
        Terrestrial(1000.0, 1.5, 1e6, 0.25),
    )

    ground = found.terrestrial
    assert ground is not None
    assert ground.time_to_result_s.count == found.time_to_result_s.count == 2
    assert found.time_to_result_s.median == pytest.approx(210.0)
    expected_s = 8 * 3000 / 1e6 + 3.0e6 * 1.468 / 299_792_458 + 1.0
    assert ground.time_to_result_s.median == pytest.approx(expected_s)
    assert ground.median_ratio == pytest.approx(210.0 / expected_s)
    assert [part.part for part in ground.parts] == ["upload", "fibre", "inference", "download"]
