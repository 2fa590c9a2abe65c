"""``orbitnode ephemeris``: where the node is, what it sees and when things happen to it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator

from node.config.scenario import Scenario
from node.ephemeris.events import Event, find_events
from node.ephemeris.output import (
    csv_of_events,
    csv_of_rows,
    json_of,
    table_of_events,
    table_of_rows,
)
from node.ephemeris.rows import Ephemeris, Row
from node.errors import ConfigError, PhysicsError, PropagationError
from node.instants import utc_text
from node.span import (
    SECONDS_PER_DAY,
    Span,
    above_zero,
    add_span_arguments,
    chosen_stations,
    load_with_warnings,
    span_of,
)

DESCRIPTION = """\
List a scenario's orbit: position, Sun, shadow, stations and neighbours at even steps, and the
instants of eclipses, passes and lines of sight. Nothing is flown; only geometry is computed.
"""
EPILOG = """\
examples:
  orbitnode ephemeris scenarios/demo.toml                         events and a table of the day
  orbitnode ephemeris scenarios/demo.toml --only events --days 7  a week of eclipses and passes
  orbitnode ephemeris scenarios/demo.toml --csv --step 1 > day.csv
  orbitnode ephemeris scenarios/demo.toml --csv --only events > events.csv
  orbitnode ephemeris scenarios/demo.toml --start 2025-03-20T12:00:00Z --days 0.1 --json \\
    | jq '.rows[].stations.svalbard.elevation_deg'

frames and units:
  Time       UTC to the millisecond, and mission seconds from the scenario's epoch on.
  Position   TEME of date in km, velocity in km/s; also WGS84 latitude, longitude and height.
  Sun        unit vector from the Earth's centre in TEME, distance in au; the lit part of its disc,
             0 in the umbra to 1; beta is its angle over the orbit plane.
  Stations   azimuth from north over east, elevation without refraction, slant range in km, range
             rate in km/s and downlink Doppler in Hz (received less sent; range rate is positive
             and Doppler negative while the node moves away).
  Neighbours range, range rate and height of the line of sight's lowest point over the ellipsoid.

models and their accuracy:
  SGP4 from the scenario's elements: a published element set is good to about 1 km at its epoch and
  loses some km a day. On top of that: eclipse edges to 0.5 s (oblate Earth, no atmosphere), AOS and
  LOS to 0.25 s (no refraction, UT1 = UTC), the Sun to 0.01 degrees. Passes are geometric, one list
  for each station; what the one radio makes of them is `groundlink passes`.

Columns and keys: docs/ephemeris.md.
"""
_FRAMES = {
    "r_teme_km, v_teme_km_s": "true equator, mean equinox of date, as SGP4 gives it",
    "latitude_deg, longitude_deg, altitude_km": "WGS84; UT1 = UTC, no polar motion",
    "sun_direction_teme": "unit vector from the Earth's centre to the Sun's apparent place of date",
    "illumination_ratio": "lit part of the Sun's disc behind an oblate Earth without atmosphere",
    "elevation_deg": "geometric, no refraction; azimuth from north over east",
    "range_rate_km_s": "positive while the two move apart",
    "downlink_doppler_hz": "received less sent, first order",
    "grazing_altitude_km": "lowest point of the straight line over the WGS84 ellipsoid",
}
_TABLE_STEP_S = 600.0
_STEP_S = 60.0
_MIN_STEP_S = 0.001
_MAX_STEP_S = 366.0 * SECONDS_PER_DAY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_span_arguments(parser)
    parser.add_argument(
        "--step",
        type=_step,
        metavar="S",
        help=f"seconds between rows (default: {_STEP_S:g}, in the table {_TABLE_STEP_S:g})",
    )
    parser.add_argument(
        "--only",
        choices=("rows", "events"),
        help="one of the two (default: both; with --csv rows, since a CSV file has one head)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="comma-separated values with a head")
    form.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """List; return the exit status."""
    try:
        scenario = load_with_warnings(arguments.scenario)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    span = span_of(arguments, scenario)
    ephemeris = Ephemeris(scenario, chosen_stations(arguments.station, scenario))
    step_s = arguments.step or (_STEP_S if arguments.csv or arguments.json else _TABLE_STEP_S)
    only = arguments.only or ("rows" if arguments.csv else None)
    rows = None if only == "events" else ephemeris.rows(span, step_s)
    # Before the first line is written: an orbit that SGP4 cannot follow leaves no half a file.
    try:
        ephemeris.at(span.start_s)
        ephemeris.at(span.stop_s)
    except PropagationError as error:
        begin, end = (utc_text(ephemeris.epoch_utc_s + edge_s) for edge_s in span)
        raise PhysicsError(
            f"the orbit cannot be followed from {begin} to {end}: {error}"
        ) from error
    events = None if only == "rows" else find_events(ephemeris, span)
    if arguments.json:
        lines = json_of(_head(scenario, ephemeris, span, step_s), rows, events)
    elif arguments.csv:
        lines = _csv(ephemeris, rows, events)
    else:
        lines = _tables(rows, events)
    sys.stdout.writelines(lines)
    return 0


def _head(scenario: Scenario, ephemeris: Ephemeris, span: Span, step_s: float) -> dict[str, object]:
    return {
        "scenario": scenario.mission.name,
        "epoch_utc": utc_text(ephemeris.epoch_utc_s),
        "elements_utc": utc_text(ephemeris.orbit.epoch_utc_s),
        "start_s": span.start_s,
        "stop_s": span.stop_s,
        "step_s": step_s,
        "downlink_frequency_ghz": scenario.radio.downlink.frequency_ghz,
        "frames": _FRAMES,
    }


def _csv(
    ephemeris: Ephemeris, rows: Iterable[Row] | None, events: Iterable[Event] | None
) -> Iterator[str]:
    if rows is None:
        return csv_of_events(events or ())
    stations = [station.name for station in ephemeris.stations]
    neighbours = [neighbour.name for neighbour in ephemeris.neighbours]
    return csv_of_rows(rows, stations, neighbours)


def _tables(rows: Iterable[Row] | None, events: Iterable[Event] | None) -> Iterator[str]:
    if events is not None:
        yield from table_of_events(events)
    if events is not None and rows is not None:
        yield "\n"
    if rows is not None:
        yield from table_of_rows(rows)


def _step(text: str) -> float:
    return above_zero(text, "seconds", _MAX_STEP_S, _MIN_STEP_S)
