"""``orbitnode forecast``: does this spacecraft, board and workload fit its budgets?"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from node.config.load import load_profile
from node.errors import ConfigError, PhysicsError
from node.span import load_with_warnings

if TYPE_CHECKING:
    from node.config.profile import BoardProfile
    from node.config.scenario import Scenario

DESCRIPTION = """\
Fly a scenario in virtual time and say whether spacecraft, board and workload fit: energy per orbit,
state of charge, temperatures, contacts, jobs, time from submission to result, and what limits it
first. The real core flies with a simulated board; every figure is modelled, none measured.

  orbitnode forecast scenarios/demo.toml
  orbitnode forecast scenarios/demo.toml --days 30 --html forecast.html
  orbitnode forecast scenarios/demo.toml --profile scenarios/profiles/raspberry-pi-4b.toml
"""
EPILOG = """\
Beyond the mission's own duration the workload repeats every mission.duration_s, in whole
repetitions. docs/forecast.md says what each figure means and where it ends.

exit codes:
  0   every requirement that a forecast can judge is met
  1   one is not, or something broke; the text says what
  2   the command line is wrong
  78  the scenario or the profile is wrong; every problem is listed with file and line
"""
_MIN_DAYS, _MAX_DAYS = 0.001, 3660.0
_MIN_STEP_S, _MAX_STEP_S = 0.05, 60.0
_LINE_EVERY = 0.1
_QUIET_S = 2.0
"""A flight that is over sooner needs no lines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scenario", type=Path, help="scenario file (TOML)")
    parser.add_argument(
        "--days",
        type=_between(_MIN_DAYS, _MAX_DAYS),
        metavar="N",
        help="length of the flight (default: the scenario's mission.duration_s)",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="P",
        help="a board's own figures (TOML), laid over the scenario's board and models",
    )
    parser.add_argument(
        "--step",
        type=_between(_MIN_STEP_S, _MAX_STEP_S),
        metavar="S",
        help="seconds of the emulation's step (default: the scenario's tick, 10 beyond two days)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with plots there, one file"
    )


def run(arguments: argparse.Namespace) -> int:
    """Load, fly, print; return the exit status."""
    profile = None
    try:
        scenario = load_with_warnings(arguments.scenario, arguments.days)
        if arguments.profile is not None:
            profile, scenario = load_profile(arguments.profile, scenario)
            _name_models_without_point(profile, scenario)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 78
    # Not before the files are known to be good: this loads the whole core.
    from node.forecast import text  # noqa: PLC0415
    from node.forecast.page import write_page  # noqa: PLC0415
    from node.forecast.run import fly  # noqa: PLC0415

    try:
        with _progress() as progress:
            forecast = fly(
                scenario,
                days=arguments.days,
                step_s=arguments.step,
                profile=profile,
                profile_name=None if profile is None else arguments.profile.name,
                progress=progress,
            )
    except PhysicsError as error:
        sys.stderr.write(f"{arguments.scenario}: {error}\n")
        return 78
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(forecast).decode() + "\n")
    else:
        sys.stdout.write(text.render(forecast))
    # Last, so that a long flight is not lost for a folder that is not there.
    if arguments.html is not None:
        try:
            write_page(forecast, arguments.html)
        except OSError as error:
            sys.stderr.write(f"orbitnode forecast: {arguments.html}: {error.strerror}\n")
            return 1
    return 0 if forecast.passed else 1


def _name_models_without_point(profile: BoardProfile, scenario: Scenario) -> None:
    known = {point.model for point in profile.point}
    for model in scenario.model:
        if model.name not in known:
            sys.stderr.write(
                f"note: {profile.board} has no point for {model.name}: its duration of "
                f"{model.duration_s:g} s is the scenario's\n"
            )


def _between(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}")
        return value

    return number


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """Show how far the flight is, on standard error: a bar on a terminal, otherwise lines."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console  # noqa: PLC0415 - keeps --help light
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("flying", total=1.0)
        yield lambda part: bar.update(task, completed=part)


def _lines() -> Callable[[float], None]:
    next_part = _LINE_EVERY
    begun_s = time.monotonic()

    def show(part: float) -> None:
        nonlocal next_part
        if part >= next_part and time.monotonic() - begun_s >= _QUIET_S:
            sys.stderr.write(f"flying: {part:.0%}\n")
            sys.stderr.flush()
            next_part = (math.floor(part / _LINE_EVERY) + 1) * _LINE_EVERY

    return show
