"""The board profile that comes of a bench: what forecasts and simulated boards fly with."""

from __future__ import annotations

from datetime import datetime

from node.bench.figures import BenchReport, EnergyFigures, IdleFigures, PointFigures, PowerFigures
from node.config.effective import document
from node.config.profile import BoardProfile, OperatingPoint, PowerOrigin
from node.errors import BoardError

_DIGITS = 6
_LONGEST_NAME = 100


def profile_of(report: BenchReport) -> BoardProfile:
    """Make the profile of a report.

    Raises:
        BoardError: the board's power is not known, and a profile is about that.
    """
    idle, power = report.idle, report.power
    if idle is None or power is None or any(point.energy is None for point in report.points):
        raise BoardError("the board's power was not there all the time: no profile is written")
    idle_w = _rounded(idle.power_w.mean)
    points = [
        _point(report.model, idle_w, point, point.energy)
        for point in report.points
        if point.energy is not None
    ]
    return BoardProfile(
        schema=1,
        board=report.board[:_LONGEST_NAME],
        source="measured" if power.source == "measured" else "modelled",
        text=_text(report, idle, power),
        idle_w=idle_w,
        active_w=max(point.active_w for point in points),
        point=points,
        power=PowerOrigin(
            source=power.source,
            scope=power.scope,
            model=power.model or None,
            error_ratio=power.error_ratio,
            sample_s=None if power.sample_s is None else _rounded(power.sample_s),
        ),
        measured_at=datetime.fromisoformat(report.measured_at.replace("Z", "+00:00")),
        software=report.software,
    )


def profile_text(report: BenchReport) -> str:
    """Write the profile as TOML; raises as `profile_of`."""
    head = f"# Made by orbitnode bench {report.model}.\n" + "".join(
        f"# Note: {note}.\n" for note in report.notes
    )
    return head + document(profile_of(report))


def _point(model: str, idle_w: float, point: PointFigures, energy: EnergyFigures) -> OperatingPoint:
    duration_s = _rounded(point.latency.mean_s)
    active_w = max(idle_w, _rounded(energy.active_w))
    gross_j = active_w * duration_s
    half_width_j = energy.gross_j.half_width
    return OperatingPoint(
        model=model,
        threads=point.threads,
        clock_ratio=_rounded(point.cap.clock_ratio),
        duration_s=duration_s,
        active_w=active_w,
        result_bytes=max(1, point.result_bytes),
        duty_ratio=point.cap.duty_ratio,
        cpu_share_ratio=point.cap.share_ratio,
        provider=point.provider,
        gross_j=_rounded(gross_j),
        net_j=_rounded((active_w - idle_w) * duration_s),
        spread_ratio=None if half_width_j is None else _rounded(half_width_j / gross_j),
        p50_s=_rounded(point.latency.p50_s),
        p95_s=_rounded(point.latency.p95_s),
        p99_s=_rounded(point.latency.p99_s),
    )


def _text(report: BenchReport, idle: IdleFigures, power: PowerFigures) -> str:
    windows = ", ".join(
        f"{point.inferences} in {point.window_s:.3g} s" for point in report.points[:8]
    )
    watts = "measured" if power.source == "measured" else f"modelled by {power.model}"
    return (
        f"orbitnode bench: {report.model} {report.version} ({report.model_sha256[:12]}), input "
        f"{report.input}; watts {watts}, scope {power.scope}; {idle.duration_s:.3g} s at rest; "
        f"inferences {windows}."
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
