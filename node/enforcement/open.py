"""Finds the means that this machine has, as far as the installation wants them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from node.enforcement.clock import ClockCaps
from node.enforcement.control_groups import GroupFiles
from node.enforcement.duty import DutyCycle
from node.enforcement.enforcer import Enforcer
from node.enforcement.quota import open_quota
from node.enforcement.share import Lack, ShareLimiter
from node.errors import GovernorError
from node.limits.client import GovernorClient, NoGovernor

_MEND = "install it: systemctl enable --now orbitnode-governor.socket"


async def open_enforcer(
    means: Sequence[str], helper_socket: Path, files: GroupFiles | None = None
) -> Enforcer:
    """Try each means that is wanted; what lacks is in the enforcer's ``lacks`` and in the log."""
    lacks: list[Lack] = []
    limiter: ShareLimiter | None = None
    if "quota" in means:
        found = open_quota(files or GroupFiles())
        if isinstance(found, Lack):
            lacks.append(found)
            limiter = DutyCycle()
        else:
            limiter = found
    clock = None
    if "clock" in means:
        clock = await _open_clock(helper_socket, lacks)
    return Enforcer(limiter, clock, tuple(lacks))


async def _open_clock(path: Path, lacks: list[Lack]) -> ClockCaps | None:
    helper = await GovernorClient.connect(path)
    if isinstance(helper, NoGovernor):
        lacks.append(Lack("clock", helper.reason, _MEND))
        return None
    try:
        clock = await ClockCaps.open(helper)
    except GovernorError as error:
        lacks.append(Lack("clock", str(error), _MEND))
        await helper.close()
        return None
    if not clock.usable:
        lacks.append(Lack("clock", "the board has no clock that can be capped", "none"))
        await clock.close()
        return None
    return clock
