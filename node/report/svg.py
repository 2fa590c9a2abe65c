"""Draws one panel over mission time as HTML with an inline SVG. Pure.

The picture is stretched to the page's width, so texts are HTML beside it and lines keep their
width (``vector-effect``): one drawing reads well on a phone and on a wide screen. Colours are CSS
classes, so that light and dark are one document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from node.report.axes import Point, clock, nice_ticks, number, thin, time_ticks

WIDTH = 1000
HEIGHT = 200
MIN_LABEL_PERCENT = 6
"""A stretch shorter than this part of the axis has no room for its name."""


@dataclass(frozen=True)
class Span:
    """The time axis that all panels share, in mission seconds."""

    start_s: float
    stop_s: float

    def x(self, mission_s: float) -> float:
        """Place an instant, 0 to ``WIDTH``."""
        width_s = max(self.stop_s - self.start_s, 1e-9)
        return min(max((mission_s - self.start_s) / width_s, 0.0), 1.0) * WIDTH


@dataclass(frozen=True)
class Band:
    """A shaded stretch: an eclipse, a pass, a mode."""

    start_s: float
    stop_s: float
    style: str
    """CSS class."""
    label: str = ""


@dataclass(frozen=True)
class Series:
    """One line."""

    label: str
    style: str
    """CSS class that colours it."""
    points: Sequence[Point]
    step: bool = False
    """Hold each value until the next."""
    filled: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot."""

    title: str
    unit: str
    series: Sequence[Series]
    low: float | None = None
    """Lowest value of the axis; None fits it to the values."""
    high: float | None = None
    stacked: bool = False
    """Each series lies on the ones before it; all share their instants."""
    note: str = ""
    limits: Sequence[tuple[float, str]] = field(default_factory=tuple)
    """Horizontal lines with their names."""


def draw_panel(panel: Panel, span: Span, bands: Iterable[Band]) -> str:
    """Draw one plot with its title, legend and axes."""
    series = _stack(panel.series) if panel.stacked else list(panel.series)
    ticks = _value_ticks(panel, series)
    low, high = ticks[0], ticks[-1]

    def y(value: float) -> float:
        return HEIGHT - (value - low) / (high - low) * HEIGHT

    shapes = [_band(band, span) for band in bands]
    shapes += [f'<path class="grid" d="M0 {y(t):.1f}H{WIDTH}"/>' for t in ticks]
    shapes += [
        f'<path class="limit" d="M0 {y(value):.1f}H{WIDTH}"/>'
        for value, _ in panel.limits
        if low <= value <= high
    ]
    base = [[(x, low)] for x in (span.start_s, span.stop_s)]
    for index, line in enumerate(series):
        points = thin(line.points)
        if not points:
            continue
        steps = [(span.x(t), y(v)) for t, v in points]
        path = _path(steps, step=line.step)
        if line.filled or panel.stacked:
            under = series[index - 1].points if panel.stacked and index else None
            floor = (
                [(span.x(t), y(v)) for t, v in thin(under)]
                if under
                else [(steps[0][0], y(base[0][0][1])), (steps[-1][0], y(base[1][0][1]))]
            )
            back = _path(list(reversed(floor)), step=line.step, backwards=True)
            shapes.append(f'<path class="area {line.style}" d="{path}L{back[1:]}Z"/>')
        shapes.append(f'<path class="line {line.style}" d="{path}"/>')
    return _figure(panel, span, shapes, [(t, y(t)) for t in ticks])


def series_key(panel: Panel, series: Series) -> str:
    """Name a series in the whole document; the page's script finds its values by it."""
    return f"{panel.title}/{series.label}"


def draw_strip(title: str, rows: Sequence[tuple[str, Sequence[Band]]], span: Span) -> str:
    """Draw rows of labelled stretches: modes, contacts."""
    parts = [
        f'<div class="strip"><span class="row">{escape(name)}</span>'
        f"{''.join(_cell(band, span) for band in bands)}</div>"
        for name, bands in rows
    ]
    return (
        f'<figure class="panel strips"><figcaption><h3>{escape(title)}</h3></figcaption>'
        f'<div class="plot" data-plot="strip">{"".join(parts)}{_time_labels(span)}</div></figure>'
    )


def _cell(band: Band, span: Span) -> str:
    left = span.x(band.start_s) / WIDTH * 100
    width = span.x(band.stop_s) / WIDTH * 100 - left
    label = f"<b>{escape(band.label)}</b>" if width >= MIN_LABEL_PERCENT else ""
    return (
        f'<span class="cell {band.style}" style="left:{left:.2f}%;width:{max(width, 0.15):.2f}%" '
        f'title="{escape(_tooltip(band))}">{label}</span>'
    )


def _tooltip(band: Band) -> str:
    return f"{band.label} {clock(band.start_s)} to {clock(band.stop_s)}".strip()


def _figure(panel: Panel, span: Span, shapes: list[str], ticks: list[Point]) -> str:
    legend = "".join(
        f'<li class="{line.style}" data-series="{escape(series_key(panel, line))}"><i></i>'
        f"{escape(line.label)}<output></output></li>"
        for line in panel.series
    )
    labels = "".join(
        f'<span class="tick" style="top:{place / HEIGHT * 100:.2f}%">{number(value)}</span>'
        for value, place in ticks
    )
    times = "".join(
        f'<path class="grid" d="M{span.x(instant_s):.1f} 0V{HEIGHT}"/>'
        for instant_s, _ in time_ticks(span.start_s, span.stop_s)
    )
    limits = "".join(
        f'<span class="limit-name" style="top:{_share(value, ticks) * 100:.2f}%">'
        f"{escape(name)}</span>"
        for value, name in panel.limits
        if 0 <= _share(value, ticks) <= 1
    )
    note = f'<p class="note">{escape(panel.note)}</p>' if panel.note else ""
    return (
        f'<figure class="panel{" stacked" if panel.stacked else ""}"><figcaption><h3>'
        f"{escape(panel.title)} "
        f"<small>{escape(panel.unit)}</small></h3><ul>{legend}</ul></figcaption>"
        f'<div class="plot"><svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(panel.title)}">{times}{"".join(shapes)}</svg>'
        f"{labels}{limits}{_time_labels(span)}</div>{note}</figure>"
    )


def _share(value: float, ticks: list[Point]) -> float:
    low, high = ticks[0][0], ticks[-1][0]
    return 1 - (value - low) / (high - low)


def _time_labels(span: Span) -> str:
    return "".join(
        f'<span class="time{" odd" if index % 2 else ""}" '
        f'style="left:{span.x(instant_s) / WIDTH * 100:.2f}%">{text}</span>'
        for index, (instant_s, text) in enumerate(time_ticks(span.start_s, span.stop_s))
    )


def _band(band: Band, span: Span) -> str:
    left, right = span.x(band.start_s), span.x(band.stop_s)
    return (
        f'<rect class="{band.style}" x="{left:.1f}" y="0" width="{right - left:.1f}" '
        f'height="{HEIGHT}"/>'
    )


def _value_ticks(panel: Panel, series: Sequence[Series]) -> list[float]:
    values = [value for line in series for _, value in line.points]
    low = min(values, default=0.0) if panel.low is None else panel.low
    high = max(values, default=1.0) if panel.high is None else panel.high
    return nice_ticks(low, max(high, low))


def _stack(series: Sequence[Series]) -> list[Series]:
    sums: list[float] = []
    stacked = []
    for line in series:
        sums = [
            value + (sums[index] if sums else 0.0) for index, (_, value) in enumerate(line.points)
        ]
        points = [(instant, total) for (instant, _), total in zip(line.points, sums, strict=True)]
        stacked.append(Series(line.label, line.style, points, line.step, line.filled))
    return stacked


def _path(points: Sequence[Point], *, step: bool, backwards: bool = False) -> str:
    first = points[0]
    parts = [f"M{first[0]:.1f} {first[1]:.1f}"]
    for x, y in points[1:]:
        if not step:
            parts.append(f"L{x:.1f} {y:.1f}")
        elif backwards:
            parts.append(f"V{y:.1f}H{x:.1f}")
        else:
            parts.append(f"H{x:.1f}V{y:.1f}")
    return "".join(parts)
