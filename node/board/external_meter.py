"""A power meter beside the board: on its USB supply, on a bench supply, at the wall.

It reports at its own pace. Its last record counts until it is older than the installation allows;
then there is no data, and never the last value. A record that cannot be read is a failure until
one comes that can.

Energy is the meter's own count where it has one; else power is integrated between records by the
trapezoidal rule, and over a gap longer than the record may be old nothing is known and nothing is
charged.
"""

from __future__ import annotations

from node.board.health import Failures
from node.board.meter import MeterSample, PowerMeter
from node.board.meter_text import MeterFigures
from node.board.parts import Draft
from node.core.events import Source


class ExternalMeter:
    """What the records of a meter amount to; who reads them tells it by ``take`` and ``refuse``."""

    name = "external"
    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(self, scope: str, max_age_s: float) -> None:
        """Begin without a record.

        Args:
            scope: what the meter covers.
            max_age_s: so old its last record may be.
        """
        self.scope = scope
        self._max_age_s = max_age_s
        self._failures = Failures()
        self._last: MeterFigures | None = None
        self._came_s = 0.0
        self._not_before_s = 0.0
        self._energy_j = 0.0

    @property
    def ok(self) -> bool:
        """The last record could be read."""
        return self._failures.ok

    def find(self) -> None:
        """Nothing to look for."""

    async def run(self) -> None:
        """Hear the meter until cancelled; one that is read has nothing to hear."""

    def take(self, figures: MeterFigures, came_s: float, not_before_s: float) -> None:
        """Take a record.

        Args:
            figures: what it says; one with the time of the last record is that one again.
            came_s: monotonic time at which it was seen.
            not_before_s: monotonic time at which it was not there yet.
        """
        self._failures.worked(self.name)
        last = self._last
        if last is not None:
            if figures.time is not None and figures.time == last.time:
                return
            self._energy_j += self._joules(last, figures, came_s - self._came_s)
        self._last = figures
        self._came_s = came_s
        self._not_before_s = not_before_s

    def refuse(self, error: object) -> None:
        """Take down that the meter's newest record cannot be read."""
        self._failures.failed(self.name, error)

    def sample(self, draft: Draft) -> MeterSample | None:
        """Tell the last record, unless it is too old or a later one could not be read."""
        last = self._last
        if last is None or not self.ok or draft.wall_s - self._came_s > self._max_age_s:
            return None
        age_s = max(0.0, draft.wall_s - self._not_before_s)
        return MeterSample(last.power_w, self._energy_j, self._came_s, age_s)

    def close(self) -> None:
        """Nothing is open."""

    def _joules(self, last: MeterFigures, figures: MeterFigures, interval_s: float) -> float:
        if last.energy_j is not None and figures.energy_j is not None:
            counted_j = figures.energy_j - last.energy_j
            if counted_j >= 0.0:
                return counted_j
        if interval_s > self._max_age_s:
            return 0.0
        return 0.5 * (last.power_w + figures.power_w) * interval_s


class BesideMeter:
    """An external meter for the power, and the board's own sensors for its rails alone."""

    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(self, external: ExternalMeter, own: PowerMeter | None) -> None:
        """Take the meter, and the board's own where it has one; both are closed with this."""
        self.name = external.name
        self.scope = external.scope
        self._external = external
        self._own = own

    @property
    def ok(self) -> bool:
        """Both could be read."""
        return self._external.ok and (self._own is None or self._own.ok)

    def find(self) -> None:
        """Look for the board's own sensors again."""
        if self._own is not None:
            self._own.find()

    def sample(self, draft: Draft) -> MeterSample | None:
        """Tell the external meter's last record; the board's own adds its rails."""
        if self._own is not None:
            self._own.sample(draft)
        return self._external.sample(draft)

    def close(self) -> None:
        """Close both."""
        self._external.close()
        if self._own is not None:
            self._own.close()
