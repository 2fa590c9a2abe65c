"""What the relay says about the link: windows (retained) and ledgers, over MQTT.

It has its own connection to the broker, on the ground, so that its words cost no link time. A
broker that is away never stops the relay: the last window is published when the broker is back,
and so are the ledgers that it missed. If the relay vanishes, its will says that the link is down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from node import icd
from node.errors import LinkError
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession, Will

_log = logging.getLogger(__name__)
_REFRESH_S = 10.0
_RETRY_S = 2.0
_MAX_LEDGERS = 1024
"""About three months of passes of one station; the oldest goes first."""


class Reporter:
    """Publishes the link's state and ledgers for one node."""

    def __init__(
        self,
        node_name: str,
        broker: BrokerAddress,
        window: Callable[[], icd.LinkWindow | None],
        *,
        refresh_s: float = _REFRESH_S,
        retry_s: float = _RETRY_S,
    ) -> None:
        """Prepare; nothing is sent before ``run``.

        Args:
            node_name: the node at the other end of the link.
            broker: where to publish.
            window: says what the link is like now; None: nothing to say yet.
            refresh_s: real seconds between two windows while the link is up.
            retry_s: real seconds between two attempts to reach the broker.
        """
        self._window_topic = icd.topic(node_name, icd.LINK_WINDOW)
        self._ledger_topic = icd.topic(node_name, icd.LINK_LEDGER)
        self._connector = MqttConnector(broker, f"groundlink-relay-{node_name}")
        self._window = window
        self._refresh_s = refresh_s
        self._retry_s = retry_s
        self._ledgers: deque[icd.LinkLedger] = deque(maxlen=_MAX_LEDGERS)
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Publish the window anew, soon."""
        self._changed.set()

    def ledger(self, ledger: icd.LinkLedger) -> None:
        """Publish a pass's ledger, soon or when the broker is back."""
        self._ledgers.append(ledger)
        self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        reachable = True
        while True:
            try:
                async with self._connector.session((), self._will()) as session:
                    _log.info("reporting=yes broker=%s", "connected" if reachable else "back")
                    reachable = True
                    await self._publish(session)
            except (LinkError, OSError) as error:
                if reachable:
                    _log.warning("reporting=no reason=%s", error)
                reachable = False
            await asyncio.sleep(self._retry_s)

    async def _publish(self, session: MqttSession) -> None:
        """Publish what there is, again at each change, until the session ends."""
        # Nothing is subscribed to: the stream only tells when the session has ended.
        ended = asyncio.ensure_future(_drain(session))
        try:
            while True:
                self._changed.clear()
                window = self._window()
                if window is not None:
                    await session.publish(self._window_topic, icd.encode(window), retain=True)
                while self._ledgers:
                    await session.publish(self._ledger_topic, icd.encode(self._ledgers[0]))
                    self._ledgers.popleft()
                await self._wait(ended, refresh=window is not None and window.up)
        except asyncio.CancelledError:
            # No goodbye: the broker then publishes the will, and the link is seen to be down.
            session.drop()
            raise
        finally:
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError, LinkError):
                await ended

    async def _wait(self, ended: asyncio.Future[None], *, refresh: bool) -> None:
        """Wait for a change or for the time to refresh.

        Raises:
            LinkError: the session ended.
        """
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait(
                (changed, ended),
                timeout=self._refresh_s if refresh else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            changed.cancel()
        if ended.done():
            ended.result()
            raise LinkError("the session ended")

    def _will(self) -> Will | None:
        """Say for the relay, when it has vanished, that the link is down."""
        window = self._window()
        if window is None:
            return None
        down = icd.LinkWindow(
            mission_s=window.mission_s,
            up=False,
            station=window.station,
            aos_s=window.aos_s,
            los_s=window.los_s,
            uplink_bps=0.0,
            downlink_bps=0.0,
            range_km=0.0,
        )
        return Will(self._window_topic, icd.encode(down))


async def _drain(session: MqttSession) -> None:
    """Return or raise when the session ends."""
    async for _ in session.incoming():
        pass
