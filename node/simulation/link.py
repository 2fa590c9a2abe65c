"""An in-process link of messages: each direction one after the other at the link budget's rate."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from node.physics.linkbudget import one_way_light_time_s

FRAME_OVERHEAD_BYTES = 64
"""MQTT header, topic and TCP framing of one message, about."""
_NEVER_S = float("inf")
"""A message that is sent at no rate is lost; the ones after it are not."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The link at one instant."""

    uplink_bps: float
    downlink_bps: float
    range_km: float
    backhaul_s: float


class SimulatedLink:
    """Says when a message that is sent now arrives. A session that ends takes all with it."""

    def __init__(self, geometry: Callable[[], Geometry]) -> None:
        self._geometry = geometry
        self._uplink_free_s = 0.0
        self._downlink_free_s = 0.0
        self.uplink_busy_s = 0.0
        self.downlink_busy_s = 0.0
        """Time on the air since the beginning."""
        self.session = 0
        """Messages of an older session are lost."""
        self.up = False

    def open(self) -> None:
        """A session begins."""
        self.session += 1
        self.up = True

    def close(self) -> None:
        """The session ends; what is on its way is lost."""
        self.session += 1
        self.up = False

    def uplink_arrival_s(self, size_bytes: int, now: float) -> float:
        """When a message from the ground reaches the node."""
        geometry = self._geometry()
        if geometry.uplink_bps <= 0.0:
            return _NEVER_S
        air_time_s = _air_time_s(size_bytes, geometry.uplink_bps)
        self.uplink_busy_s += air_time_s
        self._uplink_free_s = max(self._uplink_free_s, now) + air_time_s
        return self._uplink_free_s + _delay_s(geometry)

    def downlink_arrival_s(self, size_bytes: int, now: float) -> float:
        """When a message from the node reaches the ground."""
        geometry = self._geometry()
        if geometry.downlink_bps <= 0.0:
            return _NEVER_S
        air_time_s = _air_time_s(size_bytes, geometry.downlink_bps)
        self.downlink_busy_s += air_time_s
        self._downlink_free_s = max(self._downlink_free_s, now) + air_time_s
        return self._downlink_free_s + _delay_s(geometry)


def _air_time_s(size_bytes: int, rate_bps: float) -> float:
    return 8 * (size_bytes + FRAME_OVERHEAD_BYTES) / rate_bps


def _delay_s(geometry: Geometry) -> float:
    return one_way_light_time_s(geometry.range_km) + geometry.backhaul_s


@dataclass(slots=True)
class Chaos:
    """Breaks sessions at random, seeded: what a test of the protocol needs."""

    generator: random.Random
    mean_session_s: float

    def session_length_s(self) -> float:
        """How long the session that begins now will last."""
        return self.generator.expovariate(1.0 / self.mean_session_s)
