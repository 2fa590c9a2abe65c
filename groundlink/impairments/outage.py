"""Scheduled blackout: the link carries nothing, though the window is open.

The transmitter keeps what it has not yet sent and goes on afterwards, so a blackout delays bytes
and takes capacity from the pass; connections stay up. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from groundlink.impairments.base import Frame
from groundlink.profile import Profile


@dataclass(frozen=True)
class OutageConfig:
    """When the link is black, in mission seconds."""

    name: ClassVar[str] = "outage"
    spans_s: tuple[tuple[float, float], ...]
    """Start and stop of each blackout."""

    def start(self) -> Outage:
        """Make the state; a blackout has none."""
        return Outage(self.spans_s)


class Outage:
    """Takes the blackouts out of the window's rate; frames then wait in the serialiser."""

    def __init__(self, spans_s: tuple[tuple[float, float], ...]) -> None:
        self._spans_s = spans_s

    def shape(self, rate_bps: Profile) -> Profile:
        """Rate zero during each blackout."""
        for start_s, stop_s in self._spans_s:
            rate_bps = rate_bps.without(start_s, stop_s)
        return rate_bps

    def apply(self, frame: Frame, now: float) -> Frame:  # noqa: ARG002 - the protocol's signature
        """Leave the frame as it is: the shaped rate already holds it back."""
        return frame
