"""Thermal zones of the kernel, named by their type, since their numbers shuffle between kernels."""

from __future__ import annotations

from collections.abc import Mapping

from node.board.sysfs import SysFs
from node.board.temperatures import Channel
from node.errors import SensorError

_CLASS = "sys/class/thermal"
_NOT_ON_THE_DIE = ("pmic-die", "tboard", "tdiode", "thermal-fan-est")


def find_zones(sysfs: SysFs) -> list[Channel]:
    """Find every thermal zone that says its type."""
    found: list[Channel] = []
    for name in sysfs.children(_CLASS):
        if not name.startswith("thermal_zone"):
            continue
        try:
            kind = sysfs.read(f"{_CLASS}/{name}/type")
        except SensorError:
            continue
        if kind:
            found.append(Channel(kind, f"{_CLASS}/{name}/temp"))
    return found


def find_jetson_zones(sysfs: SysFs) -> list[Channel]:
    """Find every zone but the PMIC's, whose driver says 100 degrees whatever they are."""
    return [channel for channel in find_zones(sysfs) if channel.sensor != "PMIC-Die"]


def jetson_die_c(zones: Mapping[str, float]) -> float | None:
    """``tj-thermal``, which is the hottest place; where it says nothing, the hottest that does."""
    on_die = [
        temperature_c
        for zone, temperature_c in zones.items()
        if not zone.lower().startswith(_NOT_ON_THE_DIE)
    ]
    return zones.get("tj-thermal", max(on_die, default=None))


def raspberry_pi_die_c(zones: Mapping[str, float]) -> float | None:
    """The one zone that there is."""
    return zones.get("cpu-thermal")
