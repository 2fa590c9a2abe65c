"""A broker that does nothing but take down the packets, to see what a client really sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from node._compat import timeout
from node.radio.mqtt import BrokerAddress

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14
_CONNACK = b"\x20\x03\x00\x00\x00"
UNSUPPORTED_VERSION = b"\x20\x03\x00\x84\x00"
_PINGRESP = b"\xd0\x00"


@dataclass
class Connection:
    """One connection of a client: its packets and how to answer."""

    writer: asyncio.StreamWriter
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def kinds(self) -> list[int]:
        """Kinds of the packets so far."""
        return [first >> 4 for first, _ in self.packets]

    async def until(self, kind: int, count: int = 1) -> None:
        """Return once so many packets of a kind have come."""
        async with timeout(5.0):
            while self.kinds().count(kind) < count:  # noqa: ASYNC110 - a test may poll
                await asyncio.sleep(0.005)

    def deliver(self, topic: str, payload: bytes, packet_id: int) -> None:
        """Send the client a message at QoS 1."""
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + packet_id.to_bytes(2, "big") + b"\x00"
        self.writer.write(bytes([0x32, len(body) + len(payload)]) + body + payload)


@dataclass
class Wire:
    """What the broker does and what it has seen."""

    port: int = 0
    connections: list[Connection] = field(default_factory=list)
    answers_publishes: bool = True
    answers_pings: bool = True
    connack: bytes = _CONNACK
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, no CONNECT is answered."""

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def connected(self) -> Connection:
        """Return the first connection once its CONNECT has come."""
        async with timeout(5.0):
            while not self.connections:  # noqa: ASYNC110 - a test may poll
                await asyncio.sleep(0.005)
        await self.connections[0].until(CONNECT)
        return self.connections[0]

    def address(self, keepalive_s: int = 20) -> BrokerAddress:
        """Where to connect."""
        return BrokerAddress("127.0.0.1", self.port, keepalive_s)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection down to its end."""
        connection = Connection(writer)
        self.connections.append(connection)
        try:
            while True:
                kind, body = await _packet(reader)
                connection.packets.append((kind, body))
                if kind >> 4 == CONNECT:
                    await self.may_answer.wait()
                answer = self._answer(kind, body)
                if answer:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            connection.ended.set()
            writer.close()

    def _answer(self, kind: int, body: bytes) -> bytes:
        first = kind >> 4
        if first == CONNECT:
            return self.connack
        if first == SUBSCRIBE:
            return b"\x90\x04" + body[:2] + b"\x00\x01"
        if first == PINGREQ and self.answers_pings:
            return _PINGRESP
        if first == PUBLISH and self.answers_publishes:
            at = 2 + int.from_bytes(body[:2], "big")
            return b"\x40\x02" + body[at : at + 2]
        return b""


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return first, await reader.readexactly(length)


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """Listen on a free port."""
    made = Wire()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        for connection in made.connections:
            connection.writer.close()
        server.close()
