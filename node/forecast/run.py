"""Flies a scenario for a forecast: the real core and loop, everything around them simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from node.config.profile import BoardProfile
from node.config.scenario import Scenario
from node.core.node import NodeCore
from node.forecast.assemble import assemble
from node.forecast.collect import Collector
from node.forecast.model import Flight, Forecast
from node.forecast.plan import plan
from node.simulation.mission import Mission

_PROGRESS_PARTS = 200


def fly(
    scenario: Scenario,
    *,
    days: float | None = None,
    step_s: float | None = None,
    profile: BoardProfile | None = None,
    profile_name: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Forecast:
    """Fly a scenario and sum it up.

    Args:
        scenario: what flies; a profile has been laid over it already.
        days: length of the flight; None flies the scenario's own duration.
        step_s: of the emulation; None chooses one.
        profile: whose figures the board has, to be named in the forecast.
        profile_name: file that it was read from.
        progress: called now and then with the part of the flight that is done, 0 to 1.

    Raises:
        PhysicsError: the orbit cannot be computed to the end of the flight.
    """
    planned = plan(scenario, days, step_s)
    flown = planned.scenario
    duration_s = flown.mission.duration_s
    told = 0

    def observe(core: NodeCore) -> None:
        nonlocal told
        collector.observe(core)
        part = int(_PROGRESS_PARTS * collector.now / duration_s)
        if progress is not None and part > told:
            told = part
            progress(part / _PROGRESS_PARTS)

    mission = Mission(flown, digest=False, snapshots=False, observe=observe)
    core = mission.core
    collector = Collector(core, mission.hands.milestones, duration_s)
    asyncio.run(mission.fly())
    period_s = core.craft.orbit.period_s
    flight = Flight(
        scenario=flown.mission.name,
        epoch_utc=flown.mission.epoch.isoformat().replace("+00:00", "Z"),
        duration_s=duration_s,
        step_s=flown.mission.tick_s,
        step_reason=planned.step_reason,
        period_s=period_s,
        orbits=duration_s / period_s,
        workload_repeats=planned.repeats,
        workload_text=planned.workload_text,
        board="scenario" if profile is None else profile.board,
        board_source="scenario" if profile is None else profile.source,
        profile=profile_name,
        idle_w=core.craft.board_idle_w,
        active_w=core.craft.board_active_w,
    )
    return assemble(flown, flight, mission, collector)
