from itertools import product

import pytest
from spacecraft import THRESHOLDS, Flight

from node.core.modes import (
    LIMITS,
    TRANSITIONS,
    OperatingMode,
    Trigger,
    standing_trigger,
    transition,
)
from node.errors import TransitionError

BOOT, NOMINAL, REDUCED, SAFE, OFF = OperatingMode
ALLOWED = {
    (BOOT, "brown-out"): OFF,
    (NOMINAL, "brown-out"): OFF,
    (REDUCED, "brown-out"): OFF,
    (SAFE, "brown-out"): OFF,
    (BOOT, "charge-empty"): OFF,
    (NOMINAL, "charge-empty"): OFF,
    (REDUCED, "charge-empty"): OFF,
    (SAFE, "charge-empty"): OFF,
    (OFF, "power-recovered"): BOOT,
    (BOOT, "boot-complete"): SAFE,
    (NOMINAL, "command-safe"): SAFE,
    (REDUCED, "command-safe"): SAFE,
    (NOMINAL, "fault-safe"): SAFE,
    (REDUCED, "fault-safe"): SAFE,
    (NOMINAL, "charge-critical"): SAFE,
    (REDUCED, "charge-critical"): SAFE,
    (NOMINAL, "board-too-hot"): SAFE,
    (REDUCED, "board-too-hot"): SAFE,
    (REDUCED, "ceiling-unmet"): SAFE,
    (NOMINAL, "charge-low"): REDUCED,
    (NOMINAL, "board-warm"): REDUCED,
    (NOMINAL, "command-reduced"): REDUCED,
    (SAFE, "command-reduced"): REDUCED,
    (SAFE, "command-nominal"): NOMINAL,
    (REDUCED, "command-nominal"): NOMINAL,
    (SAFE, "recovered-to-reduced"): REDUCED,
    (REDUCED, "recovered-to-nominal"): NOMINAL,
}


@pytest.mark.parametrize(("mode", "trigger"), list(product(OperatingMode, Trigger)))
def test_the_table_is_the_whole_truth(mode: OperatingMode, trigger: Trigger) -> None:
    follows = ALLOWED.get((mode, trigger.value))
    if follows is not None:
        assert transition(mode, trigger) is follows
        return
    before = dict(TRANSITIONS)
    with pytest.raises(TransitionError, match=f"{trigger.value} changes nothing in {mode.value}"):
        transition(mode, trigger)
    assert before == TRANSITIONS


@pytest.mark.parametrize(("mode", "trigger"), list(product(OperatingMode, Trigger)))
def test_the_core_makes_no_transition_that_is_not_there(
    mode: OperatingMode, trigger: Trigger
) -> None:
    if (mode, trigger.value) in ALLOWED:
        return
    flight = Flight()
    core = flight.core
    core._enter(mode)
    before = (core.mode, core.mode_since_s, core.mode_cause, core.boots, core.payload, core.comms)

    with pytest.raises(TransitionError):
        core._change_mode(trigger, 5.0)

    after = (core.mode, core.mode_since_s, core.mode_cause, core.boots, core.payload, core.comms)
    assert before == after


def test_what_each_mode_allows() -> None:
    assert {mode for mode, allows in LIMITS.items() if allows.inference} == {NOMINAL, REDUCED}
    assert {mode for mode, allows in LIMITS.items() if allows.radio} == {NOMINAL, REDUCED, SAFE}
    assert {mode for mode, allows in LIMITS.items() if not allows.powered} == {OFF}


def stands(
    mode: OperatingMode,
    soc: float = 0.9,
    board_c: float = 20.0,
    *,
    brown_out: bool = False,
    booted: bool = False,
    held_safe: bool = False,
) -> str | None:
    trigger = standing_trigger(
        mode, THRESHOLDS, soc, board_c, brown_out=brown_out, booted=booted, held_safe=held_safe
    )
    return None if trigger is None else trigger.value


def test_off_is_left_by_a_recovered_battery_alone() -> None:
    assert stands(OFF, 0.3) == "power-recovered"
    assert stands(OFF, 0.2999) is None
    assert stands(OFF, 0.3, brown_out=True) is None
    assert stands(OFF, 0.3, 200.0) == "power-recovered"


@pytest.mark.parametrize("mode", [BOOT, NOMINAL, REDUCED, SAFE])
def test_power_comes_first(mode: OperatingMode) -> None:
    assert stands(mode, brown_out=True, booted=True) == "brown-out"
    assert stands(mode, 0.1, 200.0, brown_out=True) == "brown-out"
    assert stands(mode, 0.15, 200.0, booted=True) == "charge-empty"
    assert stands(mode, 0.1501, 20.0) != "charge-empty"


def test_boot_ends_when_it_is_over() -> None:
    assert stands(BOOT) is None
    assert stands(BOOT, booted=True) == "boot-complete"
    assert stands(BOOT, 0.16, 200.0, booted=True) == "boot-complete"


def test_safe_is_left_by_charge_and_cold_unless_it_is_held() -> None:
    assert stands(SAFE, 0.45, 75.0) == "recovered-to-reduced"
    assert stands(SAFE, 0.4499, 75.0) is None
    assert stands(SAFE, 0.45, 75.01) is None
    assert stands(SAFE, 0.45, 75.0, held_safe=True) is None


@pytest.mark.parametrize("mode", [NOMINAL, REDUCED])
def test_falls_to_safe(mode: OperatingMode) -> None:
    assert stands(mode, 0.3499, 200.0) == "charge-critical"
    assert stands(mode, 0.35, 85.01) == "board-too-hot"
    assert stands(mode, 0.35, 85.0) != "board-too-hot"


def test_falls_to_reduced() -> None:
    assert stands(NOMINAL, 0.4999, 76.0) == "charge-low"
    assert stands(NOMINAL, 0.5, 75.01) == "board-warm"
    assert stands(NOMINAL, 0.5, 75.0) is None


def test_rises_to_nominal() -> None:
    assert stands(REDUCED, 0.6, 65.0) == "recovered-to-nominal"
    assert stands(REDUCED, 0.5999, 65.0) is None
    assert stands(REDUCED, 0.6, 65.01) is None


def test_every_standing_trigger_is_in_the_table() -> None:
    socs = (0.0, 0.15, 0.2, 0.3, 0.34, 0.35, 0.45, 0.5, 0.6, 1.0)
    boards_c = (0.0, 65.0, 70.0, 80.0, 90.0)
    for mode, soc, board_c, flags in product(OperatingMode, socs, boards_c, range(8)):
        trigger = stands(
            mode,
            soc,
            board_c,
            brown_out=bool(flags & 1),
            booted=bool(flags & 2),
            held_safe=bool(flags & 4),
        )
        assert trigger is None or (mode, Trigger(trigger)) in TRANSITIONS
