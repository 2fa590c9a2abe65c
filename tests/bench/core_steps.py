"""What one step of the core costs: every model of the emulation, modes and governor included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure

from node.config.build import build_spacecraft
from node.config.load import load_scenario
from node.core.craft import Spacecraft
from node.core.emulation import start_state
from node.core.events import PowerReading, Readings, Restored, Source, Tick
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.physics.array import array_power_w
from node.physics.attitude import body_axes_teme
from node.physics.battery import step as battery_step
from node.physics.shadow import illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable
from node.physics.surfaces import surface_heat_w
from node.physics.thermal import ThermalNetwork

GOAL_STEPS_PER_CPU_S = 100_000.0
_DAY_S = 86_400.0
_SAMPLES = 8
_CALLS = 300
_REPEATS = 5


def new_core(craft: Spacecraft) -> NodeCore:
    """A node that has booted and read an empty store."""
    limits = PayloadLimits(
        max_object_bytes=1 << 28,
        max_jobs=1000,
        thread_count=1,
        converter_efficiency=craft.board_converter_efficiency,
        rate=1.0,
    )
    core = NodeCore(craft, limits, "bench", start_state(craft))
    core.start()
    core.handle(Restored(()), 0.0)
    return core


def idle_tick(craft: Spacecraft, now: float) -> Tick:
    """A tick with the reading of a board at rest."""
    idle_w = craft.board_idle_w
    return Tick(Readings(PowerReading(idle_w, idle_w * now, now, 0.0, Source.MODELLED, "board")))


def fly_once(craft: Spacecraft, duration_s: float) -> float:
    """Fly without jobs; return CPU microseconds a step, the search for passes included."""
    core = new_core(craft)
    steps, now = 0, 0.0
    begun_s = time.process_time()
    while now < duration_s:
        now = core.next_deadline()
        core.handle(idle_tick(craft, now), now)
        steps += 1
    return (time.process_time() - begun_s) / steps * 1e6


def call_us(function: Callable[[], object]) -> float:
    """CPU microseconds of one call, the best of several rounds, the empty call taken off."""

    def best(call: Callable[[], object]) -> float:
        rounds = []
        for _ in range(_REPEATS):
            begun_s = time.process_time()
            for _ in range(_CALLS):
                call()
            rounds.append(time.process_time() - begun_s)
        return min(rounds) / _CALLS * 1e6

    return best(function) - best(lambda: None)


def parts_us(craft: Spacecraft, duration_s: float) -> dict[str, float]:
    """Microseconds of each part, the mean over instants spread over the mission."""
    sums: dict[str, float] = {}
    core = new_core(craft)
    now = 0.0
    for sample in range(_SAMPLES):
        until_s = duration_s * (sample + 0.5) / _SAMPLES
        while now < until_s:
            now = core.next_deadline()
            core.handle(idle_tick(craft, now), now)
        for name, part in _parts(core, now).items():
            sums[name] = sums.get(name, 0.0) + call_us(part) / _SAMPLES
    return sums


def _parts(core: NodeCore, now: float) -> dict[str, Callable[[], object]]:
    craft, emulation = core.craft, core.emulation
    utc_s = craft.epoch_utc_s + now
    sun, table, network = emulation.sun, SunTable(), ThermalNetwork(craft.thermal)
    irradiance = SOLAR_CONSTANT_W_PER_M2 / sun.distance_au**2
    r_teme_km, v_teme_km_s = emulation.r_teme_km, emulation.v_teme_km_s
    axes = body_axes_teme(craft.attitude, r_teme_km, v_teme_km_s, sun.direction_teme)
    soc = emulation.state_of_charge
    thermal = network.initial_state(emulation.temperatures_c)
    heat_w = [1.0] * len(craft.thermal_names)
    lit = emulation.illumination

    def absorbed_w() -> tuple[float, ...]:
        return surface_heat_w(
            craft.thermal.surfaces,
            axes,
            sun.direction_teme,
            r_teme_km,
            irradiance,
            lit,
            craft.earth_infrared_w_per_m2,
            craft.albedo_ratio,
        )

    surface_w = absorbed_w()
    net_w = emulation.solar_w - emulation.load_w
    mode_core = core
    return {
        "orbit (SGP4)": lambda: craft.orbit.state(utc_s),
        "sun": lambda: table.at(utc_s),
        "shadow": lambda: illumination(r_teme_km, sun.direction_teme, sun.distance_au * AU_KM),
        "attitude (if roll matters)": lambda: body_axes_teme(
            craft.attitude, r_teme_km, v_teme_km_s, sun.direction_teme
        ),
        "array": lambda: array_power_w(craft.panels, axes, sun.direction_teme, irradiance * lit),
        "battery": lambda: battery_step(craft.battery, soc, net_w, 1.0, 12.0),
        "surfaces": absorbed_w,
        "thermal network": lambda: network.step(thermal, heat_w, surface_w, 1.0),
        "modes": lambda: mode_core._judge_mode(now),
        "contact plan": lambda: (core._follow_plan(now), core.almanac.next_edge(now)),
        "next deadline": core.next_deadline,
        "tick and readings": lambda: idle_tick(craft, now),
    }


def measure(scenario_path: Path, *, quick: bool) -> tuple[list[Figure], dict[str, object]]:
    """Measure steps per CPU-second, and where the time goes."""
    scenario = load_scenario(scenario_path)
    craft = build_spacecraft(scenario)
    duration_s = scenario.mission.duration_s
    # The search looks a day ahead, so that a day has its full cost and no more.
    flights_us = [fly_once(craft, _DAY_S) for _ in range(2 if quick else 5)]
    best_us = min(flights_us)
    parts = parts_us(craft, duration_s)
    figure = Figure(
        "core steps per CPU-second",
        1e6 / best_us,
        "1/s",
        GOAL_STEPS_PER_CPU_S,
        note=f"best of {len(flights_us)} days: {best_us:.1f} us a step, "
        f"median {statistics.median(flights_us):.1f} us",
    )
    rest_us = best_us - sum(us for name, us in parts.items() if "roll" not in name)
    parts["all else"] = rest_us
    return [figure], {"step_us": flights_us, "parts_us": parts}
