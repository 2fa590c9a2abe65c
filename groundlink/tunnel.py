"""One TCP connection through the radio link: two pumps between two sockets.

A pump reads from its source only what the modem has room for, so that the rest stays in the
sender's own queue, and delivers each part when the channel releases it. Pumps of all connections
take turns at the one serialiser of their direction.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from groundlink.channel import Direction

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: ``close`` sends RST and throws away what is queued."""
_READ_BYTES = 1 << 16
_LONGEST_SLEEP_S = 3600.0
_TIMER_LEAD_S = 1e-3
"""The event loop's timers have a grain of 1 ms and come late, and passing the bytes on takes part
of another; asking this much early puts the error that the ends see around zero."""


class Clock(Protocol):
    """What the relay needs of mission time."""

    rate: float

    def now(self) -> float:
        """Mission seconds now."""

    def wall_delay(self, mission_s: float) -> float:
        """Real seconds from now until a mission time; zero if it has passed."""


@dataclass(frozen=True)
class Lane:
    """One direction of the open link and the turn at it."""

    direction: Direction
    turn: asyncio.Lock
    """First come, first served: connections share the serialiser fairly."""


async def sleep_until(clock: Clock, mission_s: float, lead_s: float = 0.0) -> None:
    """Sleep until ``lead_s`` real seconds before a mission time; for ever if it is infinite."""
    # A clock, not an event, is what this waits for; timers are long only up to a point.
    while (delay_s := clock.wall_delay(mission_s) - lead_s) > 0.0:  # noqa: ASYNC110 - see above
        await asyncio.sleep(min(delay_s, _LONGEST_SLEEP_S))


def reset(connection: socket.socket) -> None:
    """Abort a connection: the peer sees RST, and nothing queued is sent."""
    # A peer that has gone already leaves nothing to abort.
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def tune(connection: socket.socket, peak_rate_bps: float, clock_rate: float) -> None:
    """Keep queues short where they hide from their sender, and do not wait to fill packets.

    The receive buffer holds about 50 ms of the link, so that a sender sees its own backlog and
    not an empty socket.
    """
    bytes_per_s = peak_rate_bps * clock_rate / 8.0
    size = int(min(1 << 20, max(1 << 13, 0.05 * bytes_per_s)))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Pump:
    """Moves bytes from one socket to the other through one direction."""

    def __init__(
        self, source: socket.socket, sink: socket.socket, lane: Lane, clock: Clock
    ) -> None:
        self._source = source
        self._sink = sink
        self._lane = lane
        self._clock = clock
        self._arrivals: deque[tuple[float, bytes | None]] = deque()
        """What is on its way: bytes; empty bytes for a goodbye; None for a reset."""
        self._arrived = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def read(self) -> None:
        """Offer to the channel what the source sends, as fast as the modem takes it."""
        while True:
            # A sink that does not read stops the source, as it would without a relay.
            await self._flowing.wait()
            await _readable(self._source)
            async with self._lane.turn:
                await sleep_until(self._clock, self._lane.direction.ready_s(self._clock.now()))
                going_on = self._take()
            self._arrived.set()
            if not going_on:
                return

    async def deliver(self) -> None:
        """Give the sink each part at its time; return after the goodbye.

        Raises:
            OSError: the sink has aborted, or the source has and its reset has arrived.
        """
        loop = asyncio.get_running_loop()
        while True:
            while not self._arrivals:
                self._arrived.clear()
                await self._arrived.wait()
            release_s, data = self._arrivals[0]
            await sleep_until(self._clock, release_s, _TIMER_LEAD_S)
            self._arrivals.popleft()
            if data is None:
                raise ConnectionResetError("the other end of the link has aborted")
            if not data:
                self._sink.shutdown(socket.SHUT_WR)
                return
            self._flowing.clear()
            await loop.sock_sendall(self._sink, data)
            self._flowing.set()

    def _take(self) -> bool:
        """Read once; False when nothing more will come."""
        direction = self._lane.direction
        now = self._clock.now()
        # Late or early by a rounding error, one byte always fits.
        room = max(1, direction.room_bytes(now))
        end: bytes | None = b""
        try:
            data = self._source.recv(min(room, _READ_BYTES))
        except BlockingIOError:
            return True
        except OSError:
            data, end = b"", None
        if data:
            self._arrivals.extend(direction.offer(data, now))
            return True
        self._arrivals.append((direction.mark_s(now), end))
        return False


async def carry(
    node: socket.socket, broker: socket.socket, uplink: Lane, downlink: Lane, clock: Clock
) -> None:
    """Carry one connection both ways until both ends have said goodbye.

    Raises:
        OSError: one end has aborted.
    """
    pumps = (Pump(node, broker, downlink, clock), Pump(broker, node, uplink, clock))
    tasks = [
        asyncio.ensure_future(work) for pump in pumps for work in (pump.read(), pump.deliver())
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        # The sockets must not be closed under a reader.
        results = await _settle(tasks)
    for error in results:
        if error is not None:
            raise error


async def _settle(tasks: Sequence[asyncio.Future[None]]) -> list[BaseException | None]:
    """Wait for cancelled tasks; return what the others failed with."""
    await asyncio.wait(tasks)
    return [None if task.cancelled() else task.exception() for task in tasks]


async def _readable(connection: socket.socket) -> None:
    """Wait until a socket has something to read, or its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)
