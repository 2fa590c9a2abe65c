"""The tables of radiation between and beyond their nodes; the nodes: ``comparisons/``."""

from __future__ import annotations

from itertools import pairwise

import pytest
from comparisons.protons import layers
from physics_reference import load_json

from node.physics.proton_map import PEAK_FLUX_PER_CM2_S, TOP_KM
from node.physics.radiation import ACTIVE_SUN_GV, QUIET_SUN_GV, above_cutoff_ratio

LAYERS = layers()
COSMIC_RAYS = load_json("gcr_cutoff.json")["table"]


def test_the_map_is_known_to_its_top_and_its_peak() -> None:
    assert max(LAYERS) == TOP_KM
    assert max(max(row) for rows in LAYERS.values() for row in rows) == PEAK_FLUX_PER_CM2_S


def test_between_a_quiet_and_an_active_sun_lies_the_mean() -> None:
    for rigidity_gv, quiet, active in COSMIC_RAYS:
        between = above_cutoff_ratio(rigidity_gv, 0.5 * (QUIET_SUN_GV + ACTIVE_SUN_GV))
        assert between == pytest.approx(0.5 * (quiet + active))


@pytest.mark.parametrize("modulation_gv", [QUIET_SUN_GV, 0.6, ACTIVE_SUN_GV])
def test_fewer_cosmic_rays_come_through_a_higher_cutoff(modulation_gv: float) -> None:
    last_gv = COSMIC_RAYS[-1][0]
    parts = [above_cutoff_ratio(last_gv * n / 1000, modulation_gv) for n in range(1001)]
    assert all(before > after for before, after in pairwise(parts))
    assert above_cutoff_ratio(60.0, modulation_gv) == parts[-1]
