"""One broker session of the ground: an inbox and a worker for each node, one outbox for all.

Messages of one node are handled in their order, those of different nodes side by side. A message
is acknowledged to the broker once it is dealt with, well or badly: what was not confirmed end to
end, the node sends again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from msgspec import Struct

from groundlink.refusals import Refusals
from node import icd
from node._compat import TaskGroup
from node.errors import LinkError, MessageError, StoreError
from node.radio.mqtt import Incoming, MqttSession

_log = logging.getLogger(__name__)

_INBOX_MESSAGES = 256
"""Waiting messages of one node above which further ones are dropped."""
_OUTBOX_MESSAGES = 64

Send = Callable[[Struct], Awaitable[None]]
"""Sends one message to one node; returns once it is on its way."""
Work = Callable[[Send], Awaitable[None]]


class _Item(NamedTuple):
    """One piece of work for a node's worker, and the message that brought it."""

    work: Work
    incoming: Incoming | None


class Session:
    """Workers and queues that live as long as one connection."""

    def __init__(self, mqtt: MqttSession, group: TaskGroup, refusals: Refusals) -> None:
        """Start the sender in ``group``; workers follow as nodes are heard."""
        self._mqtt = mqtt
        self._group = group
        self._refusals = refusals
        self._inboxes: dict[str, asyncio.Queue[_Item]] = {}
        self._outbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_OUTBOX_MESSAGES)
        self._tasks = [group.create_task(self._deliver(), name="ground.outbox")]

    def put(self, node: str, work: Work, incoming: Incoming | None = None) -> None:
        """Queue work for a node; what a message brought is dropped while too much waits."""
        inbox = self._inboxes.get(node)
        if inbox is None:
            inbox = self._inboxes[node] = asyncio.Queue()
            worker = self._work(node, inbox)
            self._tasks.append(self._group.create_task(worker, name=f"ground.node.{node}"))
        if incoming is not None and inbox.qsize() >= _INBOX_MESSAGES:
            self._refusals.refuse(node, "overload", f"{_INBOX_MESSAGES} messages wait")
            incoming.acknowledge()
            return
        inbox.put_nowait(_Item(work, incoming))

    def end(self) -> None:
        """Stop every worker; what waits is dropped."""
        for task in self._tasks:
            task.cancel()

    async def _work(self, node: str, inbox: asyncio.Queue[_Item]) -> None:
        topic = icd.topic(node, icd.TC_XFER)

        async def send(message: Struct) -> None:
            await self._outbox.put((topic, icd.encode(message)))

        while True:
            item = await inbox.get()
            try:
                await item.work(send)
            except MessageError as error:
                self._refusals.refuse(node, "senseless", error)
            except StoreError as error:
                self._refusals.refuse(node, "store", error)
            except Exception as error:  # noqa: BLE001 - a defect of ours must not end the daemon
                self._refusals.refuse(node, "internal", repr(error))
                _log.debug("message not handled node=%s", node, exc_info=True)
            else:
                self._refusals.accept(node)
            if item.incoming is not None:
                item.incoming.acknowledge()

    async def _deliver(self) -> None:
        while True:
            topic, payload = await self._outbox.get()
            try:
                await self._mqtt.publish(topic, payload)
            except LinkError:
                # The reader hears of it too, and ends the session.
                return
