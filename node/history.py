"""The mission log: what happened and what was done about it, with its mission time.

One line of JSON an entry. Ticks and the pieces of transfers are left out of the file, which is for
people, tests and reports; everything goes into the digest, which says whether two runs were the
same to the last bit.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TextIO

import msgspec
from msgspec import Struct

from node.core import effects, events

_encoder = msgspec.json.Encoder()
_FREQUENT = (
    events.Tick,
    events.ChunkStored,
    events.ReceiptReceived,
    effects.SendChunk,
    effects.SendPull,
    effects.SendReceipt,
    effects.SendHello,
)


class Entry(Struct, frozen=True):
    """One line of the log."""

    mission_s: float
    item: events.Event | effects.Effect


class History:
    """Writes the log and keeps its digest."""

    def __init__(self, path: Path | None = None, *, digest: bool = False) -> None:
        """Begin; without a path nothing is written.

        Args:
            path: the log file; it is appended to.
            digest: keep a digest of every entry, ticks included.
        """
        self._file: TextIO | None = None if path is None else path.open("a", buffering=1)
        self._digest = hashlib.sha256() if digest else None

    def record(self, now: float, item: events.Event | effects.Effect) -> None:
        """Take down one event or effect."""
        if self._digest is None and self._file is None:
            return
        frequent = isinstance(item, _FREQUENT)
        if self._digest is None and frequent:
            return
        line = _encoder.encode(Entry(now, item))
        if self._digest is not None:
            self._digest.update(line)
        if self._file is not None and not frequent:
            self._file.write(line.decode() + "\n")

    def digest(self) -> str:
        """SHA-256 over every entry so far; empty where no digest is kept."""
        return "" if self._digest is None else self._digest.hexdigest()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
