from __future__ import annotations

from datetime import datetime, timezone

import pytest
from icalendar import Calendar

from groundlink.calendar_file import CalendarEvent, calendar_lines

STAMP_UTC_S = 1_742_000_000.7
PLAIN = CalendarEvent("a@b", 1_742_470_331.9, 1_742_470_913.1, "over", "text", 27.7629, -15.6338)


def written(*events: CalendarEvent) -> str:
    return "".join(calendar_lines(events, STAMP_UTC_S))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc] - six parts


def test_an_independent_reader_finds_every_property() -> None:
    calendar = Calendar.from_ical(written(PLAIN, PLAIN._replace(uid="c@d")))
    assert calendar["VERSION"] == "2.0"
    assert str(calendar["PRODID"]).startswith("-//orbitnode//groundlink ")
    first, second = calendar.walk("VEVENT")
    assert (first["UID"], second["UID"]) == ("a@b", "c@d")
    assert first["DTSTAMP"].dt == utc(2025, 3, 15, 0, 53, 20)
    # The seconds in which it begins and ends belong to it.
    assert first["DTSTART"].dt == utc(2025, 3, 20, 11, 32, 11)
    assert first["DTEND"].dt == utc(2025, 3, 20, 11, 41, 54)
    assert (first["SUMMARY"], first["DESCRIPTION"]) == ("over", "text")
    assert first["TRANSP"] == "TRANSPARENT"
    assert (first["GEO"].latitude, first["GEO"].longitude) == (27.7629, -15.6338)
    assert not calendar.errors
    assert not first.errors


@pytest.mark.parametrize(
    "text",
    [
        "a;b,c\\d",
        "two\nlines\\n",
        "x" * 74,
        "x" * 75,
        "x" * 400,
        "å" * 120,
        "🛰" * 60,
        " leading, and trailing ",
        'colon: "quoted"',
    ],
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    (event,) = Calendar.from_ical(written(PLAIN._replace(summary=text, description=text))).events
    assert event["SUMMARY"] == text
    assert event["DESCRIPTION"] == text


def test_what_has_a_meaning_in_a_value_is_escaped() -> None:
    text = written(PLAIN._replace(summary="a;b,c\\d\ne"))
    assert "\r\nSUMMARY:a\\;b\\,c\\\\d\\ne\r\n" in text


def test_a_line_end_of_another_system_is_one_line_end() -> None:
    (event,) = Calendar.from_ical(written(PLAIN._replace(description="a\r\nb"))).events
    assert event["DESCRIPTION"] == "a\nb"


def test_lines_end_with_crlf_and_have_75_octets_at_most() -> None:
    text = written(PLAIN._replace(summary="å" * 120, description="y" * 500))
    raw = text.encode()
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    lines = raw.split(b"\r\n")[:-1]
    assert max(map(len, lines)) == 75
    assert all(line.decode() for line in lines)
    # Folded no more often than need be.
    assert sum(line.startswith(b" y") for line in lines) == 6
