"""A bench for people: a table and what to know about it."""

from __future__ import annotations

from collections.abc import Iterator

from node.bench.figures import BenchReport, PointFigures, Spread
from node.bench.notes import title

_HEAD = (
    f"{'operating point':26} {'p50':>9} {'p95':>9} {'p99':>9} {'a second':>9} {'watts':>8} "
    f"{'J gross':>16} {'J net':>16}"
)


def render(report: BenchReport) -> str:
    """Lay a report out."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: BenchReport) -> Iterator[str]:
    providers = sorted({point.provider for point in report.points})
    yield f"{report.model} {report.version} on {report.board}, {', '.join(providers)}"
    yield f"  {', '.join(report.software)}; {report.measured_at}"
    power, idle = report.power, report.idle
    if power is None or idle is None:
        yield "  power    not known"
    else:
        kind = power.source if power.source == "measured" else f"modelled by {power.model}"
        every = "" if power.sample_s is None else f", a reading every {power.sample_s:.2g} s"
        yield f"  power    {kind}, scope {power.scope}{every}"
        yield f"  at rest  {_with_spread(idle.power_w)} W over {idle.duration_s:g} s"
    yield ""
    yield _HEAD
    for point in report.points:
        yield _row(point)
    if report.notes:
        yield ""
    for note in report.notes:
        yield f"note: {note}"


def _row(point: PointFigures) -> str:
    latency, energy = point.latency, point.energy
    times = " ".join(
        f"{value_s * 1e3:6.4g} ms" for value_s in (latency.p50_s, latency.p95_s, latency.p99_s)
    )
    name = title(point.threads, point.cap)
    row = f"{name:26} {times} {point.throughput_per_s:9.4g}"
    if energy is None:
        return f"{row} {'-':>8} {'-':>16} {'-':>16}"
    return (
        f"{row} {energy.active_w:8.4g} {_with_spread(energy.gross_j):>16} "
        f"{_with_spread(energy.net_j):>16}"
    )


def _with_spread(spread: Spread) -> str:
    if spread.half_width is None:
        return f"{spread.mean:.4g}"
    return f"{spread.mean:.4g} +-{spread.half_width:.2g}"
