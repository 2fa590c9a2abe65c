"""Clocks as the kernel reports them: processor, GPU and memory.

Units of the kernel's interface: cpufreq kHz, devfreq Hz. What a firmware really runs at can be
another: a Raspberry Pi 5 ignores caps below 1.5 GHz and reports them all the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from node.board.health import Sensors
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import ClockReading
from node.errors import SensorError

_CPUFREQ = "sys/devices/system/cpu/cpufreq"
_DEVFREQ = "sys/class/devfreq"
_GPU = re.compile(r"[0-9a-f]+\.(gpu|gm20b|gp10b|gv11b|ga10b)|gpu-gpc-\d+")
_EMC_RATE = "sys/kernel/debug/bpmp/debug/clk/emc/rate"
_EMC_CAPS = ("sys/kernel/nvpmodel_clk_cap/emc", "sys/kernel/nvpmodel_emc_cap/emc_iso_cap")
_MAX_POLICIES = 8
_HZ_PER_KHZ = 1000.0


class _Clock(NamedTuple):
    name: str
    frequency: str | None
    limit: str | None
    hz_per_unit: float = 1.0


class CpuClocks:
    """Clocks of the processor, one for each group of cores that share one.

    Of a machine with more than eight groups the first eight stand for all.
    """

    name = "cpu_clocks"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._clocks: list[_Clock] = []
        self._full_khz: dict[str, float] = {}
        self.find()

    def find(self) -> None:
        """List the policies that have a clock: one whose cores are all offline has none."""
        self._clocks = []
        self._full_khz = {}
        policies = [name for name in self._sysfs.children(_CPUFREQ) if name.startswith("policy")]
        for policy in policies[:_MAX_POLICIES]:
            folder = f"{_CPUFREQ}/{policy}"
            if not self._sysfs.exists(f"{folder}/scaling_cur_freq"):
                continue
            name = f"cpu{policy.removeprefix('policy')}"
            self._clocks.append(
                _Clock(
                    name,
                    f"{folder}/scaling_cur_freq",
                    f"{folder}/scaling_max_freq",
                    _HZ_PER_KHZ,
                )
            )
            full_khz = self._sensors.read_int(name, f"{folder}/cpuinfo_max_freq")
            if full_khz:
                self._full_khz[name] = float(full_khz)

    def read(self, draft: Draft) -> bool:
        """Fill in every clock."""
        clocks = _read(self._sensors, self._clocks)
        draft.clocks += clocks
        ratios = [
            clock.frequency_hz / _HZ_PER_KHZ / self._full_khz[clock.clock]
            for clock in clocks
            if clock.frequency_hz is not None and clock.clock in self._full_khz
        ]
        if ratios:
            draft.cpu_clock_ratio = sum(ratios) / len(ratios)
        return self._sensors.ok


class TegraClocks:
    """Clocks of the GPU and the memory of a Jetson.

    The memory's own clock is readable by root alone; its cap by everyone.
    """

    name = "tegra_clocks"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._clocks: list[_Clock] = []
        self.find()

    def find(self) -> None:
        """List the clocks; the GPU's can come long after boot."""
        self._clocks = []
        folder = gpu_folder(self._sysfs)
        if folder:
            self._clocks.append(_Clock("gpu", f"{folder}/cur_freq", f"{folder}/max_freq"))
        rate = _EMC_RATE if _permitted(self._sysfs, _EMC_RATE) else None
        cap = next((path for path in _EMC_CAPS if self._sysfs.exists(path)), None)
        if rate or cap:
            self._clocks.append(_Clock("emc", rate, cap))

    def read(self, draft: Draft) -> bool:
        """Fill in every clock."""
        draft.clocks += _read(self._sensors, self._clocks)
        return self._sensors.ok


def gpu_folder(sysfs: SysFs) -> str:
    """Return the GPU's folder below ``devfreq``; empty while there is none."""
    names = [name for name in sysfs.children(_DEVFREQ) if _GPU.fullmatch(name)]
    return f"{_DEVFREQ}/{names[0]}" if names else ""


def _read(sensors: Sensors, clocks: list[_Clock]) -> list[ClockReading]:
    found: list[ClockReading] = []
    for clock in clocks:
        frequency_hz = _hertz(sensors, clock.name, clock.frequency, clock.hz_per_unit)
        limit_hz = _hertz(sensors, f"{clock.name} limit", clock.limit, clock.hz_per_unit)
        if frequency_hz is not None or limit_hz is not None:
            found.append(ClockReading(clock.name, frequency_hz, limit_hz))
    return found


def _hertz(sensors: Sensors, name: str, path: str | None, hz_per_unit: float) -> float | None:
    value = None if path is None else sensors.read_int(name, path)
    # A cap of 0 or below is none.
    return value * hz_per_unit if value is not None and value > 0 else None


def _permitted(sysfs: SysFs, path: str) -> bool:
    try:
        return sysfs.read(path) is not None
    except SensorError:
        return False
