"""Says of each figure in a report whether it was measured or modelled. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.config.scenario import Provenance, Scenario
from node.core.events import Source
from node.core.snapshot import NodeSnapshot
from node.report.run import Summary

_KINDS = ("assumed", "fitted", "published", "data_sheet", "measured")
"""The least certain first."""

Row = tuple[str, str, str]
"""Figure, source, how it came about."""


def provenance(summary: Summary, snapshots: Sequence[NodeSnapshot]) -> list[Row]:
    """List the figures of a report with their sources."""
    modelled = Source.MODELLED.value
    measured = Source.MEASURED.value
    board = _sources(s.power.board_source.value for s in snapshots)
    sensors = _sources(sensor.source.value for s in snapshots for sensor in s.sensors)
    energy = _sources(job.energy_source for job in summary.jobs if job.energy_source)
    real = summary.executor == "onnx"
    rows: list[Row] = [
        ("Orbit, light, passes", modelled, "SGP4, conical shadow, station masks"),
        ("Board power", board, f"board family {summary.board_family}"),
        (
            "State of charge, bus, array",
            modelled,
            f"battery and array fed with {board} board power",
        ),
        ("Temperatures by thermal node", modelled, f"network heated with {board} board power"),
        ("Link rate", modelled, "link budget and adaptive coding at each instant"),
    ]
    if sensors:
        rows.append(("Temperature sensors", sensors, "sensors of the real board"))
    rows.append(
        (
            "Inference durations",
            measured if real else modelled,
            "wall time in the worker process" if real else "figures of the scenario",
        )
    )
    if energy:
        rows.append(("Inference energy", energy, "joules above the board's idle draw"))
    rows.append(("Jobs, bytes up and down", measured, "counted at both ends of the link"))
    if summary.masks is not None:
        rows.append(
            ("Results", measured, "compared element for element with an independent computation")
        )
    return rows


def assumptions(scenario: Scenario) -> list[Provenance]:
    """Return what the scenario says of its own figures, the least certain first."""
    return sorted(scenario.provenance, key=lambda each: _KINDS.index(each.kind))


def assumption_rows(entries: Iterable[Provenance]) -> list[Row]:
    """Make a row of each: keys, kind, text."""
    return [(", ".join(each.of), each.kind.replace("_", " "), each.text) for each in entries]


def _sources(found: Iterable[str]) -> str:
    return ", ".join(sorted(set(found)))
