"""Any Linux machine: whatever temperatures and power its kernel shows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from node.board import hwmon, rapl, thermal_zones
from node.board.cpu import CpuMeter
from node.board.health import ReaderHealth
from node.board.meter import MeterSample, PowerMeter
from node.board.sysfs import SysFs
from node.board.temperatures import TemperatureFiles
from node.core.events import PowerReading, Readings, Source, TemperatureReading
from node.errors import BoardError, SensorError

_log = logging.getLogger(__name__)
_Value = TypeVar("_Value")


class _UtilisationModel:
    """P = idle + (active - idle) x utilisation, with its energy.

    The linear model of processor power. Against a meter it is commonly within 10 to 30 percent on
    boards of this class if idle and active power were measured on the board itself; clock changes,
    accelerators and peripherals are outside it.
    """

    name = "model"
    scope = "board"

    def __init__(self, idle_w: float, active_w: float, wall_s: float) -> None:
        self._idle_w = idle_w
        self._span_w = active_w - idle_w
        self._wall_s = wall_s
        self._energy_j = 0.0
        self.utilisation_ratio = 0.0
        """Mean over the interval that the next sample ends; the last one known."""

    def sample(self, wall_s: float) -> MeterSample:
        """Charge the interval since the call before with the power at its mean utilisation."""
        power_w = self._idle_w + self._span_w * self.utilisation_ratio
        self._energy_j += power_w * max(0.0, wall_s - self._wall_s)
        self._wall_s = wall_s
        return MeterSample(power_w, self._energy_j)


class GenericBoard:
    """Reads what the kernel offers; power is measured where a meter is certain, else modelled.

    Which meter is used is decided once, at opening, and logged; a meter that fails later leaves
    the power absent, and never turns a measured board into a modelled one.
    """

    family = "generic"

    def __init__(
        self,
        root: str | Path | SysFs,
        idle_w: float,
        active_w: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find the sensors.

        Args:
            root: folder that holds ``sys`` and ``proc``, or a prepared tree.
            idle_w: power at rest.
            active_w: power with all cores busy, for the modelled figure.
            clock: monotonic seconds; intervals begin at opening.

        Raises:
            BoardError: there is no Linux below the root.
        """
        self._sysfs = root if isinstance(root, SysFs) else SysFs(root)
        self._idle_w = idle_w
        wall_s = clock()
        try:
            if not self._sysfs.read("proc/stat"):
                raise BoardError(f"no Linux board below {self._sysfs.root}: proc/stat is missing")
            self._cpu = CpuMeter(self._sysfs)
        except (SensorError, ValueError, IndexError) as error:
            self._sysfs.close()
            raise BoardError(f"no Linux board below {self._sysfs.root}: {error}") from error
        zones = thermal_zones.find_zones(self._sysfs)
        chips = hwmon.find_temperatures(self._sysfs)
        self._temperatures = {
            "thermal_zones": TemperatureFiles(self._sysfs, zones),
            "hwmon": TemperatureFiles(self._sysfs, chips),
        }
        self._model = _UtilisationModel(idle_w, active_w, wall_s)
        self._meter: PowerMeter | None = hwmon.find_power(self._sysfs)
        if self._meter is None:
            self._meter = rapl.find_rapl(self._sysfs, wall_s)
        self._failing: set[str] = set()
        self._health: dict[str, ReaderHealth] = {}
        meter: PowerMeter = self._meter or self._model
        _log.info(
            "board_opened family=generic power=%s scope=%s temperatures=%d",
            meter.name,
            meter.scope,
            len(zones) + len(chips),
        )

    @property
    def idle_power_w(self) -> float:
        """Power of the board at rest, as configured."""
        return self._idle_w

    def read(self, wall_s: float) -> Readings:
        """Read every sensor once; what fails is absent and stands in ``sensor_health``."""
        utilisation_ratio = self._guard("cpu", self._cpu.read)
        if utilisation_ratio is not None:
            self._model.utilisation_ratio = utilisation_ratio
        return Readings(
            power=self._read_power(wall_s),
            temperatures=tuple(self._read_temperatures()),
            cpu_utilisation_ratio=utilisation_ratio,
        )

    def sensor_health(self) -> tuple[ReaderHealth, ...]:
        """How the last read of each reader went, and what it took."""
        return tuple(self._health.values())

    def set_busy(self, busy: float, wall_s: float) -> None:
        """Nothing to do: the meter or the utilisation shows what the work draws."""

    def close(self) -> None:
        """Close every file."""
        self._sysfs.close()

    def _read_power(self, wall_s: float) -> PowerReading | None:
        meter = self._meter
        if meter is None:
            sample: MeterSample | None = self._model.sample(wall_s)
            scope, source = self._model.scope, Source.MODELLED
        else:
            sample = self._guard(f"{meter.name}_power", lambda: meter.sample(wall_s))
            scope, source = meter.scope, Source.MEASURED
        if sample is None:
            return None
        return PowerReading(sample.power_w, sample.energy_j, wall_s, 0.0, source, scope)

    def _read_temperatures(self) -> list[TemperatureReading]:
        found: list[TemperatureReading] = []
        for name, files in self._temperatures.items():
            began_s = time.perf_counter()
            by_sensor, ok = files.read()
            self._health[name] = ReaderHealth(name, ok, time.perf_counter() - began_s)
            found += [
                TemperatureReading(sensor, temperature_c, 0.0, Source.MEASURED)
                for sensor, temperature_c in by_sensor.items()
            ]
        return found

    def _guard(self, name: str, reader: Callable[[], _Value | None]) -> _Value | None:
        """Call a reader; a failure is logged at its edge and is an absent value."""
        began_s = time.perf_counter()
        value: _Value | None = None
        ok = True
        try:
            value = reader()
        except (OSError, ValueError, IndexError) as error:
            ok = False
            if name not in self._failing:
                self._failing.add(name)
                _log.warning("reader_failed reader=%s error=%s", name, error)
        if ok and name in self._failing:
            self._failing.remove(name)
            _log.info("reader_recovered reader=%s", name)
        self._health[name] = ReaderHealth(name, ok, time.perf_counter() - began_s)
        return value
