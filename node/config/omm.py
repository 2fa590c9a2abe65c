"""CCSDS orbit mean-elements messages (502.0-B): from their text to what SGP4 needs.

Units of the message may be named, as the standard does, and must then be those of the standard.
Keywords that SGP4 does not use are not looked at, so that the extras of public catalogues pass.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from node.config import wording
from node.config.omm_text import Field, read_text
from node.physics.orbit import MeanElements

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_EPOCH = re.compile(r"(\d{4})-(?:(\d\d)-(\d\d)|(\d{3}))T(\d\d):(\d\d):(\d\d)(\.\d*)?Z?", re.ASCII)


class Reading(NamedTuple):
    """What came of reading one message."""

    object_name: str
    elements: MeanElements | None
    """None where there are problems."""
    problems: list[str]


class _Number(NamedTuple):
    """A keyword with a number, in the order of `MeanElements` after its epoch."""

    keyword: str
    low: float
    high: float
    unit: str


_NUMBERS = (
    _Number("MEAN_MOTION", 0.01, 18.0, "rev/day"),
    _Number("ECCENTRICITY", 0.0, 0.999999, ""),
    _Number("INCLINATION", 0.0, 180.0, "deg"),
    _Number("RA_OF_ASC_NODE", -360.0, 360.0, "deg"),
    _Number("ARG_OF_PERICENTER", -360.0, 360.0, "deg"),
    _Number("MEAN_ANOMALY", -360.0, 360.0, "deg"),
    _Number("BSTAR", -10.0, 10.0, "1/ER"),
)
_TEXTS = {
    "CCSDS_OMM_VERS": ("1.0", "2.0", "3.0"),
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}
"""What SGP4's elements are in; the forms of the standard must say so."""
_EPHEMERIS_TYPES = ("0", "2")
"""Both are SGP4; 4 is SGP4-XP, whose elements mean something else."""
_NAMES = ("OBJECT_NAME", "OBJECT_ID", "NORAD_CAT_ID")


def read_message(text: str) -> Reading:
    """Read a message in any of its forms and find everything that is wrong with it."""
    written = read_text(text)
    reader = _Reader(written.fields, list(written.problems))
    if written.problems and not written.fields:
        return Reading(reader.name(), None, reader.problems)
    repeated = reader.repeated()
    if repeated:
        return Reading(reader.name(), None, [*reader.problems, repeated])
    for keyword, choices in _TEXTS.items():
        reader.choice(keyword, choices, required=written.has_metadata)
    reader.choice("EPHEMERIS_TYPE", _EPHEMERIS_TYPES, required=False)
    elements = MeanElements(reader.epoch_utc_s(), *(reader.number(each) for each in _NUMBERS))
    return Reading(reader.name(), None if reader.problems else elements, reader.problems)


class _Reader:
    """Takes keyword after keyword out of a message and notes what is wrong."""

    def __init__(self, fields: list[Field], problems: list[str]) -> None:
        self.problems = problems
        self._fields: dict[str, list[Field]] = {}
        for field in fields:
            self._fields.setdefault(field.keyword, []).append(field)

    def repeated(self) -> str | None:
        """Say which keyword that is used stands there more than once, if one does."""
        for keyword in ("EPOCH", *_TEXTS, *(number.keyword for number in _NUMBERS)):
            fields = self._fields.get(keyword, [])
            if len(fields) > 1:
                return (
                    f"{_place(fields[1])}: is there {len(fields)} times; "
                    "the message must be of one object"
                )
        return None

    def name(self) -> str:
        """What the message calls the object, on one line."""
        for keyword in _NAMES:
            if keyword in self._fields:
                return wording.quoted(self._fields[keyword][0].text)[1:-1]
        return "an unnamed object"

    def choice(self, keyword: str, choices: tuple[str, ...], *, required: bool) -> None:
        """Note a text that is none of those that there may be."""
        field = self._take(keyword, required=required)
        if field is not None and field.text.upper() not in choices:
            self._note(
                field, f"expected {wording.one_of(choices)}, got {wording.quoted(field.text)}"
            )

    def number(self, of: _Number) -> float:
        """Return a number that lies within its bounds; 0 where a problem is noted."""
        field = self._take(of.keyword, required=True)
        if field is None:
            return 0.0
        if field.unit and field.unit.upper() != of.unit.upper():
            expected = f"expected the unit {of.unit}" if of.unit else "expected no unit"
            self._note(field, f"{expected}, got {wording.quoted(field.unit)}")
        expected = f"expected a number from {of.low:g} to {of.high:g}"
        if not _NUMBER.fullmatch(field.text):
            self._note(field, f"{expected}, got {wording.quoted(field.text)}")
            return 0.0
        value = float(field.text)
        if not of.low <= value <= of.high:
            self._note(field, f"{expected}, got {wording.quoted(field.text)}")
        return value

    def epoch_utc_s(self) -> float:
        """Return the epoch in POSIX seconds; 0 where a problem is noted."""
        field = self._take("EPOCH", required=True)
        if field is None:
            return 0.0
        match = _EPOCH.fullmatch(field.text)
        with suppress(ValueError, OverflowError):
            if match is not None:
                return _posix_s(match)
        self._note(
            field,
            "expected a date and time such as 2024-05-06T19:53:04.999776, "
            f"got {wording.quoted(field.text)}",
        )
        return 0.0

    def _take(self, keyword: str, *, required: bool) -> Field | None:
        """Return the field of this keyword."""
        if keyword in self._fields:
            return self._fields[keyword][0]
        if required:
            self.problems.append(f"{keyword} is missing")
        return None

    def _note(self, field: Field, problem: str) -> None:
        self.problems.append(f"{_place(field)}: {problem}")


def _place(field: Field) -> str:
    line = "" if field.line is None else f" (line {field.line} of the message)"
    return f"{field.keyword}{line}"


def _posix_s(match: re.Match[str]) -> float:
    """Seconds of a matched epoch; raises `ValueError` where there is no such day or time."""
    year, hour, minute, second = (int(match[group]) for group in (1, 5, 6, 7))
    if match[4]:
        day = datetime(year, 1, 1, tzinfo=timezone.utc) + timedelta(days=int(match[4]) - 1)
        if day.year != year:
            raise ValueError
    else:
        day = datetime(year, int(match[2]), int(match[3]), tzinfo=timezone.utc)
    whole = day.replace(hour=hour, minute=minute, second=second)
    # Whole seconds are exact, so that the sum is the nearest number to the epoch.
    return whole.timestamp() + float(f"0{match[8] or ''}")
