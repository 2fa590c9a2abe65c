"""Reads temperatures, whoever found them: plausibility, unique names, what is known to be gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from node.board.health import Sensors
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import Source, TemperatureReading

PLAUSIBLE_C = (-40.0, 150.0)
"""Outside this a reading is a sensor's way to say that it has none."""


class Channel(NamedTuple):
    """One temperature file, in thousandths of a degree."""

    sensor: str
    path: str


class Temperatures:
    """Reads every channel that was found; one that fails leaves the others alone."""

    def __init__(
        self,
        name: str,
        sysfs: SysFs,
        find: Callable[[SysFs], list[Channel]],
        die: Callable[[Mapping[str, float]], float | None] = lambda _: None,
    ) -> None:
        """Look for the channels.

        Args:
            name: of the reader.
            sysfs: the tree.
            find: lists the channels that there are.
            die: tells the temperature of the die from degrees by sensor.
        """
        self.name = name
        self._sysfs = sysfs
        self._find = find
        self._die = die
        self._sensors = Sensors(sysfs)
        self.paths: dict[str, str | None] = {}
        """File by sensor; None for one that is gone."""
        self.find()

    def find(self) -> None:
        """List the channels anew; one that was there and is not stays known, and fails."""
        found = with_unique_names(self._find(self._sysfs))
        self.paths = {**dict.fromkeys(self.paths), **dict(found)}

    def read(self, draft: Draft) -> bool:
        """Fill in every channel that has data; False where one failed."""
        found: dict[str, float] = {}
        for sensor, path in self.paths.items():
            if path is None:
                self._sensors.failed(sensor, "no such sensor any more")
                continue
            thousandths = self._sensors.read_int(sensor, path)
            if thousandths is None:
                continue
            temperature_c = thousandths / 1000.0
            if PLAUSIBLE_C[0] <= temperature_c <= PLAUSIBLE_C[1]:
                found[sensor] = temperature_c
        draft.temperatures += [
            TemperatureReading(sensor, temperature_c, 0.0, Source.MEASURED)
            for sensor, temperature_c in found.items()
        ]
        die_c = self._die(found)
        if die_c is not None:
            draft.die_c = die_c
        return self._sensors.ok


def with_unique_names(channels: list[Channel]) -> list[Channel]:
    """Number what has the same name."""
    seen: dict[str, int] = {}
    unique: list[Channel] = []
    for channel in channels:
        count = seen[channel.sensor] = seen.get(channel.sensor, 0) + 1
        name = channel.sensor if count == 1 else f"{channel.sensor}#{count}"
        unique.append(Channel(name, channel.path))
    return unique
