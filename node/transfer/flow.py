"""One direction of bulk transfer as the node drives it, pure.

A flow holds the open objects of one direction, picks the next piece by strict priority (class,
then deadline, then size), keeps a small window of pieces on their way, and learns the round trip
from what is confirmed. Uplink: a piece is a pull. Downlink: a piece is a chunk. In both cases the
confirmation says which bytes are on the receiver's disk; nothing else ends a piece's flight.

Sizes follow the measured rule: head-of-line delay is about window x chunk x 8 / rate, so a chunk
takes a quarter of a second of link time and the window covers twice the bandwidth-delay product.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from node.icd import MAX_CHUNK_BYTES, Manifest, Span
from node.transfer.ranges import RangeSet

MIN_CHUNK_BYTES = 512
CHUNK_LINK_TIME_S = 0.25
MIN_WINDOW = 2
MAX_WINDOW = 16
_ROUND_TRIP_GAIN = 0.25
"""Weight of a new sample in the running mean of the round trip."""


def chunk_bytes(rate_bps: float) -> int:
    """Size of a chunk at a link rate: a quarter of a second of link time, within bounds."""
    return int(min(max(CHUNK_LINK_TIME_S * rate_bps / 8, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES))


def window_chunks(rate_bps: float, round_trip_s: float, chunk: int) -> int:
    """Pieces that may be on their way at once: twice the bandwidth-delay product and two more."""
    bandwidth_delay_bytes = rate_bps * round_trip_s / 8
    return min(max(math.ceil(2 * bandwidth_delay_bytes / chunk) + 2, MIN_WINDOW), MAX_WINDOW)


@dataclass(frozen=True, slots=True)
class Piece:
    """What to announce, ask for or send next."""

    object_id: str
    announce: Manifest | None
    """Send this manifest first: the peer has not heard it in this session."""
    span: Span | None
    """Bytes to ask for or to send; None where only the announcement is owed."""


@dataclass(slots=True)
class _OpenObject:
    size_bytes: int
    held: RangeSet = field(default_factory=RangeSet)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    """By job: several jobs can share the same bytes."""
    unannounced: dict[str, Manifest] = field(default_factory=dict)
    in_flight: list[tuple[Span, float]] = field(default_factory=list)
    """What was asked for or sent, and when; the oldest first."""

    order: tuple[int, float, int, str] = (0, 0.0, 0, "")
    """Who goes first: by class, then deadline, then size; that of its most urgent job."""

    def rank(self) -> None:
        """Find the order anew, after a change of the jobs; there is one at least."""
        self.order = min(
            (
                manifest.job.priority,
                math.inf if manifest.job.deadline_s is None else manifest.job.deadline_s,
                self.size_bytes,
                job_id,
            )
            for job_id, manifest in self.manifests.items()
        )

    def hold(self, spans: Iterable[Span]) -> None:
        """Add to what the receiver holds; a peer's word beyond the object's end is cut."""
        for start, stop in spans:
            self.held.add(start, min(stop, self.size_bytes))


class Flow:
    """The open objects of one direction."""

    def __init__(self, retry_after_s: float, *, announces: bool) -> None:
        """Start empty.

        Args:
            retry_after_s: a piece that is not confirmed after this long is sent again.
            announces: the peer must hear a manifest before bytes (downlink).
        """
        self._retry_after_s = retry_after_s
        self._announces = announces
        self._objects: dict[str, _OpenObject] = {}
        self._round_trip_s = 0.0
        self.confirmed_bytes = 0
        """Payload bytes confirmed since the start, each counted once."""

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._objects

    @property
    def open_bytes(self) -> int:
        """Bytes of open objects that are not confirmed yet."""
        return sum(entry.size_bytes - entry.held.total() for entry in self._objects.values())

    def open_objects(self) -> list[tuple[str, tuple[Span, ...]]]:
        """Every open object and what the receiver holds of it, as far as is known."""
        return [(object_id, entry.held.spans) for object_id, entry in self._objects.items()]

    def add(self, manifest: Manifest, held: Iterable[Span] = ()) -> None:
        """Open an object, or add one more job to an open one."""
        entry = self._objects.get(manifest.object_id)
        if entry is None:
            entry = _OpenObject(manifest.size_bytes)
            entry.hold(held)
            self._objects[manifest.object_id] = entry
        job_id = manifest.job.job_id
        if job_id not in entry.manifests:
            entry.manifests[job_id] = manifest
            entry.rank()
            if self._announces:
                entry.unannounced[job_id] = manifest

    def complete(self, object_id: str, jobs: Collection[str]) -> list[Manifest]:
        """The receiver has it all and has noted these jobs; return their manifests.

        A job that it has not noted, since its announcement got lost, is announced again.
        """
        entry = self._objects.get(object_id)
        if entry is None:
            return []
        self.confirm(object_id, [(0, entry.size_bytes)], math.inf)
        done = [manifest for job_id, manifest in entry.manifests.items() if job_id in jobs]
        for manifest in done:
            del entry.manifests[manifest.job.job_id]
        entry.unannounced = dict(entry.manifests)
        if entry.manifests:
            entry.rank()
        else:
            del self._objects[object_id]
        return done

    def remove(self, object_id: str) -> None:
        """Close an object that will not be transferred."""
        self._objects.pop(object_id, None)

    def session_ended(self) -> None:
        """Nothing is on its way any more, and the next session hears every announcement anew."""
        for entry in self._objects.values():
            entry.in_flight.clear()
            if self._announces:
                entry.unannounced = dict(entry.manifests)

    def confirm(self, object_id: str, held: Iterable[Span], now: float) -> None:
        """The receiver's disk holds these ranges, by its own word: add to what is known."""
        entry = self._objects.get(object_id)
        if entry is None:
            return
        before = entry.held.total()
        entry.hold(held)
        self.confirmed_bytes += entry.held.total() - before
        still_in_flight = []
        for span, sent_s in entry.in_flight:
            if not entry.held.covers(*span):
                still_in_flight.append((span, sent_s))
            elif now < math.inf:
                self._sample_round_trip(now - sent_s)
        entry.in_flight = still_in_flight

    def replace_held(self, object_id: str, held: Iterable[Span]) -> None:
        """The receiver says anew what it holds, which may be less than was known."""
        entry = self._objects.get(object_id)
        if entry is not None:
            entry.held = RangeSet()
            entry.hold(held)
            entry.in_flight.clear()

    def next_piece(self, now: float, rate_bps: float) -> Piece | None:
        """Return the next piece that fits the window, or None.

        Args:
            now: mission seconds.
            rate_bps: rate of this direction at this instant; at zero nothing moves.
        """
        in_flight = self._give_up_overdue(now)
        if rate_bps <= 0 or not self._objects:
            return None
        chunk = chunk_bytes(rate_bps)
        window = window_chunks(rate_bps, self._round_trip_s, chunk)
        if in_flight >= window:
            return None
        for object_id, entry in sorted(self._objects.items(), key=lambda item: item[1].order):
            on_its_way = [span for span, _ in entry.in_flight]
            span = entry.held.first_gap(entry.size_bytes, chunk, on_its_way)
            if span is None and not entry.unannounced:
                continue
            announce = None
            if entry.unannounced:
                announce = entry.unannounced.pop(next(iter(entry.unannounced)))
            if span is not None:
                entry.in_flight.append((span, now))
            return Piece(object_id, announce, span)
        return None

    def next_deadline(self) -> float | None:
        """Mission time at which the oldest piece on its way is given up, or None."""
        sent = [entry.in_flight[0][1] for entry in self._objects.values() if entry.in_flight]
        return min(sent) + self._retry_after_s if sent else None

    def _give_up_overdue(self, now: float) -> int:
        """Forget pieces that are not confirmed in time; return how many are on their way still."""
        count = 0
        for entry in self._objects.values():
            in_flight = entry.in_flight
            # The same sum as in next_deadline, so that a deadline that has come is always served.
            while in_flight and in_flight[0][1] + self._retry_after_s <= now:
                del in_flight[0]
            count += len(in_flight)
        return count

    def _sample_round_trip(self, sample_s: float) -> None:
        if self._round_trip_s == 0.0:
            self._round_trip_s = sample_s
        else:
            self._round_trip_s += _ROUND_TRIP_GAIN * (sample_s - self._round_trip_s)
