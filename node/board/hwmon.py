"""Hardware monitors: temperatures, and power where it is certain what a channel measures.

Units of the kernel's interface: ``tempN_input`` thousandths of a degree, ``inN_input`` mV,
``currN_input`` mA, ``powerN_*`` uW. Chips are known by their ``name`` and by the device that they
sit on; their numbers follow probe order and mean nothing. By itself, a chip's power counts only if
the chip stands in the table below, and only if exactly one channel of the board qualifies: a sum
of unknown rails, some feeding others, would be a figure without a meaning.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from node.board.rails import Rail, unique_rails
from node.board.sysfs import SysFs
from node.board.temperatures import Channel
from node.errors import SensorError

_log = logging.getLogger(__name__)
_CLASS = "sys/class/hwmon"
_TEMPERATURE = re.compile(r"temp(\d+)_input")
_PER_CORE = re.compile(r"Core \d+|Tccd\d+")
_NO_RAIL = frozenset({"NC", "sum of shunt voltages"})
_INA3221 = "ina3221"
_CHANNELS_OF_INA3221 = (1, 2, 3)
_TOTALS_OF_INA3221 = frozenset({"VDD_IN", "POM_5V_IN"})


class _PowerChip(NamedTuple):
    """Which channel of a monitor chip to read, and what it covers."""

    scope: str
    voltage: int
    current: int


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
    "power_meter": _PowerChip("wall", 0, 0),  # ACPI; has powerN_average and no voltages
}


class Chip(NamedTuple):
    """One monitor chip."""

    folder: str
    """Where it really sits, so that a new number never leads to another chip's files."""
    name: str


def find_chips(sysfs: SysFs) -> list[Chip]:
    """Find every chip that says its name."""
    folders = [sysfs.resolved(f"{_CLASS}/{name}") for name in sysfs.children(_CLASS)]
    named = [Chip(folder, read_label(sysfs, f"{folder}/name")) for folder in folders]
    return [chip for chip in named if chip.name]


def find_temperatures(sysfs: SysFs) -> list[Channel]:
    """Find every temperature that is no copy of a thermal zone and not of a single core."""
    found: list[Channel] = []
    for folder, chip in find_chips(sysfs):
        if "/thermal_zone" in folder:
            continue
        for name in sysfs.children(folder):
            match = _TEMPERATURE.fullmatch(name)
            if match is None:
                continue
            label = read_label(sysfs, f"{folder}/temp{match[1]}_label")
            if label and _PER_CORE.fullmatch(label):
                continue
            found.append(Channel(f"{chip}/{label or f'temp{match[1]}'}", f"{folder}/{name}"))
    return found


def find_rails(sysfs: SysFs) -> list[Rail]:
    """Find every supply that a known monitor chip measures, whatever it feeds."""
    found: list[Rail] = []
    for chip in find_chips(sysfs):
        if chip.name == _INA3221:
            found += _ina3221_rails(sysfs, chip)
        elif chip.name in _POWER_CHIPS:
            found += _single_rails(sysfs, chip)
    return unique_rails(found)


def find_total(sysfs: SysFs) -> tuple[Rail, str] | None:
    """Find the one rail that is the whole, with its scope; None where none or several may be."""
    found = []
    for chip in find_chips(sysfs):
        if chip.name == _INA3221:
            rails = _ina3221_rails(sysfs, chip)
            found += [(rail, "module") for rail in rails if rail.name in _TOTALS_OF_INA3221]
        elif chip.name in _POWER_CHIPS:
            rails = _single_rails(sysfs, chip)
            found += [(rail, _POWER_CHIPS[chip.name].scope) for rail in rails]
    readable = [(rail, scope) for rail, scope in found if _readable(sysfs, rail)]
    if len(readable) > 1:
        _log.warning("hwmon_power_unsure rails=%s", [rail.name for rail, _ in readable])
        return None
    return readable[0] if readable else None


def read_label(sysfs: SysFs, path: str) -> str:
    """Read a name; empty where there is none."""
    try:
        return sysfs.read(path) or ""
    except SensorError:
        return ""


def _single_rails(sysfs: SysFs, chip: Chip) -> list[Rail]:
    kind = _POWER_CHIPS[chip.name]
    there = set(sysfs.children(chip.folder))
    volt_ampere = (f"in{kind.voltage}_input", f"curr{kind.current}_input")
    for files in (("power1_input",), ("power1_average",), volt_ampere):
        if there.issuperset(files):
            label = read_label(sysfs, f"{chip.folder}/in{kind.voltage}_label")
            paths = tuple(f"{chip.folder}/{file}" for file in files)
            return [Rail(label or chip.name, paths, _average_s(sysfs, chip))]
    return []


def _ina3221_rails(sysfs: SysFs, chip: Chip) -> list[Rail]:
    average_s = _average_s(sysfs, chip)
    there = set(sysfs.children(chip.folder))
    found: list[Rail] = []
    for channel in _CHANNELS_OF_INA3221:
        files = (f"in{channel}_input", f"curr{channel}_input")
        label = read_label(sysfs, f"{chip.folder}/in{channel}_label")
        if there.issuperset(files) and label not in _NO_RAIL:
            paths = tuple(f"{chip.folder}/{file}" for file in files)
            found.append(Rail(label or f"{chip.name}/{channel}", paths, average_s))
    return found


def _average_s(sysfs: SysFs, chip: Chip) -> float:
    try:
        return (sysfs.read_int(f"{chip.folder}/update_interval") or 0) / 1000.0
    except SensorError:
        return 0.0


def _readable(sysfs: SysFs, rail: Rail) -> bool:
    try:
        return all(sysfs.read_int(path) is not None for path in rail.files)
    except SensorError as error:
        _log.info("hwmon_power_not_readable rail=%s error=%s", rail.name, error)
        return False
