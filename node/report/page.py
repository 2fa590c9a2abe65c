"""Writes the report of a run: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import msgspec

from node.core.snapshot import NodeSnapshot
from node.report.axes import clock, duration, number, quantity
from node.report.metrics import METRICS
from node.report.panels import draw
from node.report.provenance import provenance
from node.report.run import DELIVERED, REPORT, JobRecord, Run, Summary, load_run
from node.report.timeline import PassInterval, pass_intervals

_OPERATORS = {"<=": "≤", ">=": "≥", "==": "="}


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
    template = Template(files("node.report").joinpath("template.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"{summary.scenario}: {_outcome(summary)}"),
        heading=escape(summary.scenario),
        verdict=_pill(summary.passed),
        lead=escape(_lead(summary)),
        tiles=_tiles(summary, run.snapshots),
        requirements=_requirements(summary),
        rate_note=escape(_rate_note(summary)),
        panels=panels,
        passes=_passes(pass_intervals(run.snapshots)),
        jobs=_jobs(summary.jobs),
        provenance=_table(("Figure", "Source", "How"), provenance(summary, run.snapshots)),
        versions=_versions(summary),
        footer=escape(f"Written by orbitnode {summary.versions.get('orbitnode', '')}".strip()),
        data=_script_safe(msgspec.json.encode(cursor).decode()),
    )


def _outcome(summary: Summary) -> str:
    return "PASS" if summary.passed else "FAIL"


def _pill(passed: bool) -> str:
    return (
        f'<span class="pill {"pass" if passed else "fail"}">{"PASS" if passed else "FAIL"}</span>'
    )


def _lead(summary: Summary) -> str:
    ended = "" if summary.completed else " Ended early."
    return (
        f"Node {summary.node}, {duration(summary.duration_s)} of mission from {summary.epoch_utc} "
        f"at {number(summary.rate)} mission seconds a second; board {summary.board_family}, "
        f"executor {summary.executor}. Run on {summary.started_utc}.{ended}"
    )


def _rate_note(summary: Summary) -> str:
    if summary.rate == 1:
        return ""
    return (
        " Work was done at its real speed while the mission ran "
        f"{number(summary.rate)} times faster: throughput per orbit is valid only at rate 1."
    )


def _tiles(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> str:
    metrics = summary.metrics
    done, count = metrics.get("jobs_delivered", 0), metrics.get("jobs_submitted", 0)
    tiles = [(f"{number(done)} of {number(count)}", "jobs delivered")]
    if summary.masks is not None:
        compared = summary.masks.equal + summary.masks.unequal
        tiles.append((f"{summary.masks.equal} of {compared}", "results equal to the check"))
    named = (
        ("min_state_of_charge", "lowest state of charge", ""),
        ("max_board_temperature_c", "highest board temperature", " °C"),
        ("contacts", "contacts", ""),
        ("eclipses", "eclipses", ""),
    )
    tiles += [
        (f"{number(metrics[name], 3)}{unit}", text) for name, text, unit in named if name in metrics
    ]
    if snapshots:
        power = snapshots[-1].power
        tiles.append((quantity(power.solar_generated_j / 3600, "Wh"), "from the array"))
        tiles.append((quantity(power.load_consumed_j / 3600, "Wh"), "drawn by all loads"))
        tiles.append((quantity(metrics["payload_up_bytes"], "B"), "inputs went up"))
        tiles.append((quantity(metrics["payload_down_bytes"], "B"), "results came down"))
    energies = [job.energy_j for job in summary.jobs if job.energy_j is not None]
    if energies:
        tiles.append((quantity(sum(energies) / len(energies), "J"), "an inference, above idle"))
    return "".join(f"<li><b>{escape(v)}</b><span>{escape(t)}</span></li>" for v, t in tiles)


def _requirements(summary: Summary) -> str:
    rows = [
        (
            _pill(verdict.passed),
            _requirement_name(verdict.metric),
            f"{_OPERATORS.get(verdict.operator, escape(verdict.operator))} {number(verdict.value)}",
            "no figure" if verdict.actual is None else number(verdict.actual),
        )
        for verdict in summary.verdicts
    ]
    rows += [
        ('<span class="pill">not judged</span>', escape(text), "", "")
        for text in summary.not_evaluated
    ]
    if not rows:
        return '<h2>Requirements</h2><p class="note">The scenario has none.</p>'
    head = ("", "Requirement", "Required", "Actual")
    table = _raw_table(head, rows, numbers=(2, 3))
    return f'<h2>Requirements</h2><div class="verdicts">{table}</div>'


def _requirement_name(metric: str) -> str:
    code = f"<code>{escape(metric)}</code>"
    known = METRICS.get(metric)
    return code if known is None else f'{escape(known.text)}<span class="sub">{code}</span>'


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
    return _raw_table(head, rows, numbers=(1, 2, 3, 4, 6, 7, 8))


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
    return _raw_table(head, rows, numbers=(2, 3, 4, 5, 6, 7, 9))


def _versions(summary: Summary) -> str:
    rows = [("configuration (SHA-256)", summary.configuration_sha256)]
    rows += sorted(summary.versions.items())
    cells = [(escape(name), f"<code>{escape(value)}</code>") for name, value in rows]
    return f'<div class="wrap">{_raw_table(("What", "Which"), cells)}</div>'


def _maybe(value: float | None, form: Callable[[float], str]) -> str:
    return "" if value is None else form(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return _raw_table(head, [tuple(escape(cell) for cell in row) for row in rows])


def _raw_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()
) -> str:
    """Lay out a table of cells that are HTML already."""

    def cells(tag: str, row: Sequence[str]) -> str:
        kinds = [' class="n"' if index in numbers else "" for index in range(len(row))]
        pairs = zip(kinds, row, strict=True)
        return "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in pairs)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="card"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _script_safe(json_text: str) -> str:
    """Escape what could end a script element or break XML; JSON reads it as the same text."""
    return json_text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
