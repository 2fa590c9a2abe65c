"""``groundlink submit``: hand inputs over as jobs."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from groundlink.client import GroundClient, read_input
from groundlink.commands.common import add_ground_argument, client
from groundlink.ledger_rows import DELIVERED, ENDED, JobRecord
from node.errors import GroundError

DESCRIPTION = "hand inputs over to a node as jobs"
EPILOG = """\
The ground has a job on disk when this returns, whether the node can be reached or not.

  groundlink submit tile.npz --node node-1 --model cloud-mask
  groundlink submit *.npz --node node-1 --model cloud-mask --priority bulk --wait

With --job-id, submitting again is the same job: nothing runs twice, and its state is shown. With
--wait, the exit code is 1 if a job ended without a result.
"""
_POLL_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="input tensors (.npz), one job each"
    )
    parser.add_argument("--node", required=True, help="which node runs it")
    parser.add_argument("--model", required=True, help="which of its models")
    parser.add_argument(
        "--priority", choices=["urgent", "normal", "bulk"], default="normal", help="(normal)"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        metavar="SECONDS",
        help="mission seconds from now after which the result is worthless",
    )
    parser.add_argument("--job-id", metavar="ID", help="your own name for the job; one FILE only")
    parser.add_argument("--wait", action="store_true", help="return when every job has ended")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_ground_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Submit, and wait if asked to; return the exit status."""
    if args.job_id is not None and len(args.files) > 1:
        raise GroundError("--job-id names one job; give one FILE")
    ground = client(args)
    jobs = []
    for path in args.files:
        job = ground.submit(
            read_input(path),
            node=args.node,
            model=args.model,
            priority=args.priority,
            deadline_s=args.deadline,
            job_id=args.job_id,
        )
        jobs.append(job)
        _say(job, as_json=args.json)
    if args.wait:
        jobs = [_wait(ground, job, as_json=args.json) for job in jobs]
    badly = [job for job in jobs if job.state in ENDED and job.state != DELIVERED]
    return 1 if badly else 0


def _wait(ground: GroundClient, job: JobRecord, *, as_json: bool) -> JobRecord:
    """Say each new state until the job has ended."""
    while job.state not in ENDED:
        time.sleep(_POLL_S)
        before, job = job, ground.job(job.job_id)
        if before.state != job.state:
            _say(job, as_json=as_json)
    return job


def _say(job: JobRecord, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(job).decode() + "\n")
    else:
        sys.stdout.write(f"{job.job_id}  {job.state}  {job.reason}".rstrip() + "\n")
    sys.stdout.flush()
