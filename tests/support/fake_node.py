"""A node that does what a test tells it, in the words of the interface control document."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import TypeVar

from msgspec import Struct

from node import icd
from node._compat import TaskGroup, timeout
from node.errors import LinkError
from node.icd import (
    TC_XFER,
    TM_ACK,
    TM_STATE,
    TM_XFER,
    Ack,
    Chunk,
    Hello,
    InferenceReport,
    JobSpec,
    Manifest,
    NodeState,
    Pull,
    Receipt,
    Span,
)
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession, Will

ANSWER_LIMIT_S = 10.0
Kind = TypeVar("Kind", bound=Struct)


def object_id_of(data: bytes) -> str:
    """Name an object."""
    return sha256(data).hexdigest()


def chunk_of(data: bytes, start: int, stop: int) -> Chunk:
    """Cut a chunk out of an object."""
    piece = data[start:stop]
    return Chunk(object_id_of(data), start, zlib.crc32(piece), piece)


def report_of(model: str) -> InferenceReport:
    """Make the report of a run that never was."""
    return InferenceReport(
        model=model,
        model_sha256="0" * 64,
        provider="CPUExecutionProvider",
        duration_s=1.0,
        inference_s=0.9,
        energy_j=5.0,
        energy_source="modelled",
        started_s=100.0,
        finished_s=101.0,
    )


def result_of(job: JobSpec, data: bytes) -> Manifest:
    """Make the manifest of a job's result."""
    return Manifest(object_id_of(data), len(data), job, report_of(job.model))


class FakeNode:
    """One session of a scripted node."""

    def __init__(self, name: str, boot_id: str, mqtt: MqttSession) -> None:
        """Wrap a session; ``fake_node`` makes it."""
        self.name = name
        self.boot_id = boot_id
        self._mqtt = mqtt
        self._heard: asyncio.Queue[icd.Message] = asyncio.Queue()
        self._put_back: list[icd.Message] = []

    async def say(self, message: Struct, suffix: str = TM_XFER, *, retain: bool = False) -> None:
        """Publish one message."""
        await self.say_bytes(icd.encode(message), suffix, retain=retain)

    async def say_bytes(self, payload: bytes, suffix: str, *, retain: bool = False) -> None:
        """Publish any bytes."""
        await self._mqtt.publish(icd.topic(self.name, suffix), payload, retain=retain)

    async def say_hello(self, *object_ids: str) -> None:
        """Say hello with these objects open."""
        opened = [icd.Held(object_id, []) for object_id in object_ids]
        await self.say(Hello(self.boot_id, 10.0, opened))

    async def acknowledge(self, job_id: str, state: str, reason: str = "") -> None:
        """Report a job's state."""
        await self.say(Ack(job_id, state, 20.0, reason), TM_ACK)

    async def hear(self, kind: type[Kind]) -> Kind:
        """Return the next message of this kind; others wait for their own call."""
        for index, message in enumerate(self._put_back):
            if isinstance(message, kind):
                del self._put_back[index]
                return message
        async with timeout(ANSWER_LIMIT_S):
            while True:
                message = await self._heard.get()
                if isinstance(message, kind):
                    return message
                self._put_back.append(message)

    async def pull(self, manifest: Manifest, *spans: Span) -> bytes:
        """Pull spans of an input and return their bytes, each chunk's CRC-32 checked."""
        await self.say(Pull(manifest.object_id, list(spans)))
        data = b""
        while len(data) < sum(stop - start for start, stop in spans):
            chunk = await self.hear(Chunk)
            assert zlib.crc32(chunk.data) == chunk.crc32
            assert chunk.object_id == manifest.object_id
            data += chunk.data
        return data

    async def deliver(self, job: JobSpec, data: bytes, step: int = 40_000) -> None:
        """Announce a result and send it until the ground has it whole."""
        await self.say(result_of(job, data))
        await self.hear(Receipt)
        receipt = None
        for at in range(0, len(data), step):
            await self.say(chunk_of(data, at, min(at + step, len(data))))
            receipt = await self.hear(Receipt)
        assert receipt is None or receipt.complete

    async def _listen(self) -> None:
        with suppress(LinkError):
            async for incoming in self._mqtt.incoming():
                self._heard.put_nowait(icd.decode(TC_XFER, incoming.payload))
                incoming.acknowledge()


@asynccontextmanager
async def fake_node(
    port: int, name: str = "node-1", boot_id: str = "b1"
) -> AsyncIterator[FakeNode]:
    """Hold a session as a node does: will, birth, goodbye."""
    will = Will(icd.topic(name, TM_STATE), icd.encode(NodeState(boot_id, online=False)))
    connector = MqttConnector(BrokerAddress("127.0.0.1", port), f"fake-{name}")
    async with connector.session([icd.topic(name, TC_XFER)], will) as mqtt:
        node = FakeNode(name, boot_id, mqtt)
        async with TaskGroup() as group:
            listener = group.create_task(node._listen())
            await node.say(NodeState(boot_id, online=True), TM_STATE, retain=True)
            try:
                yield node
                with suppress(LinkError):
                    await node.say(NodeState(boot_id, online=False), TM_STATE, retain=True)
            finally:
                listener.cancel()
