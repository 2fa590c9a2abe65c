"""Energy counters of x86 processors (Running Average Power Limit) by the powercap class.

Units: ``energy_uj`` counts microjoules and wraps at ``max_energy_range_uj`` (about 262 kJ: 44 min
at 100 W, so a sample at least that often is assumed). The counter is readable by root alone unless
the installation grants it; where it is not, there is no meter, and the log says how to grant it.
``psys`` covers the platform. ``package-N`` is one socket; the kernel shows ``core``, ``uncore``
and ``dram`` below it, of which ``dram`` is not in its figure (Intel's SDM, volume 3,
RAPL domains) and is added. Where there is no package, cores and memory are added up.
``intel-rapl-mmio`` shows the same package again and is not counted twice.
"""

from __future__ import annotations

import errno
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
_REMEDY = "let its group read energy_uj, see docs/boards.md"


class _Zone:
    """One wrapping counter."""

    def __init__(self, sysfs: SysFs, name: str, folder: str, wall_s: float) -> None:
        """Begin to count.

        Raises:
            SensorError: the counter cannot be read.
        """
        self.name = name
        self.domain = name.rpartition("/")[2]
        """``psys``, ``package-0``, ``core``, ``dram`` and so on."""
        self.energy_j = 0.0
        """Since it was opened."""
        self._path = f"{folder}/energy_uj"
        self._range_uj = sysfs.read_int(f"{folder}/max_energy_range_uj") or 0
        self._last_uj = sysfs.read_int(self._path)
        self._wall_s = wall_s
        self.readable = self._last_uj is not None

    def step(self, sensors: Sensors, wall_s: float) -> float | None:
        """Count up to now; return the mean power since the step before, None without data."""
        now_uj = sensors.read_int(self.name, self._path)
        if now_uj is None or self._last_uj is None:
            return None
        delta_uj = now_uj - self._last_uj
        if delta_uj < 0:
            delta_uj += self._range_uj
        delta_j = max(0, delta_uj) * 1e-6
        interval_s = wall_s - self._wall_s
        self._last_uj, self._wall_s = now_uj, wall_s
        self.energy_j += delta_j
        return delta_j / interval_s


class RaplMeter:
    """Power of the platform where that counter is sound, else of all sockets together."""

    name = "rapl"
    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(self, sysfs: SysFs, zones: list[_Zone], wall_s: float) -> None:
        self._sensors = Sensors(sysfs)
        self._zones = zones
        self._psys = next((zone for zone in zones if zone.domain == _PSYS), None)
        self._parts = _adding_up(zones)
        self._read_s = wall_s
        self._sampled_s = wall_s
        self._energy_j = 0.0
        self._power_w: float | None = None

    @property
    def scope(self) -> str:
        """``board`` by the platform counter; else ``package``, ``package+dram`` and so on."""
        if self._psys is not None:
            return "board"
        return "+".join(dict.fromkeys(zone.domain.partition("-")[0] for zone in self._parts))

    @property
    def ok(self) -> bool:
        """Every counter could be read."""
        return self._sensors.ok

    def find(self) -> None:
        """Nothing to look for: the zones never move."""

    def sample(self, draft: Draft) -> MeterSample | None:
        """Read the counters; the power is the mean since the sample before."""
        wall_s = draft.wall_s
        if wall_s > self._read_s:
            self._read_s = wall_s
            read: set[str] = set()
            for zone in self._zones:
                power_w = zone.step(self._sensors, wall_s)
                if power_w is not None:
                    read.add(zone.name)
                    draft.rails.append(RailReading(zone.name, power_w))
            if self._power_w is None:
                self._judge_platform(read)
            counted = self._parts if self._psys is None else [self._psys]
            if not all(zone.name in read for zone in counted):
                return None
            energy_j = sum(zone.energy_j for zone in counted)
            self._power_w = (energy_j - self._energy_j) / (wall_s - self._sampled_s)
            self._energy_j = energy_j
            self._sampled_s = wall_s
        if self._power_w is None:
            return None
        return MeterSample(self._power_w, self._energy_j, self._sampled_s)

    def close(self) -> None:
        """Nothing is open but the tree's files."""

    def _judge_platform(self, read: set[str]) -> None:
        """Pass over a platform counter that says less than the processors in it.

        Some firmwares offer one that stands still. Decided before the first figure.
        """
        psys = self._psys
        if psys is None or psys.name not in read:
            return
        parts_j = sum(zone.energy_j for zone in self._parts)
        if self._parts and parts_j > psys.energy_j:
            _log.warning("rapl_platform_counter_ignored platform_j=%.3f", psys.energy_j)
            self._psys = None


def find_rapl(sysfs: SysFs, wall_s: float, *, platform: bool = True) -> RaplMeter | None:
    """Open the counters that this process may read; None where there are none.

    Args:
        sysfs: the tree.
        wall_s: monotonic time now; the first sample's interval begins here.
        platform: the platform counter may be used; what it covers beside the processors is up to
            the maker of the machine.
    """
    zones: dict[str, _Zone] = {}
    outer: dict[str, str] = {}
    denied: list[str] = []
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
            if not own or not name or name in zones or (own == _PSYS and not platform):
                continue
            outer[folder] = name
            zone = _Zone(sysfs, name, path, wall_s)
        except SensorError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                denied.append(folder)
            else:
                _log.info("rapl_not_readable zone=%s error=%s", folder, error)
            continue
        if zone.readable:
            zones[name] = zone
    if denied:
        _log.warning("rapl_unreadable_without_root zones=%d remedy=%r", len(denied), _REMEDY)
    found = list(zones.values())
    if not _adding_up(found) and not any(zone.domain == _PSYS for zone in found):
        return None
    return RaplMeter(sysfs, found, wall_s)


def _adding_up(zones: list[_Zone]) -> list[_Zone]:
    """Zones that cover the processors, none of them inside another."""
    packages = [zone for zone in zones if zone.domain.startswith("package")]
    memory = [zone for zone in zones if zone.domain == "dram"]
    return [*(packages or [zone for zone in zones if zone.domain == "core"]), *memory]
