"""Operating modes: every rule that changes the mode stands in this file, in one table.

Theory of operation. A *trigger* is a fact about one instant (the charge is low, the board is hot,
the ground said so). The table names, for each mode and trigger, the mode that follows. Triggers
that do not stand beside a mode change nothing there. At one instant several triggers can hold; the
most severe acts, in the order in which ``Trigger`` lists them, and one instant makes at most one
transition. Every threshold is a pair (enter, leave), so that no noise makes the node flutter.

OFF is a real power loss. It is left only by way of BOOT, when the battery has recovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from node.errors import TransitionError


class OperatingMode(str, Enum):
    """What the node may do."""

    BOOT = "boot"
    NOMINAL = "nominal"
    REDUCED = "reduced"
    SAFE = "safe"
    OFF = "off"


class Trigger(str, Enum):
    """What can change the mode, the most severe first."""

    BROWN_OUT = "brown-out"
    CHARGE_EMPTY = "charge-empty"
    COMMAND_SAFE = "command-safe"
    FAULT_SAFE = "fault-safe"
    CHARGE_CRITICAL = "charge-critical"
    BOARD_TOO_HOT = "board-too-hot"
    CEILING_UNMET = "ceiling-unmet"
    CHARGE_LOW = "charge-low"
    BOARD_WARM = "board-warm"
    COMMAND_REDUCED = "command-reduced"
    COMMAND_NOMINAL = "command-nominal"
    POWER_RECOVERED = "power-recovered"
    BOOT_COMPLETE = "boot-complete"
    RECOVERED_TO_REDUCED = "recovered-to-reduced"
    RECOVERED_TO_NOMINAL = "recovered-to-nominal"


_BOOT, _NOMINAL, _REDUCED, _SAFE, _OFF = OperatingMode

TRANSITIONS: dict[tuple[OperatingMode, Trigger], OperatingMode] = {
    # Power is lost: from every mode that has power.
    (_BOOT, Trigger.BROWN_OUT): _OFF,
    (_NOMINAL, Trigger.BROWN_OUT): _OFF,
    (_REDUCED, Trigger.BROWN_OUT): _OFF,
    (_SAFE, Trigger.BROWN_OUT): _OFF,
    (_BOOT, Trigger.CHARGE_EMPTY): _OFF,
    (_NOMINAL, Trigger.CHARGE_EMPTY): _OFF,
    (_REDUCED, Trigger.CHARGE_EMPTY): _OFF,
    (_SAFE, Trigger.CHARGE_EMPTY): _OFF,
    (_OFF, Trigger.POWER_RECOVERED): _BOOT,
    # A boot ends in the most careful working mode; the charge lifts it from there.
    (_BOOT, Trigger.BOOT_COMPLETE): _SAFE,
    # Down, by charge, heat, fault or order.
    (_NOMINAL, Trigger.COMMAND_SAFE): _SAFE,
    (_REDUCED, Trigger.COMMAND_SAFE): _SAFE,
    (_NOMINAL, Trigger.FAULT_SAFE): _SAFE,
    (_REDUCED, Trigger.FAULT_SAFE): _SAFE,
    (_NOMINAL, Trigger.CHARGE_CRITICAL): _SAFE,
    (_REDUCED, Trigger.CHARGE_CRITICAL): _SAFE,
    (_NOMINAL, Trigger.BOARD_TOO_HOT): _SAFE,
    (_REDUCED, Trigger.BOARD_TOO_HOT): _SAFE,
    (_REDUCED, Trigger.CEILING_UNMET): _SAFE,
    (_NOMINAL, Trigger.CHARGE_LOW): _REDUCED,
    (_NOMINAL, Trigger.BOARD_WARM): _REDUCED,
    (_NOMINAL, Trigger.COMMAND_REDUCED): _REDUCED,
    # Up, by recovery (never while an order or a fault holds SAFE) or by order.
    (_SAFE, Trigger.COMMAND_REDUCED): _REDUCED,
    (_SAFE, Trigger.COMMAND_NOMINAL): _NOMINAL,
    (_REDUCED, Trigger.COMMAND_NOMINAL): _NOMINAL,
    (_SAFE, Trigger.RECOVERED_TO_REDUCED): _REDUCED,
    (_REDUCED, Trigger.RECOVERED_TO_NOMINAL): _NOMINAL,
}


@dataclass(frozen=True, slots=True)
class ModeLimits:
    """What a mode allows."""

    inference: bool
    radio: bool
    powered: bool


LIMITS: dict[OperatingMode, ModeLimits] = {
    _BOOT: ModeLimits(inference=False, radio=False, powered=True),
    _NOMINAL: ModeLimits(inference=True, radio=True, powered=True),
    _REDUCED: ModeLimits(inference=True, radio=True, powered=True),
    _SAFE: ModeLimits(inference=False, radio=True, powered=True),
    _OFF: ModeLimits(inference=False, radio=False, powered=False),
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where charge and board temperature act; each pair is a hysteresis."""

    reduced_below_soc: float
    nominal_above_soc: float
    safe_below_soc: float
    reduced_above_soc: float
    off_below_soc: float
    boot_above_soc: float
    reduced_above_board_c: float
    nominal_below_board_c: float
    safe_above_board_c: float
    reduced_below_board_c: float


def transition(mode: OperatingMode, trigger: Trigger) -> OperatingMode:
    """Return the mode that follows.

    Raises:
        TransitionError: the table has no such transition; nothing changes.
    """
    try:
        return TRANSITIONS[mode, trigger]
    except KeyError:
        raise TransitionError(f"{trigger.value} changes nothing in {mode.value}") from None


def standing_trigger(  # noqa: C901, PLR0911 - one rule a line reads better than nesting
    mode: OperatingMode,
    thresholds: Thresholds,
    state_of_charge: float,
    board_c: float,
    *,
    brown_out: bool,
    booted: bool,
    held_safe: bool,
    ceiling_unmet: bool = False,
) -> Trigger | None:
    """Return the most severe trigger by charge and heat that acts in this mode now, or None.

    Args:
        mode: the present mode.
        thresholds: where charge and temperature act.
        state_of_charge: of the battery, 0 to 1.
        board_c: emulated board temperature.
        brown_out: the bus could not carry the load in the last step.
        booted: the boot time is over and the store has been read.
        held_safe: an order or a fault keeps the node in SAFE.
        ceiling_unmet: the board draws more than the ceiling of REDUCED with nothing left to lower.
    """
    if mode is _OFF:
        recovered = state_of_charge >= thresholds.boot_above_soc and not brown_out
        return Trigger.POWER_RECOVERED if recovered else None
    if brown_out:
        return Trigger.BROWN_OUT
    if state_of_charge <= thresholds.off_below_soc:
        return Trigger.CHARGE_EMPTY
    if mode is _BOOT:
        return Trigger.BOOT_COMPLETE if booted else None
    if mode is _SAFE:
        recovered = (
            state_of_charge >= thresholds.reduced_above_soc
            and board_c <= thresholds.reduced_below_board_c
            and not held_safe
            # Where NOMINAL follows at once, the ceiling does not matter.
            and (not ceiling_unmet or _fit_for_nominal(thresholds, state_of_charge, board_c))
        )
        return Trigger.RECOVERED_TO_REDUCED if recovered else None
    if state_of_charge < thresholds.safe_below_soc:
        return Trigger.CHARGE_CRITICAL
    if board_c > thresholds.safe_above_board_c:
        return Trigger.BOARD_TOO_HOT
    if mode is _NOMINAL:
        if state_of_charge < thresholds.reduced_below_soc:
            return Trigger.CHARGE_LOW
        return Trigger.BOARD_WARM if board_c > thresholds.reduced_above_board_c else None
    if _fit_for_nominal(thresholds, state_of_charge, board_c):
        return Trigger.RECOVERED_TO_NOMINAL
    return Trigger.CEILING_UNMET if ceiling_unmet else None


def _fit_for_nominal(thresholds: Thresholds, state_of_charge: float, board_c: float) -> bool:
    return (
        state_of_charge >= thresholds.nominal_above_soc
        and board_c <= thresholds.nominal_below_board_c
    )
