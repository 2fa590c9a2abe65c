"""``orbitnode simulate``: fly a scenario in virtual time."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from node.errors import ConfigError, PhysicsError
from node.span import load_with_warnings

if TYPE_CHECKING:
    from node.config.scenario import Scenario

DESCRIPTION = """\
Fly a scenario in virtual time: the real core with a simulated board, link and ground, nothing
waits. The same scenario gives the same history to the last bit; its digest is printed.

  orbitnode simulate scenarios/brownout.toml

Exit status 0 if every requirement of the scenario is met, 1 if not, 78 if the file is wrong.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scenario", type=Path, help="scenario file (TOML)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--history", type=Path, help="write the mission log there (JSON lines)")


def run(arguments: argparse.Namespace) -> int:
    """Load the scenario and fly it."""
    try:
        scenario = load_with_warnings(arguments.scenario)
        return fly(scenario, history=arguments.history, as_json=arguments.json)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    except PhysicsError as error:
        sys.stderr.write(f"{arguments.scenario}: {error}\n")
    return 78


def fly(scenario: Scenario, *, history: Path | None, as_json: bool) -> int:
    """Fly a scenario, print the outcome and return the exit status."""
    # Not before the scenario is known to be good: this loads the whole core.
    from node.report.metrics import compute_metrics, divide  # noqa: PLC0415
    from node.report.run import JobRecord  # noqa: PLC0415
    from node.report.verdict import evaluate  # noqa: PLC0415
    from node.simulation.mission import Mission  # noqa: PLC0415

    result = asyncio.run(Mission(scenario, history_path=history).fly())
    jobs = [
        JobRecord(
            job_id=job_id,
            model=entry.manifest.job.model,
            state=entry.state,
            submitted_s=entry.manifest.job.submitted_s,
            delivered_s=entry.delivered_s,
            deliveries=entry.deliveries,
        )
        for job_id, entry in result.ledger.items()
    ]
    metrics = compute_metrics(
        result.snapshots, jobs, board_node=scenario.thermal.board_node, masks=None
    )
    judged, not_judged = divide(scenario.requirement, "simulate")
    verdicts = evaluate(judged, metrics)
    passed = all(verdict.passed for verdict in verdicts)
    if as_json:
        outcome = {
            "scenario": scenario.mission.name,
            "metrics": metrics,
            "verdicts": verdicts,
            "not_judged": not_judged,
            "passed": passed,
            "history_sha256": result.history_digest,
        }
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
        return 0 if passed else 1
    for name, value in metrics.items():
        sys.stdout.write(f"{name:28} {value:14.6g}\n")
    for verdict in verdicts:
        mark = "PASS" if verdict.passed else "FAIL"
        actual = "missing" if verdict.actual is None else f"{verdict.actual:.6g}"
        sys.stdout.write(
            f"{mark}  {verdict.metric} {verdict.operator} {verdict.value:g} (was {actual})\n"
        )
    sys.stdout.writelines(f"not judged  {text}\n" for text in not_judged)
    sys.stdout.write(f"history sha256 {result.history_digest}\n")
    return 0 if passed else 1
