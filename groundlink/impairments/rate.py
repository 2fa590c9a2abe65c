"""Serialiser: bits leave one after another at the rate of the pass.

It works on a virtual clock: a frame starts when the one before has left, not when somebody woke
up, so that a late wake-up loses no capacity as long as something was waiting. The rate is a
profile of mission time; a frame ends where the integral of the rate has reached its bits. Rates
count the payload of TCP: headers of TCP, IP and the link are not simulated. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from groundlink.impairments.base import Frame
from groundlink.profile import Profile


@dataclass(frozen=True)
class RateConfig:
    """The rate of one direction during one window."""

    name: ClassVar[str] = "rate"
    rate_bps: Profile

    def start(self) -> Rate:
        """Make the state: a serialiser that has sent nothing yet."""
        return Rate(self.rate_bps)


class Rate:
    """One serialiser, shared by everything that goes in one direction."""

    def __init__(self, rate_bps: Profile) -> None:
        self.rate_bps = rate_bps
        self.free_s = -math.inf
        """Mission time at which everything accepted so far has left; infinite: never."""

    def shape(self, rate_bps: Profile) -> Profile:
        """Take what the impairments before this one have left as the rate to serialise at."""
        self.rate_bps = rate_bps
        return rate_bps

    def apply(self, frame: Frame, now: float) -> Frame:
        """Send the frame behind everything accepted before it."""
        start_s = max(now, frame.ready_s, self.free_s)
        self.free_s = self.rate_bps.reach(start_s, frame.air_bits)
        return frame._replace(ready_s=self.free_s)
