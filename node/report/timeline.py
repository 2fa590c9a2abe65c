"""Intervals out of sampled snapshots: modes, eclipses, passes. Pure.

Samples are sparse (half a wall second is half a minute of mission time at rate 60), so edges are
taken from what a snapshot says about itself (``mode_since_s``, ``next_sunset_s``, the next pass)
wherever that falls between two samples, and from the sample itself otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from node.core.snapshot import NodeSnapshot, PassSnapshot

ECLIPSE_BELOW_ILLUMINATION = 0.5


@dataclass(frozen=True)
class Interval:
    """A stretch of mission time."""

    start_s: float
    stop_s: float
    label: str

    @property
    def duration_s(self) -> float:
        """Length in mission seconds."""
        return self.stop_s - self.start_s


@dataclass(frozen=True)
class PassInterval(Interval):
    """A pass over a station, as far as the run saw it."""

    contact: bool
    """The link was up in at least one sample."""
    max_elevation_deg: float | None
    max_downlink_bps: float
    payload_up_bytes: int
    payload_down_bytes: int


def mode_intervals(snapshots: Sequence[NodeSnapshot]) -> list[Interval]:
    """Operating modes one after another, without gaps."""

    def edge(_before: NodeSnapshot, after: NodeSnapshot) -> float | None:
        return after.mode_since_s

    return _runs(snapshots, lambda snapshot: snapshot.mode.value, edge)


def eclipse_intervals(snapshots: Sequence[NodeSnapshot]) -> list[Interval]:
    """Eclipses; half the Sun's disc is the edge."""

    def dark(snapshot: NodeSnapshot) -> str:
        return "eclipse" if snapshot.orbit.illumination < ECLIPSE_BELOW_ILLUMINATION else ""

    def edge(before: NodeSnapshot, after: NodeSnapshot) -> float | None:
        return before.orbit.next_sunset_s if dark(after) else before.orbit.next_sunrise_s

    return [interval for interval in _runs(snapshots, dark, edge) if interval.label]


def pass_intervals(snapshots: Sequence[NodeSnapshot]) -> list[PassInterval]:
    """Passes over stations, with what was seen of the link."""
    announced: dict[tuple[str, float], PassSnapshot] = {}
    for snapshot in snapshots:
        coming = snapshot.link.next_pass
        if coming is not None:
            announced[coming.station, coming.aos_s] = coming

    def station(snapshot: NodeSnapshot) -> str:
        return snapshot.link.station or ""

    def edge(before: NodeSnapshot, after: NodeSnapshot) -> float | None:
        stands = [
            instant
            for coming in announced.values()
            for name, instant in ((station(after), coming.aos_s), (station(before), coming.los_s))
            if coming.station == name and before.mission_s < instant <= after.mission_s
        ]
        return stands[0] if stands else None

    found = [interval for interval in _runs(snapshots, station, edge) if interval.label]
    return [_describe(interval, snapshots, announced) for interval in found]


def _describe(
    interval: Interval,
    snapshots: Sequence[NodeSnapshot],
    announced: dict[tuple[str, float], PassSnapshot],
) -> PassInterval:
    inside = [s for s in snapshots if interval.start_s <= s.mission_s <= interval.stop_s]
    known = [
        coming.max_elevation_deg
        for coming in announced.values()
        if coming.station == interval.label and interval.start_s <= coming.tca_s <= interval.stop_s
    ]
    seen = [s.link.elevation_deg for s in inside if s.link.elevation_deg is not None]
    return PassInterval(
        start_s=interval.start_s,
        stop_s=interval.stop_s,
        label=interval.label,
        contact=any(s.link.up and s.link.station == interval.label for s in inside),
        max_elevation_deg=known[0] if known else max(seen, default=None),
        max_downlink_bps=max((s.link.downlink_bps for s in inside), default=0.0),
        payload_up_bytes=counter_total([s.link.payload_up_bytes for s in inside], start=None),
        payload_down_bytes=counter_total([s.link.payload_down_bytes for s in inside], start=None),
    )


def counter_total(values: Sequence[int], start: int | None = 0) -> int:
    """Growth of a counter that a restart may set back to zero.

    Args:
        values: the counter, sample by sample.
        start: its value before the first sample; None takes the first sample itself.
    """
    if not values:
        return 0
    chain = [values[0] if start is None else start, *values]
    return sum(after - before if after >= before else after for before, after in pairwise(chain))


def _runs(
    snapshots: Sequence[NodeSnapshot],
    label: Callable[[NodeSnapshot], str],
    edge: Callable[[NodeSnapshot, NodeSnapshot], float | None],
) -> list[Interval]:
    """Cut the samples into runs of one label; ``edge`` says when the label changed, if it knows."""
    if not snapshots:
        return []
    first = snapshots[0]
    runs = [Interval(first.mission_s, first.mission_s, label(first))]
    for before, after in pairwise(snapshots):
        if label(after) == runs[-1].label:
            runs[-1] = replace(runs[-1], stop_s=after.mission_s)
            continue
        told = edge(before, after)
        at_s = after.mission_s if told is None else told
        at_s = min(max(at_s, before.mission_s), after.mission_s)
        runs[-1] = replace(runs[-1], stop_s=at_s)
        runs.append(Interval(at_s, after.mission_s, label(after)))
    return runs
