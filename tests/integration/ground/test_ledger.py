from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from fake_node import object_id_of, result_of

from groundlink.ledger import Ledger
from node.errors import GroundError, StoreError
from node.icd import Ack, JobSpec, Manifest, Priority
from node.store.object_rows import HeldState

INPUT = b"input" * 30_000
RESULT = b"result" * 30_000
OUTSIDE = HeldState((), complete=False)


@contextmanager
def opened(folder: Path, max_bytes: int = 1 << 24) -> Iterator[Ledger]:
    ledger = Ledger(folder, max_bytes=max_bytes)
    try:
        yield ledger
    finally:
        ledger.close_now()


def spec(job_id: str, **fields: object) -> JobSpec:
    values: dict[str, object] = {"model": "clouds", "submitted_s": 5.0} | fields
    return JobSpec(job_id=job_id, **values)  # type: ignore[arg-type]


async def deliver(ledger: Ledger, job: JobSpec, data: bytes, mission_s: float) -> list[str]:
    manifest = result_of(job, data)
    assert not await ledger.announce_result("node-1", manifest)
    await ledger.objects.write_span(manifest.object_id, len(data), 0, data)
    return await ledger.receive_result(manifest.object_id, mission_s)


async def test_a_job_is_there_after_a_restart(tmp_path: Path) -> None:
    job = spec("a", priority=Priority.URGENT, deadline_s=99.0)
    with opened(tmp_path) as ledger:
        record, manifest = await ledger.submit("node-1", job, INPUT)
        assert record.state == "submitted"
        assert manifest == Manifest(sha256(INPUT).hexdigest(), len(INPUT), job)
    with opened(tmp_path) as ledger:
        assert await ledger.job("a") == record
        assert await ledger.jobs() == [record]
        assert [offer.manifest for offer in await ledger.open_jobs()] == [manifest]
        assert await ledger.objects.read(manifest.object_id) == INPUT
        assert await ledger.job("b") is None


async def test_submitting_again_is_the_same_job(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        await ledger.acknowledge("node-1", Ack("a", "queued", 7.0))
        record, manifest = await ledger.submit("node-1", spec("a", submitted_s=8.0), INPUT)
        assert (record.state, record.submitted_s) == ("queued", 5.0)
        assert manifest.job == spec("a")
        assert len(await ledger.jobs()) == 1


@pytest.mark.parametrize(
    ("node", "model", "data"),
    [("node-2", "clouds", INPUT), ("node-1", "ships", INPUT), ("node-1", "clouds", b"other")],
)
async def test_a_job_id_means_one_job(tmp_path: Path, node: str, model: str, data: bytes) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        with pytest.raises(GroundError, match="job a is known for node node-1, model clouds"):
            await ledger.submit(node, spec("a", model=model), data)
        assert len(await ledger.jobs()) == 1
        assert ledger.objects.size_bytes == len(INPUT)


async def test_a_full_ledger_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=100_000) as ledger:
        with pytest.raises(StoreError, match="full"):
            await ledger.submit("node-1", spec("a"), INPUT)
        assert await ledger.jobs() == []


async def test_acknowledgements_change_the_state_until_the_job_has_ended(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        assert await ledger.acknowledge("node-1", Ack("ghost", "queued", 6.0)) is None
        assert await ledger.acknowledge("node-2", Ack("a", "queued", 6.0)) is None
        state = await ledger.acknowledge("node-1", Ack("a", "deferred", 7.0, "energy", 90.0))
        assert state == "deferred"
        record = await ledger.job("a")
        assert record is not None
        assert (record.state, record.reason, record.until_s) == ("deferred", "energy", 90.0)
        assert await ledger.acknowledge("node-1", Ack("a", "expired", 8.0)) == "expired"
        assert await ledger.acknowledge("node-1", Ack("a", "queued", 9.0)) == "expired"
        assert await ledger.open_jobs() == []
        assert await ledger.objects.held(object_id_of(INPUT)) == OUTSIDE
        assert await ledger.counts() == {"expired": 1}


async def test_delivered_without_a_result_is_lost_until_the_result_comes(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        assert await ledger.acknowledge("node-1", Ack("a", "delivered", 7.0)) == "lost"
        assert await deliver(ledger, spec("a"), RESULT, 30.0) == ["a"]
        assert await ledger.acknowledge("node-1", Ack("a", "delivered", 7.0)) == "delivered"


async def test_a_result_counts_once(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        assert await deliver(ledger, spec("a"), RESULT, 30.0) == ["a"]
        assert await ledger.receive_result(object_id_of(RESULT), 31.0) == []
        other = result_of(spec("a"), b"another result")
        assert await ledger.announce_result("node-1", other)
        record = await ledger.job("a")
        assert record is not None
        assert record.result == result_of(spec("a"), RESULT)
        assert (record.state, record.delivered_s, record.deliveries) == ("delivered", 30.0, 1)
        assert await ledger.result_object("a") == object_id_of(RESULT)
        assert await ledger.objects.held(object_id_of(INPUT)) == OUTSIDE
        # What has ended is not kept again by a late repetition.
        record, _ = await ledger.submit("node-1", spec("a"), INPUT)
        assert record.state == "delivered"
        assert ledger.objects.size_bytes == len(RESULT)


async def test_results_come_in_the_order_of_arrival(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for job_id in ("a", "b", "c"):
            await ledger.submit("node-1", spec(job_id), INPUT)
        for job_id in ("b", "c", "a"):
            await deliver(ledger, spec(job_id), RESULT + job_id.encode(), 30.0)
        found = await ledger.results()
        assert [(result.arrival, result.job_id) for result in found] == [
            (1, "b"),
            (2, "c"),
            (3, "a"),
        ]
        assert await ledger.results(after=2) == found[2:]
        assert found[0].report == result_of(spec("b"), RESULT).report


async def test_one_object_can_be_the_result_of_two_jobs(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for job_id in ("a", "b"):
            await ledger.submit("node-1", spec(job_id), INPUT)
            assert not await ledger.announce_result("node-1", result_of(spec(job_id), RESULT))
        await ledger.objects.put(RESULT)
        assert await ledger.receive_result(object_id_of(RESULT), 30.0) == ["a", "b"]
        assert await ledger.results(after=1) == (await ledger.results())[1:]


async def test_a_newer_announcement_replaces_an_open_one(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("a"), INPUT)
        first, second = result_of(spec("a"), RESULT), result_of(spec("a"), RESULT[1:])
        await ledger.announce_result("node-1", first)
        await ledger.objects.write_span(first.object_id, first.size_bytes, 0, RESULT[:10])
        await ledger.announce_result("node-1", second)
        assert [offer.manifest for offer in await ledger.open_results()] == [second]
        assert await ledger.objects.held(first.object_id) == OUTSIDE


async def test_results_of_unknown_jobs_are_taken_up(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert await deliver(ledger, spec("ghost"), RESULT, 30.0) == ["ghost"]
        record = await ledger.job("ghost")
        assert record is not None
        assert (record.state, record.node, record.input_bytes) == ("delivered", "node-1", 0)
        assert await ledger.open_jobs() == []


async def test_mend_finishes_what_was_interrupted(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        await ledger.submit("node-1", spec("whole"), INPUT)
        await ledger.announce_result("node-1", result_of(spec("whole"), RESULT))
        await ledger.objects.put(RESULT)
        await ledger.submit("node-1", spec("lost"), INPUT[1:])
        await ledger.objects.put(b"nobody's")
    lost = object_id_of(INPUT[1:])
    (tmp_path / "objects" / lost[:2] / lost[2:]).unlink()
    with opened(tmp_path) as ledger:
        await ledger.mend(50.0)
        states = {job.job_id: (job.state, job.reason) for job in await ledger.jobs()}
        assert states == {
            "whole": ("delivered", ""),
            "lost": ("failed", "input lost on the ground"),
        }
        assert ledger.objects.size_bytes == len(RESULT)
