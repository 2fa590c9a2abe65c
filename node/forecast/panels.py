"""The plots of a forecast's page over mission time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from node.forecast.model import Forecast, OrbitRow
from node.report.cursor import CursorData, cursor_data
from node.report.panels import COLOURS
from node.report.svg import Band, Panel, Series, Span, draw_panel, draw_strip

_LONGEST_SHADED_BIN_S = 180.0
"""Bins longer than this no longer show where an eclipse begins: the orbits are plotted instead."""
_DARK_BELOW_RATIO = 0.5


def draw(forecast: Forecast) -> tuple[str, CursorData]:
    """Draw every plot; return the HTML and the values for the pointer."""
    span = Span(0.0, forecast.flight.duration_s)
    shaded = is_shaded(forecast)
    bands = [*_eclipses(forecast), *_passes(forecast)] if shaded else []
    panels = _panels(forecast)
    if not shaded:
        panels += _orbit_panels(forecast.orbits)
    parts = [_strips(forecast, span, light=shaded)]
    parts += [draw_panel(panel, span, bands) for panel in panels]
    return "\n".join(parts), cursor_data(panels, forecast.series.time_s, span)


def is_shaded(forecast: Forecast) -> bool:
    """Whether the plots are fine enough to shade eclipses and passes."""
    return forecast.series.bin_s <= _LONGEST_SHADED_BIN_S


def _runs(forecast: Forecast, labels: Sequence[str]) -> list[Band]:
    """Join neighbouring bins of one label."""
    series = forecast.series
    starts = [0.0, *series.time_s]
    runs = []
    for label, group in groupby(range(len(labels)), key=lambda index: labels[index]):
        indices = list(group)
        runs.append(Band(starts[indices[0]], starts[indices[-1] + 1], label, label))
    return runs


def _light(forecast: Forecast) -> list[Band]:
    names = ["Sun" if lit >= _DARK_BELOW_RATIO else "eclipse" for lit in forecast.series.lit_ratio]
    return [Band(b.start_s, b.stop_s, b.label.lower(), b.label) for b in _runs(forecast, names)]


def _eclipses(forecast: Forecast) -> list[Band]:
    return [band for band in _light(forecast) if band.style == "eclipse"]


def _passes(forecast: Forecast) -> list[Band]:
    return [Band(row.aos_s, row.los_s, "pass", row.station) for row in forecast.passes]


def _strips(forecast: Forecast, span: Span, *, light: bool) -> str:
    modes = [
        Band(b.start_s, b.stop_s, b.label, b.label.upper())
        for b in _runs(forecast, forecast.series.mode)
    ]
    rows: list[tuple[str, Sequence[Band]]] = [("Mode", modes)]
    if light:
        rows.append(("Light", _light(forecast)))
    for station in sorted({row.station for row in forecast.passes}):
        bands = [
            Band(row.aos_s, row.los_s, "contact" if row.linked_s > 0 else "unused")
            for row in forecast.passes
            if row.station == station
        ]
        rows.append((station, bands))
    return draw_strip("Modes, light and contacts" if light else "Modes and contacts", rows, span)


def _panels(forecast: Forecast) -> list[Panel]:
    series = forecast.series

    def line(label: str, style: str, values: Sequence[float], *, filled: bool = False) -> Series:
        return Series(label, style, list(zip(series.time_s, values, strict=True)), filled=filled)

    panels = [
        Panel(
            "State of charge",
            "0 to 1",
            [
                line("mean", "c1", series.state_of_charge, filled=True),
                line("lowest", "c7", series.min_state_of_charge),
            ],
            low=0.0,
            high=1.0,
            limits=_limits(forecast, "min_state_of_charge"),
        ),
        Panel(
            "Power",
            "W",
            [
                line("solar", "c2", series.solar_w),
                line("load, all", "c1", series.load_w),
                line("board", "c4", series.board_w),
            ],
            low=0.0,
        ),
        Panel(
            "Temperatures",
            "°C",
            [
                line(name, COLOURS[index % len(COLOURS)], values)
                for index, (name, values) in enumerate(sorted(series.temperatures_c.items()))
            ],
            limits=_limits(forecast, "max_board_temperature_c"),
        ),
        Panel(
            "Waiting for the link",
            "MB",
            [
                line("results on board", "c3", _megabytes(series.downlink_queue_bytes)),
                line("inputs on the ground", "c5", _megabytes(series.uplink_queue_bytes)),
            ],
            low=0.0,
        ),
    ]
    if series.clock_ratio is not None:
        clock = [line("clock", "c6", series.clock_ratio, filled=True)]
        panels.append(Panel("Board clock", "of full speed", clock, low=0.0, high=1.0))
    return panels


def _orbit_panels(orbits: Sequence[OrbitRow]) -> list[Panel]:
    """What the shading would have shown, orbit by orbit."""
    whole = [row for row in orbits if row.whole]

    def line(label: str, style: str, value: Callable[[OrbitRow], float]) -> Series:
        return Series(label, style, [(row.start_s, value(row)) for row in whole], step=True)

    return [
        Panel(
            "Energy by orbit",
            "Wh",
            [
                line("generated", "c2", lambda row: row.energy.generated_wh),
                line("consumed", "c1", lambda row: row.energy.consumed_wh),
                line("curtailed", "c8", lambda row: row.energy.curtailed_wh),
            ],
            low=0.0,
        ),
        Panel(
            "Eclipse and contact by orbit",
            "minutes",
            [
                line("eclipse", "c5", lambda row: row.eclipse_s / 60.0),
                line("contact", "c3", lambda row: row.contact_s / 60.0),
            ],
            low=0.0,
        ),
    ]


def _megabytes(values: Sequence[int]) -> list[float]:
    return [value / 1e6 for value in values]


def _limits(forecast: Forecast, metric: str) -> tuple[tuple[float, str], ...]:
    return tuple(
        (verdict.value, f"required {verdict.operator} {verdict.value:g}")
        for verdict in forecast.verdicts
        if verdict.metric == metric
    )
