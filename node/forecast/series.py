"""The flight as equally long bins, for plots."""

from __future__ import annotations

from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.forecast.model import Series
from node.forecast.stretch import Stretch
from node.simulation.milestones import Milestones

_MAX_BINS = 1500
_LEAST_STEPS = 2
"""Ticks that a bin spans at least, so that none is empty."""
_LEAST_CAPABLE = (
    OperatingMode.OFF,
    OperatingMode.BOOT,
    OperatingMode.SAFE,
    OperatingMode.REDUCED,
    OperatingMode.NOMINAL,
)
_RANK = {mode: rank for rank, mode in enumerate(_LEAST_CAPABLE)}


class SeriesBuilder:
    """Fills bins; a step belongs to the bin in which it ends."""

    def __init__(self, core: NodeCore, duration_s: float) -> None:
        steps = int(duration_s / (_LEAST_STEPS * core.craft.tick_s))
        self._bin_s = duration_s / min(_MAX_BINS, max(1, steps))
        self._names = core.craft.thermal_names
        self._joules = _joules(core)
        self._start_s = core.emulation.now
        self._rank = _RANK[core.mode]
        self._bin = Stretch()
        self._series = Series(
            bin_s=self._bin_s,
            time_s=[],
            state_of_charge=[],
            min_state_of_charge=[],
            max_state_of_charge=[],
            solar_w=[],
            load_w=[],
            board_w=[],
            temperatures_c={name: [] for name in self._names},
            max_board_c=[],
            mode=[],
            lit_ratio=[],
            contact_ratio=[],
            uplink_queue_bytes=[],
            downlink_queue_bytes=[],
            clock_ratio=None if core.clock is None else [],
        )

    @property
    def next_end_s(self) -> float:
        """Where the bin ends that is being filled."""
        # Counted, not added up: rounding must not move the bins against the ticks.
        return (len(self._series.time_s) + 1) * self._bin_s

    def mode_changed(self, mode: OperatingMode) -> None:
        """Another mode stands from this tick on."""
        self._rank = min(self._rank, _RANK[mode])

    def add(self, core: NodeCore, milestones: Milestones, stretch: Stretch) -> None:
        """Take a stretch that ended now; no bin ended within it."""
        self._bin.merge(stretch)
        if core.emulation.now >= self.next_end_s:
            self._close(core, milestones)

    def build(self) -> Series:
        """Return the bins; a last one that is not full is left out."""
        return self._series

    def _close(self, core: NodeCore, milestones: Milestones) -> None:
        now = core.emulation.now
        duration_s = now - self._start_s
        joules = _joules(core)
        means_w = [
            (later - before) / duration_s
            for before, later in zip(self._joules, joules, strict=True)
        ]
        series, ended = self._series, self._bin
        charge = ended.charge.spread(duration_s)
        series.time_s.append(round(now, 3))
        series.state_of_charge.append(round(charge.mean, 5))
        series.min_state_of_charge.append(round(charge.minimum, 5))
        series.max_state_of_charge.append(round(charge.maximum, 5))
        for values, watts in zip(
            (series.solar_w, series.load_w, series.board_w), means_w, strict=True
        ):
            values.append(round(watts, 4))
        for name, extent in zip(self._names, ended.temperatures, strict=True):
            series.temperatures_c[name].append(round(extent.product / duration_s, 3))
        board = ended.temperatures[core.craft.board_node]
        series.max_board_c.append(round(board.maximum, 3))
        series.mode.append(_LEAST_CAPABLE[self._rank].value)
        series.lit_ratio.append(round(ended.lit_s / duration_s, 4))
        series.contact_ratio.append(round(ended.contact_s / duration_s, 4))
        series.uplink_queue_bytes.append(milestones.input_queue_bytes)
        series.downlink_queue_bytes.append(milestones.result_queue_bytes)
        if series.clock_ratio is not None:
            series.clock_ratio.append(round(ended.clock.product / duration_s, 4))
        self._joules = joules
        self._start_s = now
        self._rank = _RANK[core.mode]
        self._bin = Stretch()


def _joules(core: NodeCore) -> tuple[float, float, float]:
    emulation = core.emulation
    return (
        emulation.solar_generated_j,
        emulation.load_consumed_j,
        emulation.board_consumed_j,
    )
