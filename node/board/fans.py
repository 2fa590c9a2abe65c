"""Fans that the kernel drives: how fast they turn and how far they are driven."""

from __future__ import annotations

from itertools import zip_longest

from node.board.health import Sensors
from node.board.hwmon import Chip, find_chips
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import FanReading

_PWM_FULL = 255.0


class Fans:
    """Fans by the drivers ``pwmfan`` and, for the speed on a Jetson, ``pwm_tach``.

    The tachometer of a Raspberry Pi 5 is known to read 0 in the middle of its range.
    """

    name = "fans"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._files: dict[str, tuple[str, str]] = {}
        self.find()

    def find(self) -> None:
        """List the fans."""
        chips = find_chips(self._sysfs)
        driven = [self._file(chip, "pwm1") for chip in chips if chip.name == "pwmfan"]
        speeds = [self._file(chip, "fan1_input") for chip in chips if chip.name == "pwmfan"]
        if not any(speeds):
            speeds = [self._file(chip, "rpm") for chip in chips if chip.name == "pwm_tach"]
        pairs = list(zip_longest(speeds, driven, fillvalue=""))
        names = ["fan"] if len(pairs) == 1 else [f"fan{number + 1}" for number in range(len(pairs))]
        self._files = dict(zip(names, pairs, strict=True)) or self._files

    def read(self, draft: Draft) -> bool:
        """Fill in every fan."""
        for fan, (speed, duty) in self._files.items():
            rpm = self._sensors.read_int(f"{fan} speed", speed) if speed else None
            pwm = self._sensors.read_int(f"{fan} duty", duty) if duty else None
            if rpm is not None or pwm is not None:
                speed_rpm = None if rpm is None else float(rpm)
                duty_ratio = None if pwm is None else pwm / _PWM_FULL
                draft.fans.append(FanReading(fan, speed_rpm, duty_ratio))
        return self._sensors.ok

    def _file(self, chip: Chip, name: str) -> str:
        path = f"{chip.folder}/{name}"
        return path if self._sysfs.exists(path) else ""
