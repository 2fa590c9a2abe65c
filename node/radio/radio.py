"""The radio task: keeps one MQTT session while a contact is open, and none otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from node import __version__, icd
from node._compat import TaskGroup, timeout
from node.core import events
from node.core.events import Event
from node.errors import LinkError, MessageError, StoreError
from node.icd import (
    TC_XFER,
    TM_ACK,
    TM_EVENT,
    TM_HK,
    TM_STATE,
    TM_XFER,
    Ack,
    Chunk,
    EventReport,
    Hello,
    Housekeeping,
    Manifest,
    NodeState,
    Receipt,
    Span,
    encode,
    topic,
)
from node.radio.mqtt import Incoming, MqttConnector, MqttSession, Will
from node.store.node_store import NodeStore

_log = logging.getLogger(__name__)
_GOODBYE = "goodbye"
_POWER_LOSS = "power loss"
_GOODBYE_S = 2.0
"""A goodbye that the link does not carry within this time stays unsaid."""
_MAX_PUBLISHES = 16
"""Publishes that wait for the broker at once."""


@dataclass(frozen=True, order=True)
class _Outgoing:
    """One entry of the send queue: strict priority, then order of arrival."""

    priority: int
    sequence: int
    suffix: str
    message: icd.Message | None
    object_id: str = ""
    span: Span = (0, 0)


class Radio:
    """Sends and receives for the core; what arrives is posted as events."""

    def __init__(
        self,
        node_name: str,
        boot_id: str,
        connector: MqttConnector,
        store: NodeStore,
        post: Callable[[Event], None],
        retry_s: float,
    ) -> None:
        """Wire the radio.

        Args:
            node_name: names the topics.
            boot_id: told to the ground at birth and in the will.
            connector: opens sessions with the broker.
            store: bytes are read from and written to it.
            post: takes events.
            retry_s: real seconds between attempts to connect.
        """
        self._node_name = node_name
        self._boot_id = boot_id
        self._connector = connector
        self._store = store
        self._post = post
        self._retry_s = retry_s
        self._wanted = asyncio.Event()
        self._queue: list[_Outgoing] = []
        self._sequence = itertools.count()
        self._queued = asyncio.Event()
        self._session: MqttSession | None = None
        self.silent = asyncio.Event()
        """Set while there is no session and no goodbye is being said."""
        self.silent.set()
        self._ended = asyncio.Event()
        self._end_reason = ""
        self.refused_messages = 0
        """Messages that were malformed, oversize or out of place."""

    # What the hands may ask

    def open(self) -> None:
        """Connect, and keep trying until ``close`` or ``drop``."""
        self._wanted.set()

    def close(self) -> None:
        """End the session with a goodbye."""
        self._wanted.clear()
        self._end(_GOODBYE)

    def drop(self) -> None:
        """Lose power: no goodbye, nothing more is sent."""
        self._wanted.clear()
        if self._session is not None:
            self._session.drop()
        self._end(_POWER_LOSS)

    def send(self, suffix: str, message: icd.Message, priority: int) -> None:
        """Queue a message for this session; without a session it is gone."""
        if self._session is not None:
            self._enqueue(_Outgoing(priority, next(self._sequence), suffix, message))

    def send_chunk(self, object_id: str, span: Span, priority: int) -> None:
        """Queue a piece of a result; its bytes are read when its turn comes."""
        if self._session is not None:
            entry = _Outgoing(priority, next(self._sequence), TM_XFER, None, object_id, span)
            self._enqueue(entry)

    # The task

    async def run(self) -> None:
        """Serve for ever; cancel to end, after ``close``."""
        while True:
            while not self._wanted.is_set():
                await self._wanted.wait()
            try:
                await self._serve_session()
            except LinkError as error:
                _log.debug("link=refused node=%s reason=%s", self._node_name, error)
            finally:
                self.silent.set()
            if self._wanted.is_set():
                # The contact plan says that the link is open: try again soon, not in a frenzy.
                await asyncio.sleep(self._retry_s)

    async def _serve_session(self) -> None:
        state_topic = topic(self._node_name, TM_STATE)
        will = Will(state_topic, encode(NodeState(boot_id=self._boot_id, online=False)))
        subscription = topic(self._node_name, TC_XFER)
        # From here on an order to end is heard, also one that comes while we connect.
        self._end_reason = "stopped"
        self._ended.clear()
        async with self._connector.session([subscription], will) as session:
            self.silent.clear()
            self._session = session
            try:
                if not self._ended.is_set():
                    await self._converse(session, state_topic)
            finally:
                self._session = None
            if self._end_reason == _POWER_LOSS:
                session.drop()
            elif self._end_reason == _GOODBYE:
                death = NodeState(boot_id=self._boot_id, online=False, version=__version__)
                with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                    async with timeout(_GOODBYE_S):
                        await session.publish(state_topic, encode(death), retain=True)

    async def _converse(self, session: MqttSession, state_topic: str) -> None:
        self._queue.clear()
        birth = NodeState(boot_id=self._boot_id, online=True, version=__version__)
        await session.publish(state_topic, encode(birth), retain=True)
        _log.info("link=up node=%s", self._node_name)
        self._post(events.LinkUp())
        try:
            async with TaskGroup() as group:
                tasks = [
                    group.create_task(self._receive(session, group), name="radio receive"),
                    group.create_task(self._transmit(session, group), name="radio transmit"),
                ]
                await self._ended.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self._post(events.LinkDown(self._end_reason))
            _log.info("link=down node=%s reason=%s", self._node_name, self._end_reason)

    def _end(self, reason: str) -> None:
        if not self._ended.is_set():
            self._end_reason = reason
            self._ended.set()

    def _enqueue(self, entry: _Outgoing) -> None:
        heapq.heappush(self._queue, entry)
        self._queued.set()

    async def _transmit(self, session: MqttSession, group: TaskGroup) -> None:
        room = asyncio.Semaphore(_MAX_PUBLISHES)
        while True:
            await room.acquire()
            while not self._queue:
                self._queued.clear()
                await self._queued.wait()
            entry = heapq.heappop(self._queue)
            message = entry.message or await self._read_chunk(entry)
            if message is None:
                room.release()
                continue
            group.create_task(
                self._publish(session, room, entry.suffix, message), name="radio publish"
            )

    async def _read_chunk(self, entry: _Outgoing) -> Chunk | None:
        start, stop = entry.span
        try:
            data = await self._store.read_span(entry.object_id, start, stop)
        except StoreError as error:
            _log.warning("chunk=unreadable object=%s error=%s", entry.object_id, error)
            return None
        return Chunk(object_id=entry.object_id, offset=start, crc32=zlib.crc32(data), data=data)

    async def _publish(
        self, session: MqttSession, room: asyncio.Semaphore, suffix: str, message: icd.Message
    ) -> None:
        try:
            # A session that ends shows in _receive; what was not sent is sent anew later.
            with contextlib.suppress(LinkError):
                await session.publish(topic(self._node_name, suffix), encode(message))
        finally:
            room.release()

    async def _receive(self, session: MqttSession, group: TaskGroup) -> None:
        try:
            async for incoming in session.incoming():
                self._take(incoming, group)
        except LinkError as error:
            self._end(str(error))

    def _take(self, incoming: Incoming, group: TaskGroup) -> None:
        try:
            _, suffix = icd.split_topic(incoming.topic)
            message = icd.decode(suffix, incoming.payload)
        except MessageError as error:
            self._refuse(str(error))
            incoming.acknowledge()
            return
        if isinstance(message, Chunk):
            group.create_task(self._keep_chunk(message, incoming), name="radio keep chunk")
            return
        if isinstance(message, Manifest):
            self._post(events.ManifestReceived(message))
        elif isinstance(message, Receipt):
            self._post(events.ReceiptReceived(message))
        elif isinstance(message, Hello):
            self._post(events.HelloReceived(message))
        incoming.acknowledge()

    async def _keep_chunk(self, chunk: Chunk, incoming: Incoming) -> None:
        """Put a piece of an input on disk before anyone hears that it is there."""
        try:
            held = await self._store.write_chunk(chunk)
        except MessageError as error:
            self._refuse(str(error))
        except StoreError as error:
            self._post(events.ObjectRefused(chunk.object_id, str(error)))
        else:
            span = (chunk.offset, chunk.offset + len(chunk.data))
            self._post(events.ChunkStored(chunk.object_id, span, held.complete))
        incoming.acknowledge()

    def _refuse(self, reason: str) -> None:
        self.refused_messages += 1
        if self.refused_messages == 1:
            _log.warning("message=refused reason=%s (further ones are only counted)", reason)


SUFFIXES: dict[type, tuple[str, int]] = {
    Ack: (TM_ACK, icd.Priority.COMMAND),
    Hello: (TM_XFER, icd.Priority.COMMAND),
    icd.Pull: (TM_XFER, icd.Priority.COMMAND),
    Receipt: (TM_XFER, icd.Priority.COMMAND),
    Housekeeping: (TM_HK, icd.Priority.HOUSEKEEPING),
    EventReport: (TM_EVENT, icd.Priority.HOUSEKEEPING),
    Manifest: (TM_XFER, icd.Priority.URGENT),
}
"""Topic and class of each message that the node sends; chunks come after all of them."""
CHUNK_PRIORITY = icd.Priority.NORMAL
