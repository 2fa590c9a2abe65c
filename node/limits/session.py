"""Answers requests: who holds the lease, and what each verb does.

Pure but for the limits that it is given: no socket and no clock, so that any bytes at any time can
be tried.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import cast

from node.errors import GovernorRefusedError, MessageError
from node.limits.hold import Limits
from node.limits.protocol import (
    Alive,
    Answer,
    CapCpu,
    CapEmc,
    CapGpu,
    CapPackagePower,
    Capped,
    Code,
    Describe,
    Described,
    Heartbeat,
    Kind,
    Refused,
    Release,
    Released,
    Request,
    decode_request,
)

_log = logging.getLogger(__name__)
LEASE_S = 10.0


@dataclass(frozen=True)
class Peer:
    """One connection, as the kernel vouches for it."""

    connection: int
    pid: int
    uid: int

    def __str__(self) -> str:
        """Name it for people."""
        return f"pid {self.pid}, uid {self.uid}"


class Session:
    """One board's limits, and the one client at a time that may lower them.

    The lease begins with the first cap and ends with the release of the last one, with the
    connection, or when the holder has been silent for too long. Whatever ends it, nothing stays
    lowered.
    """

    def __init__(self, limits: Limits, lease_s: float = LEASE_S) -> None:
        self._limits = limits
        self._lease_s = lease_s
        self._holder: Peer | None = None
        self._expires_s = 0.0

    @property
    def expires_s(self) -> float | None:
        """When the lease ends if nothing is heard; None where nobody holds it."""
        return None if self._holder is None else self._expires_s

    def answer(self, peer: Peer, line: bytes, now_s: float) -> Answer:
        """Do what one line asks for."""
        self.expire(now_s)
        try:
            request = decode_request(line)
        except MessageError as error:
            return Refused("malformed", str(error)[:200])
        if peer == self._holder:
            self._expires_s = now_s + self._lease_s
        try:
            return self._do(peer, request, now_s)
        except GovernorRefusedError as refusal:
            return Refused(cast("Code", refusal.code), refusal.text, refusal.holder)

    def gone(self, peer: Peer) -> None:
        """Hear that a connection has ended."""
        if peer == self._holder:
            _log.info("lease_ended holder=%s reason=gone", peer)
            self.stop()

    def expire(self, now_s: float) -> None:
        """End a lease whose holder has been silent for too long."""
        if self._holder is not None and now_s >= self._expires_s:
            _log.warning("lease_ended holder=%s reason=silent_for_%gs", self._holder, self._lease_s)
            self.stop()

    def stop(self) -> None:
        """Restore everything."""
        self._limits.release()
        self._holder = None

    def _do(self, peer: Peer, request: Request, now_s: float) -> Answer:
        match request:
            case Describe():
                knobs, left_out = self._limits.describe()
                holder = "" if self._holder is None else str(self._holder)
                return Described(knobs, left_out, self._lease_s, holder)
            case Heartbeat():
                self._refuse_others(peer)
                if self._holder is None:
                    raise GovernorRefusedError("no_lease", "nothing is held for this client")
                return Alive(self._limits.held)
            case Release():
                self._refuse_others(peer)
                policy = request.policy if isinstance(request.policy, int) else None
                if request.knob == "all":
                    restorations = self._limits.release()
                else:
                    restorations = self._limits.release(request.knob, policy)
                if not self._limits.held:
                    self._holder = None
                return Released(restorations)
        kind, asked, policy = _cap_of(request)
        self._refuse_others(peer)
        outcomes = self._limits.cap(kind, asked, policy)
        if not self._limits.held:
            # Capped at the baseline: there is nothing to keep a lease for.
            self._holder = None
        elif self._holder is None:
            self._holder = peer
            self._expires_s = now_s + self._lease_s
            _log.info("lease_begun holder=%s", peer)
        return Capped(outcomes)

    def _refuse_others(self, peer: Peer) -> None:
        if self._holder not in {None, peer}:
            raise GovernorRefusedError("busy", "another client holds the lease", str(self._holder))


def _cap_of(request: CapCpu | CapGpu | CapEmc | CapPackagePower) -> tuple[Kind, int, int | None]:
    match request:
        case CapCpu(khz=khz, policy=policy):
            return "cpu", khz, policy if isinstance(policy, int) else None
        case CapGpu(hz=hz):
            return "gpu", hz, None
        case CapEmc(hz=hz):
            return "emc", hz, None
        case CapPackagePower(microwatts=microwatts):
            return "package_power", microwatts, None
