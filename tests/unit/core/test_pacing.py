"""The bucket of joules."""

from math import inf

import pytest

from node.core.pacing import EnergyBucket


def test_it_starts_full_and_holds_two_seconds_of_refill() -> None:
    bucket = EnergyBucket(3.5)
    assert bucket.level_j(100.0) == 7.0
    assert bucket.level_j(1000.0) == bucket.burst_j == 7.0


def test_a_need_above_the_burst_is_saved_for() -> None:
    bucket = EnergyBucket(3.5)
    bucket.empty(0.0)
    assert bucket.ready_s(0.0, 35.0) == 10.0
    assert bucket.ready_s(10.0, 35.0) == 10.0
    # Nothing is saved beyond the need.
    assert bucket.level_j(1000.0) == 35.0


def test_what_is_owed_is_paid_first() -> None:
    bucket = EnergyBucket(2.0)
    bucket.spend(0.0, 10.0)
    assert bucket.level_j(0.0) == -6.0
    assert bucket.ready_s(0.0, 4.0) == 5.0
    bucket.spend(0.0, -6.0)
    assert bucket.level_j(0.0) == 0.0


@pytest.mark.parametrize("refill_w", [0.0, -1.0])
def test_a_ceiling_at_or_below_idle_lets_nothing_start(refill_w: float) -> None:
    bucket = EnergyBucket(refill_w)
    assert bucket.refill_w == 0.0
    assert bucket.ready_s(50.0, 1.0) == inf
    assert bucket.ready_s(1e6, 0.0) == 1e6


def test_another_refill_counts_from_then_on() -> None:
    bucket = EnergyBucket(1.0)
    bucket.empty(0.0)
    bucket.refill_at(1.0, 10.0)
    assert bucket.level_j(1.0) == 1.0
    assert bucket.level_j(2.0) == 11.0
    bucket.refill_at(2.0, 10.0)
    assert bucket.level_j(3.0) == 20.0
    # What was saved is not lost with a smaller one.
    bucket.refill_at(3.0, 1.0)
    assert bucket.level_j(9.0) == 20.0


def test_time_does_not_run_back() -> None:
    bucket = EnergyBucket(1.0)
    bucket.empty(10.0)
    assert bucket.level_j(5.0) == 0.0
    assert bucket.level_j(11.0) == 1.0


def test_rounding_does_not_put_a_start_off_for_ever() -> None:
    bucket = EnergyBucket(3.3)
    bucket.empty(1e7)
    ready_s = bucket.ready_s(1e7, 35.7)
    assert bucket.ready_s(ready_s, 35.7) == ready_s


@pytest.mark.parametrize("energy_j", [0.5, 6.3, 40.0])
def test_the_mean_power_keeps_to_the_refill(energy_j: float) -> None:
    bucket = EnergyBucket(3.5)
    now, spent_j = 0.0, 0.0
    while now < 3600.0:
        now = bucket.ready_s(now, energy_j)
        bucket.spend(now, energy_j)
        spent_j += energy_j
    burst_j = max(bucket.burst_j, energy_j)
    assert 3.5 * now <= spent_j <= 3.5 * now + burst_j + 1e-3
