"""What an impairment is: a configuration that anyone may share, and a state for one direction.

A frame walks along the impairments of one direction in the order of the registry. None of them
sleeps: each takes the mission time and says when the frame is through. None of them drops
anything: what cannot come through before the window closes is never released, and the channel
counts it as lost when it closes. Pure.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol

from groundlink.profile import Profile


class Frame(NamedTuple):
    """A run of bytes on its way through one direction."""

    size_bytes: int
    """Payload: what the sender gave and what the receiver gets."""
    air_bits: float
    """What the transmitter has to send for it, retransmissions included."""
    ready_s: float
    """Mission time at which the stages so far are through with it; infinite: never."""
    retries: int = 0
    """Round trips that its worst link frame lost to retransmission."""


class Impairment(Protocol):
    """The state of one impairment in one direction during one window."""

    def shape(self, rate_bps: Profile) -> Profile:
        """What it leaves of the window's rate; asked once, when the window opens."""

    def apply(self, frame: Frame, now: float) -> Frame:
        """Take a frame that was offered at ``now``; return it as this stage leaves it."""


class Config(Protocol):
    """The settings of one impairment: immutable, without any state of a connection or pass."""

    name: ClassVar[str]

    def start(self) -> Impairment:
        """Make a fresh state for one direction and one window."""
