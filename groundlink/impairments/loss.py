"""Link-layer frame loss, repaired by selective-repeat ARQ.

A proxy of TCP cannot lose bytes, so loss is modelled where a space link has it: the modem sends
frames, each is lost with one probability, and each lost frame is sent again until it arrives. The
payload rate falls to ``rate * (1 - ratio)``; a lost frame arrives one round trip later for each
retry, and those behind it wait, since bytes leave in order. Losses are independent (no bursts),
and acknowledgements are never lost. Pure: the generator is seeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from groundlink.impairments.base import Frame
from groundlink.profile import Profile


@dataclass(frozen=True)
class LossConfig:
    """How often a link frame is lost."""

    name: ClassVar[str] = "loss"
    ratio: float
    """Probability that one link frame is lost; from 0 to below 1."""
    seed: str
    """The same seed loses the same frames; let it name run, direction and pass."""
    frame_bytes: int = 1115
    """Payload of a link frame; 1115 is a CCSDS transfer frame in a (255, 223) interleave-5 code."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.ratio < 1.0:
            raise ValueError(f"a loss ratio is from 0 to below 1, not {self.ratio}")
        if self.frame_bytes < 1:
            raise ValueError(f"a link frame holds at least one byte, not {self.frame_bytes}")

    def start(self) -> Loss:
        """Make the state: a generator at its seed."""
        return Loss(self)


class Loss:
    """Draws the losses and charges the retransmissions to the transmitter."""

    def __init__(self, config: LossConfig) -> None:
        self._config = config
        self._random = Random(config.seed)  # noqa: S311 - repeatable draws, no secret

    def shape(self, rate_bps: Profile) -> Profile:
        """Leave the rate: retransmissions take their share of it frame by frame."""
        return rate_bps

    def apply(self, frame: Frame, now: float) -> Frame:  # noqa: ARG002 - the protocol's signature
        """Add the retransmissions of each link frame in it; a short rest is a frame too."""
        frames = -(-frame.size_bytes // self._config.frame_bytes)
        sent = 0
        worst = 0
        for _ in range(frames):
            retries = 0
            while self._random.random() < self._config.ratio:
                retries += 1
            sent += 1 + retries
            worst = max(worst, retries)
        if worst == 0:
            return frame
        return frame._replace(air_bits=frame.air_bits * sent / frames, retries=worst)
