"""The ground's side of the transfer protocol, pure.

The node drives: it pulls uplink objects and pushes downlink objects, since only the node knows
its power, its pass and its queue. The ground answers. Nothing here touches a disk: the caller
stores bytes first and then says so, and a receipt is made only from what is stored.

A session begins with the node's hello. The answer is our own hello (what we hold of the objects
that the node has open towards us), then the manifest of every job that has not ended: the node
answers an offer that it knows with the job's state, so that no lost word leaves a job in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.icd import Held, Hello, Manifest, Pull, Receipt, Span
from node.transfer.ranges import RangeSet

MAX_SPAN_BYTES = 256 * 1024
"""No pulled span is answered in larger pieces than this."""


class Responder:
    """What the ground owes one node: manifests to announce, objects to serve, receipts to give."""

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._offers: dict[str, Manifest] = {}
        self._sizes: dict[str, int] = {}
        self._incoming: dict[str, tuple[Manifest, RangeSet]] = {}
        self.online = False

    def restore_incoming(self, manifest: Manifest, held: Iterable[Span]) -> None:
        """Take up a downlink object that was partly there before a restart."""
        self._incoming[manifest.object_id] = (manifest, RangeSet(held))

    def offer(self, manifest: Manifest) -> list[Manifest]:
        """Queue a job for the node; return what to send now (nothing while it is away)."""
        self._offers[manifest.job.job_id] = manifest
        self._sizes[manifest.object_id] = manifest.size_bytes
        return [manifest] if self.online else []

    def handle_hello(self, hello: Hello, mission_s: float) -> list[Hello | Manifest]:
        """Open a session; return our hello and the manifest of every job that has not ended."""
        self.online = True
        wanted = {held.object_id for held in hello.open}
        answer = Hello(
            boot_id=self._boot_id,
            mission_s=mission_s,
            open=[
                Held(object_id=object_id, held=list(ranges.spans))
                for object_id, (_, ranges) in self._incoming.items()
                if object_id in wanted
            ],
        )
        return [answer, *self._offers.values()]

    def handle_lost(self) -> None:
        """Close the session; offers wait for the next hello."""
        self.online = False

    def job_ended(self, job_id: str) -> None:
        """The job is delivered or has ended badly: announce it no more."""
        offer = self._offers.pop(job_id, None)
        if offer is not None and all(
            other.object_id != offer.object_id for other in self._offers.values()
        ):
            self._sizes.pop(offer.object_id, None)

    def handle_pull(self, pull: Pull) -> list[tuple[str, Span]]:
        """Return the pieces to read and send as chunks; pieces outside the object are dropped."""
        size = self._sizes.get(pull.object_id)
        if size is None:
            return []
        pieces: list[tuple[str, Span]] = []
        for start, stop in pull.spans:
            at, end = start, min(stop, size)
            while at < end:
                piece = (at, min(end, at + MAX_SPAN_BYTES))
                pieces.append((pull.object_id, piece))
                at = piece[1]
        return pieces

    def handle_manifest(self, manifest: Manifest) -> Receipt:
        """The node offers a result; answer with what is held of it."""
        _, ranges = self._incoming.setdefault(manifest.object_id, (manifest, RangeSet()))
        return Receipt(object_id=manifest.object_id, held=list(ranges.spans), complete=False)

    def incoming(self, object_id: str) -> Manifest | None:
        """Return the manifest of a downlink object that is open, or None."""
        entry = self._incoming.get(object_id)
        return None if entry is None else entry[0]

    def chunk_stored(
        self, object_id: str, held: Iterable[Span], *, complete: bool, jobs: Iterable[str] = ()
    ) -> Receipt:
        """Bytes are on disk; return the receipt.

        ``complete`` closes the object; ``jobs`` are then those whose result is noted as these
        bytes.
        """
        spans = list(held)
        if complete:
            self._incoming.pop(object_id, None)
        elif object_id in self._incoming:
            manifest, _ = self._incoming[object_id]
            self._incoming[object_id] = (manifest, RangeSet(spans))
        return Receipt(object_id=object_id, held=spans, complete=complete, jobs=list(jobs))
