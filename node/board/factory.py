"""Opens the board that the installation names. Nothing is guessed and nothing is fallen back to."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from node.board.base import Board
from node.board.composed import ComposedBoard
from node.board.cpu import CpuMeter
from node.board.external_meter import BesideMeter, ExternalMeter
from node.board.families import meter_of, parts_of
from node.board.identity import Identity, identify
from node.board.mailbox import Mailbox, VcioMailbox
from node.board.meter import PowerMeter
from node.board.modelled import ModelledMeter
from node.board.nvidia_gpu import NvidiaGpus, NvidiaMeter
from node.board.power_models import LinearModel, published_model
from node.board.rapl import find_rapl
from node.board.simulated import SimulatedBoard
from node.board.sysfs import SysFs
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.errors import BoardError, SensorError

_log = logging.getLogger(__name__)


def open_board(
    choice: BoardChoice, figures: BoardFigures, external: ExternalMeter | None = None
) -> Board:
    """Open the chosen board.

    Args:
        choice: what the installation says.
        figures: the scenario's, for what neither the installation nor anybody else says.
        external: a meter beside the board, which then tells its power.

    Raises:
        BoardError: the board is not there; the text says what was found instead.
    """
    if choice.family == "simulated":
        model = _two_points(choice, figures)
        return SimulatedBoard(model.idle_w, model.active_w)
    return open_tree(SysFs(choice.root), choice, figures, external=external)


def open_tree(
    sysfs: SysFs,
    choice: BoardChoice,
    figures: BoardFigures,
    *,
    external: ExternalMeter | None = None,
    clock: Callable[[], float] = time.monotonic,
    mailbox: Callable[[SysFs], Mailbox] = VcioMailbox,
    nvml: Any | None = None,  # noqa: ANN401 - a module without stubs
) -> ComposedBoard:
    """Open the board that a file tree shows, and close the tree with it.

    Args:
        sysfs: the tree.
        choice: what the installation says.
        figures: the scenario's, for what neither the installation nor anybody else says.
        external: a meter beside the board, which then tells its power.
        clock: monotonic seconds; intervals begin at opening.
        mailbox: opens the firmware's mailbox of a Raspberry Pi.
        nvml: stands in for ``pynvml``.

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
        meter: PowerMeter | None
        if family == "nvidia-gpu":
            gpus = NvidiaGpus(nvml, choice.gpus)
            undo.callback(gpus.close)
            parts.append(gpus)
            meter = NvidiaMeter(gpus, find_rapl(sysfs, wall_s, platform=False))
        else:
            meter = meter_of(family, identity, sysfs, wall_s, choice.total_rails, mailbox)
        undo.pop_all()
    idle_w = _two_points(choice, figures).idle_w
    if external is not None:
        meter = BesideMeter(external, meter)
    if meter is None:
        model = _model(choice, figures, identity)
        idle_w = model.idle_w
        meter = ModelledMeter(model, wall_s)
    return ComposedBoard(family, identity, sysfs, idle_w, parts, meter, wall_s)


def _model(choice: BoardChoice, figures: BoardFigures, identity: Identity) -> LinearModel:
    """Choose the model of a board that nothing measures."""
    if choice.idle_w is None and choice.active_w is None and identity.model is not None:
        published = published_model(identity.model.text)
        if published is not None:
            return published
    return _two_points(choice, figures)


def _two_points(choice: BoardChoice, figures: BoardFigures) -> LinearModel:
    """A model of what the installation says and, where it is silent, the scenario."""
    given = (choice.idle_w is not None) + (choice.active_w is not None)
    return LinearModel(
        ("scenario", "installation+scenario", "installation")[given],
        figures.idle_w if choice.idle_w is None else choice.idle_w,
        figures.active_w if choice.active_w is None else choice.active_w,
    )


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
    # Every board is a Linux machine too, and whether there is a GPU is for NVML to say.
    if wanted not in ("generic", "nvidia-gpu", identity.family):
        found = f"a {identity.family} board" if identity.because else "no board that is known"
        raise BoardError(f"no {wanted} board below {sysfs.root}: found {found} {identity}".strip())
    return wanted
