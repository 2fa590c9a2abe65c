"""How long a forecast flies, in which steps, and what becomes of the workload."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from node.config.scenario import Scenario, Workload

SECONDS_PER_DAY = 86_400.0
_FINE_DAYS = 2.0
_COARSE_STEP_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fly."""

    scenario: Scenario
    """With the duration, step and workload of the forecast."""
    step_reason: str
    repeats: int
    workload_text: str


def plan(scenario: Scenario, days: float | None, step_s: float | None) -> Plan:
    """Make the flight of a forecast.

    The workload of the scenario repeats every ``mission.duration_s`` for as long as a whole
    repetition fits, so that the work goes on for as long as the flight and the last of it still
    has the time that the scenario gives it. A ``[[workload]]`` that submits jobs after the end of
    its mission is no such period: it is flown as written, once. Faults strike once.

    Args:
        scenario: as written.
        days: length of the flight; None flies the scenario's own duration.
        step_s: of the emulation; None chooses one.
    """
    mission = scenario.mission
    duration_s = mission.duration_s if days is None else days * SECONDS_PER_DAY
    chosen_s, reason = _step(mission.tick_s, duration_s, step_s)
    repeats = max(1, int(duration_s / mission.duration_s))
    workload, text = _workload(scenario, repeats)
    replace = msgspec.structs.replace
    flown = replace(
        scenario,
        mission=replace(mission, duration_s=duration_s, tick_s=min(chosen_s, duration_s)),
        workload=workload,
    )
    return Plan(flown, reason, repeats, text)


def _step(tick_s: float, duration_s: float, step_s: float | None) -> tuple[float, str]:
    if step_s is not None:
        chosen_s, why = step_s, "as asked for"
    elif duration_s <= _FINE_DAYS * SECONDS_PER_DAY or tick_s >= _COARSE_STEP_S:
        chosen_s, why = tick_s, "the scenario's tick"
    else:
        chosen_s, why = _COARSE_STEP_S, f"coarser than the scenario's {tick_s:g} s beyond 2 days"
    return chosen_s, (
        f"{why}; contacts and jobs come at their own times, the edge of an eclipse is off by up to "
        "a step, either way"
    )


def _workload(scenario: Scenario, repeats: int) -> tuple[list[Workload], str]:
    period_s = scenario.mission.duration_s
    flown: list[Workload] = []
    for work in scenario.workload:
        first_s, last_s = work.first_s, work.first_s + (work.count - 1) * work.every_s
        times = repeats if last_s <= period_s else 1
        flown += [
            msgspec.structs.replace(work, first_s=first_s + number * period_s)
            for number in range(times)
        ]
    text = "as written"
    if repeats > 1:
        text = f"repeats every {period_s:g} s (mission.duration_s), {repeats} times"
    return flown, text
