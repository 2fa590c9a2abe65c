"""``groundlink demo``: a whole mission on this machine, with a verdict at its end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import groundlink
from groundlink.commands.relay import clock_rate
from groundlink.demo.assets import cache_folder
from groundlink.demo.launcher import run_demo
from groundlink.demo.output import choose
from groundlink.demo.prepare import ONNX, DemoOptions
from node.errors import ConfigError, PhysicsError

DESCRIPTION = "fly a whole mission on this machine, with a real model over a real scene"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--scenario",
        type=Path,
        default=_demo_scenario(),
        metavar="FILE",
        help="what flies (default: scenarios/demo.toml)",
    )
    parser.add_argument(
        "--rate",
        type=clock_rate,
        default=60.0,
        metavar="K",
        help="mission seconds a real second (default 60)",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="your own model folder instead of the one that is fetched",
    )
    parser.add_argument(
        "--scene",
        type=Path,
        metavar="FILE",
        help="your own scene (.npy or .npz, H x W x 4, uint16) instead of the one that is fetched",
    )
    parser.add_argument("--name", help="name of the run folder (default: scenario and time)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs lie (runs)"
    )
    parser.add_argument(
        "--cache", type=Path, default=cache_folder(), metavar="DIR", help="where downloads are kept"
    )
    parser.add_argument(
        "--executor",
        choices=(ONNX, "simulated"),
        default=ONNX,
        help="simulated: no model is run, figures come from the scenario",
    )
    parser.add_argument(
        "--board",
        choices=("generic", "simulated"),
        default="generic",
        help="generic: the sensors of this machine; simulated: figures of the scenario",
    )
    parser.add_argument(
        "--lead",
        type=float,
        default=10.0,
        metavar="S",
        help="real seconds from the start of the daemons to mission time zero (default 10)",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--headless", action="store_true", help="print a line an event")
    shown.add_argument("--json", action="store_true", help="print JSON lines")


def run(args: argparse.Namespace) -> int:
    """Fly; return 0 if every requirement is met, 1 if not, 78 for a wrong configuration.

    Raises:
        OrbitnodeError: something broke; the text says what.
        KeyboardInterrupt: Ctrl-C or SIGTERM; every process is ended, the run folder is kept.
    """
    output = choose(headless=args.headless, json=args.json)
    options = DemoOptions(
        scenario=args.scenario,
        rate=args.rate,
        model=args.model,
        scene=args.scene,
        name=args.name,
        runs=args.runs,
        cache=args.cache,
        executor=args.executor,
        board=args.board,
        lead_s=args.lead,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        summary = run_demo(options, output)
    except (ConfigError, PhysicsError) as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    return 0 if summary.passed else 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does, processes first."""
    raise KeyboardInterrupt


def _demo_scenario() -> Path:
    """Find the demo's scenario: below this folder, or in the source tree of this package."""
    here = Path("scenarios") / "demo.toml"
    return here if here.is_file() else Path(groundlink.__file__).parents[1] / here
