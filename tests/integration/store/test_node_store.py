from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from node.core.events import StoredJob
from node.errors import MessageError, StoreError
from node.icd import Chunk, InferenceReport, JobSpec, Manifest
from node.store.node_store import NodeStore
from node.store.object_rows import HeldState

INPUT = bytes(range(256)) * 400
RESULT = b"result" * 20_000
OUTSIDE = HeldState((), complete=False)


@asynccontextmanager
async def opened(folder: Path, **limits: int) -> AsyncIterator[NodeStore]:
    settings = {"max_bytes": 1 << 24, "max_jobs": 100} | limits
    store = NodeStore(folder, **settings)
    try:
        yield store
    finally:
        await store.close()


def offer(job_id: str, data: bytes = INPUT) -> Manifest:
    return Manifest(
        object_id=sha256(data).hexdigest(),
        size_bytes=len(data),
        job=JobSpec(job_id=job_id, model="clouds", deadline_s=900.0, submitted_s=12.5),
    )


def chunk(data: bytes, start: int, stop: int) -> Chunk:
    piece = data[start:stop]
    return Chunk(sha256(data).hexdigest(), start, zlib.crc32(piece), piece)


def report() -> InferenceReport:
    return InferenceReport(
        model="clouds",
        model_sha256="0" * 64,
        provider="CPUExecutionProvider",
        duration_s=1.0,
        inference_s=0.9,
        energy_j=5.0,
        energy_source="measured",
        started_s=100.0,
        finished_s=101.0,
    )


async def receive(store: NodeStore, manifest: Manifest, data: bytes = INPUT) -> None:
    await store.insert_job(manifest, "received", "")
    assert (await store.write_chunk(chunk(data, 0, len(data)))).complete
    await store.set_job_state(manifest.job.job_id, "queued", "", 20.0)


async def test_life_of_a_job(tmp_path: Path) -> None:
    manifest = offer("a")
    async with opened(tmp_path) as store:
        assert await store.insert_job(manifest, "received", "") == ("received", False)
        assert await store.insert_job(manifest, "received", "") == ("received", True)
        state = await store.write_chunk(chunk(INPUT, 0, 1000))
        assert state == HeldState(((0, 1000),), complete=False)
    async with opened(tmp_path) as store:
        restored = await store.restore()
        assert restored.jobs == (StoredJob(manifest, "received", None, ((0, 1000),)),)
        assert (await store.write_chunk(chunk(INPUT, 1000, len(INPUT)))).complete
        await store.set_job_state("a", "queued", "", 20.0)
        await store.set_job_state("a", "running", "", 21.0)
        assert await store.input_bytes("a") == INPUT
    async with opened(tmp_path) as store:
        restored = await store.restore()
        assert restored.jobs == (StoredJob(manifest, "running", None, ((0, len(INPUT)),)),)
        result = await store.store_result(manifest.job, report(), RESULT)
        assert result.object_id == sha256(RESULT).hexdigest()
        assert result.report == report()
        assert await store.held(manifest.object_id) == OUTSIDE
    async with opened(tmp_path) as store:
        assert (await store.restore()).jobs == (StoredJob(manifest, "stored", result, ()),)
        assert await store.read_span(result.object_id, 6, 12) == b"result"
        await store.release_result("a")
        await store.release_result("a")
        assert store.counters.size_bytes == 0
    async with opened(tmp_path) as store:
        assert (await store.restore()).jobs == ()
        assert await store.insert_job(manifest, "received", "") == ("delivered", True)


@pytest.mark.parametrize("state", ["rejected", "expired", "failed"])
async def test_the_input_of_a_job_that_ends_badly_goes(tmp_path: Path, state: str) -> None:
    manifest = offer("a")
    async with opened(tmp_path) as store:
        await receive(store, manifest)
        await store.set_job_state("a", state, "too-hot", 30.0)
        assert await store.held(manifest.object_id) == OUTSIDE
        with pytest.raises(StoreError, match="no object"):
            await store.input_bytes("a")


async def test_an_input_that_another_job_needs_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, offer("a"))
        await store.insert_job(offer("b"), "queued", "")
        await store.store_result(offer("a").job, report(), RESULT)
        assert await store.input_bytes("b") == INPUT
        await store.set_job_state("b", "failed", "", 30.0)
        assert await store.held(offer("b").object_id) == OUTSIDE


async def test_a_result_that_another_job_owes_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        for job_id in ("a", "b"):
            await receive(store, offer(job_id))
            result = await store.store_result(offer(job_id).job, report(), RESULT)
        await store.release_result("a")
        assert await store.read_span(result.object_id, 0, 6) == b"result"
        await store.release_result("b")
        assert await store.held(result.object_id) == OUTSIDE


async def test_a_late_word_on_a_job_does_not_take_its_result_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, offer("a"))
        await store.store_result(offer("a").job, report(), RESULT)
        await store.set_job_state("a", "queued", "", 200.0)
        [stored] = (await store.restore()).jobs
        assert stored.state == "stored"
        await store.release_result("a")
        await store.set_job_state("a", "queued", "", 201.0)
        assert (await store.restore()).jobs == ()


async def test_a_result_without_a_job_is_refused_and_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(StoreError, match="no job ghost"):
            await store.store_result(JobSpec("ghost", "clouds"), report(), RESULT)
        with pytest.raises(StoreError, match="no job ghost"):
            await store.set_job_state("ghost", "failed", "", 1.0)
        assert store.counters.size_bytes == 0


async def test_a_result_that_does_not_fit_leaves_the_job_running(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=len(INPUT) + 10) as store:
        await receive(store, offer("a"))
        with pytest.raises(StoreError, match="full"):
            await store.store_result(offer("a").job, report(), RESULT)
        assert [job.state for job in (await store.restore()).jobs] == ["queued"]
        assert await store.input_bytes("a") == INPUT


async def test_chunks_that_nobody_asked_for_or_that_are_broken(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(StoreError, match="no job waits"):
            await store.write_chunk(chunk(INPUT, 0, 10))
        await store.insert_job(offer("a"), "received", "")
        good = chunk(INPUT, 0, 10)
        with pytest.raises(MessageError, match="CRC-32"):
            await store.write_chunk(Chunk(good.object_id, 0, good.crc32 ^ 1, good.data))
        assert store.counters.size_bytes == 0


async def test_the_oldest_ended_jobs_make_room(tmp_path: Path) -> None:
    async with opened(tmp_path, max_jobs=3) as store:
        for job_id in ("a", "b", "c"):
            await store.insert_job(offer(job_id, b"x"), "received", "")
        await store.set_job_state("b", "expired", "deadline", 30.0)
        await store.insert_job(offer("d", b"x"), "received", "")
        assert await store.insert_job(offer("a", b"x"), "received", "") == ("received", True)
        assert await store.insert_job(offer("b", b"x"), "received", "") == ("received", False)
        open_jobs = [job.manifest.job.job_id for job in (await store.restore()).jobs]
        assert open_jobs == ["a", "c", "d", "b"]


async def test_restore_mends_what_an_interruption_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, offer("lost"))
        await receive(store, offer("result", INPUT[2:]), INPUT[2:])
        result = await store.store_result(offer("result").job, report(), RESULT)
        await store.put_input(b"nobody's")
    for object_id in (result.object_id, offer("lost").object_id):
        (tmp_path / "objects" / object_id[:2] / object_id[2:]).unlink()
    async with opened(tmp_path) as store:
        restored = await store.restore()
        assert restored.jobs == (StoredJob(offer("lost"), "queued", None, ()),)
        assert await store.insert_job(offer("result"), "received", "") == ("failed", True)
        assert store.counters.size_bytes == 0
        assert store.counters.lost_objects == 2
        assert (await store.write_chunk(chunk(INPUT, 0, len(INPUT)))).complete


async def test_emulation_state(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        assert await store.load_emulation() is None
        for mission_s in (1.5, 2.5):
            await store.save_emulation({"mission_s": mission_s, "mode": "safe"})
        with pytest.raises(ValueError, match="JSON compliant"):
            await store.save_emulation({"mission_s": float("nan")})
    async with opened(tmp_path) as store:
        assert await store.load_emulation() == {"mission_s": 2.5, "mode": "safe"}


async def test_a_corrupt_database_takes_its_files_aside_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, offer("a"))
    (tmp_path / "node.sqlite3").write_bytes(b"not a database at all" * 300)
    async with opened(tmp_path) as store:
        assert store.set_aside == tmp_path / "node.sqlite3.corrupt-1"
        assert store.counters.set_aside == 1
        assert (await store.restore()).jobs == ()
        assert any((tmp_path / "objects.corrupt-1").glob("??/*"))
