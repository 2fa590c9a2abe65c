"""Opens the board that the installation names. Nothing is guessed and nothing is fallen back to."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable

from node.board.base import Board
from node.board.composed import ComposedBoard
from node.board.cpu import CpuMeter
from node.board.families import meter_of, parts_of
from node.board.identity import Identity, identify
from node.board.mailbox import Mailbox, VcioMailbox
from node.board.modelled import LinearModel, ModelledMeter
from node.board.simulated import SimulatedBoard
from node.board.sysfs import SysFs
from node.config.installation import BoardChoice
from node.config.scenario import BoardFigures
from node.errors import BoardError, SensorError

_log = logging.getLogger(__name__)


def open_board(choice: BoardChoice, figures: BoardFigures) -> Board:
    """Open the chosen board; where the installation has no power figures, the scenario's count.

    Raises:
        BoardError: the board is not there; the text says what was found instead.
    """
    idle_w = figures.idle_w if choice.idle_w is None else choice.idle_w
    active_w = figures.active_w if choice.active_w is None else choice.active_w
    if choice.family == "simulated":
        return SimulatedBoard(idle_w, active_w)
    return open_tree(SysFs(choice.root), choice, idle_w, active_w)


def open_tree(
    sysfs: SysFs,
    choice: BoardChoice,
    idle_w: float,
    active_w: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    mailbox: Callable[[SysFs], Mailbox] = VcioMailbox,
) -> ComposedBoard:
    """Open the board that a file tree shows, and close the tree with it.

    Args:
        sysfs: the tree.
        choice: what the installation says.
        idle_w: power at rest.
        active_w: power with all cores busy, for a modelled figure.
        clock: monotonic seconds; intervals begin at opening.
        mailbox: opens the firmware's mailbox of a Raspberry Pi.

    Raises:
        BoardError: the board is not there; the text says what was found instead.
    """
    with contextlib.ExitStack() as undo:
        undo.callback(sysfs.close)
        _check_linux(sysfs)
        identity = identify(sysfs)
        family = _family(choice.family, identity, sysfs)
        wall_s = clock()
        parts = parts_of(family, sysfs)
        meter = meter_of(family, identity, sysfs, wall_s, choice.total_rails, mailbox)
        undo.pop_all()
    meter = meter or ModelledMeter(LinearModel(idle_w, active_w), wall_s)
    return ComposedBoard(family, identity, sysfs, idle_w, parts, meter, wall_s)


def _check_linux(sysfs: SysFs) -> None:
    try:
        reason = "" if sysfs.read("proc/stat") else "proc/stat is missing"
        CpuMeter(sysfs)
    except (SensorError, ValueError, IndexError) as error:
        reason = str(error)
    if reason:
        raise BoardError(f"no Linux board below {sysfs.root}: {reason}")


def _family(wanted: str, identity: Identity, sysfs: SysFs) -> str:
    if wanted == "auto":
        if identity.because is None:
            _log.info("board_found family=generic because=no file says which board this is")
        else:
            _log.info("board_found family=%s because=%s", identity.family, identity.because)
        return identity.family
    # Every board is a Linux machine too.
    if wanted not in ("generic", identity.family):
        found = f"a {identity.family} board" if identity.because else "no board that is known"
        raise BoardError(f"no {wanted} board below {sysfs.root}: found {found} {identity}".strip())
    return wanted
