"""How reading went: every board reports it beside its readings."""

from __future__ import annotations

from typing import NamedTuple


class ReaderHealth(NamedTuple):
    """How the last read of one reader went."""

    name: str
    ok: bool
    duration_s: float
