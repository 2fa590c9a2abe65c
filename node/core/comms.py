"""The link as the node drives it: contacts, sessions and both directions of transfer.

The plan only schedules: it says when to connect, when to say goodbye and what rate to expect. What
really passes is decided by the relay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from node.core import effects
from node.core.contacts import Contact
from node.core.effects import Effect
from node.icd import Held, Hello, Manifest, Pull, Receipt, Span
from node.transfer.flow import Flow

_HELLO_AGAIN_WALL_S = 5.0
"""A hello that is not answered in this many real seconds is said again."""
_RETRY_WALL_S = 20.0
"""A piece that is not confirmed in this many real seconds is sent again."""


class Comms:
    """State of the radio and of the transfers; lives from boot to power loss."""

    def __init__(self, boot_id: str, rate: float) -> None:
        self._boot_id = boot_id
        self._rate = rate
        self.uplink = Flow(_RETRY_WALL_S * rate, announces=False)
        self.downlink = Flow(_RETRY_WALL_S * rate, announces=True)
        self.contact: Contact | None = None
        """The contact for which the radio is on."""
        self.link_up = False
        self.sessions = 0
        self._ground_boot_id: str | None = None
        self._hello_again_s: float | None = None

    @property
    def session_open(self) -> bool:
        """Both ends have said hello."""
        return self.link_up and self._ground_boot_id is not None

    def follow_plan(self, contact: Contact | None, *, allowed: bool) -> list[Effect]:
        """Turn the radio on or off as the plan and the operating mode say.

        Args:
            contact: the contact whose open time has come and whose goodbye has not, or None.
            allowed: the mode allows the radio.
        """
        wanted = contact if allowed else None
        if wanted == self.contact:
            return []
        done: list[Effect] = []
        if self.contact is not None:
            done.append(effects.CloseLink())
        if wanted is not None:
            done.append(effects.OpenLink(station=wanted.station.name, los_s=wanted.los_s))
        self.contact = wanted
        return done

    def link_came_up(self, now: float) -> list[Effect]:
        """The session stands: say hello. Without a contact it is news of before a power loss."""
        if self.contact is None:
            return []
        self.link_up = True
        self.sessions += 1
        return self._say_hello(now)

    def link_went_down(self) -> None:
        """The session is gone; every transfer stops where it is."""
        self.link_up = False
        self._ground_boot_id = None
        self._hello_again_s = None
        self.uplink.session_ended()
        self.downlink.session_ended()

    def hello_received(self, hello: Hello, now: float) -> list[Effect]:
        """The ground says what it holds; a ground that restarted hears our hello again."""
        if not self.link_up:
            return []
        restarted = self._ground_boot_id not in (None, hello.boot_id)
        self._ground_boot_id = hello.boot_id
        self._hello_again_s = None
        claims = {held.object_id: held.held for held in hello.open}
        self.downlink.session_ended()
        for object_id, _ in self.downlink.open_objects():
            self.downlink.replace_held(object_id, claims.get(object_id, ()))
        return self._say_hello(now) if restarted else []

    def receipt_received(self, receipt: Receipt, now: float) -> list[Manifest]:
        """The ground holds more of a result; return the results that it now has whole."""
        if receipt.complete:
            return self.downlink.complete(receipt.object_id, receipt.jobs)
        self.downlink.confirm(receipt.object_id, receipt.held, now)
        return []

    def pump(self, now: float, uplink_bps: float, downlink_bps: float) -> Iterable[Effect]:
        """Yield everything that may be sent now."""
        if not self.link_up:
            return
        if self._hello_again_s is not None and now >= self._hello_again_s:
            yield from self._say_hello(now)
        if not self.session_open:
            return
        while (piece := self.uplink.next_piece(now, uplink_bps)) is not None:
            # Nothing is announced upwards, so that each piece is one of bytes.
            span = cast(Span, piece.span)
            yield effects.SendPull(Pull(object_id=piece.object_id, spans=[span]))
        while (piece := self.downlink.next_piece(now, downlink_bps)) is not None:
            if piece.announce is not None:
                yield effects.SendManifest(piece.announce)
            if piece.span is not None:
                yield effects.SendChunk(piece.object_id, piece.span)

    def next_deadline(self) -> float | None:
        """Mission time at which something has to be sent again, or None."""
        if not self.link_up:
            return None
        times = [self.uplink.next_deadline(), self.downlink.next_deadline(), self._hello_again_s]
        return min((time for time in times if time is not None), default=None)

    def _say_hello(self, now: float) -> list[Effect]:
        self._hello_again_s = now + _HELLO_AGAIN_WALL_S * self._rate
        open_objects = [
            Held(object_id=object_id, held=list(held))
            for object_id, held in (*self.uplink.open_objects(), *self.downlink.open_objects())
        ]
        return [effects.SendHello(Hello(boot_id=self._boot_id, mission_s=now, open=open_objects))]
