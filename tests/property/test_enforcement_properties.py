"""The bucket of joules and the ceiling's loop, whatever the board is like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant import Plant, Sensor

from node.core.ceiling import LEAST_SHARE, Ceiling
from node.core.pacing import EnergyBucket


@given(
    refill_w=st.floats(0.1, 100.0),
    runs=st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(0.1, 500.0)), min_size=1, max_size=40),
)
def test_nothing_starts_that_is_not_paid_for(
    refill_w: float, runs: list[tuple[float, float]]
) -> None:
    bucket = EnergyBucket(refill_w)
    now, spent_j, largest_j = 0.0, 0.0, bucket.burst_j
    for wait_s, energy_j in runs:
        now = bucket.ready_s(now + wait_s, energy_j)
        bucket.spend(now, energy_j)
        spent_j += energy_j
        largest_j = max(largest_j, energy_j)
        assert bucket.level_j(now) >= -1e-5
    assert spent_j <= refill_w * now + largest_j + 1e-3


@settings(max_examples=25, deadline=None)
@given(
    ceiling_w=st.floats(6.0, 12.0),
    idle_w=st.floats(2.0, 5.0),
    span_w=st.floats(6.0, 30.0),
    average_s=st.sampled_from([0.02, 0.1, 0.43]),
    noise_ratio=st.floats(0.0, 0.02),
    seed=st.integers(0, 1000),
)
def test_any_board_is_held_at_its_ceiling(
    ceiling_w: float,
    idle_w: float,
    span_w: float,
    average_s: float,
    noise_ratio: float,
    seed: int,
) -> None:
    loop = Ceiling(ceiling_w, 4.5, 15.0, 1.0)
    sensor = Sensor(average_s, noise_ratio=noise_ratio, seed=seed)
    plant = Plant(idle_w=idle_w, span_w=span_w, sensor=sensor)
    plant.fly(loop, 60.0)
    reachable_w = min(ceiling_w, idle_w + span_w)
    assert plant.mean_w(30.0, 60.0) == pytest.approx(reachable_w, rel=0.03)
    assert plant.longest_above_s(1.1 * ceiling_w) <= 2.0
    assert all(LEAST_SHARE <= share <= 1.0 for share in plant.shares)
    assert not loop.unmet
