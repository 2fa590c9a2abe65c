"""An embedded MQTT broker for the demo, on a machine that has no Mosquitto.

It is amqtt behind a door of our own: MQTT 3.1.1 only, anonymous, nothing on disk. Nothing in this
system depends on what a broker keeps, so that is enough to see a pass; an installation uses
Mosquitto. The door turns clients of MQTT 5 away as the standard asks, so that they come back with
3.1.1: amqtt itself fails on the will of such a client and hangs up without a word.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from node._compat import timeout
from node.errors import GroundError, LinkError

_log = logging.getLogger(__name__)
_NOISY = ("amqtt", "transitions")
"""Loggers that report each state of each connection, and ordinary disconnections as errors."""

_LISTENER = "default"
_CONNECT_TIMEOUT_S = 10.0
_CONNECT = 0x10
"""First byte of a CONNECT packet."""
_MQTT_3_1_1 = 4
_NAMES = (b"MQTT", b"MQIsdp")
_REFUSED = bytes((0x20, 2, 0, 1))
"""CONNACK: unacceptable protocol version (MQTT 3.1.1, 3.2.2.3; MQTT 5 clients know it too)."""
_MAX_CONNECT_BYTES = 1 << 17


class _Greeting(NamedTuple):
    """The beginning of a CONNECT packet."""

    head: bytes
    """What was read."""
    rest_bytes: int
    """What is left of the packet."""
    level: int
    """Version of the protocol: 4 is MQTT 3.1.1, 5 is MQTT 5."""


class _Replay:
    """A reader as amqtt wants it, which first gives what was already read."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        self._head = head
        self._reader = reader

    async def read(self, n: int = -1) -> bytes:
        """Read exactly ``n`` bytes, or all there is."""
        if n < 0:
            data, self._head = self._head, b""
            return data + await self._reader.read(-1)
        data, self._head = self._head[:n], self._head[n:]
        return data + await self._reader.readexactly(n - len(data)) if len(data) < n else data

    def feed_eof(self) -> None:
        """Take note that the peer has gone."""
        self._reader.feed_eof()


async def run_broker(host: str, port: int, ready: Callable[[str, int], None] | None = None) -> None:
    """Serve until cancelled.

    Args:
        host: address to bind to; keep it a loopback address, since anyone may connect.
        port: port to bind to; 0 takes any.
        ready: called with host and port once clients can connect.

    Raises:
        GroundError: amqtt is not installed.
        LinkError: the port cannot be had.
    """
    broker_class, writer_class = _load()
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    broker = broker_class(
        {
            "listeners": {_LISTENER: {"type": "external"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it goes."""
        try:
            async with timeout(_CONNECT_TIMEOUT_S):
                greeting = await _listen(reader)
                if greeting.level != _MQTT_3_1_1:
                    # What is left unread would turn the close into a reset, and lose the answer.
                    await reader.readexactly(greeting.rest_bytes)
                    writer.write(_REFUSED)
                    await writer.drain()
                    return
            await broker.external_connected(
                _Replay(greeting.head, reader), writer_class(writer), _LISTENER
            )
        except (OSError, EOFError, ValueError) as error:  # an expired timeout is an OSError
            _log.debug("client=gone reason=%s", error)
        finally:
            writer.close()
            # The peer may have gone first.
            with suppress(OSError):
                await writer.wait_closed()

    await broker.start()
    try:
        try:
            server = await asyncio.start_server(welcome, host, port)
        except OSError as error:
            reason = error.strerror or error
            raise LinkError(f"the broker cannot listen on {host}:{port}: {reason}") from error
        try:
            if ready is not None:
                ready(*server.sockets[0].getsockname()[:2])
            # There is nothing to wait for but the end.
            await asyncio.Event().wait()
        finally:
            server.close()
    finally:
        await broker.shutdown()


async def _listen(reader: asyncio.StreamReader) -> _Greeting:
    """Read the beginning of a CONNECT packet.

    Raises:
        EOFError: the client has gone.
        ValueError: it does not speak MQTT.
    """
    head = await reader.readexactly(2)
    if head[0] != _CONNECT:
        raise ValueError("the first packet is not CONNECT")
    size, shift = head[1] & 0x7F, 7
    while head[-1] & 0x80:
        head += await reader.readexactly(1)
        size |= (head[-1] & 0x7F) << shift
        shift += 7
        if size > _MAX_CONNECT_BYTES or shift > 28:  # noqa: PLR2004 - four bytes of seven bits
            raise ValueError("CONNECT is too long")
    name_size = await reader.readexactly(2)
    length = int.from_bytes(name_size, "big")
    if length not in {len(name) for name in _NAMES}:
        raise ValueError("CONNECT names no protocol")
    name = await reader.readexactly(length + 1)
    if name[:-1] not in _NAMES:
        raise ValueError("CONNECT names another protocol")
    rest_bytes = size - 2 - len(name)
    if rest_bytes < 0:
        raise ValueError("CONNECT is too short")
    return _Greeting(head + name_size + name, rest_bytes, name[-1])


def _load() -> tuple[Any, Any]:
    """Import amqtt, which takes a while and which only the demo needs.

    Raises:
        GroundError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # What its dependencies deprecate is not for our user to read.
            warnings.simplefilter("ignore")
            from amqtt.adapters import StreamWriterAdapter  # noqa: PLC0415 - optional
            from amqtt.broker import Broker  # noqa: PLC0415 - optional
    except ImportError as error:
        raise GroundError(
            "the embedded broker needs amqtt: pip install 'orbitnode[demo]', or run Mosquitto"
        ) from error
    return Broker, StreamWriterAdapter
