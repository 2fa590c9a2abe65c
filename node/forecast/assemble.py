"""From the sums of a flight to the forecast."""

from __future__ import annotations

from node.config.scenario import Scenario
from node.core.node import NodeCore
from node.forecast import bottleneck as limits
from node.forecast.ageing import battery_ageing
from node.forecast.collect import Collector
from node.forecast.contacts import direction, link_budget, pass_rows
from node.forecast.latency import ModelOnGround, latency
from node.forecast.metrics import forecast_metrics
from node.forecast.model import (
    BatteryBudget,
    Constraint,
    Energy,
    EnergyBudget,
    Flight,
    Forecast,
    LinkBudget,
    ModeTime,
    NodeTemperature,
    OrbitRow,
    PassRow,
    RadiationBudget,
    Throttling,
)
from node.forecast.plan import SECONDS_PER_DAY
from node.forecast.tallies import Meters
from node.forecast.work import deadline_use, job_budget, model_costs, outcome
from node.report.metrics import divide
from node.report.provenance import assumptions
from node.report.run import LOST
from node.report.verdict import evaluate
from node.simulation.mission import Mission


def assemble(scenario: Scenario, flight: Flight, mission: Mission, seen: Collector) -> Forecast:
    """Make the forecast of a flight that is over.

    Args:
        scenario: as flown.
        flight: what was flown, in words.
        mission: flown to its end.
        seen: the collector that watched it.
    """
    core = mission.core
    series = seen.finish(core)
    days = seen.now / SECONDS_PER_DAY
    jobs = mission.hands.milestones.jobs
    ledger = mission.hands.ground.ledger
    states = {
        job_id: LOST if ledger[job_id].state == LOST else mission.hands.disk.state(job_id)
        for job_id in jobs
    }
    orbits = _orbits(seen)
    energy = _energy(core, seen, orbits)
    battery = _battery(core, seen, orbits)
    temperatures = _temperatures(core, seen)
    ageing = battery_ageing(scenario.battery, seen.turns.points(), days)
    passes = pass_rows(seen.passes, seen.now)
    link = _link(scenario, mission, seen, passes)
    budget = job_budget([outcome(job, states[job_id]) for job_id, job in jobs.items()], days)
    times = latency(
        jobs.values(),
        {
            model.name: ModelOnGround(model.duration_s, model.result_bytes)
            for model in scenario.model
        },
        scenario.terrestrial,
    )
    throttling = _throttling(core, seen)
    constraints = _constraints(scenario, mission, seen, link, energy)
    deadline = deadline_use(jobs.values(), seen.now)
    ranked = limits.rank([*constraints, limits.deadline_constraint(deadline)])
    modes = _modes(seen)
    metrics = forecast_metrics(
        core,
        board_node=scenario.thermal.board_node,
        eclipses=seen.eclipses,
        energy=energy,
        battery=battery,
        ageing=ageing,
        temperatures=temperatures,
        modes=modes,
        link=link,
        passes=passes,
        jobs=budget,
        duplicates=sum(max(0, entry.deliveries - 1) for entry in ledger.values()),
        latency=times,
        constraints=ranked,
        throttling=throttling,
    )
    judged, not_judged = divide(scenario.requirement, "forecast")
    verdicts = evaluate(judged, metrics)
    return Forecast(
        flight=flight,
        energy=energy,
        battery=battery,
        ageing=ageing,
        temperatures=temperatures,
        modes=modes,
        link=link,
        jobs=budget,
        decisions={name: count for name, count in core.totals.decisions.items() if count},
        inference=model_costs(
            [model.name for model in scenario.model],
            jobs.values(),
            core.totals.inferences,
            core.craft.board_idle_w,
            core.craft.board_converter_efficiency,
        ),
        latency=times,
        constraints=ranked,
        bottleneck=limits.bottleneck(ranked),
        throttling=throttling,
        radiation=_radiation(scenario, core, seen, days),
        metrics=metrics,
        verdicts=verdicts,
        not_judged=not_judged,
        passed=all(verdict.passed for verdict in verdicts),
        assumptions=assumptions(scenario),
        orbits=orbits,
        passes=passes,
        series=series,
    )


def _orbits(seen: Collector) -> list[OrbitRow]:
    return [
        OrbitRow(
            number=number,
            start_s=orbit.start_s,
            stop_s=orbit.stop_s,
            whole=orbit.whole,
            energy=orbit.energy,
            min_state_of_charge=orbit.min_state_of_charge,
            end_state_of_charge=orbit.end_state_of_charge,
            depth_of_discharge=orbit.depth_of_discharge,
            eclipse_s=orbit.eclipse_s,
            contact_s=orbit.contact_s,
            max_board_c=orbit.max_board_c,
        )
        for number, orbit in enumerate(seen.orbits)
    ]


def _energy(core: NodeCore, seen: Collector, orbits: list[OrbitRow]) -> EnergyBudget:
    end = Meters.read(core.emulation)
    efficiency = core.craft.board_converter_efficiency
    total = seen.start_meters.until(end, efficiency)
    whole = [orbit for orbit in orbits if orbit.whole]
    if whole:
        spent, count = [orbit.energy for orbit in whole], float(len(whole))
    else:
        spent, count = [total], seen.now / core.craft.orbit.period_s
    per_orbit = Energy(
        **{
            name: sum(getattr(energy, name) for energy in spent) / count
            for name in Energy.__struct_fields__
        }
    )
    needed_wh = total.consumed_wh + total.battery_loss_wh
    margin = total.generated_wh / needed_wh - 1.0 if needed_wh > 0.0 else 0.0
    return EnergyBudget(total=total, per_orbit=per_orbit, margin_ratio=margin)


def _battery(core: NodeCore, seen: Collector, orbits: list[OrbitRow]) -> BatteryBudget:
    depths = [orbit.depth_of_discharge for orbit in orbits if orbit.whole] or [
        orbit.depth_of_discharge for orbit in orbits
    ]
    return BatteryBudget(
        capacity_wh=core.craft.battery.capacity_wh,
        state_of_charge=seen.whole.charge.spread(seen.now),
        initial_state_of_charge=seen.initial_state_of_charge,
        end_state_of_charge=core.emulation.state_of_charge,
        mean_depth_of_discharge=sum(depths) / len(depths),
        max_depth_of_discharge=max(orbit.depth_of_discharge for orbit in orbits),
        brown_outs=core.emulation.brown_outs,
    )


def _temperatures(core: NodeCore, seen: Collector) -> list[NodeTemperature]:
    return [
        NodeTemperature(name, extent.spread(seen.now), index == core.craft.board_node)
        for index, (name, extent) in enumerate(
            zip(core.craft.thermal_names, seen.whole.temperatures, strict=True)
        )
    ]


def _modes(seen: Collector) -> list[ModeTime]:
    modes = [
        ModeTime(
            mode.value,
            seen.mode_s.get(mode, 0.0),
            seen.mode_s.get(mode, 0.0) / seen.now,
            entries,
        )
        for mode, entries in seen.mode_entries.items()
    ]
    return sorted(modes, key=lambda mode: -mode.time_s)


def _throttling(core: NodeCore, seen: Collector) -> Throttling | None:
    if core.clock is None:
        return None
    clock = seen.whole.clock.spread(seen.now)
    ran = seen.running_s > 0.0
    return Throttling(
        throttled_s=core.clock.throttled_s,
        throttled_ratio=core.clock.throttled_s / seen.now,
        clock_ratio=clock,
        running_clock_ratio=seen.running_clock_s / seen.running_s if ran else clock.mean,
    )


def _radiation(
    scenario: Scenario, core: NodeCore, seen: Collector, days: float
) -> RadiationBudget | None:
    upsets = core.emulation.upsets
    if scenario.radiation is None or upsets is None:
        return None
    a_day = upsets.expected_memory_upsets / days
    return RadiationBudget(
        upsets_per_day=a_day,
        uncorrected_upsets_per_day=a_day * (1.0 - scenario.radiation.corrected_ratio),
        interrupts_per_day=upsets.expected_interrupts / days,
        anomaly_time_ratio=seen.anomaly_s / seen.now,
    )


def _link(
    scenario: Scenario, mission: Mission, seen: Collector, passes: list[PassRow]
) -> LinkBudget:
    end_s = seen.now
    days = end_s / SECONDS_PER_DAY
    open_s = sum(tally.open_s for tally in seen.passes)
    result_bytes = {model.name: model.result_bytes for model in scenario.model}
    manifests = [job.manifest for job in mission.hands.milestones.jobs.values()]
    link = mission.hands.link
    uplink = direction(
        "up",
        passes,
        demanded_bytes=sum(manifest.size_bytes for manifest in manifests),
        busy_s=link.uplink_busy_s,
        open_s=open_s,
        days=days,
    )
    downlink = direction(
        "down",
        passes,
        demanded_bytes=sum(result_bytes[manifest.job.model] for manifest in manifests),
        busy_s=link.downlink_busy_s,
        open_s=open_s,
        days=days,
    )
    return link_budget(
        [station.name for station in scenario.ground_station], passes, uplink, downlink, end_s
    )


def _constraints(
    scenario: Scenario,
    mission: Mission,
    seen: Collector,
    link: LinkBudget,
    energy: EnergyBudget,
) -> list[Constraint]:
    core = mission.core
    durations_s = {model.name: model.duration_s for model in scenario.model}
    decisions = core.totals.decisions
    board = seen.whole.temperatures[core.craft.board_node]
    throttled_s = 0.0 if core.clock is None else core.clock.throttled_s
    return [
        limits.link_constraint("uplink", link.uplink),
        limits.link_constraint("downlink", link.downlink),
        limits.compute_constraint(
            sum(
                durations_s[job.manifest.job.model]
                for job in mission.hands.milestones.jobs.values()
            ),
            seen.now,
        ),
        limits.energy_constraint(
            limits.EnergyUse(
                generated_wh=energy.total.generated_wh,
                needed_wh=energy.total.consumed_wh + energy.total.battery_loss_wh,
                min_state_of_charge=seen.whole.charge.minimum,
                reduced_below_soc=scenario.modes.reduced_below_soc,
                held_s=seen.held_s["energy"],
                deferrals=decisions["defer:energy"],
            )
        ),
        limits.heat_constraint(
            limits.HeatUse(
                min_board_c=board.minimum,
                max_board_c=board.maximum,
                limit_c=scenario.modes.reduced_above_board_c,
                held_s=seen.held_s["heat"] + throttled_s,
                deferrals=decisions["defer:heat"],
            )
        ),
    ]
