"""A board's limits and their journal in memory, so that the helper's decisions can be tried."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable

from node.limits.hold import Limits
from node.limits.journal import Entry
from node.limits.knobs import find_knobs

POLICY = "sys/devices/system/cpu/cpufreq/policy{}"
GPU = "sys/devices/platform/bus@0/17000000.gpu/devfreq/17000000.gpu"
EMC = "sys/kernel/nvpmodel_clk_cap/emc"
RAPL = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0"
MMIO = "sys/devices/virtual/powercap/intel-rapl-mmio/intel-rapl-mmio:0"
COOLING = "sys/devices/virtual/thermal/cooling_device{}"
STEPS_KHZ = tuple(range(200_000, 2_000_001, 200_000))


def policy_files(number: int, *, least_khz: int, most_khz: int) -> dict[str, str]:
    folder = POLICY.format(number)
    return {
        f"{folder}/scaling_available_frequencies": " ".join(map(str, STEPS_KHZ)) + " ",
        f"{folder}/scaling_max_freq": str(most_khz),
        f"{folder}/scaling_min_freq": str(least_khz),
    }


def jetson_files() -> dict[str, str]:
    return {
        **policy_files(0, least_khz=800_000, most_khz=1_400_000),
        **policy_files(4, least_khz=800_000, most_khz=2_000_000),
        f"{GPU}/available_frequencies": "300000000 600000000 900000000",
        f"{GPU}/max_freq": "900000000",
        f"{GPU}/min_freq": "300000000",
        EMC: "3199000000",
        "sys/firmware/devicetree/base/compatible": "nvidia,p3767-0005\0nvidia,tegra234",
        f"{COOLING.format(0)}/type": "cpufreq-cpu0",
        f"{COOLING.format(0)}/cur_state": "0",
        f"{COOLING.format(1)}/type": "17000000.gpu",
        f"{COOLING.format(1)}/cur_state": "0",
    }


def zone_files(folder: str, name: str, long_uw: int, short_uw: int) -> dict[str, str]:
    return {
        f"{folder}/name": name,
        f"{folder}/enabled": "1",
        f"{folder}/constraint_0_name": "long_term",
        f"{folder}/constraint_0_power_limit_uw": str(long_uw),
        f"{folder}/constraint_1_name": "short_term",
        f"{folder}/constraint_1_power_limit_uw": str(short_uw),
    }


def x86_files() -> dict[str, str]:
    return {
        **zone_files(RAPL, "package-0", 4_090_000_000, 4_090_000_000),
        **zone_files(MMIO, "package-0", 28_000_000, 64_000_000),
    }


LINKS = {
    "sys/class/devfreq/17000000.gpu": GPU,
    "sys/class/powercap/intel-rapl:0": RAPL,
    "sys/class/powercap/intel-rapl-mmio:0": MMIO,
}


class MemoryFiles:
    """Files by path, with a kernel that can refuse, round, or hold clocks down against heat."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = dict(files)
        self.refused: dict[str, int] = {}
        """errno by path that is refused."""
        self.rounded: Callable[[str, int], int] = lambda _path, value: value
        self.cooled: dict[str, int] = {}
        """What the kernel itself allows, by path."""
        self.writes: list[tuple[str, int]] = []
        self.before_write: Callable[[], None] = lambda: None

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def number(self, path: str) -> int | None:
        text = self.files.get(path, "")
        return min(int(text), self.cooled.get(path, 1 << 62)) if text.isdigit() else None

    def write(self, path: str, value: int) -> None:
        self.before_write()
        if path in self.refused:
            raise OSError(self.refused[path], os.strerror(self.refused[path]), path)
        assert path in self.files
        self.writes.append((path, value))
        self.files[path] = str(self.rounded(path, value))

    def children(self, path: str) -> list[str]:
        every = (*self.files, *LINKS)
        inside = {
            each[len(path) + 1 :].split("/")[0] for each in every if each.startswith(f"{path}/")
        }
        return sorted(inside, key=lambda name: (len(name), name))

    def device(self, path: str) -> str | None:
        folder = LINKS.get(path, "-")
        return folder if any(each.startswith(f"{folder}/") for each in self.files) else None


class MemoryJournal:
    """A journal that can be full."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.durable: list[bool] = []
        self.full = False

    def load(self) -> list[Entry]:
        return list(self.entries)

    def save(self, entries: Iterable[Entry], *, durable: bool) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.entries = list(entries)
        self.durable.append(durable)


class MemoryBoard:
    """Limits over both; `restart` is a helper that was killed and began anew."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = MemoryFiles(files)
        self.found = dict(files)
        self.journal = MemoryJournal()
        self.limits = Limits(self.files, self.journal, find_knobs)

    def restart(self) -> Limits:
        self.limits = Limits(self.files, self.journal, find_knobs)
        return self.limits

    @property
    def as_found(self) -> bool:
        return self.files.files == self.found
