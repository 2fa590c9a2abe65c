"""Is the wall clock right, and is there a mission clock that this node can share?"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

from node.clock import Anchor, machine_boot_id, read_anchor
from node.config.load import LoadedInstallation
from node.doctor.finding import Finding, error, note, ok, warning
from node.errors import ConfigError

_AREA = "clock"
_TIMEX_BYTES = 256
"""Of struct timex, rounded up."""
_STATUS_OFFSET = 40
"""Of its field ``status`` on a machine with 64-bit longs (adjtimex(2))."""
_STA_UNSYNC = 0x0040


def check_wall_clock() -> Iterator[Finding]:
    """Ask the kernel whether something keeps its clock."""
    synchronised = _is_synchronised()
    if synchronised is None:
        yield note(_AREA, "whether the wall clock is synchronised cannot be told here")
    elif synchronised:
        yield ok(_AREA, "wall clock synchronised")
    else:
        yield warning(
            _AREA,
            "wall clock not synchronised: times in logs and the validity of certificates are off; "
            "mission time is not, it follows the monotonic clock",
            "timedatectl set-ntp true",
        )


def check_anchor(loaded: LoadedInstallation) -> Iterator[Finding]:
    """Look at the file by which processes share mission time; none is made."""
    path, rate = loaded.anchor_path, loaded.installation.clock.rate
    try:
        raw = path.exists()
        anchor = read_anchor(path)
    except ConfigError as failure:
        yield error(_AREA, str(failure), f"rm {path}")
        return
    yield judge_anchor(path, rate, anchor, there=raw)


def judge_anchor(path: Path, rate: float, anchor: Anchor | None, *, there: bool) -> Finding:
    """Hold the anchor against the installation. Pure."""
    if anchor is None:
        why = "is of an earlier boot of the machine" if there else "is not there"
        return ok(_AREA, f"anchor {path} {why}: the first process makes it, mission time begins")
    if anchor.rate != rate:
        return error(
            _AREA,
            f"anchor {path} runs at {anchor.rate:g} mission seconds a second, the installation "
            f"says {rate:g}",
            f"stop the processes that share it and rm {path}, or set [clock] rate",
        )
    return ok(_AREA, f"anchor {path}, of this boot ({machine_boot_id()[:8]}), rate {rate:g}")


def _is_synchronised() -> bool | None:
    """Ask by adjtimex(2), which reads where nothing is to be set."""
    if ctypes.sizeof(ctypes.c_long) != 8:  # noqa: PLR2004 - bytes; see _STATUS_OFFSET
        return None
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(timex) < 0:
        return None
    status = int.from_bytes(timex.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], sys.byteorder)
    return not status & _STA_UNSYNC
