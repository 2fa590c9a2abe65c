"""``groundlink passes``: a scenario's passes and what each can carry."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from groundlink.calendar_file import CalendarEvent, calendar_lines, date_time
from groundlink.commands.common import table
from groundlink.window import Schedule, Window
from node.clock import epoch_utc_s
from node.config.scenario import Scenario
from node.errors import ConfigError
from node.instants import utc_text
from node.span import add_span_arguments, chosen_stations, load_with_warnings, span_of

DESCRIPTION = "list a scenario's passes and what each can carry"
EPILOG = """\
examples:
  groundlink passes scenarios/demo.toml
  groundlink passes scenarios/demo.toml --start 2025-03-21T00:00:00Z --days 2 --station svalbard
  groundlink passes scenarios/demo.toml --days 7 --json | jq '[.[].downlink_megabytes] | add'
  groundlink passes scenarios/demo.toml --days 7 --ical > passes.ics

These are the contacts of the node's one radio: where passes overlap, it stays with the station
that it has, and --station picks from what that leaves. A contact under way at the start is listed
whole. AOS and LOS are good to 0.25 s against Skyfield (no refraction; docs/ephemeris.md), as far
as the orbit's elements are. Megabytes are what the link budget gives between lock and LOS, before
any overhead. `orbitnode ephemeris` lists every station's passes by geometry alone.
"""


class PassRecord(Struct, frozen=True):
    """One contact; each instant in UTC and in mission seconds."""

    station: str
    aos_utc: str
    tca_utc: str
    los_utc: str
    aos_s: float
    tca_s: float
    los_s: float
    duration_s: float
    max_elevation_deg: float
    uplink_megabytes: float
    downlink_megabytes: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_span_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON array")
    form.add_argument("--ical", action="store_true", help="an iCalendar file, an event a contact")


def run(args: argparse.Namespace) -> int:
    """List; return the exit status."""
    try:
        scenario = load_with_warnings(args.scenario)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    span = span_of(args, scenario)
    stations = chosen_stations(args.station, scenario)
    epoch_s = epoch_utc_s(scenario.mission.epoch)
    passes = [
        pass_record(window, epoch_s)
        for window in Schedule.from_scenario(scenario).windows(*span)
        if window.station in stations
    ]
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(passes), indent=2).decode() + "\n")
        return 0
    if args.ical:
        if not passes:
            sys.stderr.write(
                "groundlink passes: no contact in this span, and no calendar without\n"
            )
            return 1
        # The same file gives the same calendar; a changed one gives newer events.
        revised_utc_s = args.scenario.stat().st_mtime
        sys.stdout.writelines(calendar_lines(_calendar(passes, scenario), revised_utc_s))
        return 0
    head = ("STATION", "AOS (UTC)", "AOS", "TCA", "LOS", "SECONDS", "MAX ELEV", "UP MB", "DOWN MB")
    sys.stdout.write(table(head, [_row(record) for record in passes]) + "\n")
    down = sum(record.downlink_megabytes for record in passes)
    up = sum(record.uplink_megabytes for record in passes)
    sys.stdout.write(f"\n{len(passes)} passes, {up:.1f} MB up, {down:.1f} MB down\n")
    return 0


def pass_record(window: Window, epoch_s: float) -> PassRecord:
    """Reduce a window to its figures."""
    return PassRecord(
        station=window.station,
        aos_utc=utc_text(epoch_s + window.aos_s),
        tca_utc=utc_text(epoch_s + window.tca_s),
        los_utc=utc_text(epoch_s + window.los_s),
        aos_s=window.aos_s,
        tca_s=window.tca_s,
        los_s=window.los_s,
        duration_s=window.los_s - window.aos_s,
        max_elevation_deg=window.max_elevation_deg,
        uplink_megabytes=window.uplink_bps.integral(window.open_s, window.los_s) / 8e6,
        downlink_megabytes=window.downlink_bps.integral(window.open_s, window.los_s) / 8e6,
    )


def _calendar(passes: Sequence[PassRecord], scenario: Scenario) -> list[CalendarEvent]:
    epoch_s = epoch_utc_s(scenario.mission.epoch)
    mission = scenario.mission.name
    places = {station.name: station for station in scenario.ground_station}
    return [
        CalendarEvent(
            uid=f"{mission}.{record.station}.{date_time(epoch_s + record.aos_s)}@orbitnode",
            start_utc_s=epoch_s + record.aos_s,
            stop_utc_s=epoch_s + record.los_s,
            summary=f"{mission} over {record.station}, {record.max_elevation_deg:.0f} deg",
            description=(
                f"Station {record.station}, highest at {record.max_elevation_deg:.1f} deg\n"
                f"AOS {record.aos_utc}\nTCA {record.tca_utc}\nLOS {record.los_utc}\n"
                f"{record.uplink_megabytes:.2f} MB up, {record.downlink_megabytes:.2f} MB down, "
                "before overhead"
            ),
            latitude_deg=places[record.station].latitude_deg,
            longitude_deg=places[record.station].longitude_deg,
        )
        for record in passes
    ]


def _row(record: PassRecord) -> tuple[str, ...]:
    return (
        record.station,
        f"{record.aos_utc[:19]}Z",
        f"{record.aos_s:.0f}",
        f"{record.tca_s:.0f}",
        f"{record.los_s:.0f}",
        f"{record.duration_s:.0f}",
        f"{record.max_elevation_deg:.1f}",
        f"{record.uplink_megabytes:.2f}",
        f"{record.downlink_megabytes:.2f}",
    )
