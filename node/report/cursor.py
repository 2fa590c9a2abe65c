"""What the page shows under the pointer: every series at a limited number of instants. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from node.report.svg import Panel, Span, series_key

CURSOR_SAMPLES = 800


class CursorData(Struct, frozen=True):
    """Read by the page's script; times are mission seconds."""

    start: float
    stop: float
    times: list[float]
    values: dict[str, list[float]]


def cursor_data(panels: Sequence[Panel], instants_s: Sequence[float], span: Span) -> CursorData:
    """Take every series of the panels at up to ``CURSOR_SAMPLES`` of these instants."""
    stride = max(1, -(-len(instants_s) // CURSOR_SAMPLES))
    chosen = instants_s[::stride]
    values = {}
    for panel in panels:
        for series in panel.series:
            # A series may lack samples (a sensor that went away): show what was last known.
            known = iter(series.points)
            coming = next(known, None)
            last = coming[1] if coming else 0.0
            column = []
            for instant_s in chosen:
                while coming is not None and coming[0] <= instant_s:
                    last, coming = coming[1], next(known, None)
                column.append(float(f"{last:.4g}"))
            values[series_key(panel, series)] = column
    return CursorData(span.start_s, span.stop_s, [round(t, 1) for t in chosen], values)
