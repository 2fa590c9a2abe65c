"""The plots of a report, out of telemetry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from node.core.jobs import JobState
from node.core.snapshot import NodeSnapshot
from node.report.axes import Point
from node.report.cursor import CursorData, cursor_data
from node.report.run import Summary
from node.report.svg import Band, Panel, Series, Span, draw_panel, draw_strip
from node.report.timeline import eclipse_intervals, mode_intervals, pass_intervals

COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8")
JOB_COLOURS = {
    JobState.DELIVERED.value: "c3",
    JobState.STORED.value: "c1",
    JobState.RUNNING.value: "c2",
    JobState.QUEUED.value: "c5",
    JobState.DEFERRED.value: "c4",
    JobState.RECEIVED.value: "c6",
    JobState.REJECTED.value: "c7",
    JobState.FAILED.value: "c7",
    JobState.EXPIRED.value: "c8",
}
"""From the bottom of the pile up."""


def mission_span(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> Span:
    """Return the time axis: the planned mission, or as much of it as there was."""
    if not snapshots:
        return Span(0.0, summary.duration_s)
    start = min(0.0, snapshots[0].mission_s) if summary.completed else snapshots[0].mission_s
    return Span(max(start, 0.0), max(snapshots[-1].mission_s, start + 1.0))


def draw(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> tuple[str, CursorData]:
    """Draw every plot; return the HTML and the values for the pointer."""
    span = mission_span(summary, snapshots)
    eclipses = [Band(i.start_s, i.stop_s, "eclipse") for i in eclipse_intervals(snapshots)]
    passes = [Band(i.start_s, i.stop_s, "pass", i.label) for i in pass_intervals(snapshots)]
    panels = _panels(summary, snapshots)
    parts = [_strips(snapshots, span)]
    parts += [draw_panel(panel, span, [*eclipses, *passes]) for panel in panels]
    return "\n".join(parts), cursor_data(panels, [s.mission_s for s in snapshots], span)


def _strips(snapshots: Sequence[NodeSnapshot], span: Span) -> str:
    modes = [Band(i.start_s, i.stop_s, i.label, i.label.upper()) for i in mode_intervals(snapshots)]
    eclipses = eclipse_intervals(snapshots)
    edges = [span.start_s, *(s for e in eclipses for s in (e.start_s, e.stop_s)), span.stop_s]
    light = [
        Band(start, stop, "eclipse" if index % 2 else "sun", "eclipse" if index % 2 else "Sun")
        for index, (start, stop) in enumerate(pairwise(edges))
        if stop > start
    ]
    rows: list[tuple[str, Sequence[Band]]] = [("Mode", modes), ("Light", light)]
    passes = pass_intervals(snapshots)
    for station in sorted({i.label for i in passes}):
        bands = [
            Band(i.start_s, i.stop_s, "contact" if i.contact else "unused", "")
            for i in passes
            if i.label == station
        ]
        rows.append((station, bands))
    return draw_strip("Modes, light and contacts", rows, span)


def _panels(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> list[Panel]:
    def line(
        label: str,
        style: str,
        value: Callable[[NodeSnapshot], float],
        *,
        step: bool = False,
        filled: bool = False,
    ) -> Series:
        points = [(s.mission_s, value(s)) for s in snapshots]
        return Series(label, style, points, step=step, filled=filled)

    charge = line("state of charge", "c1", lambda s: s.power.state_of_charge, filled=True)
    power = [
        line("solar", "c2", lambda s: s.power.solar_w),
        line("load, all", "c1", lambda s: s.power.load_w),
        line("board", "c4", lambda s: s.power.board_w),
    ]
    link = [
        line("downlink", "c3", lambda s: s.link.downlink_bps / 1e6, step=True, filled=True),
        line("uplink", "c5", lambda s: s.link.uplink_bps / 1e6, step=True),
    ]
    limits = {
        name: tuple(
            (v.value, f"required {v.operator} {v.value:g}")
            for v in summary.verdicts
            if v.metric == name
        )
        for name in ("min_state_of_charge", "max_board_temperature_c")
    }
    return [
        Panel(
            "State of charge",
            "0 to 1",
            [charge],
            low=0.0,
            high=1.0,
            limits=limits["min_state_of_charge"],
        ),
        Panel("Power", "W", power, low=0.0),
        Panel(
            "Temperatures",
            "°C",
            [*_emulated(snapshots), *_sensors(snapshots)],
            limits=limits["max_board_temperature_c"],
            note="Sensors of the real board stand with their own names; the others are emulated."
            if any(s.sensors for s in snapshots)
            else "",
        ),
        Panel("Link rate", "Mbit/s", link, low=0.0),
        Panel("Jobs by state", "on board", _jobs(snapshots), low=0.0, stacked=True),
    ]


def _emulated(snapshots: Sequence[NodeSnapshot]) -> list[Series]:
    names = sorted({name for s in snapshots for name in s.temperatures_c})
    return [
        Series(
            name,
            COLOURS[index % len(COLOURS)],
            [(s.mission_s, s.temperatures_c[name]) for s in snapshots if name in s.temperatures_c],
        )
        for index, name in enumerate(names)
    ]


def _sensors(snapshots: Sequence[NodeSnapshot]) -> list[Series]:
    points: dict[str, list[Point]] = {}
    for snapshot in snapshots:
        for sensor in snapshot.sensors:
            label = f"{sensor.sensor} ({sensor.source.value})"
            points.setdefault(label, []).append((snapshot.mission_s, sensor.temperature_c))
    # Counted from the far end of the palette, so that they differ from the emulated nodes.
    return [
        Series(label, COLOURS[-1 - index % len(COLOURS)], points[label])
        for index, label in enumerate(sorted(points))
    ]


def _jobs(snapshots: Sequence[NodeSnapshot]) -> list[Series]:
    seen = {state for s in snapshots for state, count in s.jobs.by_state.items() if count}
    return [
        Series(
            state,
            style,
            [(s.mission_s, float(s.jobs.by_state.get(state, 0))) for s in snapshots],
            step=True,
        )
        for state, style in JOB_COLOURS.items()
        if state in seen
    ]
