"""What each family of boards is put together from."""

from __future__ import annotations

from collections.abc import Callable

from node.board import hwmon
from node.board.clocks import CpuClocks, TegraClocks
from node.board.cpu import CpuMeter
from node.board.fans import Fans
from node.board.identity import Identity
from node.board.jetson_power import jetson_meter, named_meter
from node.board.mailbox import Mailbox, VcioMailbox
from node.board.meter import PowerMeter
from node.board.parts import Part
from node.board.pmic import open_pmic
from node.board.rails import RailsMeter
from node.board.rapl import find_rapl
from node.board.sysfs import SysFs
from node.board.tegra import GpuLoad, OverCurrent, PowerMode
from node.board.temperatures import Temperatures
from node.board.thermal_zones import (
    find_jetson_zones,
    find_zones,
    jetson_die_c,
    raspberry_pi_die_c,
)
from node.board.throttle_bits import ThrottleBits

_WITH_PMIC = "bcm2712"


def parts_of(family: str, sysfs: SysFs) -> list[Part]:
    """Open the readers of a family.

    Raises:
        SensorError: there is no Linux below the root.
    """
    parts: list[Part] = [CpuMeter(sysfs), CpuClocks(sysfs)]
    if family == "jetson":
        parts += [
            Temperatures("thermal_zones", sysfs, find_jetson_zones, jetson_die_c),
            Temperatures("hwmon", sysfs, hwmon.find_temperatures),
            TegraClocks(sysfs),
            GpuLoad(sysfs),
            OverCurrent(sysfs),
            Fans(sysfs),
            PowerMode(sysfs),
        ]
    elif family == "raspberry-pi":
        parts += [
            Temperatures("thermal_zones", sysfs, find_zones, raspberry_pi_die_c),
            Temperatures("hwmon", sysfs, hwmon.find_temperatures),
            ThrottleBits(sysfs),
            Fans(sysfs),
        ]
    else:
        parts += [
            Temperatures("thermal_zones", sysfs, find_zones),
            Temperatures("hwmon", sysfs, hwmon.find_temperatures),
        ]
    return parts


def meter_of(
    family: str,
    identity: Identity,
    sysfs: SysFs,
    wall_s: float,
    total_rails: list[str] | None = None,
    mailbox: Callable[[SysFs], Mailbox] = VcioMailbox,
) -> PowerMeter | None:
    """Open what measures the power of a board; None where nothing does.

    Raises:
        BoardError: a rail that the installation names is not there.
    """
    soc = "" if identity.soc is None else identity.soc.text
    if total_rails is not None:
        return named_meter(sysfs, soc, total_rails)
    if family == "jetson":
        return jetson_meter(sysfs, soc)
    found = hwmon.find_total(sysfs)
    if found is not None:
        rail, scope = found
        return RailsMeter("hwmon", sysfs, lambda: hwmon.find_rails(sysfs), [rail.name], scope)
    if family == "raspberry-pi":
        if soc != _WITH_PMIC:
            return None
        pmic = open_pmic(sysfs, mailbox)
        if pmic is not None:
            pmic.start()
        return pmic
    return find_rapl(sysfs, wall_s)
