"""``orbitnode report``: the HTML report of a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from node.errors import StoreError

DESCRIPTION = """\
Make the HTML report of a run folder: one file, no outside request.

  orbitnode report runs/demo
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", type=Path, help="run folder with summary.json and telemetry.jsonl")


def run(arguments: argparse.Namespace) -> int:
    """Write the report and say where it is."""
    from node.report.page import write_report  # noqa: PLC0415 - keeps --help light

    try:
        path = write_report(arguments.run)
    except StoreError as error:
        sys.stderr.write(f"orbitnode report: {error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0
