"""What a run folder holds, as values. ``docs/run-folder.md`` describes the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from node.config.scenario import Provenance
from node.core.jobs import JobState
from node.core.snapshot import NodeSnapshot
from node.errors import StoreError
from node.report.verdict import Verdict

TELEMETRY = "telemetry.jsonl"
EVENTS = "events.jsonl"
SUMMARY = "summary.json"
REPORT = "report.html"

DELIVERED = JobState.DELIVERED.value
LOST = "lost"
"""State of a job that neither end of the link knows any more."""

Decoded = TypeVar("Decoded", bound=Struct)


class JobRecord(Struct, frozen=True, kw_only=True):
    """One job from submission to delivery; times are mission seconds."""

    job_id: str
    model: str
    state: str
    priority: str | None = None
    submitted_s: float | None = None
    started_s: float | None = None
    finished_s: float | None = None
    delivered_s: float | None = None
    duration_s: float | None = None
    """Wall seconds of the run on the board, decode and encode included."""
    inference_s: float | None = None
    """Wall seconds inside the model alone."""
    energy_j: float | None = None
    energy_source: str | None = None
    provider: str | None = None
    input_bytes: int | None = None
    result_bytes: int | None = None
    deliveries: int = 0
    """How many times the ground took this job's result in; more than once is a duplicate."""
    equal: bool | None = None
    """The delivered result equals an independent computation; None where it was not compared."""


class MaskCheck(Struct, frozen=True):
    """Delivered results against an independent computation, element for element."""

    equal: int
    unequal: int
    missing: int
    """Jobs without a delivered result."""


class RunEvent(Struct, frozen=True):
    """Something that happened, as it is shown and kept."""

    mission_s: float
    code: str
    text: str


class Summary(Struct, frozen=True, kw_only=True):
    """The whole outcome of a run, for programs."""

    schema: int = 1
    scenario: str
    node: str
    epoch_utc: str
    started_utc: str
    """Wall clock of the machine when the run began; provenance only."""
    rate: float
    duration_s: float
    """Mission seconds that the scenario asks for."""
    completed: bool
    """False where the run was ended early."""
    executor: str
    board_family: str
    board_node: str
    """Thermal node that takes the board's dissipation."""
    configuration_sha256: str
    versions: dict[str, str]
    jobs: list[JobRecord]
    masks: MaskCheck | None
    metrics: dict[str, float]
    verdicts: list[Verdict]
    not_evaluated: list[str] = []
    """Requirements that this run cannot judge, each with the reason."""
    passed: bool
    assumptions: list[Provenance] = []
    """Where the scenario says that its figures come from."""


@dataclass(frozen=True)
class Run:
    """A run folder that has been read."""

    summary: Summary
    snapshots: list[NodeSnapshot]
    events: list[RunEvent]


def load_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        StoreError: a file is missing or is not what it should be; the text names it.
    """
    path = folder / SUMMARY
    try:
        summary = msgspec.json.decode(path.read_bytes(), type=Summary)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path}: {error}") from error
    return Run(
        summary,
        read_lines(folder / TELEMETRY, NodeSnapshot),
        read_lines(folder / EVENTS, RunEvent),
    )


def read_lines(path: Path, kind: type[Decoded]) -> list[Decoded]:
    """Read a file of one JSON value a line; a half-written last line is left out.

    Raises:
        StoreError: the file cannot be read or a whole line is malformed.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StoreError(f"{path}: {error}") from error
    decoder = msgspec.json.Decoder(kind)
    values: list[Decoded] = []
    try:
        values.extend(decoder.decode(line) for line in lines[:-1])
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}:{len(values) + 1}: {error}") from error
    return values
