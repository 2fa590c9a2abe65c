"""Custody of jobs and their runs, as events of a node that is awake, in sunlight and rested."""

from __future__ import annotations

import pytest
from spacecraft import Flight, limits, offer, only, report, result_of, spacecraft, start

from node.core import effects, events
from node.core.craft import ModelFigures
from node.core.events import StoredJob
from node.core.modes import OperatingMode
from node.icd import Ack, Manifest


def awake(**changes: object) -> Flight:
    flight = Flight(**changes)  # type: ignore[arg-type]
    flight.boot()
    assert flight.mode is OperatingMode.NOMINAL
    return flight


def failed(
    job_id: str, *, aborted: bool = False, killed: bool = False, reason: str = "broken"
) -> events.JobFailed:
    return events.JobFailed(job_id, reason, aborted, 0.01 if aborted else None, 3.0, killed)


def acks(done: list[effects.Effect]) -> list[Ack]:
    return [effect.ack for effect in done if isinstance(effect, effects.SendAck)]


def stored(done: list[effects.Effect]) -> list[tuple[str, str]]:
    return [(item.ack.state, item.ack.reason) for item in only(effects.StoreJobState, done)]


def test_custody_is_taken_on_disk_first() -> None:
    flight, job = awake(), offer("a")
    assert flight.tell(events.ManifestReceived(job)) == [effects.StoreManifest(job, "received", "")]
    assert flight.states == {}
    done = flight.tell(events.ManifestStored(job, "received", (), known=False))
    assert [(ack.job_id, ack.state) for ack in acks(done)] == [("a", "received")]
    assert flight.core.comms.uplink.open_bytes == 1000
    assert flight.states == {"received": 1}


def test_an_input_that_is_there_already_is_not_pulled() -> None:
    flight, job = awake(), offer("a")
    flight.tell(events.ManifestReceived(job))
    done = flight.tell(events.ManifestStored(job, "received", ((0, 1000),), known=False))
    assert stored(done) == [("queued", "")]
    assert only(effects.StartJob, done) == [effects.StartJob(job.job, job.object_id, 2)]
    assert flight.core.comms.uplink.open_bytes == 0


def test_an_empty_input_is_there_already() -> None:
    flight, job = awake(), offer("a", 0)
    flight.tell(events.ManifestReceived(job))
    done = flight.tell(events.ManifestStored(job, "received", (), known=False))
    assert len(only(effects.StartJob, done)) == 1


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (offer("a", model="nobody"), "unknown-model"),
        (offer("a", (1 << 20) + 1), "oversize"),
        (offer("a", deadline_s=22.0), "deadline"),
    ],
)
def test_what_is_turned_away(job: Manifest, reason: str) -> None:
    flight = awake()
    assert flight.now == 22.0
    assert flight.tell(events.ManifestReceived(job)) == [
        effects.StoreManifest(job, "rejected", reason)
    ]
    assert flight.core.totals.decisions[f"reject:{reason}"] == 1
    done = flight.tell(events.ManifestStored(job, "rejected", (), known=False))
    assert [ack.state for ack in acks(done)] == ["rejected"]
    assert flight.states == {}
    assert flight.core.comms.uplink.open_bytes == 0


def test_what_is_just_accepted() -> None:
    for job in (offer("a", 1 << 20), offer("b", deadline_s=22.01)):
        [effect] = awake().tell(events.ManifestReceived(job))
        assert effect == effects.StoreManifest(job, "received", "")


def test_a_full_queue_counts_the_jobs_that_have_not_ended() -> None:
    flight = awake(payload_limits=limits(max_jobs=1))
    first = offer("a")
    flight.take(first)
    [refused] = flight.tell(events.ManifestReceived(offer("b")))
    assert refused == effects.StoreManifest(offer("b"), "rejected", "queue-full")
    flight.tell(events.JobFailed("a", "broken", False, None, 0.0, False))
    assert flight.states == {"failed": 1}
    [accepted] = flight.tell(events.ManifestReceived(offer("c")))
    assert accepted == effects.StoreManifest(offer("c"), "received", "")


def test_a_duplicate_offer_is_answered_with_the_state() -> None:
    flight, job = awake(), offer("a")
    flight.take(job)
    done = flight.tell(events.ManifestReceived(job))
    assert [ack.state for ack in acks(done)] == ["running"]
    assert only(effects.StoreManifest, done) == []
    # One that this boot has not heard of, but the disk has.
    other = offer("b")
    flight.tell(events.ManifestReceived(other))
    done = flight.tell(events.ManifestStored(other, "delivered", (), known=True))
    assert [ack.state for ack in acks(done)] == ["delivered"]
    flight.tell(events.ManifestReceived(offer("c")))
    flight.tell(events.ManifestStored(offer("c"), "received", (), known=False))
    done = flight.tell(events.ManifestStored(offer("c"), "received", (), known=True))
    assert [ack.state for ack in acks(done)] == ["received"]
    assert flight.states == {"running": 1, "received": 1}


def test_every_job_that_waits_for_the_same_bytes_gets_them() -> None:
    flight = awake()
    first, second = offer("one", content="x"), offer("two", content="x")
    for job in (first, second):
        flight.tell(events.ManifestReceived(job))
        flight.tell(events.ManifestStored(job, "received", (), known=False))
    part = flight.tell(events.ChunkStored(first.object_id, (0, 400), complete=False))
    assert part == []
    assert flight.core.comms.uplink.open_bytes == 600
    done = flight.tell(events.ChunkStored(first.object_id, (400, 1000), complete=True))
    assert [receipt.receipt.complete for receipt in only(effects.SendReceipt, done)] == [True]
    assert stored(done) == [("queued", ""), ("queued", "")]
    assert flight.states == {"running": 1, "queued": 1}
    # Late pieces of a whole object change nothing.
    late = flight.tell(events.ChunkStored(first.object_id, (0, 400), complete=True))
    assert stored(late) == []


def test_an_input_with_a_wrong_hash_is_pulled_anew() -> None:
    flight, job = awake(), offer("a")
    flight.tell(events.ManifestReceived(job))
    flight.tell(events.ManifestStored(job, "received", ((0, 900),), known=False))
    [effect] = flight.tell(events.ObjectRefused(job.object_id, "another hash"))
    assert isinstance(effect, effects.Publish)
    assert flight.core.comms.uplink.open_bytes == 1000
    assert flight.states == {"received": 1}


def test_from_run_to_result_to_release() -> None:
    flight, job = awake(), offer("a")
    flight.take(job)
    assert flight.core.totals.decisions["admit"] == 1
    done = flight.tell(events.JobFinished("a", report(energy_j=7.0)), 25.0)
    assert done == [effects.StoreResult(job.job, report(energy_j=7.0))]
    assert flight.core.totals.inferences["clouds|ok"] == 1
    assert flight.core.totals.inference_energy_j["clouds"] == 7.0
    result = result_of(job)
    done = flight.tell(events.ResultStored(result))
    assert [ack.state for ack in acks(done)] == ["stored"]
    assert flight.core.comms.downlink.open_bytes == 2000
    assert flight.tell(events.ResultReleased("a")) == []
    assert flight.states == {"delivered": 1}
    # What comes twice or too late changes nothing.
    assert flight.tell(events.ResultStored(result)) == []
    assert flight.tell(events.ResultStored(result_of(offer("nobody")))) == []
    assert flight.tell(events.ResultReleased("nobody")) == []
    assert flight.tell(events.JobFinished("a", report())) == []
    assert flight.tell(failed("a")) == []
    assert flight.states == {"delivered": 1}
    # Offered once more, the disk answers.
    [asked] = flight.tell(events.ManifestReceived(job))
    assert asked == effects.StoreManifest(job, "received", "")
    done = flight.tell(events.ManifestStored(job, "delivered", (), known=True))
    assert [ack.state for ack in acks(done)] == ["delivered"]
    assert only(effects.StartJob, done) == []
    assert flight.states == {"delivered": 1}


def test_one_run_at_a_time_and_in_order() -> None:
    flight = awake()
    flight.take(offer("first", priority=4))
    flight.take(offer("plain"))
    flight.take(offer("urgent", priority=2))
    started = [effect.job.job_id for effect in only(effects.StartJob, flight.log)]
    assert started == ["first"]
    for job_id, follower in [("first", "urgent"), ("urgent", "plain")]:
        done = flight.tell(events.JobFinished(job_id, report()))
        assert [effect.job.job_id for effect in only(effects.StartJob, done)] == [follower]


def test_a_run_over_its_budget_is_stopped_and_has_failed() -> None:
    flight, job = awake(), offer("a")
    flight.take(job)
    # The worker may have to start first; the budget counts from when it has the job.
    assert flight.core.payload.next_deadline() == 52.0 + 60.0
    flight.tell(events.JobStarted("a"))
    assert flight.core.payload.next_deadline() == 52.0
    assert only(effects.AbortJob, flight.fly(51.99)) == []
    assert flight.core.next_deadline() == 52.0
    assert only(effects.AbortJob, flight.tick(52.0)) == [effects.AbortJob("a", "budget")]
    # Said once; what follows is the worker's answer.
    assert only(effects.AbortJob, flight.fly(60.0)) == []
    assert flight.core.payload.next_deadline() is None
    done = flight.tell(failed("a", aborted=True, reason="terminated"))
    assert stored(done) == [("failed", "budget")]
    assert flight.core.totals.inferences["clouds|aborted"] == 1
    assert flight.states == {"failed": 1}


def test_the_budget_is_mission_time_at_the_rate() -> None:
    flight = awake(payload_limits=limits(rate=10.0))
    flight.take(offer("a"))
    flight.tell(events.JobStarted("another"))
    assert flight.core.payload.next_deadline() == 22.0 + 900.0
    flight.tell(events.JobStarted("a"))
    assert flight.core.payload.next_deadline() == 22.0 + 300.0


def test_a_run_that_was_stopped_for_another_reason_waits_again() -> None:
    flight = awake()
    flight.take(offer("a"))
    flight.tell(events.JobStarted("a"))
    flight.tick(51.0)
    done = flight.tell(events.Telecommand("mode", "safe"))
    assert only(effects.AbortJob, done) == [effects.AbortJob("a", "mode safe")]
    # The answer comes after the budget would have ended, but that is not why it was stopped.
    done = flight.tell(failed("a", aborted=True), 52.5)
    assert stored(done) == [("queued", "")]
    assert [(ack.state, ack.reason) for ack in acks(done)] == [("deferred", "mode")]
    assert flight.states == {"deferred": 1}


def test_a_run_that_ends_while_it_is_stopped_counts() -> None:
    flight = awake()
    flight.take(offer("a"))
    flight.tell(events.Telecommand("mode", "safe"))
    done = flight.tell(events.JobFinished("a", report()))
    assert len(only(effects.StoreResult, done)) == 1


def test_a_job_that_kills_its_workers_has_failed_at_last() -> None:
    flight = awake()
    flight.take(offer("a"))
    for _ in range(4):
        # Being stopped is not the job's fault and does not count.
        flight.tell(failed("a", aborted=True, killed=True))
        done = flight.tell(failed("a", killed=True))
        assert stored(done) == [("queued", "")]
        assert len(only(effects.StartJob, done)) == 1
    assert stored(flight.tell(failed("a", killed=True))) == [("failed", "broken")]
    assert flight.core.totals.inferences["clouds|failed"] == 5
    assert flight.core.totals.inferences["clouds|aborted"] == 4


def test_an_error_of_the_model_is_final() -> None:
    flight = awake()
    flight.take(offer("a"))
    assert stored(flight.tell(failed("a", reason="bad tensor"))) == [("failed", "bad tensor")]
    assert flight.core.payload.run is None


def test_expiry_while_waiting() -> None:
    flight = awake()
    flight.take(offer("first"))
    flight.take(offer("late", deadline_s=30.0))
    flight.take(offer("next"))
    done = flight.tell(events.JobFinished("first", report()), 29.5)
    assert stored(done) == [("expired", "deadline")]
    assert flight.core.totals.decisions["reject:deadline"] == 1
    assert [effect.job.job_id for effect in only(effects.StartJob, done)] == ["next"]


def test_the_last_waiting_job_expires_and_nothing_is_deferred_any_more() -> None:
    flight = awake()
    flight.tell(events.Telecommand("mode", "safe"))
    flight.take(offer("late", deadline_s=30.0))
    assert flight.core.payload.deferral is not None
    done = flight.fly(31.0)
    assert stored(done) == [("expired", "deadline")]
    assert flight.core.payload.deferral is None
    assert flight.core.payload.next_deadline() is None


def test_a_deferral_is_said_and_counted_once() -> None:
    flight = awake()
    flight.tell(events.Telecommand("mode", "safe"))
    flight.take(offer("a"))
    flight.fly(40.0)
    said = [ack for ack in acks(flight.log) if ack.state == "deferred"]
    assert [(ack.reason, ack.until_s) for ack in said] == [("mode", None)]
    assert flight.core.totals.decisions["defer:mode"] == 1
    flight.tell(events.Telecommand("mode", "nominal"))
    assert flight.core.totals.decisions["admit"] == 1


def test_pacing_in_reduced() -> None:
    flight = awake()
    flight.take(offer("a"))
    flight.tell(events.Telecommand("mode", "reduced"))
    # 35 J above idle under a ceiling of 8 W with 4.5 W idle: ten seconds.
    flight.tell(events.JobFinished("a", report(energy_j=35.0)))
    job = offer("b")
    flight.tell(events.ManifestReceived(job))
    done = flight.tell(events.ManifestStored(job, "received", ((0, 1000),), known=False))
    assert [(ack.reason, ack.until_s) for ack in acks(done)] == [("pacing", 32.0)]
    assert flight.core.payload.next_deadline() == 32.0


def test_a_ceiling_below_idle_defers_without_an_end() -> None:
    flight = awake(craft=spacecraft(reduced_power_ceiling_w=4.0))
    flight.take(offer("a"))
    flight.tell(events.Telecommand("mode", "reduced"))
    flight.tell(events.JobFinished("a", report()))
    job = offer("b")
    flight.tell(events.ManifestReceived(job))
    done = flight.tell(events.ManifestStored(job, "received", ((0, 1000),), known=False))
    assert [(ack.reason, ack.until_s) for ack in acks(done)] == [("pacing", None)]


def test_energy_in_the_dark_is_asked_for_until_sunrise() -> None:
    flight = awake(begin=start(0.62), craft=spacecraft(panels=()))
    flight.core.emulation.illumination = 0.0
    flight.almanac.lit_again_s = 20_000.0
    job = offer("a")
    flight.tell(events.ManifestReceived(job))
    done = flight.tell(events.ManifestStored(job, "received", ((0, 1000),), known=False))
    assert [(ack.reason, ack.until_s) for ack in acks(done)] == [("energy", 20_000.0)]
    assert flight.core.payload.next_deadline() == 20_000.0


def test_what_a_run_took_is_the_next_estimate() -> None:
    flight = awake(craft=spacecraft(models={"clouds": ModelFigures(0.6, 30.0, 2000, 15.0)}))
    flight.take(offer("a"))
    flight.tell(events.JobFinished("a", report(duration_s=9.0)))
    flight.take(offer("b", deadline_s=flight.now + 8.0))
    assert flight.core.totals.decisions["reject:deadline"] == 1
    assert flight.states == {"running": 1, "expired": 1}


def test_a_boot_takes_up_what_the_disk_has() -> None:
    flight = Flight()
    half, whole, ran, waited = offer("half"), offer("whole"), offer("ran"), offer("waited")
    done_job = offer("done")
    flight.boot(
        StoredJob(half, "received", None, ((0, 500),)),
        StoredJob(whole, "received", None, ((0, 1000),)),
        StoredJob(ran, "running", None, ((0, 1000),)),
        StoredJob(waited, "deferred", None, ((0, 1000),)),
        StoredJob(done_job, "stored", result_of(done_job), ()),
    )
    assert flight.core.comms.uplink.open_bytes == 500
    assert flight.core.comms.downlink.open_bytes == 2000
    assert flight.states == {"received": 1, "running": 1, "queued": 2, "stored": 1}


def test_a_job_whose_model_is_gone_since_is_turned_away() -> None:
    flight, orphan, job = Flight(), offer("orphan", model="gone"), offer("b")
    flight.boot(
        StoredJob(orphan, "queued", None, ((0, 1000),)),
        StoredJob(job, "queued", None, ((0, 1000),)),
    )
    assert ("rejected", "unknown-model") in stored(flight.log)
    assert [effect.job.job_id for effect in only(effects.StartJob, flight.log)] == ["b"]
    assert flight.core.totals.decisions["reject:unknown-model"] == 1
