from __future__ import annotations

from dataclasses import replace

import pytest
from spacecraft import ACTIVE_W, IDLE_W, MASPALOMAS, spacecraft, start

from node.core.emulation import POWER_STALE, Emulation, EmulationState, start_state
from node.core.events import PowerReading, Source
from node.physics.array import YEAR_S
from node.physics.attitude import body_axes_teme
from node.physics.battery import open_circuit_v
from node.physics.surfaces import Surface
from node.physics.thermal import Heater, Node, ThermalSpec

HEATER = Heater("structure", 20.0, 50.0, 60.0)
LINK_S = 400.0
"""In the middle of the pass over Maspalomas."""


def flown(begin: EmulationState | None = None, now: float = 0.0, **changes: object) -> Emulation:
    return Emulation(spacecraft(**changes), begin or start(), now)


def reading(
    wall_s: float, energy_j: float, power_w: float = 6.0, age_s: float = 0.0
) -> PowerReading:
    return PowerReading(power_w, energy_j, wall_s, age_s, Source.MEASURED, "board")


def advance(
    emulation: Emulation,
    now: float,
    power: PowerReading | None = None,
    *,
    rate: float = 1.0,
    powered: bool = True,
    transmitting: bool = False,
    running: bool = False,
) -> None:
    emulation.advance(
        now, power, rate=rate, powered=powered, transmitting=transmitting, running=running
    )


def test_the_beginning_is_seen_at_once() -> None:
    emulation = flown()
    assert emulation.now == 0.0
    assert emulation.illumination == 1.0
    assert emulation.state_of_charge == 0.9
    assert emulation.temperatures_c == (15.0, 15.0)
    assert emulation.bus_v == open_circuit_v(spacecraft().battery, 0.9)


def test_time_does_not_run_back() -> None:
    emulation = flown()
    advance(emulation, 5.0)
    before = emulation.state("nominal", 1)
    advance(emulation, 5.0)
    advance(emulation, 3.0)
    assert emulation.state("nominal", 1) == before


def test_the_power_balance_of_one_step() -> None:
    emulation = flown()
    advance(emulation, 1.0, reading(100.0, 0.0, power_w=9.2))
    assert emulation.board_w == 9.2
    assert emulation.load_w == pytest.approx(9.2 / 0.92 + 5.0)
    # 0.12 m2 at 0.9 x 0.295 in full sunlight, less temperature, age and conversion.
    assert emulation.solar_w == pytest.approx(37.6, abs=1.5)
    assert emulation.battery_w == pytest.approx(emulation.solar_w - emulation.load_w)
    assert emulation.state_of_charge > 0.9
    assert emulation.solar_generated_j == emulation.solar_w
    assert emulation.load_consumed_j == emulation.load_w
    assert emulation.board_consumed_j == 9.2


def test_the_transmitter_draws_from_the_bus() -> None:
    quiet, loud = flown(), flown()
    advance(quiet, 1.0, reading(1.0, 0.0))
    advance(loud, 1.0, reading(1.0, 0.0), transmitting=True)
    assert loud.load_w - quiet.load_w == pytest.approx(8.0)
    assert quiet.standing_load_w(transmitting=True) == pytest.approx(5.0 + 8.0 + IDLE_W / 0.92)
    assert quiet.standing_load_w(transmitting=False) == pytest.approx(5.0 + IDLE_W / 0.92)


def test_without_power_the_board_draws_nothing() -> None:
    emulation = flown()
    advance(emulation, 1.0, reading(1.0, 0.0, power_w=50.0), powered=False, transmitting=True)
    assert (emulation.board_w, emulation.load_w) == (0.0, 0.3)


def test_at_rate_one_a_tick_is_charged_what_was_drawn_in_it() -> None:
    emulation = flown()
    advance(emulation, 1.0, reading(10.0, 100.0))
    advance(emulation, 2.0, reading(11.5, 115.0, power_w=99.0))
    assert emulation.board_w == 10.0
    assert emulation.board_source is Source.MEASURED
    # No time has passed for the reader: its power is all that is known.
    advance(emulation, 3.0, reading(11.5, 115.0, power_w=7.0))
    assert emulation.board_w == 7.0


def test_at_a_higher_rate_joules_are_charged_once_and_idle_for_mission_time() -> None:
    emulation = flown()
    advance(emulation, 10.0, reading(1.0, 0.0), rate=10.0)
    advance(emulation, 20.0, reading(2.0, IDLE_W + 30.0), rate=10.0)
    assert emulation.board_w == pytest.approx(IDLE_W + 3.0)
    # Less than idle is idle.
    advance(emulation, 30.0, reading(3.0, IDLE_W + 31.0), rate=10.0)
    assert emulation.board_w == IDLE_W


@pytest.mark.parametrize(("rate", "between_w"), [(1.0, 9.0), (10.0, IDLE_W)])
def test_a_meter_slower_than_the_tick_is_charged_once(rate: float, between_w: float) -> None:
    emulation = flown()
    step_s = rate
    advance(emulation, step_s, reading(1.0, 0.0, power_w=9.0), rate=rate)
    assert emulation.board_w == between_w
    advance(emulation, 2 * step_s, reading(1.0, 0.0, power_w=9.0), rate=rate)
    assert emulation.board_w == between_w
    advance(emulation, 3 * step_s, reading(3.0, 18.0, power_w=9.0), rate=rate)
    above_j = 18.0 - 2.0 * IDLE_W
    charged_w = 9.0 if rate == 1.0 else IDLE_W + above_j / step_s
    assert emulation.board_w == pytest.approx(charged_w)


@pytest.mark.parametrize(("running", "board_w"), [(False, IDLE_W), (True, ACTIVE_W)])
def test_without_a_reading_the_scenario_is_charged(running: bool, board_w: float) -> None:
    emulation = flown()
    advance(emulation, 1.0, None, running=running)
    assert (emulation.board_w, emulation.board_source) == (board_w, Source.MODELLED)
    assert emulation.faults == {POWER_STALE}
    advance(emulation, 2.0, reading(2.0, 0.0))
    assert emulation.faults == set()


def test_a_stale_reading_is_a_fault() -> None:
    emulation = flown()
    advance(emulation, 1.0, reading(1.0, 0.0, age_s=5.0))
    assert emulation.faults == set()
    advance(emulation, 2.0, reading(1.0, 0.0, age_s=5.01))
    assert emulation.faults == {POWER_STALE}
    assert emulation.board_w == IDLE_W


def test_a_brown_out_is_counted_once() -> None:
    emulation = flown(start(0.001))
    dark = spacecraft(panels=())
    emulation = Emulation(dark, start(0.001), 0.0)
    for step in range(1, 4):
        advance(emulation, 100.0 * step, reading(float(step), 0.0, power_w=60.0))
        assert emulation.brown_out
    assert emulation.brown_outs == 1
    assert emulation.state_of_charge == 0.0


def test_in_a_brown_out_nothing_draws_more_than_there_is() -> None:
    cold = ThermalSpec((Node("board", 180.0), Node("structure", 6000.0)), heaters=(HEATER,))
    emulation = Emulation(spacecraft(panels=(), thermal=cold), start(0.001), 0.0)
    advance(emulation, 100.0, reading(1.0, 0.0, power_w=60.0))
    assert emulation.brown_out
    assert emulation.load_w == pytest.approx(-emulation.battery_w)
    # The spent pack gave its last per mille and no more: 42 As at 6 V, less the resistance.
    assert 200.0 < emulation.load_w * 100.0 < 251.0
    assert emulation.board_w / emulation.load_w == pytest.approx(60.0 / (60.0 / 0.92 + 5.0))
    assert emulation.heater_w == 0.0
    advance(emulation, 200.0, reading(2.0, 0.0, power_w=60.0))
    assert (emulation.load_w, emulation.board_w, emulation.heater_w) == (0.0, 0.0, 0.0)


def test_what_nobody_takes_is_curtailed_and_counted() -> None:
    full, empty = flown(start(1.0)), flown(start(0.5))
    for emulation in (full, empty):
        advance(emulation, 2.0, reading(1.0, 0.0, power_w=9.2))
        gone_w = emulation.load_w + emulation.battery_w + emulation.curtailed_w
        assert gone_w == pytest.approx(emulation.solar_w)
    assert full.curtailed_w == pytest.approx(full.solar_w - full.load_w)
    assert full.solar_curtailed_j == pytest.approx(2.0 * full.curtailed_w)
    assert full.battery_lost_j == full.battery_loss_w == 0.0
    assert empty.curtailed_w == pytest.approx(0.0, abs=1e-9)
    assert empty.battery_lost_j == pytest.approx(2.0 * empty.battery_loss_w)
    assert 0.0 < empty.battery_loss_w < empty.battery_w


def test_what_tracker_and_harness_lose_heats_the_bus_node() -> None:
    # No link, so that all heat of the bus node stays in it.
    apart = ThermalSpec((Node("board", 180.0), Node("structure", 6000.0)))
    emulation = flown(thermal=apart)
    advance(emulation, 60.0, reading(60.0, 0.0, power_w=9.2))
    lost_w = emulation.solar_w * (1.0 / 0.931 - 1.0)
    heat_w = lost_w + 5.0 + 9.2 * (1.0 / 0.92 - 1.0) + emulation.battery_loss_w
    assert emulation.temperatures_c[1] - 15.0 == pytest.approx(heat_w * 60.0 / 6000.0)


def warm_wing(**changes: object) -> Emulation:
    """A satellite whose wing is a thermal node of its own; the Sun shines on the wing alone."""
    (held,) = spacecraft().panels
    wing = replace(held, cell_temperature_c=None, thermal_node="wing")
    front = Surface("wing", 0.12, 0.85, 0.9, 1.0, "panel", panel=wing)
    nodes = (Node("board", 180.0), Node("structure", 6000.0), Node("wing", 300.0))
    figures: dict[str, object] = {
        "panels": (wing,),
        "thermal": ThermalSpec(nodes, surfaces=(front,)),
        "thermal_names": ("board", "structure", "wing"),
        "earth_infrared_w_per_m2": 0.0,
        "albedo_ratio": 0.0,
    }
    begin = EmulationState(0.0, 0.5, (15.0, 15.0, 15.0), "boot", 0)
    return Emulation(spacecraft(**{**figures, **changes}), begin, 0.0)


@pytest.mark.parametrize("health", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("soc", [0.5, 1.0])
def test_light_becomes_heat_or_power_and_never_both(health: float, soc: float) -> None:
    emulation = warm_wing()
    emulation.state_of_charge = soc
    emulation.array_health = health
    advance(emulation, 1.0, reading(1.0, 0.0, power_w=2.0))
    sunlight_w = 0.12 * 1361.0 / emulation.sun.distance_au**2
    taken_w = (emulation.solar_w - emulation.curtailed_w) / 0.931
    radiated_w = 5.670374419e-8 * 0.12 * 0.85 * (288.15**4 - 2.725**4)
    heat_w = 0.9 * sunlight_w - taken_w - radiated_w
    assert 300.0 * (emulation.temperatures_c[2] - 15.0) == pytest.approx(heat_w, rel=2e-3)
    if soc == 1.0 and health > 0.0:
        assert taken_w == pytest.approx(emulation.load_w / 0.931)


def test_cells_work_at_the_temperature_of_their_node() -> None:
    emulation = warm_wing()
    held = flown(panels=(replace(spacecraft().panels[0], cell_temperature_c=15.0),))
    for each in (emulation, held):
        advance(each, 1.0, reading(1.0, 0.0))
    assert emulation.solar_w == pytest.approx(held.solar_w)
    for second in range(2, 900):
        advance(emulation, float(second), reading(float(second), 0.0))
    advance(held, 899.0, reading(2.0, 0.0))
    hot_c = emulation.temperatures_c[2]
    assert 80.0 < hot_c < 110.0
    expected = (1.0 - 0.0022 * (hot_c - 28.0)) / (1.0 + 0.0022 * 13.0)
    assert emulation.solar_w / held.solar_w == pytest.approx(expected, rel=1e-4)


def test_the_array_ages_in_flight() -> None:
    old = flown()
    fresh = flown(panels=(replace(spacecraft().panels[0], degradation_per_year_ratio=0.0),))
    for emulation in (old, fresh):
        advance(emulation, 2000.0, reading(1.0, 0.0))
    assert old.solar_w / fresh.solar_w == pytest.approx(0.975 ** (0.5 + 2000.0 / YEAR_S), rel=1e-12)


def test_a_lost_array_stays_lost_over_a_restart() -> None:
    emulation = flown()
    advance(emulation, 1.0, reading(1.0, 0.0))
    whole_w = emulation.solar_w
    emulation.array_health = 0.25
    again = Emulation(spacecraft(), emulation.state("nominal", 2), 1.0)
    advance(again, 2.0, reading(2.0, 0.0))
    assert again.solar_w == pytest.approx(0.25 * whole_w, rel=1e-4)


def test_what_survives_a_restart() -> None:
    emulation = flown()
    for step in range(1, 20):
        advance(emulation, 10.0 * step, reading(10.0 * step, 200.0 * step))
    saved = emulation.state("reduced", 3)
    assert (saved.mission_s, saved.mode, saved.boots) == (190.0, "reduced", 3)
    again = Emulation(spacecraft(), saved, 190.0)
    assert again.state("reduced", 3) == saved
    assert saved.solar_generated_j > saved.load_consumed_j > saved.board_consumed_j > 0


def test_heat_goes_where_power_goes() -> None:
    emulation = flown()
    advance(emulation, 60.0, reading(60.0, 0.0, power_w=15.0))
    board_c, structure_c = emulation.temperatures_c
    # 900 J into 180 J/K, less what flows on through 3 W/K.
    assert 16.5 < board_c < 20.0
    assert 15.0 < structure_c < board_c


def test_the_link_follows_the_sky() -> None:
    emulation = flown(now=LINK_S)
    view = emulation.look(MASPALOMAS)
    assert 5.0 < view.elevation_deg < 90.0
    uplink_bps, downlink_bps = emulation.link_rates_bps(MASPALOMAS)
    assert 300_000.0 < uplink_bps <= 2e6
    assert 300_000.0 < downlink_bps <= 5e6
    assert flown(now=2000.0).link_rates_bps(MASPALOMAS) == (0.0, 0.0)


def test_where_a_scenario_begins() -> None:
    craft = spacecraft()
    assert start_state(craft) == EmulationState(0.0, 0.9, (15.0, 15.0), "boot", 0)
    assert start_state(replace(craft, initial_soc=0.1501), 7.0).mode == "boot"
    empty = start_state(replace(craft, initial_soc=0.15), 7.0)
    assert (empty.mission_s, empty.mode) == (7.0, "off")


@pytest.mark.parametrize("attitude", ["sun", "nadir", "inertial"])
def test_the_array_turns_with_the_attitude(attitude: str) -> None:
    emulation = flown(attitude=attitude)
    advance(emulation, 1.0, reading(1.0, 0.0))
    axes = body_axes_teme(
        emulation._craft.attitude,
        emulation.r_teme_km,
        emulation.v_teme_km_s,
        emulation.sun[0],
    )
    facing = max(0.0, sum(a * b for a, b in zip(axes[2], emulation.sun[0], strict=True)))
    assert facing == pytest.approx(1.0) if attitude == "sun" else facing < 0.99
    towards_sun = flown()
    advance(towards_sun, 1.0, reading(1.0, 0.0))
    assert emulation.solar_w == pytest.approx(facing * towards_sun.solar_w, abs=1e-6)
