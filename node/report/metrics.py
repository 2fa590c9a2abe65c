"""The figures that requirements are about, out of telemetry and jobs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from node.config.scenario import Requirement
from node.core.modes import OperatingMode
from node.core.snapshot import NodeSnapshot
from node.report.run import DELIVERED, LOST, JobRecord, MaskCheck
from node.report.timeline import (
    Interval,
    counter_total,
    eclipse_intervals,
    mode_intervals,
    pass_intervals,
)


class Metric(Struct, frozen=True):
    """What a metric means and where it comes from."""

    text: str
    unit: str
    modelled: bool
    """True where the emulation says so; False where it was counted or measured."""
    judges: tuple[str, ...] = ("demo", "simulate", "forecast")
    """The commands that can tell; for any other a requirement on it is not judged."""


_COMMANDS = {
    "demo": "groundlink demo",
    "simulate": "orbitnode simulate",
    "forecast": "orbitnode forecast",
}


def _forecast(text: str, unit: str) -> Metric:
    """Make a metric that only a forecast can tell."""
    return Metric(text, unit, modelled=True, judges=("forecast",))


METRICS: dict[str, Metric] = {
    "jobs_submitted": Metric("Jobs handed to the ground", "", modelled=False),
    "jobs_delivered": Metric("Jobs whose result the ground holds", "", modelled=False),
    "jobs_delivered_ratio": Metric("Delivered part of the submitted jobs", "", modelled=False),
    "jobs_lost": Metric("Jobs that neither end knows any more", "", modelled=False),
    "jobs_duplicated": Metric("Results taken in more than once", "", modelled=False),
    "masks_equal_ratio": Metric(
        "Delivered results equal to an independent computation",
        "",
        modelled=False,
        judges=("demo",),
    ),
    "min_state_of_charge": Metric("Lowest state of charge", "", modelled=True),
    "end_state_of_charge": Metric("State of charge at the end", "", modelled=True),
    "max_board_temperature_c": Metric("Highest emulated board temperature", "°C", modelled=True),
    "min_board_temperature_c": Metric("Lowest emulated board temperature", "°C", modelled=True),
    "min_clock_mhz": Metric(
        "Lowest clock that the emulated heat left the board", "MHz", modelled=True
    ),
    "time_throttled_s": Metric("Time below the board's full clock", "s", modelled=True),
    "upsets": Metric("Upsets of memory and device", "", modelled=True),
    "uncorrected_upsets": Metric(
        "Memory upsets that error correction could not mend", "", modelled=True
    ),
    "interrupts": Metric("Functional interrupts of the device", "", modelled=True),
    "contacts": Metric("Passes in which the link was up", "", modelled=True),
    "eclipses": Metric("Eclipses entered or begun in", "", modelled=True),
    "time_in_reduced_s": Metric("Time in REDUCED", "s", modelled=True),
    "time_in_safe_s": Metric("Time in SAFE", "s", modelled=True),
    "time_in_off_s": Metric("Time without power", "s", modelled=True),
    "boots": Metric("Boots of the node", "", modelled=True),
    "payload_down_bytes": Metric("Result bytes that came down", "B", modelled=False),
    "payload_up_bytes": Metric("Input bytes that went up", "B", modelled=False),
    "modes_visited": Metric("Different operating modes", "", modelled=True),
    "contact_minutes_per_day": _forecast("Minutes of contact a day, all stations", "min"),
    "downlink_utilisation_ratio": _forecast("Downlink asked for over what passes can carry", ""),
    "energy_margin_ratio": _forecast("Energy generated over energy spent, less one", ""),
    "jobs_per_day": _forecast("Delivered jobs a day", ""),
    "max_depth_of_discharge": _forecast("Largest fall of the state of charge in an orbit", ""),
    "median_time_to_result_s": _forecast("Submission to result, median", "s"),
    "p95_time_to_result_s": _forecast("Submission to result, 95th percentile", "s"),
    "uplink_utilisation_ratio": _forecast("Uplink asked for over what passes can carry", ""),
    "years_to_80_percent_capacity": _forecast(
        "Years until 80 % of the battery's rated capacity is left, at most 100", "years"
    ),
}
"""Every metric that a requirement may name."""


def divide(
    requirements: Iterable[Requirement], command: str
) -> tuple[list[Requirement], list[str]]:
    """Part the requirements that a command can judge from the others, these in words.

    Args:
        requirements: of the scenario.
        command: ``demo``, ``simulate`` or ``forecast``.
    """
    judged: list[Requirement] = []
    left: list[str] = []
    for line in requirements:
        judges = METRICS[line.metric].judges
        if command in judges:
            judged.append(line)
        else:
            names = " and ".join(_COMMANDS[judge] for judge in judges)
            left.append(f"{line.metric} {line.operator} {line.value:g}: only {names} can tell")
    return judged, left


def compute_metrics(
    snapshots: Sequence[NodeSnapshot],
    jobs: Sequence[JobRecord],
    *,
    board_node: str,
    masks: MaskCheck | None,
) -> dict[str, float]:
    """Compute every metric that the material allows.

    Metrics of the node are missing without telemetry, ``masks_equal_ratio`` where nothing was
    compared, the ratio of delivered jobs without jobs: a requirement on them then fails.

    Args:
        snapshots: telemetry in order of time.
        jobs: every job that was submitted.
        board_node: thermal node of the board.
        masks: outcome of the comparison, where there was one.
    """
    delivered = sum(job.state == DELIVERED for job in jobs)
    metrics: dict[str, float] = {
        "jobs_submitted": len(jobs),
        "jobs_delivered": delivered,
        "jobs_lost": sum(job.state == LOST for job in jobs),
        "jobs_duplicated": sum(max(0, job.deliveries - 1) for job in jobs),
    }
    if jobs:
        metrics["jobs_delivered_ratio"] = delivered / len(jobs)
    if masks is not None and masks.equal + masks.unequal > 0:
        metrics["masks_equal_ratio"] = masks.equal / (masks.equal + masks.unequal)
    if snapshots:
        metrics.update(_node_metrics(snapshots, board_node))
    return metrics


def _node_metrics(snapshots: Sequence[NodeSnapshot], board_node: str) -> dict[str, float]:
    modes = mode_intervals(snapshots)
    metrics: dict[str, float] = {
        "min_state_of_charge": min(s.power.state_of_charge for s in snapshots),
        "end_state_of_charge": snapshots[-1].power.state_of_charge,
        "contacts": sum(interval.contact for interval in pass_intervals(snapshots)),
        "eclipses": len(eclipse_intervals(snapshots)),
        "time_in_reduced_s": _time_in_s(modes, OperatingMode.REDUCED),
        "time_in_safe_s": _time_in_s(modes, OperatingMode.SAFE),
        "time_in_off_s": _time_in_s(modes, OperatingMode.OFF),
        "boots": max(s.boots for s in snapshots),
        "payload_down_bytes": counter_total([s.link.payload_down_bytes for s in snapshots]),
        "payload_up_bytes": counter_total([s.link.payload_up_bytes for s in snapshots]),
        "modes_visited": len({interval.label for interval in modes}),
    }
    board_c = [s.temperatures_c[board_node] for s in snapshots if board_node in s.temperatures_c]
    if board_c:
        metrics["max_board_temperature_c"] = max(board_c)
        metrics["min_board_temperature_c"] = min(board_c)
    clocks = [s.clock for s in snapshots if s.clock is not None]
    if clocks:
        metrics["min_clock_mhz"] = min(clock.allowed_mhz for clock in clocks)
        metrics["time_throttled_s"] = max(clock.throttled_s for clock in clocks)
    struck = [s.radiation for s in snapshots if s.radiation is not None]
    if struck:
        uncorrected = counter_total([each.uncorrected for each in struck])
        interrupts = counter_total([each.interrupts for each in struck])
        corrected = counter_total([each.corrected for each in struck])
        metrics["upsets"] = corrected + uncorrected + interrupts
        metrics["uncorrected_upsets"] = uncorrected
        metrics["interrupts"] = interrupts
    return metrics


def _time_in_s(modes: Sequence[Interval], mode: OperatingMode) -> float:
    return sum(interval.duration_s for interval in modes if interval.label == mode.value)
