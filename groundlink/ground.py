"""The ground segment's daemon without its HTTP interface: takes jobs, talks with nodes."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid

from groundlink.counterpart import Counterpart
from groundlink.ledger import Ledger
from groundlink.ledger_rows import ENDED, JobRecord
from groundlink.refusals import Refusals
from groundlink.session import Send, Session
from node import icd
from node._compat import TaskGroup
from node.clock import MissionClock
from node.errors import GroundError, LinkError, MessageError
from node.icd import JobSpec
from node.radio.mqtt import Incoming, MqttConnector, MqttSession

_log = logging.getLogger(__name__)

_NODE_NAME = re.compile(icd.NODE_NAME_PATTERN)
_MAX_NODES = 1000
_FIRST_RETRY_S = 0.5
_LAST_RETRY_S = 5.0
_SUBSCRIPTIONS = tuple(
    icd.topic("+", suffix)
    for suffix in (
        icd.TM_XFER,
        icd.TM_ACK,
        icd.TM_HK,
        icd.TM_EVENT,
        icd.TM_STATE,
        icd.LINK_WINDOW,
        icd.LINK_LEDGER,
    )
)


class Ground:
    """The ledger, the nodes and the session with the broker."""

    def __init__(self, ledger: Ledger, connector: MqttConnector, clock: MissionClock) -> None:
        """Begin; nothing is sent before ``serve``.

        Args:
            ledger: jobs and results.
            connector: to the broker.
            clock: mission time.
        """
        self.ledger = ledger
        self.clock = clock
        self.boot_id = uuid.uuid4().hex
        self.refusals = Refusals()
        self.nodes: dict[str, Counterpart] = {}
        self.sessions = 0
        """Broker sessions so far."""
        self._connector = connector
        self._session: Session | None = None

    @property
    def connected(self) -> bool:
        """A session with the broker stands."""
        return self._session is not None

    async def restore(self) -> None:
        """Mend the ledger and take up what both ends still owe each other; call once, first."""
        await self.ledger.mend(self.clock.now())
        for offer in await self.ledger.open_jobs():
            self._node(offer.node).offer(offer.manifest)
        for offer in await self.ledger.open_results():
            self._node(offer.node).restore_result(offer.manifest, offer.held.held)

    async def submit(self, node: str, spec: JobSpec, data: bytes) -> JobRecord:
        """Take custody of a job and offer it to its node; a known job is returned as it stands.

        Raises:
            GroundError: the node's name is malformed, or the job id is known for something else.
            StoreError: full, or the disk refuses; nothing was kept.
        """
        if not _NODE_NAME.fullmatch(node):
            raise GroundError(f"not a node name: {node[:64]!r}")
        record, manifest = await self.ledger.submit(node, spec, data)
        if record.state not in ENDED:
            messages = self._node(node).offer(manifest)

            async def offer(send: Send) -> None:
                for message in messages:
                    await send(message)

            # Without a session, the node hears of the job with our next hello.
            if self._session is not None:
                self._session.put(node, offer)
        return record

    async def serve(self) -> None:
        """Hold a session with the broker, for ever; a lost one is opened again."""
        retry_s = _FIRST_RETRY_S
        failing = False
        while True:
            try:
                async with self._connector.session(_SUBSCRIPTIONS) as mqtt:
                    _log.info("broker session open")
                    failing, retry_s = False, _FIRST_RETRY_S
                    await self._hold(mqtt)
            except LinkError as error:
                if not failing:
                    _log.warning("no broker session, retrying error=%s", error)
                failing = True
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, _LAST_RETRY_S)

    async def _hold(self, mqtt: MqttSession) -> None:
        """Work until the session ends.

        Raises:
            LinkError: it ended.
        """
        lost: LinkError | None = None
        async with TaskGroup() as group:
            self._session = session = Session(mqtt, group, self.refusals)
            self.sessions += 1
            try:
                async for incoming in mqtt.incoming():
                    self._sort(incoming, session)
            except LinkError as error:
                # Raised below, since a task group would wrap it.
                lost = error
            finally:
                self._session = None
                session.end()
        if lost is not None:
            raise lost

    def _sort(self, incoming: Incoming, session: Session) -> None:
        """Decode one message and hand it to its node's worker."""
        sender = "broker"
        try:
            name, suffix = icd.split_topic(incoming.topic)
            sender = self._sender(name)
            message = icd.decode(suffix, incoming.payload)
        except MessageError as error:
            self.refusals.refuse(sender, "malformed", error)
            incoming.acknowledge()
            return
        counterpart = self._node(name)

        async def take(send: Send) -> None:
            await counterpart.handle(message, send, retained=incoming.retained)

        session.put(name, take, incoming)

    def _sender(self, name: str) -> str:
        """Return the name as it is, if such a node may be heard.

        Raises:
            MessageError: it is no node's name, or there are too many nodes.
        """
        if not _NODE_NAME.fullmatch(name):
            raise MessageError(f"not a node name: {name[:64]!r}")
        if name not in self.nodes and len(self.nodes) >= _MAX_NODES:
            raise MessageError(f"more than {_MAX_NODES} nodes")
        return name

    def _node(self, name: str) -> Counterpart:
        counterpart = self.nodes.get(name)
        if counterpart is None:
            counterpart = Counterpart(name, self.boot_id, self.ledger, self.clock.now)
            self.nodes[name] = counterpart
        return counterpart
