"""``orbitnode bench``: what a model costs on this board."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from node.config.installation import BoardChoice, Enforcement, Inference
from node.config.load import LoadedInstallation, load_installation
from node.errors import ConfigError

if TYPE_CHECKING:
    from node.bench.clocks import ClockKind
    from node.bench.figures import BenchReport
    from node.bench.run import Plan

DESCRIPTION = """\
Measure what a model costs on this board: latency, throughput, watts and joules of one inference, at
each number of threads and under each cap, through the same worker process as in flight. The board
should do nothing else meanwhile, and orbitnode run must not be running on it.

  orbitnode bench models/dlr-cloud-unet --installation node.toml
  orbitnode bench models/dlr-cloud-unet --threads 1,2,4 --duty 1,0.5 --duration 30 --out board.toml
  orbitnode forecast scenarios/demo.toml --profile board.toml
"""
EPILOG = """\
Watts come from the board's own meter (docs/boards.md); where there is none they are modelled, and
the output says by what. docs/doctor-and-bench.md says what each figure means, and has the JSON.

exit codes:
  0   measured
  1   the model cannot be run, a cap cannot be held, or a profile lacks the board's power
  2   the command line is wrong
  78  the installation is wrong; every problem is listed with file and line
"""
_MOST_THREADS = 256
_MOST_SECONDS = 86_400.0
_LEAST_SECONDS = 0.1
_MOST_WATTS = 1e6
_Number = TypeVar("_Number", int, float)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER", help="model.onnx, model.toml")
    parser.add_argument(
        "--installation", type=Path, metavar="F", help="whose board, providers and meter to take"
    )
    parser.add_argument(
        "--threads",
        type=_some(int, 1, _MOST_THREADS),
        metavar="N,N",
        help="threads of one inference (default: 1, and as many as there are cores)",
    )
    parser.add_argument(
        "--duty",
        type=_some(float, 0.01, 1.0),
        default=(1.0,),
        metavar="R,R",
        help="part of the time in which inferences run, pauses between them (default: 1)",
    )
    parser.add_argument(
        "--share",
        type=_some(float, 0.05, 1.0),
        default=(1.0,),
        metavar="R,R",
        help="share of every core's time that the worker is left (default: 1)",
    )
    parser.add_argument(
        "--clock",
        type=_some(float, 0.05, 1.0),
        default=(1.0,),
        metavar="R,R",
        help="caps of the clock, as part of its limit now; below 1 needs orbitnode-governor",
    )
    seconds = _one(_LEAST_SECONDS, _MOST_SECONDS)
    parser.add_argument(
        "--duration", type=seconds, default=10.0, metavar="S", help="of each point (default: 10 s)"
    )
    parser.add_argument(
        "--idle", type=seconds, default=5.0, metavar="S", help="of the board at rest (default: 5 s)"
    )
    parser.add_argument(
        "--warm-up", type=seconds, default=2.0, metavar="S", help="of one round (default: 2 s)"
    )
    parser.add_argument("--input", type=Path, metavar="FILE.npz", help="what the model is given")
    watts = _one(0.0, _MOST_WATTS)
    parser.add_argument(
        "--idle-w", type=watts, metavar="W", help="power at rest of a board that nothing measures"
    )
    parser.add_argument("--active-w", type=watts, metavar="W", help="and with all cores busy")
    parser.add_argument(
        "--governor", type=Path, metavar="SOCKET", help="where orbitnode-governor listens"
    )
    parser.add_argument(
        "--out", type=Path, metavar="PROFILE.toml", help="write a profile for orbitnode forecast"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, write; return the exit status."""
    if (arguments.idle_w is None) != (arguments.active_w is None):
        raise argparse.ArgumentTypeError("--idle-w and --active-w go together")
    if arguments.idle_w is not None and arguments.active_w < arguments.idle_w:
        raise argparse.ArgumentTypeError("--active-w must be at least --idle-w")
    if arguments.installation is not None and arguments.idle_w is not None:
        raise argparse.ArgumentTypeError(
            "--idle-w and --active-w stand in the installation's [board]"
        )
    try:
        loaded = (
            None if arguments.installation is None else load_installation(arguments.installation)
        )
        given = None if arguments.input is None else arguments.input.read_bytes()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 78
    except OSError as error:
        sys.stderr.write(f"orbitnode bench: {arguments.input}: {error.strerror}\n")
        return 1
    # Not before the command line is known to be good: these load numpy and the worker's end.
    from node.bench import text  # noqa: PLC0415
    from node.bench.profile import profile_text  # noqa: PLC0415

    report = asyncio.run(_bench(arguments, loaded, given))
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write(text.render(report))
    if arguments.out is not None:
        written = profile_text(report)
        try:
            arguments.out.write_text(written, encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"orbitnode bench: {arguments.out}: {error.strerror}\n")
            return 1
    return 0


async def _bench(
    arguments: argparse.Namespace, loaded: LoadedInstallation | None, given: bytes | None
) -> BenchReport:
    from node.bench.clocks import ClockCaps  # noqa: PLC0415 - as above
    from node.bench.run import Bench  # noqa: PLC0415
    from node.board.alone import is_unknown, opened_board  # noqa: PLC0415
    from node.inference.factory import engine_key, open_executor  # noqa: PLC0415
    from node.inference.wheels import CPU  # noqa: PLC0415

    opened = loaded or BoardChoice("auto", arguments.idle_w, arguments.active_w)
    settings = Inference() if loaded is None else loaded.installation.inference
    enforcement = Enforcement() if loaded is None else loaded.installation.enforcement
    engine_cache = None if loaded is None else loaded.engine_cache_path
    folder = arguments.model.resolve()
    plan = _plan(arguments)
    async with opened_board(opened, "bench") as board:
        key = engine_key(board, time.monotonic())
        executor = open_executor(settings, folder.parent, engine_cache, key, names=[folder.name])
        kind: ClockKind = "cpu" if settings.providers[0] == CPU else "gpu"
        with _progress(plan.seconds) as say:
            bench = Bench(
                plan,
                executor,
                board,
                ClockCaps(arguments.governor or Path(enforcement.helper_socket), kind),
                say,
                is_unknown=lambda power: is_unknown(power, opened),
                needs_power=arguments.out is not None,
            )
            try:
                return await bench.run(given, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            finally:
                await executor.close()


def _plan(arguments: argparse.Namespace) -> Plan:
    from node.bench.run import Plan  # noqa: PLC0415 - as above

    cores = len(os.sched_getaffinity(0))
    return Plan(
        threads=arguments.threads or tuple(sorted({1, cores})),
        duty_ratios=arguments.duty,
        clock_ratios=arguments.clock,
        share_ratios=arguments.share,
        duration_s=arguments.duration,
        idle_s=arguments.idle,
        warm_up_s=arguments.warm_up,
    )


def _one(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}")
        return value

    return number


def _some(
    kind: Callable[[str], _Number], low: float, high: float
) -> Callable[[str], tuple[_Number, ...]]:
    def numbers(text: str) -> tuple[_Number, ...]:
        try:
            values = [kind(part) for part in text.split(",")]
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}") from error
        if not all(low <= value <= high for value in values):
            raise argparse.ArgumentTypeError(f"expected numbers from {low:g} to {high:g}")
        return tuple(dict.fromkeys(values))

    return numbers


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[str, float], None]]:
    """Show on standard error what is measured: a bar on a terminal, otherwise a line each."""
    if not sys.stderr.isatty():
        yield lambda what, least_s: print(  # noqa: T201 - progress is for people
            f"{what}, {least_s:g} s or more" if least_s else what, file=sys.stderr, flush=True
        )
        return
    from rich.console import Console  # noqa: PLC0415 - keeps --help light
    from rich.progress import Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = (*Progress.get_default_columns()[:3], TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=seconds)
        done_s = 0.0

        def show(what: str, least_s: float) -> None:
            nonlocal done_s
            bar.update(task, description=what, completed=done_s)
            done_s += least_s

        yield show
