"""Stories of a node, told in literal times."""

from __future__ import annotations

import pytest
from spacecraft import (
    IDLE_W,
    Flight,
    ScriptedAlmanac,
    limits,
    offer,
    only,
    report,
    result_of,
    spacecraft,
    start,
)

from node.core import effects, events
from node.core.craft import ScheduledFault
from node.core.events import (
    Hardware,
    RailReading,
    Readings,
    Source,
    StoredJob,
    TemperatureReading,
)
from node.core.modes import OperatingMode
from node.core.node import NodeCore
from node.errors import TransitionError
from node.icd import EventReport, Hello, Housekeeping, Receipt
from node.physics.thermal import Link, Node, ThermalSpec

CONTACT = (100.0, 700.0)
"""The modem locks at 115 s; goodbye is said at 695 s."""


def reported(flight: Flight, code: str) -> list[str]:
    messages = [effect.message for effect in only(effects.Publish, flight.log)]
    return [each.text for each in messages if isinstance(each, EventReport) and each.code == code]


def mode_changes(flight: Flight) -> list[str]:
    return reported(flight, "mode")


def until_off(flight: Flight) -> list[effects.Effect]:
    done: list[effects.Effect] = []
    while flight.mode is not OperatingMode.OFF:
        done += flight.fly(flight.now + 1.0)
    return done


def test_a_boot_reads_the_disk_and_waits_for_its_time() -> None:
    flight = Flight()
    assert flight.log == [effects.Restore()]
    assert flight.core.start() == []
    assert (flight.mode, flight.core.boots) == (OperatingMode.BOOT, 1)
    flight.fly(30.0)
    # The boot time is over, but the store has not been read.
    assert flight.mode is OperatingMode.BOOT
    flight.tell(events.Restored(()))
    flight.fly(33.0)
    assert mode_changes(flight) == [
        "boot to safe: boot-complete",
        "safe to reduced: recovered-to-reduced",
        "reduced to nominal: recovered-to-nominal",
    ]
    assert only(effects.ApplyPowerMode, flight.log) == [
        effects.ApplyPowerMode(None),
        effects.ApplyPowerMode(8.0),
        effects.ApplyPowerMode(None),
    ]


def test_from_offer_to_release() -> None:
    flight = Flight([CONTACT])
    flight.boot()
    assert flight.fly(114.0) == []
    assert flight.core.next_deadline() == 115.0
    assert only(effects.OpenLink, flight.fly(115.0)) == [effects.OpenLink("svalbard", 700.0)]
    flight.now = 116.0
    [hello] = only(effects.SendHello, flight.meet())
    assert hello.hello == Hello("test-1", 116.0, [])
    job = offer("a", 3000)
    # The offer is answered once it is on disk, and its input is pulled at once.
    flight.tell(events.ManifestReceived(job), 117.0)
    done = flight.tell(events.ManifestStored(job, "received", (), known=False), 117.01)
    assert [type(effect) for effect in done] == [
        effects.SendAck,
        effects.SendPull,
        effects.SendPull,
    ]
    done = flight.tell(events.ChunkStored(job.object_id, (0, 2500), complete=False), 117.5)
    assert [effect.pull.spans for effect in only(effects.SendPull, done)] == []
    done = flight.tell(events.ChunkStored(job.object_id, (2500, 3000), complete=True), 118.0)
    assert [type(effect) for effect in done] == [
        effects.SendReceipt,
        effects.StoreJobState,
        effects.StartJob,
    ]
    done = flight.tell(events.JobFinished("a", report()), 118.6)
    assert only(effects.StoreResult, done) == [effects.StoreResult(job.job, report())]
    result = result_of(job)
    done = flight.tell(events.ResultStored(result), 118.7)
    assert only(effects.SendManifest, done) == [effects.SendManifest(result)]
    assert only(effects.SendChunk, done) == [effects.SendChunk(result.object_id, (0, 2000))]
    whole = Receipt(result.object_id, [], complete=True, jobs=["a"])
    done = flight.tell(events.ReceiptReceived(whole), 119.0)
    assert done == [effects.ReleaseResult("a", result.object_id)]
    flight.tell(events.ResultReleased("a"))
    assert flight.states == {"delivered": 1}
    done = flight.fly(700.0)
    assert len(only(effects.CloseLink, done)) == 1
    assert flight.core.comms.contact is None
    flight.tell(events.LinkDown("goodbye"))
    assert flight.core.comms.link_up is False


def test_a_pass_that_ends_in_the_middle_of_an_input_goes_on_in_the_next() -> None:
    flight = Flight([CONTACT, (2000.0, 2500.0)])
    flight.boot()
    flight.fly(116.0)
    flight.meet()
    job = offer("a", 100_000)
    flight.tell(events.ManifestReceived(job))
    flight.tell(events.ManifestStored(job, "received", (), known=False))
    flight.tell(events.ChunkStored(job.object_id, (0, 40_000), complete=False))
    flight.fly(696.0)
    flight.tell(events.LinkDown("goodbye"))
    assert only(effects.SendPull, flight.fly(2016.0)) == []
    done = flight.meet()
    [hello] = only(effects.SendHello, done)
    assert hello.hello.open[0].held == [(0, 40_000)]
    assert only(effects.SendPull, done)[0].pull.spans == [(40_000, 42_500)]


def test_a_power_loss_takes_what_was_in_ram_and_nothing_that_was_on_disk() -> None:
    flight = Flight([(100.0, 5000.0)], craft=spacecraft(panels=()), begin=start(0.63))
    flight.boot()
    flight.fly(116.0)
    flight.meet()
    first, second = offer("first", 3000), offer("second", 3000)
    flight.take(first)
    flight.take(second)
    done = flight.tell(events.JobFinished("first", report()))
    assert flight.states == {"running": 2}
    assert len(only(effects.StartJob, done)) == 1
    flight.tell(events.ResultStored(result_of(first)))
    down = flight.core.snapshot().link

    # A load that this battery does not hold for long.
    flight.board_w = 100.0
    done = until_off(flight)
    assert only(effects.PowerOff, done) == [effects.PowerOff()]
    lost_s = flight.core.mode_since_s
    assert flight.core.payload.run is None
    assert flight.states == {}
    # Without power the board draws nothing, whatever the bench reads.
    flight.fly(lost_s + 60.0)
    assert flight.core.emulation.board_w == 0.0

    # What was asked for before the loss is answered now: nobody is there to hear it.
    soc = flight.core.emulation.state_of_charge
    for late in (
        events.LinkUp(),
        events.LinkDown("power loss"),
        events.HelloReceived(Hello("ground-1", 0.0, [])),
        events.ReceiptReceived(Receipt(first.object_id, [], complete=True)),
        events.ManifestReceived(offer("third")),
        events.ManifestStored(offer("third"), "received", (), known=False),
        events.ChunkStored(second.object_id, (0, 3000), complete=True),
        events.ObjectRefused(second.object_id, "late"),
        events.JobFinished("second", report()),
        events.JobFailed("second", "killed", False, None, 0.0, True),
        events.ResultStored(result_of(second)),
        events.ResultReleased("first"),
        events.Restored(()),
        events.Telecommand("mode", "nominal"),
    ):
        assert flight.tell(late) == []
    assert (flight.mode, flight.states) == (OperatingMode.OFF, {})
    assert flight.core.emulation.state_of_charge == soc
    snapshot = flight.core.snapshot()
    assert not snapshot.link.up
    assert snapshot.link.payload_up_bytes == down.payload_up_bytes == 6000
    assert snapshot.link.sessions == 1
    assert snapshot.jobs.inferences["clouds|ok"] == 1


def test_the_node_boots_again_from_the_disk_alone() -> None:
    flight = Flight([(100.0, 5000.0)], begin=start(0.1, "off"), craft=spacecraft())
    assert flight.log == []
    assert (flight.mode, flight.core.boots) == (OperatingMode.OFF, 0)
    flight.fly(20_000.0)
    booting = [effect for effect in flight.log if not isinstance(effect, effects.Publish)]
    assert booting == [effects.PowerOn(), effects.Restore()]
    assert (flight.mode, flight.core.boots) == (OperatingMode.BOOT, 1)
    assert flight.core.mode_cause == "power-recovered"
    assert flight.core.emulation.state_of_charge >= 0.3
    # The answer of the worker of before finds no run.
    assert flight.tell(events.JobFinished("ran", report())) == []
    assert flight.tell(events.LinkUp()) == []
    ran, done_job = offer("ran"), offer("done")
    flight.tell(
        events.Restored(
            (
                StoredJob(ran, "queued", None, ((0, 1000),)),
                StoredJob(done_job, "stored", result_of(done_job), ()),
            )
        )
    )
    # It waits for a mode that allows it to run.
    assert flight.states == {"deferred": 1, "stored": 1}
    assert only(effects.StartJob, flight.log) == []


@pytest.mark.parametrize(
    ("soc", "load_w", "cause"), [(0.2, 60.0, "charge-empty"), (0.16, 2000.0, "brown-out")]
)
def test_power_is_lost_in_any_mode_that_has_it(soc: float, load_w: float, cause: str) -> None:
    flight = Flight(begin=start(soc), craft=spacecraft(panels=()))
    flight.board_w = load_w
    until_off(flight)
    assert flight.core.mode_cause == cause
    assert flight.core.emulation.brown_outs == (cause == "brown-out")


def test_boot_ids_count_the_emulated_boots() -> None:
    flight = Flight([(0.0, 50_000.0)], begin=start(0.151), craft=spacecraft())
    flight.board_w = 100.0
    until_off(flight)
    flight.board_w = IDLE_W
    while flight.mode is OperatingMode.OFF:
        flight.fly(flight.now + 60.0)
    flight.tell(events.Restored(()))
    flight.fly(flight.now + 25.0)
    assert flight.core.boots == 2
    [hello] = only(effects.SendHello, flight.tell(events.LinkUp()))
    assert hello.hello.boot_id == "test-2"


def test_safe_stops_the_run_and_keeps_the_radio() -> None:
    flight = Flight([CONTACT])
    flight.boot()
    flight.fly(116.0)
    flight.meet()
    flight.take(offer("a"))
    done = flight.tell(events.Telecommand("mode", "safe"))
    assert flight.mode is OperatingMode.SAFE
    assert only(effects.AbortJob, done) == [effects.AbortJob("a", "mode safe")]
    assert only(effects.CloseLink, done) == []
    flight.tell(events.JobFailed("a", "terminated", True, 0.01, 1.0, False))
    # An order holds, however full the battery.
    assert only(effects.StartJob, flight.fly(200.0)) == []
    assert flight.mode is OperatingMode.SAFE
    done = flight.tell(events.Telecommand("mode", "nominal"))
    assert flight.core.mode_cause == "command-nominal"
    assert [effect.job.job_id for effect in only(effects.StartJob, done)] == ["a"]


def test_an_order_that_cannot_follow_raises_and_changes_nothing() -> None:
    flight = Flight()
    flight.boot()
    before = (flight.mode, flight.core.mode_since_s, flight.core.mode_cause)
    with pytest.raises(TransitionError):
        flight.tell(events.Telecommand("mode", "nominal"))
    assert (flight.mode, flight.core.mode_since_s, flight.core.mode_cause) == before
    flight.tell(events.Telecommand("mode", "safe"))
    with pytest.raises(TransitionError):
        flight.tell(events.Telecommand("mode", "safe"))
    flight.fly(60.0)
    assert flight.mode is OperatingMode.SAFE


def test_heat_lowers_the_mode_and_cooling_lifts_it() -> None:
    loose = ThermalSpec(
        (Node("board", 180.0), Node("structure", 6000.0)), (Link(("board", "structure"), 0.5),)
    )
    craft = spacecraft(thermal=loose, reduced_power_ceiling_w=100.0)
    flight = Flight(craft=craft, begin=start(0.9))
    flight.boot()
    flight.board_w = 60.0
    flight.fly(800.0)
    assert mode_changes(flight)[3:] == [
        "nominal to reduced: board-warm",
        "reduced to safe: board-too-hot",
    ]
    flight.board_w = 0.0
    flight.fly(3000.0)
    assert mode_changes(flight)[5:] == [
        "safe to reduced: recovered-to-reduced",
        "reduced to nominal: recovered-to-nominal",
    ]


def test_faults_of_the_scenario_strike_at_their_time() -> None:
    faults = (
        ScheduledFault(40.5, "array_loss", 0.6),
        ScheduledFault(40.5, "worker_kill", 0.0),
        ScheduledFault(50.0, "safe_mode", 0.0),
        ScheduledFault(55.0, "safe_mode", 0.0),
    )
    flight = Flight(craft=spacecraft(faults=faults))
    flight.boot()
    assert only(effects.KillWorker, flight.fly(40.4)) == []
    assert flight.core.next_deadline() == 40.5
    done = flight.fly(40.5)
    assert only(effects.KillWorker, done) == [effects.KillWorker()]
    assert flight.core.emulation.array_health == pytest.approx(0.4)
    flight.fly(100.0)
    # A fault holds SAFE until an order lifts it.
    assert flight.mode is OperatingMode.SAFE
    assert mode_changes(flight)[3:] == ["nominal to safe: fault-safe"]
    struck = ["array_loss 0.6", "worker_kill 0", "safe_mode 0", "safe_mode 0"]
    assert reported(flight, "fault") == struck
    flight.tell(events.Telecommand("mode", "reduced"))
    flight.fly(103.0)
    assert flight.core.mode_cause == "recovered-to-nominal"


def test_faults_of_before_the_start_do_not_strike_again() -> None:
    faults = (ScheduledFault(10.0, "worker_kill", 0.0), ScheduledFault(90.0, "worker_kill", 0.0))
    core = NodeCore(spacecraft(faults=faults), limits(), "test", start(), now=50.0)
    assert only(effects.KillWorker, core.handle(events.Tick(Readings()), 50.0)) == []
    assert len(only(effects.KillWorker, core.handle(events.Tick(Readings()), 90.0))) == 1


def test_a_fault_strikes_a_node_without_power_too() -> None:
    flight = Flight(begin=start(0.1, "off"), craft=spacecraft(panels=()))
    done = flight.tell(events.FaultInjected("array_loss", 1.0), 5.0)
    assert flight.core.emulation.array_health == 0.0
    assert len(done) == 1


def test_housekeeping_goes_down_while_the_link_is_up() -> None:
    flight = Flight([CONTACT])
    flight.boot()
    flight.fly(116.0)
    flight.meet()
    flight.fly(137.0)
    sent = [
        effect.message
        for effect in only(effects.Publish, flight.log)
        if isinstance(effect.message, Housekeeping)
    ]
    assert [each.mission_s for each in sent] == [117.0, 127.0, 137.0]
    assert [each.sequence for each in sent] == [1, 2, 3]
    assert sent[0].mode == "nominal"
    assert sent[0].temperatures_c.keys() == {"board", "structure"}
    flight.tell(events.LinkDown("broken"))
    assert only(effects.Publish, flight.fly(200.0)) == []


def test_the_next_deadline_is_the_earliest() -> None:
    flight = Flight([CONTACT])
    flight.boot()
    assert flight.core.next_deadline() == 23.0
    flight.take(offer("a"))
    run = flight.core.payload.run
    assert run is not None
    run.budget_s = 22.5
    assert flight.core.next_deadline() == 22.5
    flight.fly(115.0)
    flight.tell(events.LinkUp(), 115.2)
    assert flight.core.comms.next_deadline() == 120.2
    flight.fly(120.0)
    assert flight.core.next_deadline() == 120.2


def test_a_picture_of_everything() -> None:
    flight = Flight([CONTACT, (2000.0, 2500.0)], craft=spacecraft())
    flight.boot()
    before = flight.core.snapshot()
    assert before.link.station is None
    assert before.link.elevation_deg is None
    assert before.link.next_pass is not None
    assert before.link.next_pass.aos_s == 100.0
    assert before.jobs.running is None
    assert before.jobs.deferral_reason is None
    flight.fly(116.0)
    read = flight.core.snapshot().power
    assert (read.board_scope, read.board_model, read.board_age_s) == ("board", "", 0.0)
    flight.meet()
    flight.take(offer("a"))
    flight.take(offer("b"))
    flight.tell(events.FaultInjected("safe_mode", 0.0))
    flight.tell(events.JobFailed("a", "terminated", True, 0.01, 2.0, False))
    sensor = TemperatureReading("cpu", 51.0, 0.2, Source.MEASURED)
    hardware = Hardware(rails=(RailReading("VDD_IN", 7.6),))
    flight.tell(events.Tick(Readings(None, (sensor,), 0.5, hardware)), 118.0)

    picture = flight.core.snapshot()

    assert (picture.mission_s, picture.utc_s) == (118.0, 1_742_470_318.0)
    assert (picture.mode, picture.mode_cause, picture.mode_since_s) == (
        OperatingMode.SAFE,
        "fault-safe",
        116.0,
    )
    assert picture.temperatures_c.keys() == {"board", "structure"}
    assert picture.sensors[0].sensor == "cpu"
    assert picture.hardware == hardware
    assert (picture.power.board_scope, picture.power.board_age_s) == ("", None)
    assert picture.cpu_utilisation_ratio == 0.5
    assert picture.faults_active == ("board-power-stale",)
    assert picture.power.capacity_wh == pytest.approx(spacecraft().battery.capacity_wh)
    assert picture.link.up
    assert picture.link.station == "svalbard"
    assert picture.link.next_pass is not None
    assert picture.link.next_pass.aos_s == 2000.0
    assert picture.link.uplink_bps == 80_000.0
    assert picture.link.sessions == 1
    assert picture.jobs.by_state["deferred"] == 1
    assert picture.jobs.deferral_reason == "mode"
    assert picture.jobs.deferral_until_s is None
    assert picture.jobs.inference_energy_j == {"clouds": 2.0}
    assert picture.boots == 1
    assert picture.orbit.altitude_km == pytest.approx(550.0, abs=30.0)
    assert picture.orbit.beta_angle_deg == pytest.approx(22.5, abs=5.0)
    flight.tell(events.Telecommand("mode", "nominal"))
    running = flight.core.snapshot().jobs.running
    assert running is not None
    assert (running.job_id, running.model, running.started_s) == ("a", "clouds", 118.0)


def test_the_last_pass_has_none_after_it() -> None:
    flight = Flight([CONTACT])
    flight.fly(200.0)
    assert flight.core.snapshot().link.next_pass is None


def test_the_expected_rates_are_those_of_the_station_in_sight() -> None:
    craft = spacecraft()
    core = NodeCore(craft, limits(), "test", start(), 400.0)
    assert core.link_rates_bps() == (0.0, 0.0)
    core.handle(events.Restored(()), 400.0)
    core.handle(events.Tick(Readings()), 421.0)
    assert core.comms.contact is not None
    assert core.comms.contact.station.name == "maspalomas"
    assert core.link_rates_bps() == core.emulation.link_rates_bps(core.comms.contact.station)
    assert min(core.link_rates_bps()) > 300_000.0


def test_same_events_at_same_times_give_the_same_effects() -> None:
    def story() -> Flight:
        flight = Flight([CONTACT])
        flight.boot()
        flight.fly(116.0)
        flight.meet()
        flight.take(offer("a"))
        flight.fly(400.0)
        return flight

    one, two = story(), story()
    assert one.log == two.log
    assert one.core.snapshot() == two.core.snapshot()
    assert one.core.emulation_state() == two.core.emulation_state()
    assert one.core.emulation_state().mode == "nominal"


def test_a_restart_of_the_daemon_boots_with_the_battery_that_was_left() -> None:
    flight = Flight()
    flight.boot()
    flight.fly(100.0)
    saved = flight.core.emulation_state()
    core = NodeCore(spacecraft(), limits(), "again", saved, 150.0)
    core.almanac = ScriptedAlmanac(spacecraft())
    assert core.start() == [effects.Restore()]
    assert (core.mode, core.boots) == (OperatingMode.BOOT, 2)
    assert core.emulation.state_of_charge == saved.state_of_charge
    assert core.next_deadline() == 150.0
