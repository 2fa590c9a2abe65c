"""``groundlink passes``: a scenario's passes and what each can carry."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from groundlink.commands.common import table
from groundlink.window import Schedule, Window
from node.clock import epoch_utc_s
from node.config.load import load_scenario
from node.errors import ConfigError, PhysicsError

DESCRIPTION = "list a scenario's passes and what each can carry"
EPILOG = """\
  groundlink passes scenarios/demo.toml
  groundlink passes scenarios/demo.toml --days 7 --json | jq '[.[].downlink_megabytes] | add'

These are the contacts of the node's one radio: where passes overlap, it stays with the station
that it has. Megabytes are what the link budget gives between lock and LOS, before any overhead.
"""
_DAY_S = 86_400.0
_MAX_DAYS = 366.0


class PassRecord(Struct, frozen=True):
    """One contact; times are mission seconds, beside AOS in UTC."""

    station: str
    aos_utc: str
    aos_s: float
    tca_s: float
    los_s: float
    duration_s: float
    max_elevation_deg: float
    uplink_megabytes: float
    downlink_megabytes: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO", help="scenario file (TOML)")
    parser.add_argument(
        "--days", type=days, default=1.0, metavar="N", help="from mission time zero on (1)"
    )
    parser.add_argument("--json", action="store_true", help="a JSON array")


def run(args: argparse.Namespace) -> int:
    """List; return the exit status."""
    try:
        scenario = load_scenario(args.scenario)
        epoch_s = epoch_utc_s(scenario.mission.epoch)
        windows = Schedule.from_scenario(scenario).windows(0.0, args.days * _DAY_S)
        passes = [pass_record(window, epoch_s) for window in windows]
    except (ConfigError, PhysicsError) as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(passes), indent=2).decode() + "\n")
        return 0
    head = ("STATION", "AOS (UTC)", "AOS", "TCA", "LOS", "SECONDS", "MAX ELEV", "UP MB", "DOWN MB")
    sys.stdout.write(table(head, [_row(record) for record in passes]) + "\n")
    down = sum(record.downlink_megabytes for record in passes)
    up = sum(record.uplink_megabytes for record in passes)
    sys.stdout.write(f"\n{len(passes)} passes, {up:.1f} MB up, {down:.1f} MB down\n")
    return 0


def pass_record(window: Window, epoch_s: float) -> PassRecord:
    """Reduce a window to its figures."""
    highest = max(window.elevation_deg.segments, key=lambda piece: piece.first)
    return PassRecord(
        station=window.station,
        aos_utc=_utc(epoch_s + window.aos_s),
        aos_s=window.aos_s,
        tca_s=highest.start_s,
        los_s=window.los_s,
        duration_s=window.los_s - window.aos_s,
        max_elevation_deg=window.max_elevation_deg,
        uplink_megabytes=window.uplink_bps.integral(window.open_s, window.los_s) / 8e6,
        downlink_megabytes=window.downlink_bps.integral(window.open_s, window.los_s) / 8e6,
    )


def days(text: str) -> float:
    """Parse a number of days, above 0 to 366."""
    try:
        count = float(text)
    except ValueError:
        count = 0.0
    if not 0.0 < count <= _MAX_DAYS:
        raise argparse.ArgumentTypeError(f"expected days above 0, at most 366; got {text!r}")
    return count


def _utc(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(record: PassRecord) -> tuple[str, ...]:
    return (
        record.station,
        record.aos_utc,
        f"{record.aos_s:.0f}",
        f"{record.tca_s:.0f}",
        f"{record.los_s:.0f}",
        f"{record.duration_s:.0f}",
        f"{record.max_elevation_deg:.1f}",
        f"{record.uplink_megabytes:.2f}",
        f"{record.downlink_megabytes:.2f}",
    )
