"""What a bench finds. The JSON of ``orbitnode bench --json`` is `BenchReport`, as documented."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

SCHEMA = 1


class Spread(Struct, frozen=True):
    """A mean over windows and half its 95 % interval; None where too few windows tell one."""

    mean: float
    half_width: float | None


class IdleFigures(Struct, frozen=True):
    """The board at rest, the worker warm and waiting."""

    duration_s: float
    power_w: Spread
    cpu_utilisation_ratio: float | None
    """Busy share of all cores: what other programs do."""


class PowerFigures(Struct, frozen=True):
    """Where the watts come from."""

    source: Literal["measured", "modelled"]
    scope: str
    model: str
    """Empty where measured."""
    error_ratio: float | None
    sample_s: float | None
    """Mean time between two readings."""


class Cap(Struct, frozen=True):
    """What held the board back."""

    duty_ratio: float = 1.0
    """Share of the time in which inferences ran, as asked for; the rest were pauses."""
    clock_ratio: float = 1.0
    """Clock cap over the board's limit as found, as read back."""
    share_ratio: float = 1.0
    """Share of every core's time that the worker was left."""
    share_by: str = ""
    """What held that: ``quota`` by a control group, ``duty-cycle`` by stopping the worker for
    milliseconds; empty where nothing was held."""


class LatencyFigures(Struct, frozen=True):
    """Seconds of single inferences, from the call to the result, nearest rank."""

    mean_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    session_p50_s: float
    """Of these, inside ``session.run``."""


class EnergyFigures(Struct, frozen=True):
    """Joules of one inference."""

    gross_j: Spread
    """Idle draw while it runs included."""
    net_j: Spread
    """Above idle."""
    active_w: float
    """Mean power while inferences run."""


class PointFigures(Struct, frozen=True):
    """One operating point."""

    threads: int
    cap: Cap
    provider: str
    inferences: int
    window_s: float
    """Measured time, pauses included."""
    windows: int
    throughput_per_s: float
    latency: LatencyFigures
    cpu_s: float
    """Mean CPU time of the worker for one inference."""
    energy: EnergyFigures | None
    """None where nothing tells the board's power."""
    latency_drift_ratio: float | None
    """Later half of the windows over the earlier half, less 1."""
    power_drift_ratio: float | None
    steady: bool
    """Neither drift above 5 %, no throttling."""
    throttled_by: list[str]
    result_bytes: int


class BenchReport(Struct, frozen=True):
    """One bench of one model."""

    schema: int
    model: str
    version: str
    model_sha256: str
    input: str
    """``made up`` or the path that was given."""
    board_family: str
    board: str
    measured_at: str
    software: list[str]
    idle: IdleFigures | None
    power: PowerFigures | None
    points: list[PointFigures]
    notes: list[str]
