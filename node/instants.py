"""UTC instants as text, to the millisecond, for people and files."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_text(utc_s: float) -> str:
    """Write POSIX seconds as ``2025-03-20T11:32:11.482Z``, rounded to the millisecond."""
    instant = datetime.fromtimestamp(round(utc_s, 3), timezone.utc)
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
