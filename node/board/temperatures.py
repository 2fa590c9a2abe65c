"""What the two readers of temperature share: plausibility, unique names, one log line an edge."""

from __future__ import annotations

import logging
from typing import NamedTuple

from node.board.sysfs import SysFs
from node.errors import SensorError

_log = logging.getLogger(__name__)
PLAUSIBLE_C = (-40.0, 150.0)
"""Outside this a reading is a sensor's way to say that it has none."""


class Channel(NamedTuple):
    """One temperature file, in thousandths of a degree."""

    sensor: str
    path: str


class TemperatureFiles:
    """Reads a fixed set of channels; one that fails leaves the others alone."""

    def __init__(self, sysfs: SysFs, channels: list[Channel]) -> None:
        self._sysfs = sysfs
        self.channels = _with_unique_names(channels)
        self._failing: set[str] = set()

    def read(self) -> tuple[dict[str, float], bool]:
        """Read every channel: degrees by sensor, and whether none failed.

        A channel without data (powered down, disabled, implausible) is absent and no failure.
        """
        found: dict[str, float] = {}
        for channel in self.channels:
            try:
                thousandths = self._sysfs.read_int(channel.path)
            except SensorError as error:
                if channel.sensor not in self._failing:
                    self._failing.add(channel.sensor)
                    _log.warning("sensor_failed sensor=%r error=%s", channel.sensor, error)
                continue
            if channel.sensor in self._failing:
                self._failing.remove(channel.sensor)
                _log.info("sensor_recovered sensor=%r", channel.sensor)
            if thousandths is None:
                continue
            temperature_c = thousandths / 1000.0
            if PLAUSIBLE_C[0] <= temperature_c <= PLAUSIBLE_C[1]:
                found[channel.sensor] = temperature_c
        return found, not self._failing


def _with_unique_names(channels: list[Channel]) -> list[Channel]:
    seen: dict[str, int] = {}
    unique: list[Channel] = []
    for channel in channels:
        count = seen[channel.sensor] = seen.get(channel.sensor, 0) + 1
        name = channel.sensor if count == 1 else f"{channel.sensor}#{count}"
        unique.append(Channel(name, channel.path))
    return unique
