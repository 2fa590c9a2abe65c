"""What other figures of Earth and Sun change; Basilisk's day with its own: ``comparisons/``."""

from __future__ import annotations

from comparisons.power_days import BASILISK, POINTING, fly, reference_case, sum_up
from physics_reference import load_csv, load_json, orbit

from node.physics.shadow import OURS


def test_the_figures_tell_a_sphere_from_an_ellipsoid() -> None:
    satellite = orbit(load_json(POINTING)["orbit"])
    case = reference_case(POINTING, "a", satellite, satellite.epoch_utc_s)
    its, ours = (sum_up(fly(case, figures)).array_energy_wh for figures in (BASILISK, OURS))
    assert 0.001 < ours / its - 1.0 < 0.01


def test_the_references_are_whole() -> None:
    assert len(load_csv("bsk_dev.csv")) == len(load_csv("bsk_dev_nadir.csv")) == 361
