"""The Raspberry Pi of BUPT-1: our flights beside its telemetry.

Each flight is the whole core in freerun with ``scenarios/bupt1.toml``; only the load, the idle draw
of that test and, on the bench, the surroundings differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from math import ceil, exp, sqrt
from pathlib import Path
from statistics import fmean, median

import msgspec
from comparisons.comparison import Comparison
from physics_reference import load_json

from node.config.build import build_orbit, build_spacecraft
from node.config.load import load_scenario
from node.config.scenario import Scenario, SsoOrbit, Workload
from node.config.spacecraft import Thermal, ThermalLink, ThermalNode
from node.core.node import NodeCore
from node.physics.battery import step
from node.physics.orbit import Orbit
from node.physics.shadow import eclipse_events
from node.simulation.mission import Mission

NAME = "bupt1.json"
FACTS = load_json(NAME)
SCENARIO = Path(__file__).parents[3] / "scenarios" / "bupt1.toml"
STRESS_S = 30.0
LOAD_S = 10_800.0
_FITTED = "fitted"
_PREDICTED = "predicted"
_replace = msgspec.structs.replace


@dataclass(frozen=True)
class Sample:
    """The board at the end of one tick."""

    mission_s: float
    die_c: float
    board_w: float
    clock_mhz: float


@dataclass(frozen=True)
class Flight:
    """What a board did, and how long its runs took."""

    samples: Sequence[Sample]
    durations_s: Sequence[float]
    load_begins_s: float
    load_ends_s: float

    def between(self, begin_s: float, end_s: float) -> list[Sample]:
        """The samples of a stretch of time."""
        return [each for each in self.samples if begin_s <= each.mission_s < end_s]

    def loaded(self) -> list[Sample]:
        """The load without its first hour."""
        return self.between(self.load_begins_s + 3600.0, self.load_ends_s)

    def idle(self) -> list[Sample]:
        """The last 1500 s."""
        end_s = self.samples[-1].mission_s
        return self.between(end_s - 1500.0, end_s + 1.0)

    def kelvin_per_watt(self) -> float:
        """Warming from idle to load over the power that it took."""
        loaded, idle = self.loaded(), self.idle()
        warming_k = fmean(s.die_c for s in loaded) - fmean(s.die_c for s in idle)
        return warming_k / (fmean(s.board_w for s in loaded) - fmean(s.board_w for s in idle))

    def reaches_s(self, die_c: float) -> float:
        """When the die first has this temperature; NaN for never."""
        return next((s.mission_s for s in self.samples if s.die_c >= die_c), float("nan"))


def scenario() -> Scenario:
    """The scenario that ships."""
    return load_scenario(SCENARIO)


def with_load(given: Scenario, model: str, begins_s: float, count: int, idle_w: float) -> Scenario:
    """Fly another load, from another time on, over another idle draw."""
    return _replace(
        given,
        board=_replace(given.board, idle_w=idle_w),
        workload=[Workload(model, count, begins_s - 2.0, 0.0, 100)],
    )


def on_the_bench(given: Scenario) -> Scenario:
    """Put the board on a desk: air of one temperature instead of a spacecraft.

    What carries heat off the printed circuit board in orbit goes on doing so; the air takes the
    rest, so that 7.0 K/W come out.
    """
    bench, thermal = FACTS["bench"], given.thermal
    assert given.board.throttle is not None
    inner = next(link for link in thermal.link if link.between == ("board", "pcb"))
    to_room_k_per_w = (
        bench["k_per_w"] - given.board.throttle.die_offset_k_per_w - 1.0 / inner.conductance_w_per_k
    )
    ambient_c = bench["idle_c"] - bench["k_per_w"] * bench["idle_w"]
    nodes = [node for node in thermal.node if node.name in {"board", "pcb"}]
    return _replace(
        given,
        thermal=Thermal(
            node=[*nodes, ThermalNode("structure", 1e9, ambient_c)],
            link=[inner, ThermalLink(("pcb", "structure"), 1.0 / to_room_k_per_w)],
            surface=[],
            board_node="board",
            bus_node="structure",
            earth_infrared_w_per_m2=0.0,
            albedo_ratio=0.0,
        ),
        board=_replace(given.board, active_w=bench["load_w"]),
        model=[
            _replace(model, active_w=bench["load_w"]) if model.name == "stress-4" else model
            for model in given.model
        ],
    )


def fly(given: Scenario) -> Flight:
    """Fly the whole core and take down the board."""
    samples: list[Sample] = []

    def observe(core: NodeCore) -> None:
        emulation, clock = core.emulation, core.clock
        assert clock is not None
        board_c = emulation.temperatures_c[core.craft.board_node]
        board_w = emulation.board_w
        law = clock.law
        samples.append(
            Sample(emulation.now, law.die_c(board_c, board_w), board_w, clock.ratio * law.clock_mhz)
        )

    mission = Mission(given, digest=False, observe=observe)
    asyncio.run(mission.fly())
    runs = [
        (job.started_s, job.finished.mission_s)
        for job in mission.hands.milestones.jobs.values()
        if job.started_s is not None and job.finished is not None
    ]
    return Flight(samples, [end - begin for begin, end in runs], min(runs)[0], max(runs)[1])


@cache
def stress(model: str) -> Flight:
    """One of the stress tests in orbit; on four cores the scenario as it ships."""
    given = scenario()
    if model != "stress-4":
        test = FACTS["stress"][model]
        count = round(LOAD_S / STRESS_S)
        given = with_load(given, model, test["load_begins_s"], count, test["idle_w"])
    return fly(given)


@cache
def bench() -> Flight:
    """The test on four cores on the ground."""
    test = FACTS["stress"]["stress-4"]
    count = round(LOAD_S / STRESS_S)
    idle_w = FACTS["bench"]["idle_w"]
    given = with_load(scenario(), "stress-4", test["load_begins_s"], count, idle_w)
    return fly(on_the_bench(given))


@cache
def inference(model: str) -> Flight:
    """An hour of a detector in orbit; short runs go many to a job, for the speed of the test."""
    given, one_s = scenario(), FACTS["inference"][model]["first_s"]
    run_s = one_s * ceil(STRESS_S / one_s)
    begins_s = FACTS["stress"]["stress-4"]["load_begins_s"]
    given = with_load(given, model, begins_s, round(3600.0 / run_s), given.board.idle_w)
    return fly(
        _replace(
            given,
            mission=_replace(given.mission, duration_s=5800.0),
            model=[
                _replace(each, duration_s=run_s, max_duration_s=4.0 * run_s)
                if each.name == model
                else each
                for each in given.model
            ],
        )
    )


def two_exponentials(times_s: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Time constants of the two exponentials over a constant that fit best, by a search."""
    tried = {
        (fast_s, slow_s): _residual(times_s, values, fast_s, slow_s)
        for fast_s in range(6, 130, 4)
        for slow_s in range(150, 460, 10)
    }
    fast_s, slow_s = min(tried, key=lambda pair: tried[pair])
    return float(fast_s), float(slow_s)


def _residual(
    times_s: Sequence[float], values: Sequence[float], fast_s: float, slow_s: float
) -> float:
    """Sum of squares that is left of the best constant and amplitudes (Gram-Schmidt)."""
    left = list(values)
    basis: list[list[float]] = []
    for given in (
        [1.0] * len(left),
        [exp(-at / slow_s) for at in times_s],
        [exp(-at / fast_s) for at in times_s],
    ):
        column = given
        for other in basis:
            part = _dot(column, other)
            column = [a - part * b for a, b in zip(column, other, strict=True)]
        length = sqrt(_dot(column, column))
        basis.append([each / length for each in column])
        part = _dot(left, basis[-1])
        left = [a - part * b for a, b in zip(left, basis[-1], strict=True)]
    return _dot(left, left)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _row(
    what: str,
    unit: str,
    ours: float,
    reference: float,
    tolerance: float,
    note: str,
    *,
    relative: bool = False,
) -> Comparison:
    return Comparison(
        what, unit, ours, reference, tolerance, "relative" if relative else "absolute", NAME, note
    )


def throttling() -> list[Comparison]:
    """The test on four cores, to which the network is fitted, and the same load on the bench."""
    orbit, facts = stress("stress-4"), FACTS["stress"]["stress-4"]
    desk, ground = bench(), FACTS["bench"]
    loaded, idle = orbit.loaded(), orbit.idle()
    curve_k = [
        next(s.die_c for s in orbit.samples if s.mission_s >= at_s) - die_c
        for at_s, die_c in FACTS["stress_4_curve_c"]
    ]
    rms_k = sqrt(fmean(k * k for k in curve_k))
    desk_c = fmean(s.die_c for s in desk.loaded())
    return [
        _row(
            "4 cores in orbit, switch-on to 80 C",
            "s",
            orbit.reaches_s(80.0),
            facts["to_80_c_s"],
            0.1,
            _FITTED,
            relative=True,
        ),
        _row(
            "4 cores in orbit, load to 80 C",
            "s",
            orbit.reaches_s(80.0) - orbit.load_begins_s,
            facts["to_80_c_s"] - facts["load_begins_s"],
            0.1,
            _FITTED,
            relative=True,
        ),
        _row(
            "4 cores in orbit, settled die",
            "C",
            fmean(s.die_c for s in loaded),
            facts["load_c"],
            2.0,
            _FITTED,
        ),
        _row(
            "4 cores in orbit, settled clock",
            "MHz",
            fmean(s.clock_mhz for s in loaded),
            facts["clock_mhz"],
            0.03,
            _FITTED,
            relative=True,
        ),
        _row(
            "4 cores in orbit, settled power",
            "W",
            fmean(s.board_w for s in loaded),
            facts["load_w"],
            0.03,
            _FITTED,
            relative=True,
        ),
        _row(
            "4 cores in orbit, idle die afterwards",
            "C",
            fmean(s.die_c for s in idle),
            facts["idle_c"],
            2.0,
            _FITTED,
        ),
        _row(
            f"4 cores in orbit, heating and cooling, rms of {len(curve_k)} instants",
            "K",
            rms_k,
            0.0,
            2.0,
            _FITTED,
        ),
        _row("4 cores on the bench, settled die", "C", desk_c, ground["load_c"], 2.0, _FITTED),
        _row(
            "4 cores on the bench, lowest clock",
            "MHz",
            min(s.clock_mhz for s in desk.samples),
            ground["clock_mhz"],
            0.0,
            _PREDICTED,
        ),
    ]


def fewer_cores() -> list[Comparison]:
    """The tests on one to three cores and what their records show of the network."""
    rows: list[Comparison] = []
    for model, facts in FACTS["stress"].items():
        if model == "stress-4":
            continue
        flight, cores = stress(model), f"{model[-1]} cores in orbit".replace("1 cores", "1 core")
        loaded = flight.loaded()
        die_c = fmean(s.die_c for s in loaded)
        rows.append(_row(f"{cores}, settled die", "C", die_c, facts["load_c"], 2.0, _PREDICTED))
        rows.append(
            _row(
                f"{cores}, settled clock",
                "MHz",
                fmean(s.clock_mhz for s in loaded),
                facts["clock_mhz"],
                0.03,
                "the clock's law is fitted through this point" if model[-1] == "3" else _PREDICTED,
                relative=True,
            )
        )
        if model[-1] == "3":
            rows.append(
                _row(
                    f"{cores}, switch-on to 80 C",
                    "s",
                    flight.reaches_s(80.0),
                    facts["to_80_c_s"],
                    0.2,
                    f"{_PREDICTED}; it settles so near to 80 C that 1 K is more than 100 s",
                    relative=True,
                )
            )
        else:
            rows.append(
                _row(
                    f"{cores}, die over power from idle to load",
                    "K/W",
                    flight.kelvin_per_watt(),
                    FACTS["unthrottled_k_per_w"],
                    0.4,
                    f"{_PREDICTED} and missed: the record's idle figure is of the warm part of an "
                    "orbit; see the fall at the end of the load",
                    relative=True,
                )
            )
    return rows


def cooling() -> list[Comparison]:
    """The fall of the die after the load, and its two time constants in the first 1800 s."""
    rows: list[Comparison] = []
    for model, facts in FACTS["stress"].items():
        flight = stress(model)
        begin_s = flight.load_ends_s
        cores = f"{model[-1]} cores in orbit".replace("1 cores", "1 core")
        before, last = (
            flight.between(begin_s - 300.0, begin_s),
            flight.between(begin_s + 1.0, begin_s + 2000.0),
        )
        fall_k = fmean(s.die_c for s in before) - min(s.die_c for s in last)
        fall_w = fmean(s.board_w for s in before) - last[-1].board_w
        rows.append(
            _row(
                f"{cores}, fall of the die over that of power when the load ends",
                "K/W",
                fall_k / fall_w,
                facts["fall_k_per_w"],
                0.1,
                _FITTED if model == "stress-4" else _PREDICTED,
                relative=True,
            )
        )
        if "cooling_s" not in facts:
            continue
        after = flight.between(begin_s + 2.0, begin_s + 1800.0)[::20]
        found = two_exponentials([s.mission_s - begin_s for s in after], [s.die_c for s in after])
        missed = f"{_PREDICTED} and missed; another fit of the same record gives 34 s and 310 s"
        for which, ours_s, published_s, tolerance_s in zip(
            ("fast", "slow"), found, facts["cooling_s"], (60.0, 110.0), strict=True
        ):
            note = missed if model == "stress-2" and which == "slow" else _PREDICTED
            rows.append(
                _row(
                    f"{cores}, {which} cooling",
                    "s",
                    ours_s,
                    published_s,
                    tolerance_s,
                    note,
                )
            )
    return rows


def detectors() -> list[Comparison]:
    """Two detectors that flew for an hour; nothing is fitted to them but their full power."""
    rows: list[Comparison] = []
    for model in ("yolov3-544", "yolo-fastest"):
        facts, flight = FACTS["inference"][model], inference(model)
        tenth = len(flight.durations_s) // 10
        first_s, last_s = (
            median(flight.durations_s[:tenth]),
            median(flight.durations_s[-tenth:]),
        )
        late = flight.between(flight.load_ends_s - 1800.0, flight.load_ends_s)
        clock_mhz = fmean(s.clock_mhz for s in late)
        rows += [
            _row(
                f"{model} in orbit, last runs over first",
                "",
                last_s / first_s,
                facts["last_s"] / facts["first_s"],
                0.05,
                _PREDICTED,
            ),
            _row(
                f"{model} in orbit, clock of the last half hour",
                "MHz",
                clock_mhz,
                facts["clock_mhz"],
                0.05,
                _PREDICTED,
                relative=True,
            ),
            _row(
                f"{model} in orbit, die of the last half hour",
                "C",
                fmean(s.die_c for s in late),
                facts["load_c"],
                2.0,
                _PREDICTED,
            ),
        ]
    return rows


def battery() -> list[Comparison]:
    """A discharge and a charge of the pack as on the bench."""
    facts = FACTS["battery"]
    spec = build_spacecraft(scenario()).battery
    soc, dt_s = 1.0, 10.0
    given_wh = given_ah = taken_wh = taken_ah = 0.0
    volts = first_v = spec.max_v - spec.resistance_ohm * facts["discharge_a"]
    while soc > 0.0 and volts > facts["discharge_last_v"]:
        done = step(spec, soc, -volts * facts["discharge_a"], dt_s, 20.0)
        soc, volts = done.soc, done.terminal_v
        given_wh -= done.battery_power_w * dt_s / 3600.0
        given_ah += done.current_a * dt_s / 3600.0
    full = soc
    amperes = facts["charge_a"]
    while amperes > facts["charge_end_a"]:
        done = step(spec, full, min(volts, spec.max_v) * facts["charge_a"], dt_s, 20.0)
        full, volts, amperes = done.soc, done.terminal_v, -done.current_a
        taken_wh += done.battery_power_w * dt_s / 3600.0
        taken_ah += amperes * dt_s / 3600.0
    # What a charge brings back, of what it takes.
    back = (1.0 - soc) / (full - soc)
    energy = given_wh / (taken_wh * back)
    return [
        _row(
            "pack, energy of a discharge",
            "Wh",
            given_wh,
            facts["discharge_wh"],
            0.02,
            _FITTED,
            relative=True,
        ),
        _row(
            "pack, charge of a discharge",
            "Ah",
            given_ah,
            facts["discharge_ah"],
            0.02,
            _FITTED,
            relative=True,
        ),
        _row(
            "pack, energy of a charge",
            "Wh",
            taken_wh,
            facts["charge_wh"],
            0.02,
            _FITTED,
            relative=True,
        ),
        _row("pack, energy round trip", "", energy, facts["energy_ratio"], 0.01, _PREDICTED),
        _row(
            "pack, charge round trip",
            "",
            given_ah / (taken_ah * back),
            facts["coulombic_ratio"],
            0.002,
            _FITTED,
        ),
        _row("pack, full, under load", "V", first_v, facts["discharge_first_v"], 0.1, _FITTED),
    ]


def orbit() -> list[Comparison]:
    """Period and eclipses."""
    facts, given = FACTS["orbit"], scenario()
    assert isinstance(given.orbit, SsoOrbit)
    altitude_km = given.orbit.altitude_km
    # The Sun crosses the plane of an orbit with its node at noon about an equinox.
    march_s = datetime(2023, 3, 2, tzinfo=timezone.utc).timestamp()
    noon = Orbit.from_sso(altitude_km, 12.0, 0.001, 0.0, march_s)
    longest_s = max(_dark_s(noon, march_s + day * 86_400.0) for day in range(0, 80, 4))
    flown = Orbit.from_sso(altitude_km, given.orbit.ltan_h, 0.001, 0.0, march_s)
    return [
        _row("period", "s", build_orbit(given).period_s, facts["period_s"], 2.0, _FITTED),
        _row(
            "longest eclipse",
            "min",
            longest_s / 60.0,
            facts["longest_eclipse_min"],
            0.2,
            f"{_PREDICTED}; of a cylinder of shadow",
        ),
        _row(
            "array dark on 2023-03-02",
            "min",
            _dark_s(flown, march_s) / 60.0,
            facts["dark_2023_03_02_min"],
            1.5,
            f"{_PREDICTED}; the node is assumed",
        ),
    ]


def _dark_s(satellite: Orbit, utc_s: float) -> float:
    """Length of the first whole eclipse from ``utc_s`` on, penumbra included."""
    events = eclipse_events(satellite, utc_s, utc_s + 3.0 * satellite.period_s)
    begin_s = next(each.utc_s for each in events if each.kind == "penumbra_entry")
    end_s = next(
        each.utc_s for each in events if each.kind == "penumbra_exit" and each.utc_s > begin_s
    )
    return end_s - begin_s
