"""Finds the knobs of a board: a fixed list of files, those of them that are there.

Units are the kernel's: kHz for processor clocks, Hz for GPU and memory, microwatts for packages.
Not in the list, for good: nvpmodel (a mode may ask for a reboot), cores on and off line (one of a
Raspberry Pi 5 may not come back), fans (cooling is never reduced), current limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from node.limits.protocol import Kind
from node.limits.tree import DEVICES

_CPUFREQ = f"{DEVICES}system/cpu/cpufreq"
_POLICY = re.compile(r"policy([0-9]{1,5})")
GPU_NAMES = (
    "gpu-gpc-0",  # Thor
    "17000000.gpu",  # Orin, JetPack 6
    "17000000.ga10b",  # Orin, JetPack 5
    "17000000.gv11b",  # Xavier
    "17000000.gp10b",  # TX2
    "57000000.gpu",  # Nano
)
EMC_FILES = (
    "sys/kernel/nvpmodel_clk_cap/emc",
    "sys/kernel/nvpmodel_emc_cap/emc_iso_cap",  # JetPack 5 and older
)
_POWERCAP = "sys/class/powercap"
_ZONE = re.compile(r"intel-rapl(-mmio)?:[0-9a-f]{1,4}")
_PACKAGE = re.compile(r"package-[0-9]{1,4}(-die-[0-9]{1,4})?")
_LONG_TERM, _SHORT_TERM = "long_term", "short_term"
_CONSTRAINTS = 3
_COMPATIBLE = "sys/firmware/devicetree/base/compatible"
_THERMAL = f"{DEVICES}virtual/thermal"
_COOLING = re.compile(r"cooling_device[0-9]{1,4}")
_CPU_COOLING = ("cpufreq-", "thermal-cpufreq-", "Processor")
_GPU_COOLING = ("devfreq-", "thermal-devfreq-")

PI5_FLOOR_KHZ = 1_500_000
"""The firmware of a Raspberry Pi 5 runs no slower, whatever cpufreq pretends
(raspberrypi/linux#5876)."""
TEGRA234_EMC_HZ = (204_000_000, 665_600_000, 2_133_000_000, 3_199_000_000)
"""The clocks that Orin's memory controller has; there is no file that lists them, and the driver
rounds what lies between."""
EMC_FLOOR_HZ = 204_000_000
PACKAGE_FLOOR_UW = 5_000_000
"""Ours: below it the clocks of a desktop or server package are at their slowest anyway."""


class Files(Protocol):
    """What is asked of a file tree; `node.limits.tree.Tree` is the real one."""

    def text(self, path: str) -> str | None:
        """Read a file, stripped; None where there is nothing to read."""

    def number(self, path: str) -> int | None:
        """Read a number; None where there is none."""

    def write(self, path: str, value: int) -> None:
        """Write a number; `OSError` where that fails."""

    def children(self, path: str) -> list[str]:
        """List a folder."""

    def device(self, path: str) -> str | None:
        """Say where a link of ``sys/class`` leads."""


@dataclass(frozen=True)
class Knob:
    """One thing that can be capped, and every file that takes part."""

    name: str
    kind: Kind
    unit: Literal["kHz", "Hz", "uW"]
    floor: int
    steps: tuple[int, ...]
    ceilings: tuple[str, ...]
    """The limits; the least of them is the one that acts."""
    followers: tuple[str, ...] = ()
    """Limits over shorter times, which are lowered along and have no say in the baseline."""
    minimum: str | None = None
    """The lower end of the range, which must not lie above the limit."""
    policy: int | None = None
    note: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Every file, in the order in which they are restored: limits first, then the minimum."""
        last = () if self.minimum is None else (self.minimum,)
        return (*reversed(self.followers), *reversed(self.ceilings), *last)


@dataclass(frozen=True)
class Found:
    """The knobs of a board, and what could not be one."""

    knobs: tuple[Knob, ...]
    left_out: tuple[str, ...]


def find_knobs(files: Files) -> Found:
    """Look for every knob. Cheap enough for each request: a GPU may come late, a policy go away."""
    knobs: list[Knob] = []
    left_out: list[str] = []
    for search in (_processors, _gpus, _memory, _packages):
        for each in search(files):
            if isinstance(each, Knob):
                knobs.append(each)
            else:
                left_out.append(each)
    return Found(tuple(knobs), tuple(left_out))


def is_cooling(files: Files, kind: Kind) -> bool:
    """Whether the kernel itself holds clocks of this kind down now, against heat.

    While it does, the limit files show its limit and not the one that was written to them.
    """
    if kind not in {"cpu", "gpu"}:
        return False
    types = _CPU_COOLING if kind == "cpu" else (*_GPU_COOLING, *GPU_NAMES)
    for child in files.children(_THERMAL):
        if _COOLING.fullmatch(child) and (files.number(f"{_THERMAL}/{child}/cur_state") or 0) > 0:
            of_device = files.text(f"{_THERMAL}/{child}/type") or ""
            if of_device.startswith(types):
                return True
    return False


def _processors(files: Files) -> list[Knob | str]:
    found: list[Knob | str] = []
    is_pi5 = "brcm,bcm2712" in _compatible(files)
    for child in files.children(_CPUFREQ):
        match = _POLICY.fullmatch(child)
        if match is None:
            continue
        folder = f"{_CPUFREQ}/{child}"
        policy = int(match[1])
        name = f"cpu:{policy}"
        if files.number(f"{folder}/scaling_max_freq") is None:
            # The cores of this policy are offline.
            found.append(f"{name}: no limit to read")
            continue
        steps = _numbers(files.text(f"{folder}/scaling_available_frequencies"))
        floor = steps[0] if steps else files.number(f"{folder}/cpuinfo_min_freq")
        if not floor:
            found.append(f"{name}: its lowest clock is not known")
            continue
        held_up = is_pi5 and floor < PI5_FLOOR_KHZ
        minimum = f"{folder}/scaling_min_freq"
        found.append(
            Knob(
                name=name,
                kind="cpu",
                unit="kHz",
                floor=PI5_FLOOR_KHZ if held_up else floor,
                steps=steps,
                ceilings=(f"{folder}/scaling_max_freq",),
                minimum=None if files.number(minimum) is None else minimum,
                policy=policy,
                note="the firmware of this board runs no slower than 1500000 kHz"
                if held_up
                else "",
            )
        )
    return found


def _gpus(files: Files) -> list[Knob | str]:
    for name in GPU_NAMES:
        folder = files.device(f"sys/class/devfreq/{name}")
        if folder is None:
            continue
        steps = _numbers(files.text(f"{folder}/available_frequencies"))
        if not steps or files.number(f"{folder}/max_freq") is None:
            return [f"gpu: {name} says neither its limit nor its clocks"]
        minimum = f"{folder}/min_freq"
        return [
            Knob(
                name="gpu",
                kind="gpu",
                unit="Hz",
                floor=steps[0],
                steps=steps,
                ceilings=(f"{folder}/max_freq",),
                minimum=None if files.number(minimum) is None else minimum,
            )
        ]
    return []


def _memory(files: Files) -> list[Knob | str]:
    for path in EMC_FILES:
        value = files.number(path)
        if value is None:
            continue
        if value == 0:
            return ["emc: no limit was ever set, and so there is none to go back to"]
        known = "nvidia,tegra234" in _compatible(files)
        return [
            Knob(
                name="emc",
                kind="emc",
                unit="Hz",
                floor=EMC_FLOOR_HZ,
                steps=TEGRA234_EMC_HZ if known else (),
                ceilings=(path,),
                note="" if known else "the driver rounds to a clock that the memory has",
            )
        ]
    return []


def _packages(files: Files) -> list[Knob | str]:
    found: list[Knob | str] = []
    limits: dict[str, dict[str, list[str]]] = {}
    asleep: set[str] = set()
    # "intel-rapl:0" comes before "intel-rapl-mmio:0", which limits the same package once more.
    for child in files.children(_POWERCAP):
        folder = files.device(f"{_POWERCAP}/{child}") if _ZONE.fullmatch(child) else None
        if folder is None:
            continue
        name = files.text(f"{folder}/name") or ""
        if not _PACKAGE.fullmatch(name):
            continue
        terms = limits.setdefault(name, {_LONG_TERM: [], _SHORT_TERM: []})
        for index in range(_CONSTRAINTS):
            path = f"{folder}/constraint_{index}_power_limit_uw"
            term = files.text(f"{folder}/constraint_{index}_name") or ""
            # 0 stands for no limit.
            if term in terms and files.number(path):
                terms[term].append(path)
        if files.text(f"{folder}/enabled") == "0":
            asleep.add(name)
    for name, terms in limits.items():
        if not terms[_LONG_TERM]:
            found.append(f"{name}: no power limit")
            continue
        found.append(
            Knob(
                name=name,
                kind="package_power",
                unit="uW",
                floor=PACKAGE_FLOOR_UW,
                steps=(),
                ceilings=tuple(terms[_LONG_TERM]),
                followers=tuple(terms[_SHORT_TERM]),
                note="its limits are not enabled: it may take no notice" if name in asleep else "",
            )
        )
    return found


def _compatible(files: Files) -> list[str]:
    return (files.text(_COMPATIBLE) or "").split("\0")


def _numbers(text: str | None) -> tuple[int, ...]:
    words = (text or "").split()
    return tuple(sorted({int(word) for word in words if word.isascii() and word.isdigit()} - {0}))
