"""May this user read what tells the board's power?"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from node.board.identity import identify
from node.board.sysfs import SysFs
from node.doctor.finding import Finding, ok, warning

_AREA = "permissions"
_POWERCAP = "sys/class/powercap"
_MAILBOXES = ("dev/vcio_gencmd", "dev/vcio")
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_PI_5 = "bcm2712"
MEND_MAILBOX = (
    """echo 'KERNEL=="vcio|vcio_gencmd", GROUP="video", MODE="0660"' """
    "> /etc/udev/rules.d/70-vcio.rules; udevadm control --reload; udevadm trigger; "
    "usermod -aG video USER"
)
MEND_COUNTERS = (
    "let a group read energy_uj with the line in docs/boards.md (RAPL), and add the user to it"
)


def check_permissions(root: str | Path) -> list[Finding]:
    """Look at the devices and counters below a root as this user."""
    sysfs = SysFs(root)
    try:
        return list(judge_permissions(sysfs))
    finally:
        sysfs.close()


def judge_permissions(sysfs: SysFs) -> Iterator[Finding]:
    """Try to open each; nothing is asked of a device."""
    soc = identify(sysfs).soc
    if soc is not None and soc.text == _PI_5:
        yield _mailbox(sysfs)
    counters = [
        f"{_POWERCAP}/{name}/energy_uj"
        for name in sysfs.children(_POWERCAP)
        if sysfs.exists(f"{_POWERCAP}/{name}/energy_uj")
    ]
    denied = [path for path in counters if not _opens(sysfs, path)]
    if denied:
        yield warning(
            _AREA,
            f"{len(denied)} of {len(counters)} energy counters are not readable: /{denied[0]}",
            MEND_COUNTERS,
        )
    elif counters:
        yield ok(_AREA, f"{len(counters)} energy counters are readable")


def _mailbox(sysfs: SysFs) -> Finding:
    there = [path for path in _MAILBOXES if sysfs.exists(path)]
    if not there:
        return warning(
            _AREA,
            "the firmware's mailbox is not there: neither /dev/vcio_gencmd nor /dev/vcio",
            "in a container: --device /dev/vcio; in a service: DeviceAllow=/dev/vcio",
        )
    if _opens(sysfs, there[0]):
        return ok(_AREA, f"/{there[0]} can be opened")
    return warning(_AREA, f"/{there[0]} may not be opened by this user", MEND_MAILBOX)


def _opens(sysfs: SysFs, path: str) -> bool:
    try:
        os.close(sysfs.open_file(path, os.O_RDONLY))
    except OSError as failure:
        return failure.errno not in _DENIED
    return True
