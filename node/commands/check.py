"""``orbitnode check``: say what is wrong with a file, or what it describes."""

from __future__ import annotations

import argparse
from pathlib import Path

from node.config.check import run_check

DESCRIPTION = """\
Check a scenario file or an installation file (with its scenario). Every problem is printed as
file:line: key: what is wrong, all at once. Exit status 0 if the file is good, 78 if not.

  orbitnode check scenarios/demo.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, help="scenario or installation file (TOML)")
    parser.add_argument(
        "--show", action="store_true", help="print the whole effective configuration as well"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the file."""
    return run_check(arguments.file, arguments.show)
