"""Which rails of a Jetson make up its power.

Sources: the device trees of Jetson Linux and, for which rail feeds which, the survey of energymon
(jetson/JetsonPowerRails.md). Modules with a rail for the whole input have their total there. On
AGX Orin the input has three rails; ``VDDQ_VDD2_1V8AO`` is fed by ``VIN_SYS_5V0`` and is in it
already. On AGX Xavier all six rails branch from the input. On Thor only the carrier measures the
input (INA238); the three rails of its module come to about half of that, so that without it there
is no total.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from node.board import hwmon
from node.board.rails import Rail, RailsMeter, milliwatt_rail, unique_rails
from node.board.sysfs import SysFs
from node.errors import BoardError

_log = logging.getLogger(__name__)
_IIO_DRIVER = "sys/bus/i2c/drivers/ina3221x"
_CHANNELS_OF_IIO = (0, 1, 2)
_THOR = "tegra264"
_UNUSED = frozenset({"", "NC"})


class Total(NamedTuple):
    """Rails whose sum is the power, and what that covers."""

    rails: tuple[str, ...]
    scope: str


_TOTALS = (
    Total(("VIN",), "carrier"),
    Total(("VDD_IN",), "module"),
    Total(("POM_5V_IN",), "module"),
    Total(("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), "module"),
    Total(("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"), "module"),
)


def find_jetson_rails(sysfs: SysFs, soc: str) -> list[Rail]:
    """Find every rail, by the driver of Jetson Linux 32 or by that of later ones."""
    found = hwmon.find_rails(sysfs)
    if soc == _THOR:
        # The driver has no label for the one channel on the carrier's input.
        found = [rail._replace(name="VIN") if rail.name == "ina238" else rail for rail in found]
    return found or _iio_rails(sysfs)


def jetson_meter(sysfs: SysFs, soc: str) -> RailsMeter | None:
    """Open the meter of the whole; None where no known set of rails is the whole."""

    def find() -> list[Rail]:
        return find_jetson_rails(sysfs, soc)

    names = {rail.name for rail in find()}
    for total in _TOTALS:
        if names.issuperset(total.rails):
            return RailsMeter("rails", sysfs, find, total.rails, total.scope)
    if not names:
        _log.warning("power_not_measured because=no power monitor was found")
        return None
    _log.warning(
        "total_power_unknown rails=%s remedy=%r",
        sorted(names),
        "name the rails that make up the board's power in board.total_rails",
    )
    return None


def named_meter(sysfs: SysFs, soc: str, names: list[str]) -> RailsMeter:
    """Open a meter of the rails that the installation names.

    Raises:
        BoardError: a rail is not there.
    """

    def find() -> list[Rail]:
        return find_jetson_rails(sysfs, soc)

    there = [rail.name for rail in find()]
    missing = [name for name in names if name not in there]
    if missing:
        raise BoardError(
            f"board.total_rails: no rail {', '.join(missing)}; "
            f"found {', '.join(there) if there else 'no rail at all'}"
        )
    return RailsMeter("rails", sysfs, find, names, "rails")


def _iio_rails(sysfs: SysFs) -> list[Rail]:
    found: list[Rail] = []
    for device in sysfs.children(_IIO_DRIVER):
        for folder in sysfs.children(f"{_IIO_DRIVER}/{device}"):
            if not folder.startswith("iio:device"):
                continue
            path = sysfs.resolved(f"{_IIO_DRIVER}/{device}/{folder}")
            for channel in _CHANNELS_OF_IIO:
                name = hwmon.read_label(sysfs, f"{path}/rail_name_{channel}")
                if name not in _UNUSED:
                    found.append(milliwatt_rail(name, f"{path}/in_power{channel}_input"))
    return unique_rails(found)
