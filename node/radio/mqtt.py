"""One small adapter over aiomqtt and paho, for the node, the relay and the ground.

The broker is a wire, so every session is clean and every connection gets a fresh client object: a
reused paho client resends what it holds, a duplicate of our own retries. A message is acknowledged
by ``Incoming.acknowledge`` alone, once its content is on disk; aiomqtt would acknowledge on
receipt into its own queue. Nothing waits for a lost peer: the end of the session raises
``LinkError`` out of ``incoming`` and ``publish``, whatever is pending.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import struct
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY

from node.errors import LinkError

_log = logging.getLogger(__name__)
# paho logs each packet at DEBUG and aiomqtt each failure at ERROR, which is an ordinary LOS here.
_library_log = logging.getLogger("node.radio.mqtt.library")
_library_log.setLevel(logging.CRITICAL)

_UNSUPPORTED_PROTOCOL = {1, 132}
"""CONNACK code of MQTT 3.1.1 and reason code of MQTT 5 for a version that the broker lacks."""
_MAX_IN_FLIGHT = 20
"""Receive maximum of an untuned broker; paho does not read the one in the CONNACK."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is and how to enter."""

    host: str
    port: int
    keepalive_s: int = 20
    username: str | None = None
    password_file: Path | None = None

    def password(self) -> str | None:
        """Read the password anew at each connection, so that it can be rotated."""
        return None if self.password_file is None else self.password_file.read_text().strip()


@dataclass(frozen=True)
class Will:
    """What the broker says for us when we vanish without goodbye. Retained."""

    topic: str
    payload: bytes


class Incoming:
    """One received message."""

    __slots__ = ("_client", "_message", "payload", "retained", "topic")

    def __init__(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        self._client = client
        self._message = message
        self.topic = str(message.topic)
        self.payload: bytes = message.payload
        self.retained = bool(message.retain)
        """It was said before this session began; the broker kept it."""

    def acknowledge(self) -> None:
        """Tell the broker that we have it; call this once the content is on disk."""
        if self._message.qos:
            # aiomqtt 2 has no public way to acknowledge by hand; a test guards this attribute.
            self._client._client.ack(self._message.mid, self._message.qos)  # noqa: SLF001


class MqttSession:
    """One connection, from CONNACK to its end."""

    def __init__(self, client: aiomqtt.Client, gone: asyncio.Future[None]) -> None:
        self._client = client
        self._gone = gone

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> None:
        """Hand a message to the broker; return once it has it (QoS 1) or once it is queued (0).

        Raises:
            LinkError: the session ended first. The message may or may not have arrived.
        """
        await _unless_gone(
            self._client.publish(topic, payload, qos=qos, retain=retain, timeout=math.inf),
            self._gone,
        )

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Yield what arrives, until the session ends.

        Raises:
            LinkError: the session ended.
        """
        try:
            async for message in self._client.messages:
                yield Incoming(self._client, message)
        except aiomqtt.MqttError as error:
            raise LinkError(str(error)) from error

    def drop(self) -> None:
        """Cut the socket without a goodbye, as a power loss does."""
        raw = self._client._client.socket()  # noqa: SLF001 - paho's own public accessor
        if isinstance(raw, socket.socket):
            with contextlib.suppress(OSError):
                # Linger of zero: a reset, and no DISCONNECT packet, so that the will fires.
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raw.shutdown(socket.SHUT_RDWR)


class MqttConnector:
    """Opens sessions with one broker; remembers which protocol version it speaks."""

    def __init__(self, address: BrokerAddress, identifier: str, *, timeout_s: float = 5.0) -> None:
        self._address = address
        self._identifier = identifier
        self._timeout_s = timeout_s
        self._protocol = aiomqtt.ProtocolVersion.V5

    @contextlib.asynccontextmanager
    async def session(
        self, subscriptions: Sequence[str], will: Will | None = None
    ) -> AsyncIterator[MqttSession]:
        """Connect with a fresh client, subscribe, and disconnect with a goodbye at the end.

        Raises:
            LinkError: the broker cannot be reached, refuses, or the session ended.
        """
        try:
            client = self._client(will)
        except OSError as error:
            raise LinkError(f"cannot read the password: {error}") from error
        gone = _gone(client)
        try:
            await _unless_gone(client.__aenter__(), gone)
        except LinkError as error:
            code = getattr(error.__cause__, "rc", None)
            if getattr(code, "value", code) in _UNSUPPORTED_PROTOCOL and self._is_version_5():
                _log.info("broker=%s:%d speaks=3.1.1", self._address.host, self._address.port)
                self._protocol = aiomqtt.ProtocolVersion.V311
            raise LinkError(f"cannot connect: {error}") from error
        try:
            client._client.manual_ack_set(True)  # noqa: SLF001 - see Incoming.acknowledge
            for subscription in subscriptions:
                await _unless_gone(client.subscribe(subscription, qos=1), gone)
            yield MqttSession(client, gone)
        finally:
            # The peer may be gone already, and a goodbye that cannot be said is no error.
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
            _retrieve(client._disconnected)  # noqa: SLF001 - see _retrieve

    def _is_version_5(self) -> bool:
        return self._protocol is aiomqtt.ProtocolVersion.V5

    def _client(self, will: Will | None) -> aiomqtt.Client:
        version_5 = self._is_version_5()
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password(),
            identifier=self._identifier,
            protocol=self._protocol,
            clean_session=None if version_5 else True,
            clean_start=True if version_5 else MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=self._address.keepalive_s,
            timeout=self._timeout_s,
            max_inflight_messages=_MAX_IN_FLIGHT,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, 1, retain=True),
            logger=_library_log,
        )


def _gone(client: aiomqtt.Client) -> asyncio.Future[None]:
    """Return a future that ends with the connection, also before the CONNACK.

    aiomqtt's own one is silent until it is connected, so that a reset while connecting would show
    only as a time-out; and its calls wait for their time-outs when the connection ends under them.
    """
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    tell_library = client._client.on_disconnect  # noqa: SLF001 - paho's public attribute

    def end() -> None:
        if not gone.done():
            gone.set_result(None)

    def on_disconnect(*arguments: Any) -> None:  # noqa: ANN401 - paho's own, passed through
        tell_library(*arguments)  # type: ignore[misc]  # aiomqtt has set it
        loop.call_soon_threadsafe(end)

    client._client.on_disconnect = on_disconnect  # noqa: SLF001
    return gone


async def _unless_gone(call: Coroutine[Any, Any, Any], gone: asyncio.Future[None]) -> None:
    """Await a call of the library, but not beyond the end of the connection.

    Raises:
        LinkError: the connection ended first, or the call failed.
    """
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
    if not task.done() or task.cancelled():
        raise LinkError("the connection ended")
    error = task.exception()
    if error is not None:
        raise LinkError(str(error)) from error


def _retrieve(ended: asyncio.Future[None]) -> None:
    """Take notice of how the session ended, so that asyncio does not report it a second time."""
    if ended.done() and not ended.cancelled():
        ended.exception()
