"""What the core orders to be held back, with a board that draws what the orders leave it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from spacecraft import ACTIVE_W, IDLE_W, Flight, limits, offer, only, report, spacecraft, start

from node.core import effects, events
from node.core.craft import ModelFigures
from node.core.effects import Effect
from node.core.events import (
    Hardware,
    PowerReading,
    Readings,
    Source,
    TemperatureReading,
    ThrottleReading,
)
from node.core.modes import OperatingMode
from node.core.protection import BoardLimits
from node.core.snapshot import EnforcementSnapshot
from node.core.throttle import ThrottleLaw
from node.icd import EventReport

CEILING_W = 8.0
LONG = {"clouds": ModelFigures(20.0, 30.0, 2000, ACTIVE_W)}
SLOWS = limits(slows_runs=True)


def reduced(**changes: object) -> Flight:
    """A flight under the ceiling, in which nothing runs; too little charge for NOMINAL."""
    flight = Flight(begin=start(0.55), **changes)  # type: ignore[arg-type]
    flight.boot()
    flight.fly(30.0)
    assert flight.mode is OperatingMode.REDUCED
    return flight


def fly_busy(flight: Flight, until_s: float, span_w: float = ACTIVE_W - IDLE_W) -> list[Effect]:
    """Fly with a board that draws what the run's share leaves it."""
    done: list[Effect] = []
    while flight.core.next_deadline() <= until_s:
        running = flight.core.payload.run is not None
        flight.board_w = IDLE_W + running * span_w * flight.core.enforcement.share
        done += flight.tick(max(flight.now, flight.core.next_deadline()))
    return done


def enforcement(flight: Flight) -> EnforcementSnapshot:
    found = flight.core.snapshot().enforcement
    assert found is not None
    return found


def shares(done: list[Effect]) -> list[float]:
    return [effect.ratio for effect in only(effects.LimitActivity, done)]


def reports(flight: Flight, code: str) -> list[tuple[str, str]]:
    return [
        (effect.message.severity, effect.message.text)
        for effect in only(effects.Publish, flight.log)
        if isinstance(effect.message, EventReport) and effect.message.code == code
    ]


def test_a_long_run_under_the_ceiling_has_its_share_from_its_first_moment() -> None:
    flight = reduced(craft=spacecraft(models=LONG), payload_limits=SLOWS)
    flight.take(offer("a"))
    order = [
        effect
        for effect in flight.log
        if isinstance(effect, (effects.StartJob, effects.LimitActivity))
    ]
    assert order[1] == effects.LimitActivity(pytest.approx((CEILING_W - IDLE_W) / 10.5))
    flight.tell(events.JobStarted("a"))
    fly_busy(flight, flight.now + 40.0, span_w=21.0)
    assert enforcement(flight).share == pytest.approx(1.0 / 6.0, rel=0.03)
    assert enforcement(flight).mean_w == pytest.approx(CEILING_W, rel=0.03)
    # The loop looks more often than the tick of a second comes.
    assert flight.core.ticks > 80
    done = flight.tell(events.JobFinished("a", report(140.0, 60.0)))
    assert shares(done) == [1.0]
    assert enforcement(flight).share == 1.0


def test_the_budget_of_a_slowed_run_counts_full_time() -> None:
    flight = reduced(craft=spacecraft(models=LONG), payload_limits=SLOWS)
    flight.take(offer("a"))
    flight.tell(events.JobStarted("a"))
    begun_s = flight.now
    fly_busy(flight, begun_s + 60.0)
    # Sixty seconds at a third: twenty of thirty.
    assert only(effects.AbortJob, flight.log) == []
    flight.tell(events.JobFinished("a", report(210.0, 60.0)))
    estimate = flight.core._models["clouds"]
    assert estimate.duration_s == pytest.approx(20.0, abs=0.5)
    # The bucket was paid at the start and has filled since: the next long run need not wait.
    flight.take(offer("b"))
    fly_busy(flight, flight.now + 3.0)
    assert flight.core.totals.decisions["admit"] == 2
    begun_s = flight.now
    flight.tell(events.JobStarted("b"))
    fly_busy(flight, begun_s + 100.0)
    [abort] = only(effects.AbortJob, flight.log)
    assert abort.reason == "budget"


def test_a_run_that_turns_out_long_is_held_from_then_on() -> None:
    flight = reduced(payload_limits=SLOWS)
    flight.take(offer("a"))
    flight.tell(events.JobStarted("a"))
    assert only(effects.LimitActivity, flight.log) == []
    done = fly_busy(flight, flight.now + 1.5)
    assert len(shares(done)) == 1


def test_where_runs_cannot_be_slowed_they_are_paced_alone() -> None:
    flight = reduced(craft=spacecraft(models=LONG))
    flight.take(offer("a"))
    # Sixty seconds of refill are 210 J; the bucket held seven.
    assert only(effects.StartJob, flight.log) == []
    fly_busy(flight, flight.now + 61.0)
    assert len(only(effects.StartJob, flight.log)) == 1
    fly_busy(flight, flight.now + 19.0)
    assert only(effects.LimitActivity, flight.log) == []
    assert not enforcement(flight).unmet


def test_short_runs_keep_the_mean_under_the_ceiling() -> None:
    flight = reduced()
    for number in range(400):
        flight.take(offer(f"job-{number}"))
    begun_s, begun_j = flight.now, flight.core.emulation.board_consumed_j
    run_began_s = flight.now
    while flight.now < begun_s + 300.0:
        running = flight.core.payload.run
        flight.board_w = IDLE_W if running is None else ACTIVE_W
        now = flight.now + 0.1
        if running is not None and running.started_s != run_began_s:
            run_began_s = running.started_s
        if running is not None and now - run_began_s >= 0.6:
            flight.tick(now)
            flight.tell(events.JobFinished(running.job.job_id, report(6.3)))
        else:
            flight.tick(now)
    mean_w = (flight.core.emulation.board_consumed_j - begun_j) / (flight.now - begun_s)
    assert mean_w == pytest.approx(CEILING_W, rel=0.03)
    assert flight.core.totals.decisions["defer:pacing"] > 50


def test_a_ceiling_that_cannot_be_met_ends_in_safe_and_is_left_when_it_can() -> None:
    flight = reduced()
    flight.board_w = 9.0
    flight.fly(flight.now + 60.0)
    assert flight.mode is OperatingMode.SAFE
    assert flight.core.mode_cause == "ceiling-unmet"
    [(severity, text)] = reports(flight, "ceiling-unmet")
    assert severity == "warning"
    assert "nothing left to lower, ceiling 8 W" in text
    assert enforcement(flight).unmet
    assert enforcement(flight).ceiling_w is None
    assert 20.0 < enforcement(flight).unmet_s < 60.0
    flight.fly(flight.now + 100.0)
    assert flight.mode is OperatingMode.SAFE
    flight.board_w = 7.0
    flight.fly(flight.now + 60.0)
    assert flight.mode is OperatingMode.REDUCED
    assert enforcement(flight).ceiling_w == CEILING_W
    assert not enforcement(flight).unmet


def test_a_ceiling_that_cannot_be_met_does_not_matter_where_nominal_follows() -> None:
    flight = reduced()
    flight.board_w = 9.0
    flight.fly(flight.now + 60.0)
    assert flight.mode is OperatingMode.SAFE
    flight.fly(flight.now + 3000.0)
    assert flight.mode is OperatingMode.NOMINAL


def hot_board(die_c: float, *, under_voltage: bool = False) -> Hardware:
    throttles = (ThrottleReading("under-voltage", active=True),) if under_voltage else ()
    return Hardware(die_c=die_c, throttles=throttles)


def tick(flight: Flight, hardware: Hardware, board_c: float = 40.0) -> list[Effect]:
    """One tick of a second with the chips' readings."""
    now = flight.now + 1.0
    flight._energy_j += flight.board_w * (now - flight._read_s)
    flight._read_s = now
    power = PowerReading(flight.board_w, flight._energy_j, now, 0.0, Source.MEASURED, "board")
    sensors = (TemperatureReading("tboard", board_c, 0.0, Source.MEASURED),)
    return flight.tell(events.Tick(Readings(power, sensors, None, hardware)), now)


LAW = ThrottleLaw(1800.0, 600.0, 0.0, 6.67, 1.0, 1.9)


def test_no_limit_is_raised_while_the_real_board_protects_itself() -> None:
    board = BoardLimits(die_limit_c=80.0)
    craft = spacecraft(models=LONG, throttle=LAW)
    flight = reduced(craft=craft, payload_limits=limits(slows_runs=True, board=board))
    flight.take(offer("a"))
    [limited] = only(effects.LimitClock, flight.log)[-1:]
    share = flight.core.enforcement.share
    assert share < 1.0
    done = tick(flight, hot_board(76.0))
    assert reports(flight, "board-protected") == [
        ("warning", "die at 76.0 C, limit at 80 C: no limit is raised")
    ]
    # The board cools in the emulation and the run ends: both limits stay.
    flight.board_w = 0.0
    for _ in range(120):
        done += tick(flight, hot_board(76.0))
    done += flight.tell(events.JobFailed("a", "x", True, 0.1, 1.0, worker_killed=False))
    assert all(each.ratio <= limited.ratio for each in only(effects.LimitClock, done))
    assert max([share, *shares(done)]) == share
    assert flight.core.enforcement.protection.reason is not None
    assert enforcement(flight).protected is not None
    done = tick(flight, hot_board(50.0))
    assert reports(flight, "board-protected")[-1] == ("info", "over")
    assert [each.ratio for each in only(effects.LimitClock, done)][-1] > limited.ratio


def test_under_voltage_protects_as_well() -> None:
    flight = reduced()
    tick(flight, hot_board(40.0, under_voltage=True))
    assert enforcement(flight).protected == "under-voltage"


@pytest.mark.parametrize(
    ("rate", "sensor", "source", "die_over_board_k"),
    [
        (1.0, "tboard", "measured", 21.0),
        (1.0, None, "modelled", IDLE_W * 2.0),
        (60.0, "tboard", "modelled", IDLE_W * 2.0),
    ],
)
def test_the_dies_offset_is_the_real_boards_where_it_is_measured(
    rate: float, sensor: str | None, source: str, die_over_board_k: float
) -> None:
    law = replace(LAW, begins_c=80.0, die_offset_k_per_w=2.0)
    board = BoardLimits(board_sensor=sensor)
    flight = Flight(craft=spacecraft(throttle=law), payload_limits=limits(rate=rate, board=board))
    flight.boot()
    tick(flight, hot_board(61.0))
    snapshot = flight.core.snapshot()
    assert snapshot.clock is not None
    assert snapshot.clock.offset_source.value == source
    offset_k = snapshot.clock.die_c - snapshot.temperatures_c["board"]
    assert offset_k == pytest.approx(die_over_board_k, abs=0.01)


def test_a_power_loss_ends_every_order() -> None:
    flight = reduced(craft=spacecraft(models=LONG), payload_limits=SLOWS)
    flight.take(offer("a"))
    assert flight.core.enforcement.share < 1.0
    flight.core.emulation.state_of_charge = 0.1
    flight.fly(flight.now + 2.0)
    assert flight.mode is OperatingMode.OFF
    assert flight.core.enforcement.share == 1.0
