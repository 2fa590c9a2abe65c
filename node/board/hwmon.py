"""Hardware monitors: temperatures, and power where it is certain what a channel measures.

Units of the kernel's interface: ``tempN_input`` thousandths of a degree, ``inN_input`` mV,
``currN_input`` mA, ``powerN_*`` uW. Chips are known by their ``name``; their
numbers follow probe order and mean nothing. A chip's power counts only if the chip stands in the
table below, and only if exactly one channel of the board qualifies: a sum of unknown rails, some
feeding others, would be a figure without a meaning.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from node.board.meter import MeterSample
from node.board.sysfs import SysFs
from node.board.temperatures import Channel
from node.errors import SensorError

_log = logging.getLogger(__name__)
_CLASS = "sys/class/hwmon"
_TEMPERATURE = re.compile(r"temp(\d+)_input")
_PER_CORE = re.compile(r"Core \d+|Tccd\d+")


class _PowerChip(NamedTuple):
    """Which channels of a monitor chip to read, and what they cover."""

    scope: str
    voltage: int
    current: int
    labels: frozenset[str] = frozenset()
    """Labels that name a total; empty where the chip has one channel."""


_SINGLE = _PowerChip("board", 1, 1)
_POWER_CHIPS = {
    "ina219": _SINGLE,  # in0 is the shunt
    "ina220": _SINGLE,
    "ina226": _SINGLE,
    "ina230": _SINGLE,
    "ina231": _SINGLE,
    "ina238": _SINGLE,
    "ina260": _SINGLE,
    "ltc2947": _PowerChip("board", 0, 1),
    "ina3221": _PowerChip("module", 1, 1, frozenset({"VDD_IN", "POM_5V_IN"})),
    "power_meter": _PowerChip("wall", 0, 0),  # ACPI; has powerN_average and no voltages
}
_CHANNELS_OF_INA3221 = (1, 2, 3)


class HwmonMeter:
    """One power channel, by the best of its files: power, or volts times amperes."""

    name = "hwmon"

    def __init__(self, sysfs: SysFs, source: str, scope: str, files: tuple[str, ...]) -> None:
        self._sysfs = sysfs
        self.source = source
        """Chip and label, for logs."""
        self.scope = scope
        self.files = files
        self._wall_s: float | None = None
        self._power_w = 0.0
        self._energy_j = 0.0

    def sample(self, wall_s: float) -> MeterSample | None:
        """Read the channel; energy is integrated between samples by the trapezoidal rule."""
        values = [self._sysfs.read_int(path) for path in self.files]
        present = [value for value in values if value is not None]
        if len(present) < len(values):
            return None
        # One file is in uW; two are mV and mA, whose product is uW too. A rail at rest can read
        # slightly below zero: that is the amplifier's offset, not generation.
        microwatts = present[0] if len(present) == 1 else present[0] * present[1]
        power_w = max(0.0, microwatts * 1e-6)
        if self._wall_s is not None:
            interval_s = max(0.0, wall_s - self._wall_s)
            self._energy_j += 0.5 * (self._power_w + power_w) * interval_s
        self._wall_s = wall_s
        self._power_w = power_w
        return MeterSample(power_w, self._energy_j)


def find_temperatures(sysfs: SysFs) -> list[Channel]:
    """Find every temperature that is no copy of a thermal zone and not of a single core."""
    found: list[Channel] = []
    for folder, chip in _chips(sysfs):
        if "/thermal_zone" in sysfs.resolved(folder):
            continue
        for name in sysfs.children(folder):
            match = _TEMPERATURE.fullmatch(name)
            if match is None:
                continue
            label = _label(sysfs, f"{folder}/temp{match[1]}_label")
            if label and _PER_CORE.fullmatch(label):
                continue
            found.append(Channel(f"{chip}/{label or f'temp{match[1]}'}", f"{folder}/{name}"))
    return found


def find_power(sysfs: SysFs) -> HwmonMeter | None:
    """Find the one channel that measures the whole; None where there is none or it is unsure."""
    meters = [meter for folder, chip in _chips(sysfs) for meter in _meters(sysfs, folder, chip)]
    if len(meters) > 1:
        _log.warning("hwmon_power_unsure sources=%s", [meter.source for meter in meters])
        return None
    return meters[0] if meters else None


def _chips(sysfs: SysFs) -> list[tuple[str, str]]:
    folders = [f"{_CLASS}/{name}" for name in sysfs.children(_CLASS)]
    named = [(folder, _label(sysfs, f"{folder}/name")) for folder in folders]
    return [(folder, chip) for folder, chip in named if chip]


def _meters(sysfs: SysFs, folder: str, chip: str) -> list[HwmonMeter]:
    kind = _POWER_CHIPS.get(chip)
    if kind is None:
        return []
    if not kind.labels:
        volt_ampere = (f"in{kind.voltage}_input", f"curr{kind.current}_input")
        candidates = [("", ("power1_input",)), ("", ("power1_average",)), ("", volt_ampere)]
    else:
        candidates = [
            (label, (f"in{channel}_input", f"curr{channel}_input"))
            for channel in _CHANNELS_OF_INA3221
            if (label := _label(sysfs, f"{folder}/in{channel}_label")) in kind.labels
        ]
    for label, files in candidates:
        meter = HwmonMeter(
            sysfs,
            f"{chip}/{label}" if label else chip,
            kind.scope,
            tuple(f"{folder}/{file}" for file in files),
        )
        try:
            if meter.sample(0.0) is not None:
                return [HwmonMeter(sysfs, meter.source, kind.scope, meter.files)]
        except SensorError as error:
            _log.info("hwmon_power_not_readable source=%s error=%s", meter.source, error)
    return []


def _label(sysfs: SysFs, path: str) -> str:
    try:
        return sysfs.read(path) or ""
    except SensorError:
        return ""
