"""Notices that devices have come, gone or been renumbered, without looking all the time."""

from __future__ import annotations

from node.board.sysfs import SysFs

EVERY_S = 10.0
_FOLDERS = (
    "sys/class/hwmon",
    "sys/class/thermal",
    "sys/class/devfreq",
    "sys/bus/i2c/drivers/ina3221x",
    "sys/devices/system/cpu/cpufreq",
)


class Inventory:
    """What the folders of devices held when it was last looked at."""

    def __init__(self, sysfs: SysFs, wall_s: float) -> None:
        self._sysfs = sysfs
        self._looked_s = wall_s
        self._held = self._look()

    def changed(self, wall_s: float) -> bool:
        """Whether there is another set of devices; looks at most every ten seconds."""
        if wall_s - self._looked_s < EVERY_S:
            return False
        self._looked_s = wall_s
        before, self._held = self._held, self._look()
        return before != self._held

    def _look(self) -> tuple[object, ...]:
        held = (self._sysfs.links(folder) for folder in _FOLDERS)
        return (self._sysfs.devices_lost, *held)
