"""``groundlink jobs``: list jobs and their states."""

from __future__ import annotations

import argparse
import sys

import msgspec

from groundlink.commands.common import add_ground_argument, client, table
from groundlink.ledger_rows import JobRecord

DESCRIPTION = "list jobs and their states"
EPILOG = """\
  groundlink jobs
  groundlink jobs --state deferred

states: submitted (the node has not heard of it), received, queued, deferred (the governor makes it
wait; the reason says why), running, stored (the result waits on board), delivered; rejected,
expired and failed end a job without a result.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--state", help="only jobs in this state")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_ground_argument(parser)


def run(args: argparse.Namespace) -> int:
    """List; return the exit status."""
    jobs = [job for job in client(args).jobs() if args.state in (None, job.state)]
    if args.json:
        for job in jobs:
            sys.stdout.write(msgspec.json.encode(job).decode() + "\n")
        return 0
    head = ("JOB", "NODE", "MODEL", "CLASS", "STATE", "SINCE", "REASON")
    sys.stdout.write(table(head, [_row(job) for job in jobs]) + "\n")
    return 0


def _row(job: JobRecord) -> tuple[str, ...]:
    until = "" if job.until_s is None else f" until T+{job.until_s:.0f} s"
    return (
        job.job_id,
        job.node,
        job.model,
        job.priority.name.lower(),
        job.state,
        f"T+{job.changed_s:.0f} s",
        job.reason + until,
    )
