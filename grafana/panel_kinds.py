"""Builders of Grafana panels as plain dictionaries (classic JSON, schema version 39)."""  # noqa: INP001 - scripts beside their output, no package

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
NODE = 'job=~"$job", node_id="$node"'
"""Matchers that every query carries."""

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = (
    "green",
    "yellow",
    "orange",
    "red",
    "blue",
    "purple",
    "#6e7079",
)
Steps = list[tuple[float | None, str]]


def target(expression: str, legend: str = "", *, instant: bool = False, kind: str = "") -> Json:
    """One query; the letter of its reference comes from its place in the panel."""
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend or "__auto",
        "range": not instant,
        "instant": instant,
        "format": kind or "time_series",
    }


def words(names: dict[float, tuple[str, str]]) -> list[Json]:
    """Map values to words and colours."""
    options = {
        f"{value:g}": {"index": index, "text": text, "color": color}
        for index, (value, (text, color)) in enumerate(names.items())
    }
    return [{"type": "value", "options": options}]


def override(name: str, **properties: Any) -> Json:  # noqa: ANN401 - Grafana takes any JSON here
    """Change properties of the series with this legend; ``__`` in a key stands for a dot."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": key.replace("__", "."), "value": value} for key, value in properties.items()
        ],
    }


def _panel(
    kind: str, title: str, description: str, targets: list[Json], unit: str, options: Json
) -> Json:
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [
            {"refId": chr(ord("A") + index), **query} for index, query in enumerate(targets)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "color": {"mode": "palette-classic"},
                "custom": {},
                "mappings": [],
                "thresholds": _thresholds([(None, GREEN)]),
            },
            "overrides": [],
        },
        "options": options,
    }


def _thresholds(steps: Steps) -> Json:
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": color} for value, color in steps],
    }


def stat(
    title: str,
    description: str,
    queries: list[Json],
    unit: str,
    steps: Steps,
    *,
    mappings: list[Json] | None = None,
    with_name: bool = False,
    decimals: int | None = None,
) -> Json:
    """One big value whose background carries the judgement."""
    panel = _panel(
        "stat",
        title,
        description,
        queries,
        unit,
        {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "textMode": "value_and_name" if with_name else "value",
        },
    )
    defaults = panel["fieldConfig"]["defaults"]
    defaults.update(color={"mode": "thresholds"}, thresholds=_thresholds(steps))
    defaults["mappings"] = mappings or []
    if decimals is not None:
        defaults["decimals"] = decimals
    return panel


def gauge(title: str, description: str, queries: list[Json], unit: str, steps: Steps) -> Json:
    """A dial from 0 to 1."""
    panel = _panel(
        "gauge",
        title,
        description,
        queries,
        unit,
        {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
        },
    )
    panel["fieldConfig"]["defaults"].update(
        color={"mode": "thresholds"}, thresholds=_thresholds(steps), min=0, max=1
    )
    return panel


def bars(title: str, description: str, queries: list[Json], unit: str) -> Json:
    """Horizontal bars, one a series."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
    }
    panel = _panel("bargauge", title, description, queries, unit, options)
    panel["fieldConfig"]["defaults"]["min"] = 0
    return panel


def lines(
    title: str,
    description: str,
    queries: list[Json],
    unit: str,
    *,
    stacked: bool = False,
    overrides: list[Json] | None = None,
    bounds: tuple[float | None, float | None] = (None, None),
    line_at: float | None = None,
) -> Json:
    """Curves over time."""
    panel = _panel(
        "timeseries",
        title,
        description,
        queries,
        unit,
        {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )
    defaults = panel["fieldConfig"]["defaults"]
    defaults["custom"] = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 35 if stacked else 8,
        "showPoints": "never",
        # A gap is lost contact with the node: it must stay visible.
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if line_at is None else "line"},
    }
    if line_at is not None:
        defaults["thresholds"] = _thresholds([(None, "transparent"), (line_at, RED)])
    for key, bound in zip(("min", "max"), bounds, strict=True):
        if bound is not None:
            defaults[key] = bound
    panel["fieldConfig"]["overrides"] = overrides or []
    return panel


def timeline(
    title: str,
    description: str,
    queries: list[Json],
    mappings: list[Json],
    overrides: list[Json] | None = None,
) -> Json:
    """States over time, one row a series."""
    panel = _panel(
        "state-timeline",
        title,
        description,
        queries,
        "none",
        {
            "mergeValues": True,
            "showValue": "auto",
            "alignValue": "center",
            "rowHeight": 0.85,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    )
    defaults = panel["fieldConfig"]["defaults"]
    # Colour mode "thresholds" would merge the states by threshold and drop their words.
    defaults["custom"] = {"fillOpacity": 80, "lineWidth": 0}
    defaults["mappings"] = mappings
    panel["fieldConfig"]["overrides"] = overrides or []
    return panel


def heatmap(title: str, description: str, query: Json, unit: str) -> Json:
    """Classic histogram buckets over time."""
    return _panel(
        "heatmap",
        title,
        description,
        [query],
        unit,
        {
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False},
        },
    )


def ground_track(
    title: str, description: str, latitude: str, longitude: str, light: tuple[str, Steps]
) -> Json:
    """Positions on a map, coloured by a third series.

    Markers, not a route: a route draws a line across the whole map at the date line. The base map
    ships with Grafana, so that an isolated laboratory sees it too.
    """
    panel = _panel(
        "geomap",
        title,
        description,
        [
            target(latitude, "latitude"),
            target(longitude, "longitude"),
            target(light[0], "illumination"),
        ],
        "none",
        {
            "view": {"id": "zero", "lat": 0, "lon": 0, "zoom": 1, "allLayers": True},
            "basemap": {
                "type": "geojson",
                "name": "Countries",
                "config": {"src": "public/maps/countries.geojson", "rules": []},
            },
            "controls": {"showZoom": True, "showAttribution": False, "mouseWheelZoom": False},
            "tooltip": {"mode": "details"},
            "layers": [
                {
                    "type": "markers",
                    "name": "Ground track",
                    "tooltip": True,
                    "location": {
                        "mode": "coords",
                        "latitude": "latitude",
                        "longitude": "longitude",
                    },
                    "config": {
                        "showLegend": True,
                        "style": {
                            "color": {"field": "illumination", "fixed": YELLOW},
                            "opacity": 0.8,
                            "size": {"fixed": 3, "min": 2, "max": 6},
                            "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                        },
                    },
                }
            ],
        },
    )
    panel["maxDataPoints"] = 240
    panel["transformations"] = [
        {"id": "joinByField", "options": {"byField": "Time", "mode": "outer"}}
    ]
    panel["fieldConfig"]["defaults"].update(
        color={"mode": "thresholds"}, thresholds=_thresholds(light[1])
    )
    return panel
