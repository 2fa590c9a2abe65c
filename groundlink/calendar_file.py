"""An iCalendar file (RFC 5545) of single events, for the calendars that people keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from math import ceil, floor
from typing import NamedTuple

from node import __version__

_MAX_OCTETS = 75
"""Of a line without its end (section 3.1)."""
_ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n", "\r": None})


class CalendarEvent(NamedTuple):
    """One event; text may hold any character."""

    uid: str
    """The same for the same event, so that a second import replaces it."""
    start_utc_s: float
    stop_utc_s: float
    summary: str
    description: str
    latitude_deg: float
    longitude_deg: float


def calendar_lines(events: Iterable[CalendarEvent], revised_utc_s: float) -> Iterator[str]:
    """Write a calendar line by line, each with its CRLF.

    A calendar counts in whole seconds: an event begins with the second that it begins in and ends
    with the one that it ends in. Events take no time from whoever subscribes (TRANSP).

    Args:
        events: at least one, as RFC 5545 asks.
        revised_utc_s: when what the events are made from was last changed (DTSTAMP).
    """
    yield from _folded("BEGIN:VCALENDAR")
    yield from _folded("VERSION:2.0")
    yield from _folded(f"PRODID:-//orbitnode//groundlink {__version__}//EN")
    for event in events:
        yield from _folded("BEGIN:VEVENT")
        yield from _folded(f"UID:{_escaped(event.uid)}")
        yield from _folded(f"DTSTAMP:{date_time(floor(revised_utc_s))}")
        yield from _folded(f"DTSTART:{date_time(floor(event.start_utc_s))}")
        yield from _folded(f"DTEND:{date_time(ceil(event.stop_utc_s))}")
        yield from _folded(f"SUMMARY:{_escaped(event.summary)}")
        yield from _folded(f"DESCRIPTION:{_escaped(event.description)}")
        yield from _folded(f"GEO:{event.latitude_deg:.6f};{event.longitude_deg:.6f}")
        yield from _folded("TRANSP:TRANSPARENT")
        yield from _folded("END:VEVENT")
    yield from _folded("END:VCALENDAR")


def date_time(utc_s: float) -> str:
    """Write POSIX seconds as a DATE-TIME in UTC (section 3.3.5, form 2)."""
    return datetime.fromtimestamp(utc_s, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    """Section 3.3.11."""
    return text.translate(_ESCAPES)


def _folded(line: str) -> Iterator[str]:
    """Cut into lines of at most 75 octets, never inside a character; all but the first indented."""
    piece, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > _MAX_OCTETS:
            yield piece + "\r\n"
            piece, octets = " ", 1
        piece += character
        octets += size
    yield piece + "\r\n"
