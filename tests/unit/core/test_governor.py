from dataclasses import replace

import pytest
from spacecraft import THRESHOLDS

from node.core.governor import (
    DECISIONS,
    Admit,
    Defer,
    Demand,
    Reason,
    Reject,
    Supply,
    decide,
)
from node.core.modes import OperatingMode

NOW = 1000.0
DEMAND = Demand(
    mission_duration_s=10.0, energy_j=100.0, heat_j=90.0, deadline_s=None, pacing_ready_s=0.0
)
SUPPLY = Supply(
    mode=OperatingMode.NOMINAL,
    state_of_charge=0.75,
    capacity_j=1000.0,
    solar_w=30.0,
    standing_load_w=10.0,
    next_sunrise_s=None,
    board_c=20.0,
    board_capacity_j_per_k=9.0,
)
# A threshold that binary numbers hold exactly, so that the boundary itself can be tested.
RULES = replace(THRESHOLDS, safe_below_soc=0.25)


def ask(demand: Demand = DEMAND, supply: Supply = SUPPLY) -> object:
    return decide(demand, supply, RULES, NOW)


def test_a_job_that_fits_is_admitted() -> None:
    assert ask() == Admit()


def test_a_deadline_that_can_just_be_met() -> None:
    assert ask(replace(DEMAND, deadline_s=1010.0)) == Admit()
    assert ask(replace(DEMAND, deadline_s=1009.99)) == Reject(Reason.DEADLINE)


@pytest.mark.parametrize("mode", ["boot", "safe", "off"])
def test_a_mode_without_inference(mode: str) -> None:
    supply = replace(SUPPLY, mode=OperatingMode(mode))
    assert ask(supply=supply) == Defer(None, Reason.MODE)
    assert ask(replace(DEMAND, deadline_s=1001.0), supply) == Reject(Reason.DEADLINE)


def test_heat_of_the_whole_job_without_cooling() -> None:
    assert ask(supply=replace(SUPPLY, board_c=75.0)) == Admit()
    assert ask(supply=replace(SUPPLY, board_c=75.01)) == Defer(None, Reason.HEAT)


def test_in_sunlight_the_job_alone_counts() -> None:
    assert ask(replace(DEMAND, energy_j=500.0)) == Admit()
    assert ask(replace(DEMAND, energy_j=500.01)) == Defer(None, Reason.ENERGY)


def test_in_the_dark_the_standing_load_counts_until_sunrise() -> None:
    dark = replace(SUPPLY, solar_w=0.0, next_sunrise_s=1040.0)
    assert ask(supply=dark) == Admit()
    assert ask(replace(DEMAND, energy_j=100.01), dark) == Defer(1040.0, Reason.ENERGY)
    dusk = replace(dark, solar_w=4.0)
    assert ask(replace(DEMAND, energy_j=260.0), dusk) == Admit()
    assert ask(replace(DEMAND, energy_j=260.01), dusk) == Defer(1040.0, Reason.ENERGY)
    # More sun than load is no credit.
    bright = replace(dark, solar_w=99.0)
    assert ask(replace(DEMAND, energy_j=500.01), bright) == Defer(1040.0, Reason.ENERGY)


def test_a_sunrise_that_is_past_is_no_time_to_wait_for() -> None:
    for sunrise_s in (999.0, NOW):
        supply = replace(SUPPLY, solar_w=0.0, next_sunrise_s=sunrise_s)
        assert ask(supply=supply) == Admit()
        assert ask(replace(DEMAND, energy_j=501.0), supply) == Defer(None, Reason.ENERGY)


def test_pacing_binds_in_reduced_alone() -> None:
    early = replace(DEMAND, pacing_ready_s=1000.01)
    assert ask(early) == Admit()
    reduced = replace(SUPPLY, mode=OperatingMode.REDUCED)
    assert ask(early, reduced) == Defer(1000.01, Reason.PACING)
    assert ask(replace(early, pacing_ready_s=NOW), reduced) == Admit()


def test_the_first_rule_answers() -> None:
    hot_and_empty = replace(
        SUPPLY, mode=OperatingMode.REDUCED, board_c=99.0, state_of_charge=0.1, next_sunrise_s=2000.0
    )
    late = replace(DEMAND, pacing_ready_s=3000.0)
    assert ask(late, hot_and_empty) == Defer(None, Reason.HEAT)
    assert ask(late, replace(hot_and_empty, board_c=20.0)) == Defer(2000.0, Reason.ENERGY)


def test_every_decision_has_its_key() -> None:
    assert DECISIONS == (
        "admit",
        "defer:mode",
        "defer:energy",
        "defer:heat",
        "defer:pacing",
        "reject:deadline",
        "reject:unknown-model",
        "reject:oversize",
        "reject:queue-full",
    )
