"""The relay is the radio: a TCP relay that is open only while a ground station sees the node.

The node connects here instead of to the broker. Outside windows a connection is accepted and reset
at once; inside, its bytes go through the channel; at LOS every connection is reset on both sides
and what was under way is lost. This file owns sockets and time; what happens to bytes is decided in
``channel``, when is decided in ``window``.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from groundlink.channel import Channel, Direction, Timing
from groundlink.impairments import Config
from groundlink.impairments.loss import LossConfig
from groundlink.impairments.outage import OutageConfig
from groundlink.report import Reporter
from groundlink.tunnel import Clock, Lane, carry, reset, sleep_until, tune
from groundlink.window import HORIZON_S, Window
from node import icd
from node._compat import TaskGroup, timeout
from node.radio.mqtt import BrokerAddress

_log = logging.getLogger(__name__)

BUFFER_WALL_S = 0.2
"""Modem buffer as real time: half of it is refilled before it runs dry, so that a process that
gets the processor 100 ms late loses no link time."""
SLICE_WALL_S = 0.02
_MAX_CONNECTIONS = 64
_CONNECT_TIMEOUT_S = 5.0
_ACCEPT_PAUSE_S = 0.5


class Windows(Protocol):
    """Where the relay's windows come from."""

    def next_window(self, now: float) -> Window | None:
        """Return the window that is going on or comes next, or None."""


@dataclass(frozen=True)
class RelaySettings:
    """What a relay connects and what it does to the bytes."""

    node_name: str
    broker: tuple[str, int]
    """Where the node's bytes go: host and port."""
    report: BrokerAddress | None
    """Where windows and ledgers are published: the same broker, or another listener of it, where
    the node's needs a certificate. None: nowhere."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 1884
    """0 takes any free port."""
    frame_loss_ratio: float = 0.0
    outages_s: tuple[tuple[float, float], ...] = ()
    """Blackouts, in mission seconds: start and stop."""
    seed: int = 0


@dataclass
class OpenLink:
    """The window that is open, its channel and the connections in it."""

    window: Window
    channel: Channel
    uplink: Lane
    downlink: Lane
    connections: set[asyncio.Task[None]] = field(default_factory=set)


class Relay:
    """One node's link to one broker."""

    def __init__(self, settings: RelaySettings, windows: Windows, clock: Clock) -> None:
        self._settings = settings
        self._windows = windows
        self._clock = clock
        self._window: Window | None = None
        self._link: OpenLink | None = None
        self._broker_reachable = True
        self._reporter: Reporter | None = None
        if settings.report is not None:
            self._reporter = Reporter(settings.node_name, settings.report, self._link_window)

    async def run(self, ready: Callable[[str, int], None]) -> None:
        """Relay until cancelled.

        Args:
            ready: called once with host and port when the relay listens.

        Raises:
            OSError: the relay cannot listen there.
        """
        host = self._settings.listen_host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # create_server sets SO_REUSEADDR: a relay that was killed can be started again at once.
        with socket.create_server(
            (host, self._settings.listen_port), family=family, backlog=128
        ) as listener:
            listener.setblocking(False)
            try:
                async with TaskGroup() as group:
                    group.create_task(self._follow(listener), name="relay-windows")
                    group.create_task(self._accept(listener, group), name="relay-accept")
                    if self._reporter is not None:
                        group.create_task(self._reporter.run(), name="relay-report")
                    ready(*listener.getsockname()[:2])
            finally:
                self._link = None

    async def _follow(self, listener: socket.socket) -> None:
        """Open and close the link with the windows."""
        while True:
            self._window = window = self._windows.next_window(self._clock.now())
            self._changed()
            if window is None:
                _log.info("link=down next=none horizon_s=%.0f", HORIZON_S)
                await sleep_until(self._clock, self._clock.now() + HORIZON_S / 2.0)
                continue
            _log.info(
                "link=down next=%s open_s=%.1f los_s=%.1f",
                window.station,
                window.open_s,
                window.los_s,
            )
            await sleep_until(self._clock, window.open_s)
            now = self._clock.now()
            if now < window.los_s:
                self._open(window, now, listener)
                await sleep_until(self._clock, window.los_s)
                self._close()

    def _open(self, window: Window, now: float, listener: socket.socket) -> None:
        """Open the link; one that is already going on carries what is left of it."""
        settings = self._settings
        timing = Timing(BUFFER_WALL_S * self._clock.rate, SLICE_WALL_S * self._clock.rate)
        lanes = []
        for name, rate_bps in (("uplink", window.uplink_bps), ("downlink", window.downlink_bps)):
            impairments: list[Config] = [OutageConfig(settings.outages_s)]
            if settings.frame_loss_ratio:
                seed = f"{settings.seed}/{name}/{window.station}/{window.aos_s:.0f}"
                impairments.append(LossConfig(settings.frame_loss_ratio, seed))
            direction = Direction(
                rate_bps.clipped(now, math.inf),
                window.delay_s,
                window.los_s,
                timing,
                tuple(impairments),
            )
            lanes.append(Lane(direction, asyncio.Lock()))
        uplink, downlink = lanes
        # An accepted socket inherits this: its first bytes already meet a short queue.
        tune(listener, window.downlink_bps.peak, self._clock.rate)
        channel = Channel(uplink.direction, downlink.direction)
        self._link = OpenLink(window, channel, uplink, downlink)
        self._changed()
        _log.info(
            "link=up station=%s los_s=%.1f max_elevation_deg=%.1f",
            window.station,
            window.los_s,
            window.max_elevation_deg,
        )

    def _close(self) -> None:
        """LOS: reset what is connected, lose what is under way, write the ledger."""
        link, self._link = self._link, None
        if link is None:
            return
        for connection in link.connections:
            connection.cancel()
        window = link.window
        uplink, downlink = link.channel.close(window.los_s)
        _log.info(
            "los=%s uplink_bytes=%d uplink_lost_bytes=%d downlink_bytes=%d downlink_lost_bytes=%d"
            " reset_connections=%d",
            window.station,
            uplink.carried_bytes,
            uplink.lost_bytes,
            downlink.carried_bytes,
            downlink.lost_bytes,
            len(link.connections),
        )
        if self._reporter is not None:
            self._reporter.ledger(
                icd.LinkLedger(
                    station=window.station,
                    aos_s=window.aos_s,
                    los_s=window.los_s,
                    uplink_capacity_bytes=uplink.capacity_bytes,
                    downlink_capacity_bytes=downlink.capacity_bytes,
                    uplink_bytes=uplink.carried_bytes,
                    downlink_bytes=downlink.carried_bytes,
                )
            )

    async def _accept(self, listener: socket.socket, group: TaskGroup) -> None:
        """Take connections while the link is up; reset them while it is down."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of descriptors, or a peer that left while it waited: neither ends the relay.
                _log.warning("accept=failed reason=%s", error)
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            link = self._link
            if link is None or len(link.connections) >= _MAX_CONNECTIONS:
                reset(connection)
                continue
            task = group.create_task(self._connect(connection, link), name="relay-connection")
            link.connections.add(task)
            task.add_done_callback(link.connections.discard)

    async def _connect(self, node: socket.socket, link: OpenLink) -> None:
        """Carry one connection of the node until it ends, by either peer or by LOS."""
        broker: socket.socket | None = None
        try:
            node.setblocking(False)
            now = self._clock.now()
            # The node's own handshake was with this process; over the air it takes a round trip.
            await sleep_until(self._clock, now + 2.0 * link.window.delay_s.value(now))
            broker = await self._dial(link.window.uplink_bps.peak)
            await carry(node, broker, link.uplink, link.downlink, self._clock)
            node.close()
            broker.close()
        except OSError as error:
            _log.debug("connection=aborted reason=%s", error)
        finally:
            for connection in (node, broker):
                if connection is not None:
                    reset(connection)

    async def _dial(self, peak_rate_bps: float) -> socket.socket:
        """Connect to the broker.

        Raises:
            OSError: the broker is not there, or does not answer in time.
        """
        loop = asyncio.get_running_loop()
        host, port = self._settings.broker
        try:
            async with timeout(_CONNECT_TIMEOUT_S):
                ((family, kind, protocol, _, place), *_) = await loop.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM
                )
                broker = socket.socket(family, kind, protocol)
                try:
                    broker.setblocking(False)
                    tune(broker, peak_rate_bps, self._clock.rate)
                    await loop.sock_connect(broker, place)
                except BaseException:
                    broker.close()
                    raise
        except OSError as error:
            if self._broker_reachable:
                _log.warning("broker=unreachable address=%s:%d reason=%s", host, port, error)
            self._broker_reachable = False
            raise
        if not self._broker_reachable:
            _log.info("broker=back address=%s:%d", host, port)
        self._broker_reachable = True
        return broker

    def _changed(self) -> None:
        """Have the window published anew."""
        if self._reporter is not None:
            self._reporter.changed()

    def _link_window(self) -> icd.LinkWindow | None:
        """Say what the link is like now."""
        window, now = self._window, self._clock.now()
        if window is None:
            return None
        state = window.state(now)
        return icd.LinkWindow(
            mission_s=now,
            up=self._link is not None,
            station=window.station,
            aos_s=window.aos_s,
            los_s=window.los_s,
            uplink_bps=state.uplink_bps,
            downlink_bps=state.downlink_bps,
            range_km=state.range_km,
        )
