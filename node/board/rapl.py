"""Energy counters of x86 processors (Running Average Power Limit) by the powercap class.

Units: ``energy_uj`` counts microjoules and wraps at ``max_energy_range_uj`` (about 262 kJ: 44 min
at 100 W, so a sample at least that often is assumed). The counter is readable by root alone unless
the installation grants it; where it is not, there is no meter. ``psys`` covers the platform,
``package-N`` one socket. ``intel-rapl-mmio`` shows the same package again and is not counted twice.
"""

from __future__ import annotations

import logging
import re

from node.board.meter import MeterSample
from node.board.sysfs import SysFs
from node.errors import SensorError

_log = logging.getLogger(__name__)
_CLASS = "sys/class/powercap"
_TOP_ZONE = re.compile(r"intel-rapl(-mmio)?:[0-9a-f]+")
_PSYS = "psys"


class _Zone:
    """One wrapping counter."""

    def __init__(self, sysfs: SysFs, folder: str) -> None:
        self._sysfs = sysfs
        self._path = f"{folder}/energy_uj"
        self._range_uj = sysfs.read_int(f"{folder}/max_energy_range_uj") or 0
        self._last_uj = sysfs.read_int(self._path)
        self.readable = self._last_uj is not None

    def delta_j(self) -> float | None:
        """Joules since the call before; None where there is no data now."""
        now_uj = self._sysfs.read_int(self._path)
        if now_uj is None or self._last_uj is None:
            return None
        delta_uj = now_uj - self._last_uj
        if delta_uj < 0:
            delta_uj += self._range_uj
        self._last_uj = now_uj
        return max(0, delta_uj) * 1e-6


class RaplMeter:
    """Power of the platform where that counter is sound, else of all packages together."""

    name = "rapl"

    def __init__(self, packages: dict[str, _Zone], psys: _Zone | None, wall_s: float) -> None:
        self._packages = packages
        self._psys = psys
        self._wall_s = wall_s
        self._energy_j = 0.0
        self._power_w: float | None = None

    @property
    def scope(self) -> str:
        """``board`` by the platform counter, ``package`` otherwise."""
        return "package" if self._psys is None else "board"

    def sample(self, wall_s: float) -> MeterSample | None:
        """Read the counters; the power is the mean since the call before."""
        interval_s = wall_s - self._wall_s
        if interval_s > 0:
            delta_j = self._delta_j()
            if delta_j is None:
                return None
            self._wall_s = wall_s
            self._energy_j += delta_j
            self._power_w = delta_j / interval_s
        return None if self._power_w is None else MeterSample(self._power_w, self._energy_j)

    def _delta_j(self) -> float | None:
        if self._psys is None:
            return _total([zone.delta_j() for zone in self._packages.values()])
        platform_j = self._psys.delta_j()
        if self._power_w is None and platform_j is not None and self._packages:
            # Some firmwares offer a platform counter that stands still: what holds the packages
            # cannot use less than they do. Decided once, in the first interval.
            packages_j = _total([zone.delta_j() for zone in self._packages.values()])
            if packages_j is not None and packages_j > platform_j:
                _log.warning("rapl_platform_counter_ignored platform_j=%.3f", platform_j)
                self._psys = None
                return packages_j
        return platform_j


def find_rapl(sysfs: SysFs, wall_s: float) -> RaplMeter | None:
    """Open the counters that this process may read; None where there are none.

    Args:
        sysfs: the tree.
        wall_s: monotonic time now; the first sample's interval begins here.
    """
    zones: dict[str, _Zone] = {}
    # "intel-rapl:0" sorts before "intel-rapl-mmio:0" by length, and so the first of a name stays.
    for folder in sysfs.children(_CLASS):
        if not _TOP_ZONE.fullmatch(folder):
            continue
        path = f"{_CLASS}/{folder}"
        try:
            name = sysfs.read(f"{path}/name")
            if not name or name in zones:
                continue
            zone = _Zone(sysfs, path)
        except SensorError as error:
            _log.info("rapl_not_readable zone=%s error=%s", folder, error)
            continue
        if zone.readable:
            zones[name] = zone
    packages = {name: zone for name, zone in zones.items() if name.startswith("package")}
    psys = zones.get(_PSYS)
    if not packages and psys is None:
        return None
    return RaplMeter(packages, psys, wall_s)


def _total(parts: list[float | None]) -> float | None:
    present = [part for part in parts if part is not None]
    return sum(present) if len(present) == len(parts) else None
