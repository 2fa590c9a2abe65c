"""``orbitnode doctor``: is everything there that this node needs?"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

import msgspec

from node.config.load import load_installation
from node.errors import ConfigError

DESCRIPTION = """\
Examine this board and an installation: Python and packages, the board's sensors and where its power
comes from, what can enforce limits here, execution providers, models, broker, clocks, disk, ports.
Every problem comes with a command or a file that mends it. Nothing is changed.

  orbitnode doctor                            # the board alone
  orbitnode doctor /etc/orbitnode/node.toml   # and everything that the installation names
"""
EPILOG = """\
It opens sensors, loads each model and runs it twice, and connects to the broker under a name of its
own; a node that runs meanwhile keeps its session, and gets less of the processor for some seconds.

exit codes:
  0   nothing is in the way (there may be notes and warnings)
  1   there are errors; the text says how to mend each
  2   the command line is wrong
  78  the installation or its scenario is wrong; every problem is listed with file and line
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "installation", type=Path, nargs="?", help="installation file; without it the board alone"
    )
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", help="examine a tree of a board's files (default: /)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Examine and print; return the exit status."""
    if arguments.installation is not None and arguments.root is not None:
        raise argparse.ArgumentTypeError("--root stands in the installation's [board]")
    loaded = None
    if arguments.installation is not None:
        try:
            loaded = load_installation(arguments.installation)
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            return 78
    # Not before the configuration is known to be good: these load every part of the node.
    from node.doctor.examine import examine  # noqa: PLC0415
    from node.doctor.patient import LIVE_ROOT, Patient  # noqa: PLC0415
    from node.doctor.text import render  # noqa: PLC0415

    # What the node would log is said as findings.
    logging.getLogger("node").addHandler(logging.NullHandler())
    examination = asyncio.run(examine(Patient(loaded, str(arguments.root or LIVE_ROOT))))
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(examination).decode() + "\n")
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(render(examination, colour=colour))
    return 1 if examination.errors else 0
