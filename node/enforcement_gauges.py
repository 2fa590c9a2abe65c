"""What is held back on the real board, as gauges: asked for, achieved, and by which means."""

from __future__ import annotations

from collections.abc import Iterator

from node.core.snapshot import EnforcementSnapshot
from node.enforcement.enforcer import EnforcementReport
from node.hardware_gauges import HardwareGauge, Row

MEANS = ("pacing", "quota", "duty-cycle", "clock")


def enforcement_gauges(
    ordered: EnforcementSnapshot, report: EnforcementReport | None
) -> Iterator[HardwareGauge]:
    """Yield every family.

    Args:
        ordered: what the core wants.
        report: what became of it; None where there is no board to hold back.
    """
    yield HardwareGauge(
        "enforcement_ceiling_watts",
        "Ceiling of the board's mean power; none where the operating mode has none",
        [((), ordered.ceiling_w)],
    )
    yield HardwareGauge(
        "enforcement_mean_power_watts",
        "Of the board, over about the last ten real seconds",
        [((), ordered.mean_w)],
    )
    yield HardwareGauge(
        "enforcement_headroom_watts",
        "What inferences may draw above the idle draw under the ceiling",
        [((), ordered.headroom_w)],
    )
    yield HardwareGauge(
        "enforcement_unmet",
        "1 while the board draws more than the ceiling with nothing left to lower",
        [((), float(ordered.unmet))],
    )
    yield HardwareGauge(
        "enforcement_protected",
        "1 while the real board is near a limit of its own and nothing is raised",
        [((), float(ordered.protected is not None))],
    )
    if report is None:
        return
    active = {*report.active, *(["pacing"] if ordered.ceiling_w is not None else [])}
    for name, text, having in (
        ("available", "1 for the means that this machine has", set(report.available)),
        ("active", "1 for the means that hold something back now", active),
    ):
        rows: list[Row] = [((means,), float(means in having)) for means in MEANS]
        yield HardwareGauge(f"enforcement_means_{name}", text, rows, ("means",))
    yield HardwareGauge(
        "enforcement_target_ratio",
        "Share of the worker's time and of the board's clock that are left",
        [(("share",), report.share), (("clock",), report.clock)],
        ("of",),
    )
    yield HardwareGauge(
        "enforcement_achieved_ratio",
        "Share of every core's time that the worker used, clock that the kernel reads back",
        [(("share",), report.share_achieved), (("clock",), report.clock_achieved)],
        ("of",),
    )
