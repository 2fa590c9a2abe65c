"""Energy counters of x86 processors (Running Average Power Limit) by the powercap class.

Units: ``energy_uj`` counts microjoules and wraps at ``max_energy_range_uj`` (about 262 kJ: 44 min
at 100 W, so a sample at least that often is assumed). The counter is readable by root alone unless
the installation grants it; where it is not, there is no meter. ``psys`` covers the platform,
``package-N`` one socket with the domains inside it. ``intel-rapl-mmio`` shows the same package
again and is not counted twice.
"""

from __future__ import annotations

import logging
import re

from node.board.health import Sensors
from node.board.meter import MeterSample
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import RailReading, Source
from node.errors import SensorError

_log = logging.getLogger(__name__)
_CLASS = "sys/class/powercap"
_ZONE = re.compile(r"(intel-rapl(?:-mmio)?:[0-9a-f]+)(:[0-9a-f]+)?")
_PSYS = "psys"


class _Zone:
    """One wrapping counter."""

    def __init__(self, sysfs: SysFs, name: str, folder: str, wall_s: float) -> None:
        """Begin to count.

        Raises:
            SensorError: the counter cannot be read.
        """
        self.name = name
        self.is_package = name.startswith("package") and "/" not in name
        self._path = f"{folder}/energy_uj"
        self._range_uj = sysfs.read_int(f"{folder}/max_energy_range_uj") or 0
        self._last_uj = sysfs.read_int(self._path)
        self._wall_s = wall_s
        self.readable = self._last_uj is not None

    def step(self, sensors: Sensors, wall_s: float) -> tuple[float, float] | None:
        """Joules and seconds since the step before; None where there is no data now."""
        now_uj = sensors.read_int(self.name, self._path)
        if now_uj is None or self._last_uj is None:
            return None
        delta_uj = now_uj - self._last_uj
        if delta_uj < 0:
            delta_uj += self._range_uj
        interval_s = wall_s - self._wall_s
        self._last_uj, self._wall_s = now_uj, wall_s
        return max(0, delta_uj) * 1e-6, interval_s


class RaplMeter:
    """Power of the platform where that counter is sound, else of all packages together."""

    name = "rapl"
    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(self, sysfs: SysFs, zones: list[_Zone], wall_s: float) -> None:
        self._sensors = Sensors(sysfs)
        self._zones = zones
        self._by_platform = any(zone.name == _PSYS for zone in zones)
        self._read_s = wall_s
        self._sampled_s = wall_s
        self._energy_j = 0.0
        self._power_w: float | None = None

    @property
    def scope(self) -> str:
        """``board`` by the platform counter, ``package`` otherwise."""
        return "board" if self._by_platform else "package"

    @property
    def ok(self) -> bool:
        """Every counter could be read."""
        return self._sensors.ok

    def find(self) -> None:
        """Nothing to look for: the zones never move."""

    def sample(self, draft: Draft) -> MeterSample | None:
        """Read the counters; the power is the mean since the call before."""
        wall_s = draft.wall_s
        if wall_s > self._read_s:
            self._read_s = wall_s
            joules: dict[str, float] = {}
            for zone in self._zones:
                step = zone.step(self._sensors, wall_s)
                if step is not None:
                    joules[zone.name] = step[0]
                    draft.rails.append(RailReading(zone.name, step[0] / step[1]))
            delta_j = self._delta_j(joules)
            if delta_j is None:
                return None
            self._energy_j += delta_j
            self._power_w = delta_j / (wall_s - self._sampled_s)
            self._sampled_s = wall_s
        if self._power_w is None:
            return None
        return MeterSample(self._power_w, self._energy_j, self._sampled_s)

    def close(self) -> None:
        """Nothing is open but the tree's files."""

    def _delta_j(self, joules: dict[str, float]) -> float | None:
        packages = [zone.name for zone in self._zones if zone.is_package]
        parts = [joules[name] for name in packages if name in joules]
        packages_j = sum(parts) if packages and len(parts) == len(packages) else None
        if not self._by_platform:
            return packages_j
        platform_j = joules.get(_PSYS)
        first = self._power_w is None
        if first and platform_j is not None and packages_j is not None and packages_j > platform_j:
            # Some firmwares offer a platform counter that stands still: what holds the packages
            # cannot use less than they do. Decided once, in the first interval.
            _log.warning("rapl_platform_counter_ignored platform_j=%.3f", platform_j)
            self._by_platform = False
            return packages_j
        return platform_j


def find_rapl(sysfs: SysFs, wall_s: float) -> RaplMeter | None:
    """Open the counters that this process may read; None where there are none.

    Args:
        sysfs: the tree.
        wall_s: monotonic time now; the first sample's interval begins here.
    """
    zones: dict[str, _Zone] = {}
    outer: dict[str, str] = {}
    # "intel-rapl:0" sorts before "intel-rapl-mmio:0" by length, and so the first of a name stays;
    # what is inside a zone sorts behind it.
    for folder in sysfs.children(_CLASS):
        match = _ZONE.fullmatch(folder)
        if match is None or (match[2] and match[1] not in outer):
            continue
        path = f"{_CLASS}/{folder}"
        try:
            own = sysfs.read(f"{path}/name")
            name = f"{outer[match[1]]}/{own}" if match[2] else own
            if not own or not name or name in zones:
                continue
            zone = _Zone(sysfs, name, path, wall_s)
        except SensorError as error:
            _log.info("rapl_not_readable zone=%s error=%s", folder, error)
            continue
        if zone.readable:
            zones[name] = zone
            outer[folder] = name
    if not any(zone.is_package or zone.name == _PSYS for zone in zones.values()):
        return None
    return RaplMeter(sysfs, list(zones.values()), wall_s)
