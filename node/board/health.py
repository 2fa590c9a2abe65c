"""How reading went: every board reports it beside its readings, and logs it when it changes."""

from __future__ import annotations

import logging
from typing import NamedTuple

from node.board.sysfs import SysFs
from node.errors import SensorError

_log = logging.getLogger(__name__)


class ReaderHealth(NamedTuple):
    """How the last read of one reader went."""

    name: str
    ok: bool
    duration_s: float


class Failures:
    """Which sensors of one reader fail; logged when that begins and when it ends."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    @property
    def ok(self) -> bool:
        """No sensor fails."""
        return not self._failing

    def failed(self, sensor: str, error: object) -> None:
        """Take down that a sensor fails."""
        if sensor not in self._failing:
            self._failing.add(sensor)
            _log.warning("sensor_failed sensor=%r error=%s", sensor, error)

    def worked(self, sensor: str) -> None:
        """Take down that a sensor works."""
        if sensor in self._failing:
            self._failing.remove(sensor)
            _log.info("sensor_recovered sensor=%r", sensor)


class Sensors(Failures):
    """Reads the sensors of one reader; what fails is absent.

    A sensor without data (powered down, disabled) is absent and has not failed.
    """

    def __init__(self, sysfs: SysFs) -> None:
        super().__init__()
        self._sysfs = sysfs

    def read_int(self, sensor: str, path: str) -> int | None:
        """Read a number from a file that was there before."""
        try:
            value = self._sysfs.read_int(path, known=True)
        except SensorError as error:
            self.failed(sensor, error)
            return None
        self.worked(sensor)
        return value

    def read(self, sensor: str, path: str) -> str | None:
        """Read a text from a file that was there before."""
        try:
            value = self._sysfs.read(path, known=True)
        except SensorError as error:
            self.failed(sensor, error)
            return None
        self.worked(sensor)
        return value
