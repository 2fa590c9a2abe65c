"""Where the board's kernel or firmware begins to slow it down, by thermal zone."""

from __future__ import annotations

import contextlib

from node.board.sysfs import SysFs
from node.errors import SensorError

_CLASS = "sys/class/thermal"
_RASPBERRY_PI_C = 80.0
"""The firmware's own limit, which no file tells: it lowers the clock from 80 to 85 degrees."""


def passive_trips_c(sysfs: SysFs) -> dict[str, float]:
    """Read the lowest passive trip of each zone type."""
    trips_c: dict[str, float] = {}
    for zone in sysfs.children(_CLASS):
        if not zone.startswith("thermal_zone"):
            continue
        with contextlib.suppress(SensorError):
            kind = sysfs.read(f"{_CLASS}/{zone}/type")
            for trip_c in _trips_c(sysfs, f"{_CLASS}/{zone}"):
                if kind:
                    trips_c[kind] = min(trip_c, trips_c.get(kind, trip_c))
    with contextlib.suppress(SensorError):
        if "raspberrypi," in (sysfs.read("proc/device-tree/compatible") or ""):
            trips_c["cpu-thermal"] = min(
                _RASPBERRY_PI_C, trips_c.get("cpu-thermal", _RASPBERRY_PI_C)
            )
    return trips_c


def _trips_c(sysfs: SysFs, zone: str) -> list[float]:
    found = []
    for name in sysfs.children(zone):
        if not name.startswith("trip_point_") or not name.endswith("_type"):
            continue
        with contextlib.suppress(SensorError):
            milli_c = sysfs.read_int(f"{zone}/{name[: -len('_type')]}_temp")
            if sysfs.read(f"{zone}/{name}") == "passive" and milli_c is not None and milli_c > 0:
                found.append(milli_c / 1000.0)
    return found
