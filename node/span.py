"""What the commands that list times to come share: which scenario, from when, for how long."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import msgspec

from node.clock import epoch_utc_s
from node.config.build import build_orbit
from node.config.load import load_scenario_with_warnings
from node.config.rules_orbit import OLD_AGE_DAYS
from node.config.scenario import OmmOrbit, Scenario, TleOrbit
from node.instants import utc_text

SECONDS_PER_DAY = 86_400.0

_MAX_DAYS = 366.0
_MAX_START_S = 3.2e8
"""Ten years to either side of mission time zero, as long as a scenario's times may be."""


class Span(NamedTuple):
    """A half-open span in mission seconds: ``stop_s`` is the first instant after it."""

    start_s: float
    stop_s: float


def add_span_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, ``--start``, ``--days`` and ``--station``."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO", help="scenario file (TOML)")
    parser.add_argument(
        "--start",
        type=start,
        default=0.0,
        metavar="T",
        help="mission seconds (may be negative) or a UTC instant such as 2025-03-20T12:00:00Z "
        "(default: mission time zero)",
    )
    parser.add_argument(
        "--days", type=days, default=1.0, metavar="N", help="how long, up to 366 (default: 1)"
    )
    parser.add_argument(
        "--station",
        action="append",
        metavar="NAME",
        help="only this ground station; may be given more than once (default: all)",
    )


def load_with_warnings(path: Path, days: float | None = None) -> Scenario:
    """Read a scenario; what ``orbitnode check`` would warn of goes to stderr.

    Args:
        path: of the file.
        days: how long its orbits must last; None: as long as its mission.

    Raises:
        ConfigError: with every problem of the file.
    """
    duration_s = None if days is None else days * SECONDS_PER_DAY
    scenario, warnings = load_scenario_with_warnings(path, duration_s)
    sys.stderr.writelines(f"warning: {warning}\n" for warning in warnings)
    return scenario


def span_of(arguments: argparse.Namespace, scenario: Scenario) -> Span:
    """Work out the span; warn where it reaches far beyond the elements' own time.

    Raises:
        argparse.ArgumentTypeError: it begins more than ten years from mission time zero.
    """
    epoch_s = epoch_utc_s(scenario.mission.epoch)
    begin: float | datetime = arguments.start
    start_s = begin.timestamp() - epoch_s if isinstance(begin, datetime) else begin
    start_s = round(start_s, 6)  # what is left of the difference is rounding
    if abs(start_s) > _MAX_START_S:
        raise argparse.ArgumentTypeError(
            f"argument --start: is more than ten years from mission time zero, {utc_text(epoch_s)}"
        )
    span = Span(start_s, start_s + arguments.days * SECONDS_PER_DAY)
    if isinstance(scenario.orbit, (TleOrbit, OmmOrbit)):
        elements_s = build_orbit(scenario).epoch_utc_s - epoch_s
        age_days = max(abs(edge_s - elements_s) for edge_s in span) / SECONDS_PER_DAY
        # At mission time zero the file's own warning has already said it.
        if age_days > OLD_AGE_DAYS >= abs(elements_s) / SECONDS_PER_DAY:
            sys.stderr.write(
                f"warning: {arguments.scenario}: the span reaches {age_days:.1f} days from the "
                f"elements of {utc_text(epoch_s + elements_s)}; pass and eclipse times are "
                "uncertain\n"
            )
    return span


def chosen_stations(wanted: Iterable[str] | None, scenario: Scenario) -> list[str]:
    """Return the names of the stations to list, in the scenario's order.

    Raises:
        argparse.ArgumentTypeError: the scenario has no station of that name.
    """
    names = [station.name for station in scenario.ground_station]
    if wanted is None:
        return names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise argparse.ArgumentTypeError(
            f"argument --station: no {unknown[0]!r} in the scenario; it has {', '.join(names)}"
        )
    return [name for name in names if name in wanted]


def start(text: str) -> float | datetime:
    """Parse mission seconds or an instant with its zone."""
    try:
        seconds = float(text)
    except ValueError:
        return _instant(text)
    if not isfinite(seconds):
        raise argparse.ArgumentTypeError(f"expected a finite number, got {text!r}")
    return seconds


def days(text: str) -> float:
    """Parse a number of days, above 0 to 366."""
    return above_zero(text, "days", _MAX_DAYS)


def above_zero(text: str, what: str, most: float, least: float = 0.0) -> float:
    """Parse a number above 0, no less than ``least`` and at most ``most``."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not (0.0 < number <= most and number >= least):
        low = f"from {least:g}" if least else "above 0"
        raise argparse.ArgumentTypeError(f"expected {what} {low} to {most:.10g}, got {text!r}")
    return number


def _instant(text: str) -> datetime:
    try:
        instant = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"expected mission seconds or a UTC instant such as 2025-03-20T12:00:00Z, got {text!r}"
        )
    return instant
