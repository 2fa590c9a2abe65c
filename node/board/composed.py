"""The one board of all families: a meter of power, and parts that each read one kind of thing."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.board.inventory import Inventory
from node.board.meter import PowerMeter
from node.board.parts import Draft, Part
from node.board.sysfs import SysFs
from node.core.events import PowerReading, Readings
from node.errors import SensorError

_log = logging.getLogger(__name__)


class ComposedBoard:
    """Reads its parts one after the other; one that fails leaves the others alone.

    Which meter is used is decided once, at opening, and logged; a meter that fails later leaves
    the power absent, and never turns a measured board into a modelled one.
    """

    def __init__(
        self,
        family: str,
        identity: Identity,
        sysfs: SysFs,
        idle_power_w: float,
        parts: Sequence[Part],
        meter: PowerMeter,
        wall_s: float,
    ) -> None:
        """Put the board together.

        Args:
            family: as configured, or as found.
            identity: which board this is.
            sysfs: the tree, closed with the board.
            idle_power_w: power at rest.
            parts: readers in the order of reading.
            meter: of the board's power; read last, since a model goes by what the parts say.
            wall_s: monotonic time now.
        """
        self.family = family
        self.identity = identity
        self._sysfs = sysfs
        self._idle_power_w = idle_power_w
        self._parts = tuple(parts)
        self._meter = meter
        self._inventory = Inventory(sysfs, wall_s)
        self._failing: set[str] = set()
        self._health: dict[str, ReaderHealth] = {}
        _log.info(
            "board_opened family=%s %s power=%s source=%s scope=%s model=%s",
            family,
            identity,
            meter.name,
            meter.source.value,
            meter.scope,
            meter.model or "none",
        )

    @property
    def idle_power_w(self) -> float:
        """Power of the board at rest, as configured."""
        return self._idle_power_w

    def read(self, wall_s: float) -> Readings:
        """Read every sensor once; what fails is absent and stands in ``sensor_health``."""
        if self._inventory.changed(wall_s):
            self._find()
        draft = Draft(wall_s)
        for part in self._parts:
            began_s = time.perf_counter()
            ok = self._guard(part, draft)
            self._health[part.name] = ReaderHealth(part.name, ok, time.perf_counter() - began_s)
        power = self._read_power(draft)
        return draft.readings(power)

    def sensor_health(self) -> tuple[ReaderHealth, ...]:
        """How the last read of each reader went, and what it took."""
        return tuple(self._health.values())

    def set_busy(self, busy: float, wall_s: float) -> None:
        """Nothing to do: the meter or the utilisation shows what the work draws."""

    def close(self) -> None:
        """Close every file."""
        self._meter.close()
        self._sysfs.close()

    def _find(self) -> None:
        _log.info("devices_changed family=%s", self.family)
        searches: list[Part | PowerMeter] = [*self._parts, self._meter]
        for each in searches:
            self._search(each)

    @staticmethod
    def _search(reader: Part | PowerMeter) -> None:
        try:
            reader.find()
        except SensorError as error:  # what was found before stays
            _log.warning("search_failed reader=%s error=%s", reader.name, error)

    def _guard(self, part: Part, draft: Draft) -> bool:
        """Let a part read; what it raises is logged when it begins and when it ends."""
        try:
            ok = part.read(draft)
        except (OSError, ValueError, LookupError, ArithmeticError) as error:
            if part.name not in self._failing:
                self._failing.add(part.name)
                _log.warning("reader_failed reader=%s error=%s", part.name, error)
            return False
        if part.name in self._failing:
            self._failing.remove(part.name)
            _log.info("reader_recovered reader=%s", part.name)
        return ok

    def _read_power(self, draft: Draft) -> PowerReading | None:
        meter = self._meter
        began_s = time.perf_counter()
        sample = meter.sample(draft)
        if meter.name != "model":
            name = f"{meter.name}_power"
            self._health[name] = ReaderHealth(name, meter.ok, time.perf_counter() - began_s)
        if sample is None:
            return None
        return PowerReading(
            sample.power_w,
            sample.energy_j,
            sample.wall_s,
            sample.age_s,
            meter.source,
            meter.scope,
            meter.model,
            meter.error_ratio,
        )
