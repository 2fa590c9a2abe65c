"""``groundlink results``: list results and fetch them."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from groundlink.client import GroundClient
from groundlink.commands.common import add_ground_argument, client
from groundlink.ledger_rows import ResultRecord
from node.errors import GroundError, LinkError

DESCRIPTION = "list results and fetch them"
EPILOG = """\
  groundlink results
  groundlink results --follow --out results     fetch each result as it comes down
  groundlink results --json | jq .report.energy_j

Results come in the order of arrival. --out writes JOB.npz, in one step, and leaves files alone
that are there already.
"""
_POLL_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--follow", action="store_true", help="go on, until Ctrl-C")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="fetch each result into this folder"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_ground_argument(parser)


def run(args: argparse.Namespace) -> int:
    """List, fetch, follow; return the exit status."""
    ground = client(args)
    after = _show_new(ground, 0, args)
    away = False
    while args.follow:
        time.sleep(_POLL_S)
        try:
            after = _show_new(ground, after, args)
            away = False
        except LinkError as error:
            if not away:
                sys.stderr.write(f"{error}; trying again\n")
            away = True
    return 0


def _show_new(ground: GroundClient, after: int, args: argparse.Namespace) -> int:
    """Show and fetch what arrived after ``after``; return the last arrival."""
    for result in ground.results(after):
        if args.out is not None:
            _fetch(ground, result, args.out)
        line = msgspec.json.encode(result).decode() if args.json else _line(result)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        after = result.arrival
    return after


def _line(result: ResultRecord) -> str:
    line = f"{result.job_id}  {result.node}  {result.size_bytes} bytes  T+{result.received_s:.0f} s"
    report = result.report
    if report is None:
        return line
    return (
        f"{line}  {report.model}  {report.inference_s:.3f} s"
        f"  {report.energy_j:.2f} J {report.energy_source}"
    )


def _fetch(ground: GroundClient, result: ResultRecord, folder: Path) -> None:
    target = folder / f"{result.job_id}.npz"
    if target.exists():
        return
    data = ground.result(result.job_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.part")
        temporary.write_bytes(data)
        temporary.rename(target)
    except OSError as error:
        raise GroundError(f"{target}: {error.strerror}") from error
