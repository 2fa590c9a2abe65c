"""Why the firmware of a Raspberry Pi slows it down."""

from __future__ import annotations

from node.board.health import Sensors
from node.board.hwmon import find_chips
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import ThrottleReading

_DRIVER = "sys/bus/platform/drivers/raspberrypi-firmware"
_REASONS = ("under-voltage", "frequency-capped", "throttled", "soft-temperature-limit")
"""By bit; what has been so since boot stands 16 bits above."""
_SINCE_BOOT = 16


class ThrottleBits:
    """The firmware's flags; where the kernel has only a hardware monitor, under-voltage alone."""

    name = "throttle"

    def __init__(self, sysfs: SysFs) -> None:
        self._sysfs = sysfs
        self._sensors = Sensors(sysfs)
        self._bits: str | None = None
        self._alarm: str | None = None
        self.find()

    def find(self) -> None:
        """Look for the flags."""
        paths = [f"{_DRIVER}/{name}/get_throttled" for name in self._sysfs.children(_DRIVER)]
        self._bits = next((path for path in paths if self._sysfs.exists(path)), self._bits)
        alarms = [
            f"{chip.folder}/in0_lcrit_alarm"
            for chip in find_chips(self._sysfs)
            if chip.name == "rpi_volt"
        ]
        self._alarm = next(iter(alarms), self._alarm)

    def read(self, draft: Draft) -> bool:
        """Fill in each reason.

        Raises:
            ValueError: the flags are no number.
        """
        if self._bits is not None:
            # Hexadecimal without 0x; up to two seconds old.
            text = self._sensors.read("throttle flags", self._bits)
            if text:
                bits = int(text, 16)
                draft.throttles += [
                    ThrottleReading(
                        reason,
                        active=bool(bits >> bit & 1),
                        since_boot=bool(bits >> (bit + _SINCE_BOOT) & 1),
                    )
                    for bit, reason in enumerate(_REASONS)
                ]
        elif self._alarm is not None:
            alarm = self._sensors.read_int("under-voltage alarm", self._alarm)
            if alarm is not None:
                draft.throttles.append(ThrottleReading(_REASONS[0], active=bool(alarm)))
        return self._sensors.ok
