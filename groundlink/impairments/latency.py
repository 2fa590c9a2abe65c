"""Propagation: light time over the slant range, and the station's backhaul.

A frame that was lost ``n`` times arrives ``2 n`` delays later: the report of the loss travels
back and the frame travels again. Bytes leave in order even where the delay shrinks faster than
time passes. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from groundlink.impairments.base import Frame
from groundlink.profile import Profile


@dataclass(frozen=True)
class LatencyConfig:
    """The one-way delay during one window."""

    name: ClassVar[str] = "latency"
    delay_s: Profile

    def start(self) -> Latency:
        """Make the state: nothing on its way yet."""
        return Latency(self.delay_s)


class Latency:
    """Delays frames and keeps their order."""

    def __init__(self, delay_s: Profile) -> None:
        self._delay_s = delay_s
        self._last_release_s = -math.inf

    def shape(self, rate_bps: Profile) -> Profile:
        """Leave the rate: a delay takes no capacity."""
        return rate_bps

    def apply(self, frame: Frame, now: float) -> Frame:  # noqa: ARG002 - the protocol's signature
        """Release the frame one delay after it has left, and two more for each retry."""
        if math.isinf(frame.ready_s):
            return frame
        delay_s = self._delay_s.value(frame.ready_s) * (1 + 2 * frame.retries)
        self._last_release_s = max(self._last_release_s, frame.ready_s + delay_s)
        return frame._replace(ready_s=self._last_release_s)
