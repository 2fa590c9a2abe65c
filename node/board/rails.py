"""Supplies of a board whose power a monitor chip measures, and a meter that adds up the right ones.

Units of the kernel's interface: ``inN_input`` mV, ``currN_input`` mA, ``powerN_*`` uW. The driver
of Jetson Linux 32 is another, with ``in_powerN_input`` in mW.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from node.board.health import Sensors
from node.board.meter import MeterSample
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import RailReading, Source

_WATTS_PER_MICROWATT = 1e-6
_WATTS_PER_MILLIWATT = 1e-3


class Rail(NamedTuple):
    """One measured supply."""

    name: str
    files: tuple[str, ...]
    """One file with the power, or two: mV and mA, whose product is uW."""
    average_s: float = 0.0
    """Over this time the chip averages; as often its register changes."""
    watts_per_unit: float = _WATTS_PER_MICROWATT


class Reading(NamedTuple):
    """What the registers of one rail said."""

    power_w: float
    voltage_v: float | None


class RailsMeter:
    """The sum of some rails, beside the power of each rail that there is.

    A chip that averages changes its registers at the end of each average. Registers that say the
    same as before are a new measurement only once that time has gone by; until then the reading
    grows older. Energy is integrated between samples by the trapezoidal rule.
    """

    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(
        self,
        name: str,
        sysfs: SysFs,
        find: Callable[[], Sequence[Rail]],
        total: Sequence[str],
        scope: str,
    ) -> None:
        """Find the rails.

        Args:
            name: of the reader.
            sysfs: the tree.
            find: lists the rails that there are.
            total: the rails that make up the power, each of which must be found.
            scope: what they cover.
        """
        self.name = name
        self.scope = scope
        self.total = tuple(total)
        self._find = find
        self._sensors = Sensors(sysfs)
        self._rails: dict[str, Rail | None] = {}
        self._registers: tuple[float, ...] = ()
        self._measured_s = 0.0
        self._wall_s: float | None = None
        self._power_w = 0.0
        self._energy_j = 0.0
        self.find()

    @property
    def ok(self) -> bool:
        """Every rail could be read."""
        return self._sensors.ok

    def find(self) -> None:
        """List the rails anew; one that was there and is not stays known, and fails."""
        found = {rail.name: rail for rail in self._find()}
        self._rails = {**dict.fromkeys(self._rails), **found}

    def sample(self, draft: Draft) -> MeterSample | None:
        """Read every rail; None where one of the total has no data."""
        readings: dict[str, Reading] = {}
        for name, rail in self._rails.items():
            if rail is None:
                self._sensors.failed(name, "no such rail any more")
                continue
            reading = self._read(rail)
            if reading is not None:
                readings[name] = reading
                # A rail at rest can read slightly below zero: that is the amplifier's offset.
                power_w = max(0.0, reading.power_w)
                draft.rails.append(RailReading(name, power_w, reading.voltage_v))
        if not all(name in readings for name in self.total):
            return None
        registers = tuple(readings[name].power_w for name in self.total)
        return self._integrate(draft.wall_s, registers)

    def close(self) -> None:
        """Nothing is open but the tree's files."""

    def _read(self, rail: Rail) -> Reading | None:
        values = []
        for path in rail.files:
            value = self._sensors.read_int(rail.name, path)
            if value is None:
                return None
            values.append(value)
        if len(values) == 1:
            return Reading(values[0] * rail.watts_per_unit, None)
        return Reading(values[0] * values[1] * rail.watts_per_unit, values[0] * 1e-3)

    def _integrate(self, wall_s: float, registers: tuple[float, ...]) -> MeterSample:
        power_w = sum(max(0.0, watts) for watts in registers)
        average_s = max(rail.average_s for rail in self._total_rails())
        if registers != self._registers or wall_s - self._measured_s >= average_s:
            self._registers = registers
            self._measured_s = wall_s
        if self._wall_s is not None:
            interval_s = max(0.0, wall_s - self._wall_s)
            self._energy_j += 0.5 * (self._power_w + power_w) * interval_s
        self._wall_s = wall_s
        self._power_w = power_w
        age_s = average_s + wall_s - self._measured_s
        return MeterSample(power_w, self._energy_j, wall_s, age_s)

    def _total_rails(self) -> list[Rail]:
        return [rail for rail in map(self._rails.get, self.total) if rail is not None]


def unique_rails(rails: Sequence[Rail]) -> list[Rail]:
    """Number what has the same name."""
    seen: dict[str, int] = {}
    unique: list[Rail] = []
    for rail in rails:
        count = seen[rail.name] = seen.get(rail.name, 0) + 1
        unique.append(rail if count == 1 else rail._replace(name=f"{rail.name}#{count}"))
    return unique


def milliwatt_rail(name: str, path: str) -> Rail:
    """A rail of the driver of Jetson Linux 32, which tells no averaging time."""
    return Rail(name, (path,), watts_per_unit=_WATTS_PER_MILLIWATT)
