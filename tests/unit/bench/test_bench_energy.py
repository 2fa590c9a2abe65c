from __future__ import annotations

import pytest

from node.bench.energy import EnergyTrace


def trace(*readings: tuple[float, float]) -> EnergyTrace:
    made = EnergyTrace()
    for wall_s, energy_j in readings:
        made.add(wall_s, energy_j)
    return made


def test_a_window_between_readings_has_their_mean_power() -> None:
    made = trace((10.0, 100.0), (12.0, 110.0), (13.0, 113.0))
    assert made.between_j(10.0, 13.0) == 13.0
    assert made.between_j(10.5, 11.5) == pytest.approx(5.0)
    assert made.between_j(11.0, 12.5) == pytest.approx(5.0 + 1.5)


def test_a_window_that_readings_do_not_reach_over_has_no_energy() -> None:
    made = trace((10.0, 100.0), (12.0, 110.0))
    assert made.between_j(9.9, 11.0) is None
    assert made.between_j(11.0, 12.1) is None
    assert trace().between_j(0.0, 1.0) is None
    assert trace().until_s == float("-inf")


def test_a_reading_that_is_told_twice_counts_once() -> None:
    made = trace((10.0, 100.0), (10.0, 100.0), (9.0, 90.0), (11.0, 102.0))
    assert made.between_j(10.0, 11.0) == 2.0
    assert made.sample_s() == 1.0
    assert trace((1.0, 0.0)).sample_s() is None
