"""What else a Jetson tells: load of the GPU, over-current events and the power mode."""

from __future__ import annotations

import re

from node.board.clocks import gpu_folder
from node.board.health import Sensors
from node.board.hwmon import find_chips
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import ThrottleReading

_LOADS = (
    "sys/devices/platform/bus@0/17000000.gpu/load",
    "sys/devices/platform/17000000.gpu/load",
    "sys/devices/platform/gpu.0/load",
    "sys/devices/gpu.0/load",
    "sys/devices/57000000.gpu/load",
    "sys/devices/17000000.gv11b/load",
    "sys/devices/17000000.ga10b/load",
)
_PERMILLE = 1000.0
_REASONS = {
    "oc1": "under-voltage",
    "oc2": "average-over-current",
    "oc3": "instantaneous-over-current",
}
_STATUS = "var/lib/nvpmodel/status"
_MODES = "etc/nvpmodel.conf"
_MODE_ID = re.compile(r"pmode:(\d+)")
_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")


class GpuLoad:
    """Busy share of the GPU, by the node whose place depends on the release of Jetson Linux."""

    name = "gpu"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._path: str | None = None
        self.find()

    def find(self) -> None:
        """Look for the load; it can come long after boot."""
        folder = gpu_folder(self._sysfs)
        candidates = [f"{folder}/device/load", *_LOADS] if folder else _LOADS
        found = [path for path in candidates if self._sysfs.exists(path)]
        self._path = found[0] if found else self._path

    def read(self, draft: Draft) -> bool:
        """Fill in the load, 0 to 1."""
        if self._path is not None:
            permille = self._sensors.read_int("gpu load", self._path)
            if permille is not None:
                draft.gpu_utilisation_ratio = min(1.0, max(0.0, permille / _PERMILLE))
        return self._sensors.ok


class OverCurrent:
    """Events in which the power supervisor slowed the processor down, since the board was opened.

    The counters go on from boot. ``oc3`` counts thousands an hour in the highest power mode and
    is harmless there.
    """

    name = "over_current"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._paths: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._events: dict[str, int] = {}
        self.find()

    def find(self) -> None:
        """Look for the counters."""
        for chip in find_chips(self._sysfs):
            if chip.name == "soctherm_oc":
                names = set(self._sysfs.children(chip.folder))
                self._paths = {
                    reason: f"{chip.folder}/{counter}_event_cnt"
                    for counter, reason in _REASONS.items()
                    if f"{counter}_event_cnt" in names
                }
        self._count()

    def read(self, draft: Draft) -> bool:
        """Fill in how often each has struck."""
        for reason in self._count():
            draft.throttles.append(ThrottleReading(reason, events=self._events[reason]))
        return self._sensors.ok

    def _count(self) -> list[str]:
        counted: list[str] = []
        for reason, path in self._paths.items():
            now = self._sensors.read_int(reason, path)
            if now is None:
                continue
            delta = now - self._last.get(reason, now)
            self._events[reason] = self._events.get(reason, 0) + max(0, delta)
            self._last[reason] = now
            counted.append(reason)
        return counted


class PowerMode:
    """Name of the mode that ``nvpmodel`` noted last; nothing is executed.

    In a container ``nvpmodel`` notes modes that it did not set.
    """

    name = "power_mode"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._names: dict[int, str] | None = None

    def find(self) -> None:
        """Let the next reading look which modes there are."""
        self._names = None

    def read(self, draft: Draft) -> bool:
        """Fill in the mode; one without a name by its number.

        Raises:
            SensorError: the file is there and could not be read.
        """
        if self._names is None:
            text = self._sysfs.read_disk(_MODES, 1 << 20) or ""
            self._names = {int(number): name for number, name in _MODE.findall(text)}
        match = _MODE_ID.search(self._sysfs.read_disk(_STATUS) or "")
        if match is not None:
            number = int(match[1])
            draft.power_mode = self._names.get(number, str(number))
        return True
