"""The ground's side of the talk with one node: from messages to the ledger and back.

The order is the promise: what a receipt says is on disk first. A message that cannot be taken is
counted and changes nothing; the node sends again what was not confirmed.
"""

from __future__ import annotations

import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterable

from groundlink.ledger import Ledger
from groundlink.ledger_rows import ENDED, LOST
from groundlink.session import Send
from node.errors import MessageError, ObjectMismatchError
from node.icd import (
    Ack,
    Chunk,
    EventReport,
    Held,
    Hello,
    Housekeeping,
    LinkLedger,
    LinkWindow,
    Manifest,
    Message,
    NodeState,
    Pull,
    Receipt,
    Span,
)
from node.transfer.responder import Responder

_log = logging.getLogger(__name__)

_MAX_PIECES = 64
"""Pieces served for one pull; a node that wants more pulls again."""
_KEPT_EVENTS = 100
_KEPT_PASSES = 50


class Counterpart:
    """What the ground knows of one node, and what it owes it."""

    def __init__(self, name: str, boot_id: str, ledger: Ledger, now: Callable[[], float]) -> None:
        """Begin with nothing known.

        Args:
            name: of the node.
            boot_id: of this run of the ground.
            ledger: where jobs and results are kept.
            now: reads mission seconds.
        """
        self.name = name
        self.state: NodeState | None = None
        self.housekeeping: Housekeeping | None = None
        self.window: LinkWindow | None = None
        self.events: deque[EventReport] = deque(maxlen=_KEPT_EVENTS)
        self.passes: deque[LinkLedger] = deque(maxlen=_KEPT_PASSES)
        self.heard_s: float | None = None
        """Mission time of the node's last message."""
        self._ledger = ledger
        self._now = now
        self._responder = Responder(boot_id)
        self._open: set[str] = set()
        """Objects that come in from the node."""

    @property
    def online(self) -> bool:
        """The node's radio has a session with the broker, by its own word or its will's."""
        return self.state is not None and self.state.online

    def offer(self, manifest: Manifest) -> list[Manifest]:
        """Queue a job for the node; return what to send now, if the node is there."""
        return self._responder.offer(manifest)

    def restore_result(self, manifest: Manifest, held: Iterable[Span]) -> None:
        """Take up a result that is not whole from the ledger."""
        self._open.add(manifest.object_id)
        self._responder.restore_incoming(manifest, held)

    async def greet(self, send: Send) -> None:
        """Open a session from our side, where the node may have said hello before we listened."""
        for message in self._hello():
            await send(message)

    def _hello(self) -> list[Hello | Manifest]:
        """Make our hello with everything that comes in, and the offers that follow it."""
        everything = [Held(object_id, []) for object_id in sorted(self._open)]
        now = self._now()
        return self._responder.handle_hello(Hello("", now, everything), now)

    async def handle(self, message: Message, send: Send, *, retained: bool = False) -> None:
        """Take one message and send what it asks for.

        Args:
            message: decoded.
            send: to the node.
            retained: the broker kept it; it was said before our session began.

        Raises:
            MessageError: it makes no sense here; nothing changed.
            StoreError: the disk refuses.
        """
        if isinstance(message, LinkWindow | LinkLedger):
            self._relay_word(message, retained=retained)
            return
        if not retained:
            self.heard_s = self._now()
        if isinstance(message, NodeState):
            await self._node_state(message, send, retained=retained)
        elif isinstance(message, Housekeeping | EventReport | Ack):
            await self._telemetry(message)
        else:
            await self._transfer(message, send)

    def _relay_word(self, message: LinkWindow | LinkLedger, *, retained: bool) -> None:
        if isinstance(message, LinkWindow):
            self.window = message
        elif not retained:
            self.passes.append(message)

    async def _telemetry(self, message: Housekeeping | EventReport | Ack) -> None:
        if isinstance(message, Housekeeping):
            self.housekeeping = message
        elif isinstance(message, EventReport):
            self.events.append(message)
            _log.info("event node=%s code=%s text=%s", self.name, message.code, message.text)
        else:
            await self._acknowledgement(message)

    async def _transfer(
        self, message: Hello | Manifest | Chunk | Pull | Receipt, send: Send
    ) -> None:
        if isinstance(message, Hello):
            for answer in self._responder.handle_hello(message, self._now()):
                await send(answer)
        elif isinstance(message, Manifest):
            await self._manifest(message, send)
        elif isinstance(message, Chunk):
            await self._chunk(message, send)
        elif isinstance(message, Pull):
            await self._pull(message, send)
        # A receipt of an input asks for nothing: the job's acknowledgement follows it.

    async def _node_state(self, state: NodeState, send: Send, *, retained: bool) -> None:
        was_online = self.online
        self.state = state
        if was_online != state.online:
            _log.info("node=%s online=%s boot_id=%s", self.name, state.online, state.boot_id)
        if not state.online:
            self._responder.handle_lost()
        elif retained:
            await self.greet(send)

    async def _manifest(self, manifest: Manifest, send: Send) -> None:
        object_id = manifest.object_id
        if await self._ledger.announce_result(self.name, manifest):
            await send(Receipt(object_id, [], complete=True, jobs=[manifest.job.job_id]))
            return
        if not manifest.size_bytes:
            await self._ledger.objects.write_span(object_id, 0, 0, b"")
        state = await self._ledger.objects.held(object_id)
        self._open.add(object_id)
        self._responder.handle_manifest(manifest)
        await self._stored(object_id, state.held, send, complete=state.complete)

    async def _chunk(self, chunk: Chunk, send: Send) -> None:
        object_id = chunk.object_id
        if zlib.crc32(chunk.data) != chunk.crc32:
            raise MessageError(f"chunk of {object_id} at {chunk.offset} has a wrong CRC-32")
        manifest = self._responder.incoming(object_id)
        if manifest is None:
            if not (await self._ledger.objects.held(object_id)).complete:
                raise MessageError(f"chunk of {object_id}, which no manifest announced")
            jobs = await self._ledger.delivered_as(object_id)
            await send(Receipt(object_id, [], complete=True, jobs=jobs))
            return
        try:
            state = await self._ledger.objects.write_span(
                object_id, manifest.size_bytes, chunk.offset, chunk.data
            )
        except ObjectMismatchError:
            # A hello resets what the node believes that we hold, so that it begins again.
            self._responder.chunk_stored(object_id, (), complete=False)
            await send(self._hello()[0])
            raise
        await self._stored(object_id, state.held, send, complete=state.complete)

    async def _stored(
        self, object_id: str, held: tuple[Span, ...], send: Send, *, complete: bool
    ) -> None:
        """Bytes of a result are on disk: bring the ledger in line, then give the receipt."""
        jobs: list[str] = []
        if complete:
            for job_id in await self._ledger.receive_result(object_id, self._now()):
                _log.info("result received node=%s job=%s", self.name, job_id)
                self._responder.job_ended(job_id)
            self._open.discard(object_id)
            jobs = await self._ledger.delivered_as(object_id)
        await send(self._responder.chunk_stored(object_id, held, complete=complete, jobs=jobs))

    async def _pull(self, pull: Pull, send: Send) -> None:
        for object_id, (start, stop) in self._responder.handle_pull(pull)[:_MAX_PIECES]:
            data = await self._ledger.objects.read_span(object_id, start, stop)
            await send(Chunk(object_id, start, zlib.crc32(data), data))

    async def _acknowledgement(self, ack: Ack) -> None:
        state = await self._ledger.acknowledge(self.name, ack)
        if state is None:
            raise MessageError(f"job {ack.job_id} is not a job of node {self.name}")
        if state in ENDED:
            self._responder.job_ended(ack.job_id)
        if state == LOST:
            _log.error("node=%s says delivered and no result is here job=%s", self.name, ack.job_id)
