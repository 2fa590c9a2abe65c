"""Makes a run's summary and report out of what the run left."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import msgspec

from groundlink.demo.prepare import NODE_NAME, Prepared
from groundlink.demo.verify import verify
from node import __version__
from node.core.snapshot import NodeSnapshot
from node.report.metrics import compute_metrics, divide
from node.report.page import write_report
from node.report.provenance import assumptions
from node.report.run import SUMMARY, TELEMETRY, JobRecord, MaskCheck, Summary, read_lines
from node.report.verdict import evaluate

_COMPARED = "masks_equal_ratio"
_PACKAGES = ("msgspec", "numpy", "onnxruntime", "paho-mqtt", "aiomqtt", "sgp4")


def judge(
    prepared: Prepared, jobs: Sequence[JobRecord], started_utc: str, *, completed: bool
) -> Summary:
    """Compare the results, compute the metrics, judge the requirements, write it all down.

    Args:
        prepared: the run, its telemetry and results in its folder.
        jobs: every job that was submitted.
        started_utc: wall clock of the start.
        completed: the mission went to its end.

    Raises:
        AssetError: the results cannot be compared at all.
        StoreError: the telemetry cannot be read.
    """
    folder, scenario = prepared.folder, prepared.scenario
    masks: MaskCheck | None = None
    if prepared.model is not None and completed:
        submitted = {job.job_id: prepared.tiles[job.job_id] for job in jobs}
        masks, equal = verify(prepared.model, submitted, folder.results)
        jobs = [msgspec.structs.replace(job, equal=equal.get(job.job_id)) for job in jobs]
    board_node = scenario.thermal.board_node
    telemetry = read_lines(folder.root / TELEMETRY, NodeSnapshot)
    metrics = compute_metrics(telemetry, jobs, board_node=board_node, masks=masks)
    judged, not_judged = divide(scenario.requirement, "demo")
    if prepared.model is None:
        # A simulated executor computes nothing that could be compared.
        not_judged += [
            f"{r.metric} {r.operator} {r.value:g}: the executor is simulated"
            for r in judged
            if r.metric == _COMPARED
        ]
        judged = [r for r in judged if r.metric != _COMPARED]
    verdicts = evaluate(judged, metrics)
    summary = Summary(
        scenario=scenario.mission.name,
        node=NODE_NAME,
        epoch_utc=scenario.mission.epoch.isoformat().replace("+00:00", "Z"),
        started_utc=started_utc,
        rate=prepared.options.rate,
        duration_s=scenario.mission.duration_s,
        completed=completed,
        executor=prepared.options.executor,
        board_family=prepared.options.board,
        board_node=board_node,
        configuration_sha256=prepared.loaded.config_hash,
        versions=_versions(),
        jobs=list(jobs),
        masks=masks,
        metrics=metrics,
        verdicts=verdicts,
        not_evaluated=not_judged,
        assumptions=assumptions(scenario),
        passed=completed and all(verdict.passed for verdict in verdicts),
    )
    (folder.root / SUMMARY).write_bytes(
        msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
    )
    write_report(folder.root)
    return summary


def _versions() -> dict[str, str]:
    found = {
        "orbitnode": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    installed = {package: _version(package) for package in _PACKAGES}
    return found | {package: number for package, number in installed.items() if number}


def _version(package: str) -> str:
    """Return a package's version; empty for an extra that is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
