"""Thermal zones of the kernel, named by their type, since their numbers shuffle between kernels."""

from __future__ import annotations

from node.board.sysfs import SysFs
from node.board.temperatures import Channel

_CLASS = "sys/class/thermal"


def find_zones(sysfs: SysFs) -> list[Channel]:
    """Find every thermal zone that says its type."""
    found: list[Channel] = []
    for name in sysfs.children(_CLASS):
        if not name.startswith("thermal_zone"):
            continue
        kind = sysfs.read(f"{_CLASS}/{name}/type")
        if kind:
            found.append(Channel(kind, f"{_CLASS}/{name}/temp"))
    return found
