"""An ephemeris as text: tables for people, CSV and JSON for programs, all of it line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from node.ephemeris.events import Event
from node.ephemeris.rows import Row

_NODE_COLUMNS = (
    "utc",
    "mission_s",
    "x_teme_km",
    "y_teme_km",
    "z_teme_km",
    "vx_teme_km_s",
    "vy_teme_km_s",
    "vz_teme_km_s",
    "latitude_deg",
    "longitude_deg",
    "altitude_km",
    "sun_x_teme",
    "sun_y_teme",
    "sun_z_teme",
    "sun_distance_au",
    "illumination_ratio",
    "beta_angle_deg",
)
_STATION_COLUMNS = (
    "azimuth_deg",
    "elevation_deg",
    "range_km",
    "range_rate_km_s",
    "downlink_doppler_hz",
    "visible",
)
_NEIGHBOUR_COLUMNS = ("range_km", "range_rate_km_s", "grazing_altitude_km", "line_of_sight")
_EVENT_COLUMNS = (
    "utc",
    "mission_s",
    "kind",
    "station",
    "neighbour",
    "azimuth_deg",
    "elevation_deg",
    "range_km",
)

_ROW_HEAD = "UTC                  MISSION S    LAT     LON  ALT KM  LIT  BETA ELEV STATION"
_EVENT_HEAD = "UTC                       MISSION S  EVENT                 ELEV  AZIM     KM"
_SHORT_NAMES = {"aos": "AOS", "tca": "TCA", "los": "LOS"}


def csv_of_rows(
    rows: Iterable[Row], stations: Iterable[str], neighbours: Iterable[str]
) -> Iterator[str]:
    """Write a head and a line a row; names of stations and neighbours stand in the columns'."""
    columns = [
        *_NODE_COLUMNS,
        *(f"station.{name}.{column}" for name in stations for column in _STATION_COLUMNS),
        *(f"neighbour.{name}.{column}" for name in neighbours for column in _NEIGHBOUR_COLUMNS),
    ]
    yield ",".join(columns) + "\n"
    for row in rows:
        yield _csv_row(row)


def csv_of_events(events: Iterable[Event]) -> Iterator[str]:
    """Write a head and a line an event; what an event has no figure for is empty."""
    yield ",".join(_EVENT_COLUMNS) + "\n"
    for event in events:
        cells = (
            event.utc,
            f"{event.mission_s:.4f}",
            event.kind,
            event.station or "",
            event.neighbour or "",
            _optional(event.azimuth_deg),
            _optional(event.elevation_deg),
            _optional(event.range_km),
        )
        yield ",".join(cells) + "\n"


def json_of(
    head: Mapping[str, object], rows: Iterable[Row] | None, events: Iterable[Event] | None
) -> Iterator[str]:
    """Write one object, a row or an event on each line; what is None is left out."""
    encode = msgspec.json.Encoder().encode
    yield "{\n"
    parts: list[tuple[str, Iterable[object]]] = []
    if rows is not None:
        parts.append(("rows", rows))
    if events is not None:
        parts.append(("events", events))
    yield ",\n".join(
        f"{encode(key).decode()}: {encode(value).decode()}" for key, value in head.items()
    )
    for key, items in parts:
        yield f',\n"{key}": ['
        before = "\n"
        for item in items:
            yield before + encode(item).decode()
            before = ",\n"
        yield "\n]"
    yield "\n}\n"


def table_of_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Write a line a row that fits 80 columns: no vectors, and the one station seen highest."""
    yield _ROW_HEAD + "\n"
    for row in rows:
        line = (
            f"{row.utc[:19]}Z {row.mission_s:>9.10g} {row.latitude_deg:6.2f} "
            f"{row.longitude_deg:7.2f} {row.altitude_km:7.1f} {row.illumination_ratio:4.2f} "
            f"{row.beta_angle_deg:5.1f} {_highest(row)}"
        )
        yield line.rstrip() + "\n"


def table_of_events(events: Iterable[Event]) -> Iterator[str]:
    """Write a line an event."""
    yield _EVENT_HEAD + "\n"
    for event in events:
        angles = (
            f"{event.elevation_deg:5.1f} {event.azimuth_deg:5.1f}"
            if event.elevation_deg is not None and event.azimuth_deg is not None
            else " " * 11
        )
        range_km = "" if event.range_km is None else f"{event.range_km:6.0f}"
        line = f"{event.utc} {event.mission_s:>11.3f}  {_words(event):20} {angles} {range_km}"
        yield line.rstrip() + "\n"


def _csv_row(row: Row) -> str:
    x, y, z = row.r_teme_km
    vx, vy, vz = row.v_teme_km_s
    sx, sy, sz = row.sun_direction_teme
    node = (
        f"{row.utc},{row.mission_s:.3f},{x:.6f},{y:.6f},{z:.6f},{vx:.9f},{vy:.9f},{vz:.9f},"
        f"{row.latitude_deg:.6f},{row.longitude_deg:.6f},{row.altitude_km:.6f},"
        f"{sx:.9f},{sy:.9f},{sz:.9f},{row.sun_distance_au:.9f},"
        f"{row.illumination_ratio:.6f},{row.beta_angle_deg:.6f}"
    )
    stations = [
        f"{view.azimuth_deg:.6f},{view.elevation_deg:.6f},{view.range_km:.6f},"
        f"{view.range_rate_km_s:.9f},{view.downlink_doppler_hz:.3f},{view.visible:d}"
        for view in row.stations.values()
    ]
    neighbours = [
        f"{view.range_km:.6f},{view.range_rate_km_s:.9f},{view.grazing_altitude_km:.6f},"
        f"{view.line_of_sight:d}"
        for view in row.neighbours.values()
    ]
    return ",".join([node, *stations, *neighbours]) + "\n"


def _optional(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}"


def _highest(row: Row) -> str:
    """Elevation over the station that is seen highest, if any is in view."""
    seen = [(view.elevation_deg, name) for name, view in row.stations.items() if view.visible]
    if not seen:
        return ""
    elevation_deg, name = max(seen)
    return f"{elevation_deg:4.1f} {name}"


def _words(event: Event) -> str:
    words = _SHORT_NAMES.get(event.kind, event.kind.replace("_", " "))
    return " ".join(filter(None, (event.station, event.neighbour, words)))
