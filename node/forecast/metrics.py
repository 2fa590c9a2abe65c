"""The figures of a forecast under the names that requirements use."""

from __future__ import annotations

from collections.abc import Sequence

from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.forecast.model import (
    Ageing,
    BatteryBudget,
    Constraint,
    EnergyBudget,
    JobBudget,
    Latency,
    LinkBudget,
    ModeTime,
    NodeTemperature,
    PassRow,
    Throttling,
)

_MOST_YEARS = 100.0
"""A battery that lasts longer is said to last this long."""


def forecast_metrics(
    core: NodeCore,
    *,
    board_node: str,
    eclipses: int,
    energy: EnergyBudget,
    battery: BatteryBudget,
    ageing: Ageing | None,
    temperatures: Sequence[NodeTemperature],
    modes: Sequence[ModeTime],
    link: LinkBudget,
    passes: Sequence[PassRow],
    jobs: JobBudget,
    duplicates: int,
    latency: Latency,
    constraints: Sequence[Constraint],
    throttling: Throttling | None,
) -> dict[str, float]:
    """Name every figure that this flight can tell; a requirement on any other fails.

    Times to a result are missing where nothing was delivered, the ratio of delivered jobs where
    none was submitted, the battery's years where the scenario does not say how it ages.
    """
    times = {mode.mode: mode.time_s for mode in modes}
    board = next(each.temperature_c for each in temperatures if each.node == board_node)
    use = {each.name: each.utilisation_ratio for each in constraints}
    metrics: dict[str, float] = {
        "boots": core.boots,
        "contacts": sum(row.linked_s > 0.0 for row in passes),
        "eclipses": eclipses,
        "end_state_of_charge": battery.end_state_of_charge,
        "jobs_delivered": jobs.delivered,
        "jobs_duplicated": duplicates,
        "jobs_lost": jobs.lost,
        "jobs_submitted": jobs.submitted,
        "max_board_temperature_c": board.maximum,
        "min_board_temperature_c": board.minimum,
        "min_state_of_charge": battery.state_of_charge.minimum,
        "modes_visited": len(modes),
        "payload_down_bytes": link.downlink.bytes_total,
        "payload_up_bytes": link.uplink.bytes_total,
        "time_in_off_s": times.get(OperatingMode.OFF.value, 0.0),
        "time_in_reduced_s": times.get(OperatingMode.REDUCED.value, 0.0),
        "time_in_safe_s": times.get(OperatingMode.SAFE.value, 0.0),
        "contact_minutes_per_day": link.minutes_per_day,
        "energy_margin_ratio": energy.margin_ratio,
        "jobs_per_day": jobs.delivered_per_day,
        "max_depth_of_discharge": battery.max_depth_of_discharge,
    }
    for name in ("uplink", "downlink"):
        ratio = use[name]
        if ratio is not None:
            metrics[f"{name}_utilisation_ratio"] = ratio
    if jobs.submitted:
        metrics["jobs_delivered_ratio"] = jobs.delivered / jobs.submitted
    if latency.time_to_result_s.count:
        metrics["median_time_to_result_s"] = latency.time_to_result_s.median
        metrics["p95_time_to_result_s"] = latency.time_to_result_s.p95
    if ageing is not None:
        years = ageing.years_to_80_percent
        metrics["years_to_80_percent_capacity"] = _MOST_YEARS if years is None else years
    if throttling is not None and core.clock is not None:
        metrics["min_clock_mhz"] = throttling.clock_ratio.minimum * core.clock.law.clock_mhz
        metrics["time_throttled_s"] = throttling.throttled_s
    upsets = core.emulation.upsets
    if upsets is not None:
        metrics["interrupts"] = upsets.interrupts
        metrics["uncorrected_upsets"] = upsets.uncorrected
        metrics["upsets"] = upsets.memory_upsets + upsets.interrupts
    return metrics
