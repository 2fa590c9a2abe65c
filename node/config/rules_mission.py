"""Rules across the tables of the mission: epoch, workload, faults, requirements.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from node.config import wording
from node.config.finding import Finding
from node.config.rules_spacecraft import unknown_reference
from node.config.scenario import (
    Fault,
    Mission,
    ModelFigures,
    Requirement,
    Workload,
)

RUN_METRICS = frozenset(
    {
        "boots",
        "contacts",
        "eclipses",
        "end_state_of_charge",
        "interrupts",
        "jobs_delivered",
        "jobs_delivered_ratio",
        "jobs_duplicated",
        "jobs_lost",
        "jobs_submitted",
        "masks_equal_ratio",
        "max_board_temperature_c",
        "min_board_temperature_c",
        "min_clock_mhz",
        "min_state_of_charge",
        "modes_visited",
        "payload_down_bytes",
        "payload_up_bytes",
        "time_in_off_s",
        "time_in_reduced_s",
        "time_in_safe_s",
        "time_throttled_s",
        "uncorrected_upsets",
        "upsets",
    }
)
"""What every run can tell."""

FORECAST_METRICS = frozenset(
    {
        "contact_minutes_per_day",
        "downlink_utilisation_ratio",
        "energy_margin_ratio",
        "jobs_per_day",
        "max_depth_of_discharge",
        "median_time_to_result_s",
        "p95_time_to_result_s",
        "uplink_utilisation_ratio",
        "years_to_80_percent_capacity",
    }
)
"""What only a forecast can tell."""

REQUIREMENT_METRICS = RUN_METRICS | FORECAST_METRICS
"""What a ``[[requirement]]`` can be about; a command that cannot judge one says so."""

_EPOCH_YEARS = range(1957, 2057)
"""Two digits of a TLE's year mean these."""


def epoch_is_utc(mission: Mission) -> Iterator[Finding]:
    """The epoch says that it is UTC, and SGP4 can count to it."""
    offset = mission.epoch.utcoffset()
    if mission.epoch.year not in _EPOCH_YEARS:
        first, last = _EPOCH_YEARS[0], _EPOCH_YEARS[-1]
        yield Finding(
            "$.mission.epoch", f"expected a year from {first} to {last}, got {mission.epoch.year}"
        )
    elif offset is None:
        text = mission.epoch.isoformat()
        yield Finding("$.mission.epoch", f"must say that it is UTC; write {text}Z")
    elif offset != timedelta(0):
        utc = (mission.epoch - offset).replace(tzinfo=None).isoformat()
        yield Finding("$.mission.epoch", f"must be UTC; write {utc}Z")


def tick_fits_mission(mission: Mission) -> Iterator[Finding]:
    """There is at least one tick."""
    if mission.tick_s > mission.duration_s:
        yield Finding(
            "$.mission.tick_s",
            f"must be at most duration_s ({mission.duration_s:g}), got {mission.tick_s:g}",
        )


def budgets_hold_durations(model: list[ModelFigures]) -> Iterator[Finding]:
    """A model's usual run fits into its budget."""
    for index, figures in enumerate(model):
        if figures.duration_s > figures.max_duration_s:
            yield Finding(
                f"$.model[{index}].duration_s",
                f"must be at most max_duration_s ({figures.max_duration_s:g}), "
                f"got {figures.duration_s:g}",
            )


def workload_models_exist(workload: list[Workload], model: list[ModelFigures]) -> Iterator[Finding]:
    """Jobs ask for models that fly."""
    known = [figures.name for figures in model]
    for index, jobs in enumerate(workload):
        yield from unknown_reference(f"workload[{index}].model", jobs.model, known, "model")


def workload_ends_within_mission(workload: list[Workload], mission: Mission) -> Iterator[Finding]:
    """Jobs that are submitted after the end never fly."""
    for index, jobs in enumerate(workload):
        last_s = jobs.first_s + (jobs.count - 1) * jobs.every_s
        if last_s > mission.duration_s:
            yield Finding(
                f"$.workload[{index}].count",
                f"the last job is submitted at {last_s:g} s, after mission.duration_s "
                f"({mission.duration_s:g})",
                warning=True,
            )


def faults_strike_within_mission(fault: list[Fault], mission: Mission) -> Iterator[Finding]:
    """A fault that comes after the end proves nothing."""
    for index, strike in enumerate(fault):
        if strike.at_s > mission.duration_s:
            yield Finding(
                f"$.fault[{index}].at_s",
                f"must be within the mission, at most {mission.duration_s:g}, got {strike.at_s:g}",
            )


def array_losses_are_ratios(fault: list[Fault]) -> Iterator[Finding]:
    """No more than the whole array can be lost."""
    for index, strike in enumerate(fault):
        if strike.kind == "array_loss" and strike.value > 1:
            yield Finding(
                f"$.fault[{index}].value", f"expected a number from 0 to 1, got {strike.value:g}"
            )


def requirement_metrics_exist(requirement: list[Requirement]) -> Iterator[Finding]:
    """A requirement is about something that a run reports."""
    for index, line in enumerate(requirement):
        if line.metric not in REQUIREMENT_METRICS:
            hint = wording.did_you_mean(line.metric, sorted(REQUIREMENT_METRICS))
            known = "" if hint else f"; known are {', '.join(sorted(REQUIREMENT_METRICS))}"
            yield Finding(
                f"$.requirement[{index}].metric",
                f"there is no metric {wording.quoted(line.metric)}{hint}{known}",
            )


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    epoch_is_utc,
    tick_fits_mission,
    budgets_hold_durations,
    workload_models_exist,
    workload_ends_within_mission,
    faults_strike_within_mission,
    array_losses_are_ratios,
    requirement_metrics_exist,
)
