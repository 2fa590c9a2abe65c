"""Writes the report of a run: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from node.core.snapshot import NodeSnapshot
from node.report.axes import clock, duration, number, quantity, time_unit
from node.report.cursor import CursorData
from node.report.document import (
    LEGEND,
    document,
    pill,
    raw_table,
    requirements,
    table,
    tiles,
)
from node.report.panels import draw
from node.report.provenance import assumption_rows, provenance
from node.report.run import DELIVERED, REPORT, JobRecord, Run, Summary, load_run
from node.report.timeline import PassInterval, pass_intervals


def write_report(run_folder: Path) -> Path:
    """Read a run folder and write its ``report.html``; return the file's path.

    Raises:
        StoreError: the run folder lacks a file or has a malformed one.
        OSError: the report cannot be written.
    """
    path = run_folder / REPORT
    path.write_text(render(load_run(run_folder)), encoding="utf-8")
    return path


def render(run: Run) -> str:
    """Render the whole document."""
    summary = run.summary
    panels, cursor = draw(summary, run.snapshots)
    body = [
        f"<header><h1>{escape(summary.scenario)}</h1>{pill(summary.passed)}</header>",
        f'<p class="lead">{escape(_lead(summary))}</p>',
        tiles(_figures(summary, run.snapshots)),
        requirements(summary.verdicts, summary.not_evaluated),
        "<h2>Mission</h2>",
        f'<p class="note">{escape(_time_note(summary.rate, cursor))}</p>',
        LEGEND,
        panels,
        "<h2>Passes</h2>",
        _passes(pass_intervals(run.snapshots)),
        "<h2>Jobs</h2>",
        _jobs(summary.jobs),
        "<h2>Where the figures come from</h2>",
        table(("Figure", "Source", "How"), provenance(summary, run.snapshots)),
        _assumptions(summary),
        "<h2>Configuration and versions</h2>",
        _versions(summary),
        f"<footer>{escape(_footer(summary))}</footer>",
    ]
    return document(f"{summary.scenario}: {_outcome(summary)}", "\n".join(body), cursor)


def _assumptions(summary: Summary) -> str:
    if not summary.assumptions:
        return ""
    rows = table(("Keys of the scenario", "Kind", "Source"), assumption_rows(summary.assumptions))
    return f"<details><summary>Figures of the scenario</summary>{rows}</details>"


def _outcome(summary: Summary) -> str:
    return "PASS" if summary.passed else "FAIL"


def _lead(summary: Summary) -> str:
    ended = "" if summary.completed else " Ended early."
    return (
        f"Node {summary.node}, {duration(summary.duration_s)} of mission from {summary.epoch_utc} "
        f"at {number(summary.rate)} mission seconds a second; board {summary.board_family}, "
        f"executor {summary.executor}. Run on {summary.started_utc}.{ended}"
    )


def _time_note(rate: float, cursor: CursorData) -> str:
    axes = f"Time axes are mission {time_unit(cursor.stop - cursor.start).name}."
    if rate == 1:
        return axes
    return (
        f"{axes} Work was done at its real speed while the mission ran "
        f"{number(rate)} times faster: throughput per orbit is valid only at rate 1."
    )


def _footer(summary: Summary) -> str:
    return f"Written by orbitnode {summary.versions.get('orbitnode', '')}".strip()


def _figures(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> list[tuple[str, str]]:
    metrics = summary.metrics
    done, count = metrics.get("jobs_delivered", 0), metrics.get("jobs_submitted", 0)
    figures = [(f"{number(done)} of {number(count)}", "jobs delivered")]
    if summary.masks is not None:
        compared = summary.masks.equal + summary.masks.unequal
        figures.append((f"{summary.masks.equal} of {compared}", "results equal to the check"))
    named = (
        ("min_state_of_charge", "lowest state of charge", ""),
        ("max_board_temperature_c", "highest board temperature", " °C"),
        ("contacts", "contacts", ""),
        ("eclipses", "eclipses", ""),
    )
    figures += [
        (f"{number(metrics[name], 3)}{unit}", text) for name, text, unit in named if name in metrics
    ]
    if snapshots:
        power = snapshots[-1].power
        figures.append((quantity(power.solar_generated_j / 3600, "Wh"), "from the array"))
        figures.append((quantity(power.load_consumed_j / 3600, "Wh"), "drawn by all loads"))
        figures.append((quantity(metrics["payload_up_bytes"], "B"), "inputs went up"))
        figures.append((quantity(metrics["payload_down_bytes"], "B"), "results came down"))
    energies = [job.energy_j for job in summary.jobs if job.energy_j is not None]
    if energies:
        figures.append((quantity(sum(energies) / len(energies), "J"), "an inference, above idle"))
    return figures


def _passes(passes: Sequence[PassInterval]) -> str:
    if not passes:
        return '<p class="note">No pass over any station.</p>'
    rows = [
        (
            escape(p.label),
            clock(p.start_s),
            clock(p.stop_s),
            duration(p.duration_s),
            "" if p.max_elevation_deg is None else f"{p.max_elevation_deg:.0f}°",
            "contact" if p.contact else "no contact",
            quantity(p.max_downlink_bps, "bit/s"),
            quantity(p.payload_up_bytes, "B"),
            quantity(p.payload_down_bytes, "B"),
        )
        for p in passes
    ]
    head = ("Station", "AOS", "LOS", "Length", "Max. el.", "Link", "Best down", "Up", "Down")
    return raw_table(head, rows, numbers=(1, 2, 3, 4, 6, 7, 8))


def _jobs(jobs: Sequence[JobRecord]) -> str:
    if not jobs:
        return '<p class="note">No job was submitted.</p>'
    rows = [
        (
            f"<code>{escape(job.job_id)}</code>",
            escape(job.state) if job.state == DELIVERED else f"<b>{escape(job.state)}</b>",
            _maybe(job.submitted_s, clock),
            _maybe(job.started_s, clock),
            _maybe(job.finished_s, clock),
            _maybe(job.delivered_s, clock),
            _maybe(job.duration_s, duration),
            _maybe(job.energy_j, lambda j: quantity(j, "J")),
            escape(job.energy_source or ""),
            _maybe(job.result_bytes, lambda size: quantity(size, "B")),
            {True: "equal", False: "<b>differs</b>", None: ""}[job.equal],
        )
        for job in jobs
    ]
    head = (
        *("Job", "State", "Submitted", "Started", "Finished", "Delivered"),
        *("Took", "Energy", "Source", "Result", "Check"),
    )
    return raw_table(head, rows, numbers=(2, 3, 4, 5, 6, 7, 9))


def _versions(summary: Summary) -> str:
    rows = [("configuration (SHA-256)", summary.configuration_sha256)]
    rows += sorted(summary.versions.items())
    cells = [(escape(name), f"<code>{escape(value)}</code>") for name, value in rows]
    return f'<div class="wrap">{raw_table(("What", "Which"), cells)}</div>'


def _maybe(value: float | None, form: Callable[[float], str]) -> str:
    return "" if value is None else form(value)
