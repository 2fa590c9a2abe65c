from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fake_node import ANSWER_LIMIT_S, chunk_of, fake_node, object_id_of, result_of
from mosquitto import mosquitto

from groundlink.api import Api
from groundlink.client import GroundClient
from groundlink.ground import Ground
from groundlink.ledger import Ledger
from groundlink.ledger_rows import JobRecord
from node._compat import TaskGroup, timeout
from node.clock import MissionClock
from node.errors import GroundError, LinkError
from node.http import HttpServer
from node.icd import (
    LINK_LEDGER,
    LINK_WINDOW,
    MAX_MESSAGE_BYTES,
    TM_ACK,
    TM_HK,
    TM_XFER,
    Ack,
    Chunk,
    Hello,
    Housekeeping,
    LinkLedger,
    LinkWindow,
    Manifest,
    Receipt,
)
from node.radio.mqtt import BrokerAddress, MqttConnector

INPUT = Random(1).randbytes(300_000)
RESULT = Random(2).randbytes(200_000)


class Broker:
    """A broker that can go and come back on its port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(mosquitto(self._folder, self.port))

    def kill(self) -> None:
        self._running.close()


class Rig:
    """A ground in this process and a client of its HTTP interface."""

    def __init__(self, ground: Ground, url: str) -> None:
        self.ground = ground
        self.client = GroundClient(url, timeout_s=ANSWER_LIMIT_S)

    async def ask(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await asyncio.to_thread(method, *args, **options)

    async def submit(self, data: bytes = INPUT, **options: Any) -> JobRecord:
        settings = {"node": "node-1", "model": "clouds"} | options
        record = await self.ask(self.client.submit, data, **settings)
        assert isinstance(record, JobRecord)
        return record

    async def job(self, job_id: str) -> JobRecord:
        record = await self.ask(self.client.job, job_id)
        assert isinstance(record, JobRecord)
        return record

    async def until(self, condition: Callable[[], bool]) -> None:
        async with timeout(ANSWER_LIMIT_S):
            while not condition():  # noqa: ASYNC110 - the broker and the disk set no event here
                await asyncio.sleep(0.01)

    async def until_state(self, job_id: str, state: str) -> JobRecord:
        async with timeout(ANSWER_LIMIT_S):
            while (record := await self.job(job_id)).state != state:  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.01)
        return record


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path)
    started.start()
    yield started
    started.kill()


@asynccontextmanager
async def running_ground(
    folder: Path, broker: Broker, max_bytes: int = 1 << 24
) -> AsyncIterator[Rig]:
    ledger = Ledger(folder / "ground", max_bytes=max_bytes)
    connector = MqttConnector(BrokerAddress("127.0.0.1", broker.port), "ground")
    ground = Ground(ledger, connector, MissionClock(0.0, 1.0, 0.0))
    server = HttpServer(Api(ground).routes(), max_body_bytes=1_000_000)
    try:
        await ground.restore()
        port = await server.start()
        async with TaskGroup() as group:
            serve = group.create_task(ground.serve())
            rig = Rig(ground, f"http://127.0.0.1:{port}")
            await rig.until(lambda: ground.connected)
            yield rig
            serve.cancel()
    finally:
        await server.close()
        ledger.close_now()


async def test_a_job_from_submission_to_result(tmp_path: Path, broker: Broker) -> None:
    async with running_ground(tmp_path, broker) as rig:
        submitted = await rig.submit(job_id="a", priority="urgent", deadline_s=600.0)
        assert submitted.state == "submitted"
        assert submitted.deadline_s is not None
        assert submitted.deadline_s - submitted.submitted_s == pytest.approx(600.0)
        async with fake_node(broker.port) as node:
            await node.say_hello()
            hello = await node.hear(Hello)
            assert (hello.boot_id, hello.open) == (rig.ground.boot_id, [])
            manifest = await node.hear(Manifest)
            assert manifest.object_id == object_id_of(INPUT)
            assert manifest.job.job_id == "a"
            assert manifest.job.deadline_s == submitted.deadline_s
            await node.acknowledge("a", "received")
            # More than one piece, out of order, and a span that ends beyond the object.
            assert await node.pull(manifest, (100_000, 300_000)) == INPUT[100_000:]
            assert await node.pull(manifest, (0, 100_000)) == INPUT[:100_000]
            for state in ("queued", "stored"):
                await node.acknowledge("a", state)
                await rig.until_state("a", state)
            await node.deliver(manifest.job, RESULT)
            record = await rig.until_state("a", "delivered")
        assert record.deliveries == 1
        assert record.result == result_of(manifest.job, RESULT)
        assert await rig.ask(rig.client.result, "a") == RESULT
        results = await rig.ask(rig.client.results)
        assert [(result.job_id, result.node) for result in results] == [("a", "node-1")]
        assert rig.ground.ledger.objects.size_bytes == len(RESULT)
        assert rig.ground.refusals.counts == {}


async def test_a_job_for_a_node_that_is_there_is_offered_at_once(
    tmp_path: Path, broker: Broker
) -> None:
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        await node.hear(Hello)
        await rig.submit(job_id="a")
        assert (await node.hear(Manifest)).job.job_id == "a"


async def test_a_job_that_has_not_ended_is_offered_at_each_hello(
    tmp_path: Path, broker: Broker
) -> None:
    async with running_ground(tmp_path, broker) as rig:
        await rig.submit(job_id="a")
        await rig.submit(job_id="b")
        async with fake_node(broker.port) as node:
            await node.say_hello()
            offers = {(await node.hear(Manifest)).job.job_id for _ in range(2)}
            assert offers == {"a", "b"}
            await node.acknowledge("a", "rejected", "unknown-model")
            await node.acknowledge("b", "queued")
            assert (await rig.until_state("a", "rejected")).reason == "unknown-model"
            await rig.until_state("b", "queued")
        async with fake_node(broker.port, boot_id="b2") as node:
            await node.say_hello()
            assert (await node.hear(Manifest)).job.job_id == "b"


async def test_a_download_goes_on_after_a_restart_of_the_ground(
    tmp_path: Path, broker: Broker
) -> None:
    object_id = object_id_of(RESULT)
    async with fake_node(broker.port) as node:
        async with running_ground(tmp_path, broker) as rig:
            await node.hear(Hello)
            await rig.submit(job_id="a")
            manifest = await node.hear(Manifest)
            await node.say(result_of(manifest.job, RESULT))
            assert (await node.hear(Receipt)).held == []
            await node.say(chunk_of(RESULT, 50_000, 120_000))
            assert (await node.hear(Receipt)).held == [(50_000, 120_000)]
        # The node stays where it is: a new ground finds its birth with the broker and greets it.
        async with running_ground(tmp_path, broker) as rig:
            greeting = await node.hear(Hello)
            assert greeting.boot_id == rig.ground.boot_id
            assert [(held.object_id, held.held) for held in greeting.open] == [
                (object_id, [(50_000, 120_000)])
            ]
            assert (await node.hear(Manifest)).job.job_id == "a"
            await node.say(result_of(manifest.job, RESULT))
            assert (await node.hear(Receipt)).held == [(50_000, 120_000)]
            await node.say(chunk_of(RESULT, 0, 50_000))
            assert not (await node.hear(Receipt)).complete
            await node.say(chunk_of(RESULT, 120_000, len(RESULT)))
            assert (await node.hear(Receipt)).complete
            assert await rig.ask(rig.client.result, "a") == RESULT


async def test_repetitions_change_nothing(tmp_path: Path, broker: Broker) -> None:
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        job = (await rig.submit(job_id="a")).job_id
        manifest = await node.hear(Manifest)
        for _ in range(2):
            await node.deliver(manifest.job, RESULT, step=len(RESULT))
        await node.say(chunk_of(RESULT, 0, 1000))
        assert (await node.hear(Receipt)).complete
        await node.acknowledge("a", "stored")
        await node.acknowledge("a", "delivered")
        await node.say_hello()
        await node.hear(Hello)
        assert (await rig.job(job)).state == "delivered"
        assert (await rig.submit(job_id="a")).state == "delivered"
        assert len(await rig.ask(rig.client.results)) == 1


async def test_one_result_for_two_jobs(tmp_path: Path, broker: Broker) -> None:
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        manifests = []
        for job_id in ("a", "b", "c"):
            await rig.submit(job_id=job_id)
            manifests.append(await node.hear(Manifest))
        await node.say(result_of(manifests[0].job, RESULT))
        await node.hear(Receipt)
        await node.deliver(manifests[1].job, RESULT)
        await node.say(result_of(manifests[2].job, RESULT))
        assert (await node.hear(Receipt)).complete
        for job_id in ("a", "b", "c"):
            assert await rig.ask(rig.client.result, job_id) == RESULT


async def test_an_empty_result(tmp_path: Path, broker: Broker) -> None:
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        await rig.submit(job_id="a")
        manifest = await node.hear(Manifest)
        await node.say(result_of(manifest.job, b""))
        assert (await node.hear(Receipt)).complete
        assert await rig.ask(rig.client.result, "a") == b""


async def test_wrong_bytes_are_dropped_and_the_node_begins_again(
    tmp_path: Path, broker: Broker
) -> None:
    object_id = object_id_of(RESULT)
    wrong = bytes([RESULT[0] ^ 1]) + RESULT[1:]
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        await node.hear(Hello)
        await rig.submit(job_id="a")
        manifest = await node.hear(Manifest)
        await node.say(result_of(manifest.job, RESULT))
        await node.hear(Receipt)
        for start, stop in ((0, 150_000), (150_000, 200_000)):
            bad = chunk_of(wrong, start, stop)
            await node.say(Chunk(object_id, start, bad.crc32, bad.data))
        assert (await node.hear(Receipt)).held == [(0, 150_000)]
        again = await node.hear(Hello)
        assert [(held.object_id, held.held) for held in again.open] == [(object_id, [])]
        assert rig.ground.refusals.counts == {"store": 1}
        await node.deliver(manifest.job, RESULT)
        assert await rig.ask(rig.client.result, "a") == RESULT


async def test_what_makes_no_sense_is_counted_and_harms_nothing(
    tmp_path: Path, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    good = chunk_of(RESULT, 0, 1000)
    async with running_ground(tmp_path, broker) as rig, fake_node(broker.port) as node:
        await rig.submit(job_id="a")
        await rig.submit(job_id="other", node="node-2")
        with caplog.at_level(logging.WARNING):
            for payload in (
                b"",
                b"\xff\xff",
                b"{}",
                b'{"type":"ack"}',
                bytes(MAX_MESSAGE_BYTES + 1),
            ):
                await node.say_bytes(payload, TM_XFER)
            await node.say(Ack("a", "queued", 1.0), TM_XFER)
            await node.say(good)
            await node.say(Chunk(good.object_id, 0, good.crc32 ^ 1, good.data))
            await node.say(Ack("other", "queued", 1.0), TM_ACK)
            await node.say(Ack("ghost", "queued", 1.0), TM_ACK)
            await rig.until(lambda: sum(rig.ground.refusals.counts.values()) == 10)
        assert rig.ground.refusals.counts == {"malformed": 6, "senseless": 4}
        assert len(caplog.records) == 2
        await node.say_hello()
        manifest = await node.hear(Manifest)
        await node.deliver(manifest.job, RESULT)
        assert (await rig.job("a")).state == "delivered"
        assert (await rig.job("other")).state == "submitted"


async def test_a_full_disk_stops_receipts_not_the_daemon(tmp_path: Path, broker: Broker) -> None:
    limit = len(INPUT) + 1000
    async with running_ground(tmp_path, broker, limit) as rig, fake_node(broker.port) as node:
        await node.say_hello()
        await rig.submit(job_id="a")
        with pytest.raises(GroundError, match="full"):
            await rig.submit(INPUT[1:], job_id="b")
        manifest = await node.hear(Manifest)
        await node.say(result_of(manifest.job, RESULT))
        await node.hear(Receipt)
        await node.say(chunk_of(RESULT, 0, 1000))
        await rig.until(lambda: rig.ground.refusals.counts == {"store": 1})
        await node.deliver(manifest.job, b"small")
        assert (await rig.job("a")).state == "delivered"


async def test_two_nodes_side_by_side(tmp_path: Path, broker: Broker) -> None:
    async with (
        running_ground(tmp_path, broker) as rig,
        fake_node(broker.port, "node-1") as one,
        fake_node(broker.port, "node-2") as two,
    ):
        for node in (one, two):
            await rig.submit(node=node.name, job_id=f"job-{node.name}")
            await node.say_hello()
            manifest = await node.hear(Manifest)
            assert manifest.job.job_id == f"job-{node.name}"
            await node.deliver(manifest.job, RESULT + node.name.encode())
        assert await rig.ask(rig.client.result, "job-node-2") == RESULT + b"node-2"
        with pytest.raises(GroundError, match="node is missing"):
            await rig.submit(node=None)


async def test_the_broker_may_go_and_come_back(
    tmp_path: Path, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_ground(tmp_path, broker) as rig:
        with caplog.at_level(logging.WARNING):
            broker.kill()
            await rig.until(lambda: not rig.ground.connected)
            await rig.submit(job_id="a")
            assert (await rig.ask(rig.client.status))["broker"]["connected"] is False
            await asyncio.sleep(1.2)
            assert sum("no broker session" in line for line in caplog.messages) == 1
        broker.start()
        await rig.until(lambda: rig.ground.connected)
        async with fake_node(broker.port) as node:
            await node.say_hello()
            manifest = await node.hear(Manifest)
            await node.deliver(manifest.job, RESULT)
        assert rig.ground.sessions == 2


async def test_status_shows_what_nodes_and_relay_say(tmp_path: Path, broker: Broker) -> None:
    state = Housekeeping(30.0, "nominal", 0.8, 1.0, 20.0, 9.5, {"board": 41.5}, {"queued": 2}, 7)
    window = LinkWindow(30.0, True, "kiruna", 10.0, 600.0, 64e3, 2e6, 900.0)
    ledger = LinkLedger("kiruna", 10.0, 600.0, 1000, 2000, 500, 600)
    async with running_ground(tmp_path, broker) as rig:
        async with fake_node(broker.port) as node:
            await node.say(state, TM_HK)
            await node.say(window, LINK_WINDOW, retain=True)
            await node.say(ledger, LINK_LEDGER)
            counterpart = rig.ground.nodes
            await rig.until(lambda: "node-1" in counterpart and bool(counterpart["node-1"].passes))
            shown = (await rig.ask(rig.client.status))["nodes"]["node-1"]
            assert shown["online"] is True
            assert shown["housekeeping"]["state_of_charge"] == 0.8
            assert shown["link"]["station"] == "kiruna"
            assert shown["passes"][0]["downlink_bytes"] == 600
        await rig.until(lambda: not rig.ground.nodes["node-1"].online)


async def test_refused_requests_say_why(tmp_path: Path, broker: Broker) -> None:
    async with running_ground(tmp_path, broker) as rig:
        for options, message in (
            ({"priority": "high"}, "priority: expected urgent, normal, bulk, got 'high'"),
            ({"deadline_s": -1.0}, "deadline_s: expected mission seconds"),
            ({"deadline_s": float("inf")}, "deadline_s: expected mission seconds"),
            ({"job_id": "a/b"}, "job_id"),
            ({"model": "a b"}, "model"),
            ({"node": "Node 1"}, "not a node name: 'Node 1'"),
            ({"data": b""}, "the body is empty"),
            ({"data": bytes(1_000_001)}, "at most 1000000 bytes"),
        ):
            with pytest.raises(GroundError, match=message):
                await rig.submit(**options)
        for method in (rig.client.job, rig.client.result):
            with pytest.raises(GroundError, match="no job ghost"):
                await rig.ask(method, "ghost")
        await rig.submit(job_id="a")
        with pytest.raises(GroundError, match="job a has no result here; it is submitted"):
            await rig.ask(rig.client.result, "a")
        with pytest.raises(GroundError, match="job a is known for node node-1, model clouds"):
            await rig.submit(job_id="a", model="ships")
        assert [job.job_id for job in await rig.ask(rig.client.jobs)] == ["a"]
    with pytest.raises(LinkError, match="is `groundlink ground` running"):
        await rig.ask(rig.client.jobs)
