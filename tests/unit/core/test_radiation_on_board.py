"""What radiation does to the node: it is counted, told, and kills the worker."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from spacecraft import Flight, only, spacecraft, start

from node.core import effects
from node.core.craft import Spacecraft
from node.core.emulation import EmulationState
from node.core.modes import OperatingMode
from node.core.upsets import UpsetState
from node.icd import EventReport
from node.physics.frames import geodetic_from_ecef
from node.physics.proton_map import proton_flux_per_cm2_s
from node.physics.radiation import RadiationSpec

SPEC = RadiationSpec(
    memory_bits=1e9,
    memory_proton_cross_section_cm2_per_bit=1e-14,
    memory_cosmic_ray_upsets_per_bit_day=3e-5,
    corrected_ratio=0.5,
    device_proton_cross_section_cm2=1e-6,
    device_cosmic_ray_interrupts_per_day=3000.0,
    flux_ratio=1.0,
    seed=3,
)


def irradiated(spec: RadiationSpec = SPEC) -> Spacecraft:
    return spacecraft(radiation=spec)


def reports(done: list[effects.Effect], code: str) -> list[EventReport]:
    return [
        effect.message
        for effect in only(effects.Publish, done)
        if isinstance(effect.message, EventReport) and effect.message.code == code
    ]


def test_without_radiation_there_is_none() -> None:
    flight = Flight()
    flight.boot()
    assert flight.core.emulation.upsets is None
    assert flight.core.snapshot().radiation is None
    assert flight.core.emulation_state().upsets == UpsetState()


def test_the_picture_is_of_this_place() -> None:
    flight = Flight(craft=irradiated())
    flight.boot()
    flight.fly(700.0)
    snapshot = flight.core.snapshot()
    seen, upsets = snapshot.radiation, flight.core.emulation.upsets
    assert seen is not None
    assert upsets is not None
    place = geodetic_from_ecef(flight.core.emulation.r_ecef_km)
    # Half-way between two instants of the track, the rates are half-way too.
    flux_per_cm2_s = proton_flux_per_cm2_s(*place, snapshot.utc_s)
    assert seen.proton_flux_per_cm2_s == pytest.approx(flux_per_cm2_s, rel=0.1)
    assert seen.in_saa == (seen.proton_flux_per_cm2_s > 10.0)
    assert seen.cutoff_rigidity_gv == upsets.exposure.cutoff_rigidity_gv > 0.0
    assert seen.memory_upsets_per_s == upsets.exposure.memory_upsets_per_s > 0.0
    assert (seen.corrected, seen.uncorrected, seen.interrupts) == (
        upsets.corrected,
        upsets.uncorrected,
        upsets.interrupts,
    )
    assert min(seen.corrected, seen.uncorrected, seen.interrupts) > 0


def test_the_anomaly_is_where_the_flux_is_high() -> None:
    flight = Flight(craft=irradiated(replace(SPEC, memory_bits=0.0, flux_ratio=1e-3)))
    flight.boot()
    seen = []
    for at_s in range(60, 12_000, 60):
        flight.tick(float(at_s))
        picture = flight.core.snapshot().radiation
        assert picture is not None
        seen.append((picture.in_saa, picture.proton_flux_per_cm2_s))
    assert not any(inside for inside, _ in seen), "at a thousandth of the flux"
    assert max(flux for _, flux in seen) > 0.1


def test_an_interrupt_kills_the_worker_and_is_told() -> None:
    flight = Flight(craft=irradiated())
    flight.boot()
    done = flight.fly(1200.0)
    told = reports(done, "functional-interrupt")
    assert len(told) == 5
    assert told[0].text == "1 modelled, the worker is killed"
    assert told[0].severity == "warning"
    assert only(effects.KillWorker, done) == [effects.KillWorker()] * len(told)
    assert flight.mode is OperatingMode.NOMINAL


def test_many_interrupts_in_one_step_kill_once() -> None:
    flight = Flight(craft=irradiated())
    flight.boot()
    upsets = flight.core.emulation.upsets
    assert upsets is not None
    before = upsets.interrupts
    done = flight.tick(1000.0)
    several = upsets.interrupts - before
    assert several > 3
    text = f"{several} modelled, the worker is killed"
    assert [each.text for each in reports(done, "functional-interrupt")] == [text]
    assert only(effects.KillWorker, done) == [effects.KillWorker()]


def test_an_uncorrected_upset_is_told_and_stops_nothing() -> None:
    flight = Flight(craft=irradiated(replace(SPEC, device_cosmic_ray_interrupts_per_day=0.0)))
    flight.boot()
    flight.tick(60.0)
    upsets = flight.core.emulation.upsets
    assert upsets is not None
    before = upsets.uncorrected
    done = flight.tick(400.0)
    several = upsets.uncorrected - before
    assert several > 10
    told = reports(done, "memory-upset")
    assert [each.text for each in told] == [f"{several} uncorrected, modelled"]
    assert only(effects.KillWorker, done) == []


def test_what_is_corrected_is_not_told() -> None:
    spec = replace(SPEC, corrected_ratio=1.0, device_cosmic_ray_interrupts_per_day=0.0)
    flight = Flight(craft=irradiated(spec))
    flight.boot()
    done = flight.fly(600.0)
    assert reports(done, "memory-upset") == []
    seen = flight.core.snapshot().radiation
    assert seen is not None
    assert seen.corrected > 20
    assert seen.uncorrected == 0


def test_while_off_nothing_counts() -> None:
    craft = replace(irradiated(), panels=())
    flight = Flight(craft=craft, begin=start(0.1, "off"))
    done = flight.fly(2000.0)
    assert flight.mode is OperatingMode.OFF
    seen = flight.core.snapshot().radiation
    assert seen is not None
    assert (seen.corrected, seen.uncorrected, seen.interrupts) == (0, 0, 0)
    assert seen.memory_upsets_per_s > 0.0, "the rate is that of the place"
    assert only(effects.KillWorker, done) == []


def test_a_restart_of_the_daemon_keeps_counts_and_hazard() -> None:
    flight = Flight(craft=irradiated())
    flight.boot()
    flight.fly(300.0)
    saved = flight.core.emulation_state()
    assert saved.upsets.interrupts > 0
    restored = msgspec.convert(msgspec.to_builtins(saved), EmulationState)
    again = Flight(craft=irradiated(), begin=restored)
    assert again.core.emulation_state().upsets == saved.upsets
    assert only(effects.KillWorker, again.log) == []


def test_a_state_from_before_radiation_flew_is_taken_up() -> None:
    old = msgspec.to_builtins(start())
    del old["upsets"]
    assert msgspec.convert(old, EmulationState).upsets == UpsetState()


def test_time_that_stands_still_upsets_nothing() -> None:
    flight = Flight(craft=irradiated())
    flight.boot()
    flight.tick(600.0)
    state = flight.core.emulation_state().upsets
    done = flight.tick(600.0)
    assert flight.core.emulation_state().upsets == state
    assert reports(done, "functional-interrupt") == reports(done, "memory-upset") == []


@pytest.mark.parametrize("step_s", [1.0, 7.0, 60.0])
def test_counts_do_not_hang_on_the_tick(step_s: float) -> None:
    flight = Flight(craft=replace(irradiated(), tick_s=step_s))
    flight.boot()
    flight.fly(2400.0)
    seen = flight.core.snapshot().radiation
    assert seen is not None
    assert seen.corrected + seen.uncorrected == pytest.approx(205, abs=1)
