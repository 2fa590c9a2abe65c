"""The channel: both directions of the link during one window, as pure functions of mission time.

A direction is a modem buffer, a serialiser and the way through space. Bytes are offered at a time
and come back with the times at which they reach the other end. What is still under way when the
window closes is lost, and counted. Nothing here sleeps, opens a socket or reads a clock.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from groundlink.impairments import Config, Frame, in_order
from groundlink.impairments.latency import LatencyConfig
from groundlink.impairments.rate import Rate, RateConfig
from groundlink.profile import Profile

BITS_PER_BYTE = 8
_ROUNDING_S = 1e-6
"""Mission times of many years are floats to within a tenth of this."""
_EVERYTHING = 1 << 62
"""Where no byte gets through any more, all of them are one part, and lost together."""


class Release(NamedTuple):
    """Bytes and the mission time at which they reach the other end; infinite: never."""

    release_s: float
    data: bytes


@dataclass(frozen=True)
class Timing:
    """How finely a direction works, in mission seconds."""

    buffer_s: float
    """The modem buffer, as time on the link: more would hide queues from their sender, less
    would let the transmitter run dry while the process waits for the processor."""
    slice_s: float
    """Longest run of bytes that is released at once."""


class Direction:
    """One direction of the link during one window, shared by all connections."""

    def __init__(
        self,
        rate_bps: Profile,
        delay_s: Profile,
        los_s: float,
        timing: Timing,
        impairments: tuple[Config, ...] = (),
    ) -> None:
        """Open the direction.

        Args:
            rate_bps: payload bits a second; zero outside the window.
            delay_s: one-way delay.
            los_s: end of the window.
            timing: buffer and slices.
            impairments: what else happens to the bytes, on top of rate and latency.
        """
        path = in_order((RateConfig(rate_bps), LatencyConfig(delay_s), *impairments))
        self._stages = [config.start() for config in path]
        for stage in self._stages:
            rate_bps = stage.shape(rate_bps)
        (self._serialiser,) = [stage for stage in self._stages if isinstance(stage, Rate)]
        self.rate_bps = rate_bps
        self._los_s = los_s
        self._timing = timing
        self._under_way: deque[tuple[float, int]] = deque()
        self._offered_bytes = 0
        self._carried_bytes = 0

    def capacity_bytes(self) -> int:
        """Count the bytes that the window can carry: the integral of its rate."""
        return int(self.rate_bps.integral(-math.inf, self._los_s) / BITS_PER_BYTE)

    def offer(self, chunk: bytes, now: float) -> list[Release]:
        """Take bytes into the modem; say when each part of them reaches the other end.

        The parts are in order, and so are those of later offers. A caller that offers more than
        ``room_bytes`` is not refused: it only waits longer.
        """
        releases: list[Release] = []
        start = 0
        while start < len(chunk):
            stop = min(len(chunk), start + self._slice_bytes(now))
            data = chunk[start:stop]
            release_s = self._release_s(len(data), now)
            self._under_way.append((release_s, len(data)))
            releases.append(Release(release_s, data))
            start = stop
        self._offered_bytes += len(chunk)
        return releases

    def mark_s(self, now: float) -> float:
        """Mission time at which something without bytes, offered now, reaches the other end.

        The end of a connection is such a thing: it follows the bytes before it.
        """
        return self._release_s(0, now)

    def ready_s(self, now: float) -> float:
        """Earliest mission time, not before ``now``, at which to offer again; infinite: never.

        That is when half of the buffer is empty, so that a sender is woken seldom and the
        transmitter does not run dry, and when what is offered begins to leave within the buffer's
        time.
        """
        free_s = self._serialiser.free_s
        start_s = max(now, free_s)
        if math.isinf(self.rate_bps.reach(start_s, BITS_PER_BYTE)):
            return math.inf
        begin_s = self.rate_bps.next_above_zero(start_s)
        buffer_s = self._timing.buffer_s
        return max(now, free_s - buffer_s / 2.0, begin_s - buffer_s)

    def room_bytes(self, now: float) -> int:
        """Bytes that fit into the buffer now; at least one when ``ready_s`` has come."""
        if self.ready_s(now) > now + _ROUNDING_S:
            return 0
        start_s = max(now, self._serialiser.free_s)
        bits = self.rate_bps.integral(start_s, now + self._timing.buffer_s)
        return max(1, int(bits / BITS_PER_BYTE))

    def carried_bytes(self, now: float) -> int:
        """Bytes that have reached the other end by ``now``."""
        while self._under_way and self._under_way[0][0] <= now:
            self._carried_bytes += self._under_way.popleft()[1]
        return self._carried_bytes

    def under_way_bytes(self, now: float) -> int:
        """Bytes that were offered and have not reached the other end by ``now``."""
        return self._offered_bytes - self.carried_bytes(now)

    def _slice_bytes(self, now: float) -> int:
        """Bytes of the next part: what the link sends within one slice of time."""
        start_s = max(now, self._serialiser.free_s)
        if math.isinf(self.rate_bps.reach(start_s, BITS_PER_BYTE)):
            return _EVERYTHING
        bits = self.rate_bps.integral(start_s, start_s + self._timing.slice_s)
        return max(1, int(bits / BITS_PER_BYTE))

    def _release_s(self, size_bytes: int, now: float) -> float:
        """Pass a frame along the impairments."""
        frame = Frame(size_bytes, size_bytes * BITS_PER_BYTE, now)
        for stage in self._stages:
            frame = stage.apply(frame, now)
        return frame.ready_s if frame.ready_s <= self._los_s else math.inf


class Carried(NamedTuple):
    """What one direction did in one window."""

    capacity_bytes: int
    carried_bytes: int
    lost_bytes: int
    """Under way when the window closed."""


class Channel:
    """Both directions: uplink is ground to node, downlink is node to ground."""

    def __init__(self, uplink: Direction, downlink: Direction) -> None:
        self.uplink = uplink
        self.downlink = downlink

    def close(self, now: float) -> tuple[Carried, Carried]:
        """Close the window: say what uplink and downlink carried and what was lost on the way."""
        uplink, downlink = (
            Carried(
                direction.capacity_bytes(),
                direction.carried_bytes(now),
                direction.under_way_bytes(now),
            )
            for direction in (self.uplink, self.downlink)
        )
        return uplink, downlink
