"""The radio task against a ground that the test plays, over a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from link_rig import free_port
from mosquitto import mosquitto
from mqtt_wire import CONNECT, DISCONNECT, PUBLISH, wire
from spacecraft import offer, report
from waiting import until

from node import __version__, icd
from node._compat import TaskGroup, timeout
from node.core import events
from node.core.events import Event
from node.errors import LinkError
from node.icd import Ack, Chunk, Hello, Manifest, NodeState, Pull, Receipt, decode, encode, topic
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession
from node.radio.radio import CHUNK_PRIORITY, SUFFIXES, Radio
from node.store.node_store import NodeStore

INPUT = bytes(range(256)) * 40
JOB = Manifest(sha256(INPUT).hexdigest(), len(INPUT), offer("a").job)


@dataclass
class Node:
    """The radio, its store and what it posts."""

    radio: Radio
    store: NodeStore
    posted: list[Event]

    async def until(self, kind: type[Event], count: int = 1) -> Event:
        """Return the last of so many events of a kind."""
        async with timeout(10.0):
            while True:
                found = [event for event in self.posted if isinstance(event, kind)]
                if len(found) >= count:
                    return found[count - 1]
                await asyncio.sleep(0.005)


@asynccontextmanager
async def flying(folder: Path, address: BrokerAddress) -> AsyncIterator[Node]:
    posted: list[Event] = []
    store = NodeStore(folder / "state", max_bytes=1 << 24, max_jobs=100)
    connector = MqttConnector(address, "orbitnode-sat")
    radio = Radio("sat", "boot-1", connector, store, posted.append, retry_s=0.05)
    try:
        async with TaskGroup() as group:
            task = group.create_task(radio.run())
            try:
                yield Node(radio, store, posted)
            finally:
                task.cancel()
    finally:
        await store.close()


class Ground:
    """Hears what the node says and answers."""

    def __init__(self, session: MqttSession) -> None:
        self.session = session
        self.heard: list[icd.Message] = []

    async def listen(self) -> None:
        with contextlib.suppress(LinkError):
            async for incoming in self.session.incoming():
                _, suffix = icd.split_topic(incoming.topic)
                self.heard.append(decode(suffix, incoming.payload))
                incoming.acknowledge()

    async def say(self, message: icd.Message) -> None:
        await self.session.publish(topic("sat", icd.TC_XFER), encode(message))

    async def until(self, wanted: Callable[[icd.Message], bool]) -> icd.Message:
        async with timeout(10.0):
            while True:
                for message in self.heard:
                    if wanted(message):
                        return message
                await asyncio.sleep(0.005)


def state(online: bool) -> Callable[[icd.Message], bool]:
    return lambda message: isinstance(message, NodeState) and message.online is online


@asynccontextmanager
async def system(folder: Path) -> AsyncIterator[tuple[Node, Ground]]:
    port = free_port()
    with mosquitto(folder, port):
        address = BrokerAddress("127.0.0.1", port)
        async with (
            MqttConnector(address, "ground").session([topic("sat", "tm/#")]) as session,
            flying(folder, address) as node,
            TaskGroup() as group,
        ):
            ground = Ground(session)
            listening = group.create_task(ground.listen())
            try:
                yield node, ground
            finally:
                listening.cancel()


async def test_a_session_from_birth_to_goodbye(tmp_path: Path) -> None:
    async with system(tmp_path) as (node, ground):
        ack = Ack(job_id="a", state="queued", mission_s=1.0)
        node.radio.send(icd.TM_ACK, ack, 0)
        node.radio.open()
        await node.until(events.LinkUp)
        assert await ground.until(state(online=True)) == NodeState("boot-1", True, __version__)
        node.radio.send(icd.TM_ACK, Ack(job_id="b", state="stored", mission_s=2.0), 0)
        heard = await ground.until(lambda message: isinstance(message, Ack))
        # What was sent without a session is gone.
        assert isinstance(heard, Ack)
        assert heard.job_id == "b"
        node.radio.close()
        assert await node.until(events.LinkDown) == events.LinkDown("goodbye")
        await ground.until(state(online=False))
        async with timeout(5.0):
            await node.radio.silent.wait()
        assert len([event for event in node.posted if isinstance(event, events.LinkUp)]) == 1


async def test_a_power_loss_lets_the_will_speak_and_the_next_session_is_whole(
    tmp_path: Path,
) -> None:
    async with system(tmp_path) as (node, ground):
        node.radio.open()
        await node.until(events.LinkUp)
        await ground.until(state(online=True))
        node.radio.drop()
        assert await node.until(events.LinkDown) == events.LinkDown("power loss")
        dead = await ground.until(state(online=False))
        assert dead == NodeState("boot-1", online=False)
        node.radio.open()
        await node.until(events.LinkUp, 2)


async def test_a_piece_is_on_disk_before_anyone_hears_of_it(tmp_path: Path) -> None:
    async with system(tmp_path) as (node, ground):
        node.radio.open()
        await node.until(events.LinkUp)
        await ground.say(JOB)
        assert await node.until(events.ManifestReceived) == events.ManifestReceived(JOB)
        await node.store.insert_job(JOB, "received", "")
        half = len(INPUT) // 2
        for start, stop in [(0, half), (half, len(INPUT))]:
            data = INPUT[start:stop]
            await ground.say(Chunk(JOB.object_id, start, zlib.crc32(data), data))
        whole = await node.until(events.ChunkStored, 2)
        assert whole == events.ChunkStored(JOB.object_id, (half, len(INPUT)), complete=True)
        await node.store.set_job_state("a", "queued", "", 1.0)
        assert await node.store.input_bytes("a") == INPUT

        hello = Hello("ground-1", 1.0, [])
        receipt = Receipt(JOB.object_id, [], complete=False)
        await ground.say(hello)
        await ground.say(receipt)
        assert await node.until(events.HelloReceived) == events.HelloReceived(hello)
        assert await node.until(events.ReceiptReceived) == events.ReceiptReceived(receipt)


async def test_what_makes_no_sense_is_counted_and_does_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with system(tmp_path) as (node, ground):
        node.radio.open()
        await node.until(events.LinkUp)
        where = topic("sat", icd.TC_XFER)
        await ground.session.publish(where, b"\xff not a message")
        await ground.session.publish(where, encode(Ack(job_id="a", state="x", mission_s=0.0)))
        await ground.say(Chunk(JOB.object_id, 0, 0, b"another crc"))
        await ground.say(Hello("ground-1", 1.0, []))
        await node.until(events.HelloReceived)
        async with timeout(5.0):
            await until(lambda: node.radio.refused_messages == 3)
        assert {type(event) for event in node.posted} == {events.LinkUp, events.HelloReceived}
        assert len([each for each in caplog.records if "message=refused" in each.message]) == 1


async def test_a_result_is_read_from_disk_when_its_turn_comes(tmp_path: Path) -> None:
    async with system(tmp_path) as (node, ground):
        await node.store.insert_job(JOB, "received", "")
        await node.store.write_chunk(Chunk(JOB.object_id, 0, zlib.crc32(INPUT), INPUT))
        await node.store.set_job_state("a", "queued", "", 1.0)
        data = b"result" * 1000
        result = await node.store.store_result(JOB.job, report(), data)
        node.radio.open()
        await node.until(events.LinkUp)
        # In one breath: the piece waits for all that is above its class, one that is not there is
        # left out.
        node.radio.send_chunk("f" * 64, (0, 10), CHUNK_PRIORITY)
        node.radio.send_chunk(result.object_id, (100, 300), CHUNK_PRIORITY)
        suffix, priority = SUFFIXES[Manifest]
        node.radio.send(suffix, result, priority)
        suffix, priority = SUFFIXES[Pull]
        node.radio.send(suffix, Pull(JOB.object_id, [(0, 10)]), priority)
        piece = data[100:300]
        chunk = Chunk(result.object_id, 100, zlib.crc32(piece), piece)
        assert await ground.until(lambda message: isinstance(message, Chunk)) == chunk
        kinds = [type(each) for each in ground.heard if not isinstance(each, NodeState)]
        assert kinds == [Pull, Manifest, Chunk]


@pytest.mark.parametrize("order", ["close", "drop"])
async def test_an_order_to_end_is_heard_while_connecting(tmp_path: Path, order: str) -> None:
    async with wire() as broker, flying(tmp_path, broker.address()) as node:
        broker.may_answer.clear()
        node.radio.open()
        connection = await broker.connected()
        getattr(node.radio, order)()
        broker.may_answer.set()
        async with timeout(5.0):
            await connection.ended.wait()
        assert node.posted == []
        # No birth was said; a goodbye is said unless power was lost.
        assert (DISCONNECT in connection.kinds()) == (order == "close")
        node.radio.open()
        assert await node.until(events.LinkUp) == events.LinkUp()
        assert [each.kinds()[0] for each in broker.connections] == [CONNECT, CONNECT]


async def test_an_order_that_is_taken_back_at_once_opens_nothing(tmp_path: Path) -> None:
    async with wire() as broker, flying(tmp_path, broker.address()) as node:
        await asyncio.sleep(0.01)
        node.radio.open()
        node.radio.close()
        await asyncio.sleep(0.1)
        assert broker.connections == []


async def test_a_link_that_breaks_is_made_again_but_not_in_a_frenzy(tmp_path: Path) -> None:
    async with wire() as broker, flying(tmp_path, broker.address()) as node:
        node.radio.open()
        for number in (1, 2, 3):
            await node.until(events.LinkUp, number)
            broker.connections[-1].writer.close()
            await node.until(events.LinkDown, number)
        kinds = [type(event) for event in node.posted[:6]]
        assert kinds == [events.LinkUp, events.LinkDown] * 3
        await asyncio.sleep(0)
        assert len(broker.connections) <= 4


async def test_a_cancelled_radio_leaves_without_a_word_of_its_own(tmp_path: Path) -> None:
    async with wire() as broker:
        async with flying(tmp_path, broker.address()) as node:
            node.radio.open()
            await node.until(events.LinkUp)
        assert node.posted == [events.LinkUp(), events.LinkDown("stopped")]
        assert broker.connections[0].kinds().count(PUBLISH) == 1


async def test_nobody_there_is_no_error(tmp_path: Path) -> None:
    address = BrokerAddress("127.0.0.1", free_port())
    async with flying(tmp_path, address) as node:
        node.radio.open()
        await asyncio.sleep(0.2)
        assert node.posted == []
        assert node.radio.silent.is_set()
