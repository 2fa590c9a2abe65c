"""Words for what a configuration value should have been and for what it is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from msgspec import Meta

from node.icd import NAME_PATTERN, NODE_NAME_PATTERN

_PATTERNS = {
    NAME_PATTERN: "a name of 1 to 64 letters, digits, '_', '.' and '-'",
    NODE_NAME_PATTERN: (
        "a name of 1 to 32 lower-case letters, digits and '-' that does not begin with '-'"
    ),
}
_KINDS: dict[object, str] = {
    float: "a number",
    int: "a whole number",
    str: "text in quotes",
    bool: "true or false",
    datetime: "a date and time such as 2025-03-20T12:00:00Z",
}
_MAX_SHOWN = 60
"""Longer text is cut, so that a message stays one readable line."""
_MAX_PLAIN = 1e13
"""Bounds from here on are written with an exponent."""
_MAX_PLAIN_BITS = 128


def found(value: object) -> str:
    """Say what a decoded TOML value is, as its author would call it."""
    words = next(say for type_, say in _FOUND if isinstance(value, type_))
    return words(value)


def quoted(text: str) -> str:
    """Put a text into quotes on one line, shortened where it is long."""
    return '"' + _shortened(text.encode("unicode_escape").decode("ascii")) + '"'


def kind(type_: object) -> str:
    """Name a leaf type for people."""
    return _KINDS.get(type_, f"a {getattr(type_, '__name__', type_)}")


def numbers(type_: object, meta: Meta) -> str:
    """Say which numbers ``meta`` lets through: ``a number from 0 to 1``."""
    if meta.ge is not None and meta.ge == meta.le:
        return f"{_figure(meta.ge)}"
    bounds = ""
    if meta.gt is not None:
        bounds = f" above {_figure(meta.gt)}"
    elif meta.ge is not None:
        bounds = f" from {_figure(meta.ge)}"
    upper = ""
    if meta.lt is not None:
        upper = f"below {_figure(meta.lt)}"
    elif meta.le is not None:
        upper = f"{'to' if meta.ge is not None else 'up to'} {_figure(meta.le)}"
    joined = (
        " and " if meta.gt is not None or (meta.ge is not None and meta.lt is not None) else " "
    )
    return kind(type_) + bounds + (joined if bounds else " ") * bool(upper) + upper


def sizes(meta: Meta, noun: str) -> str:
    """Say how many of ``noun`` there may be: ``2 to 64 entries``."""
    low, high = meta.min_length, meta.max_length
    if low is not None and high is not None:
        return f"{low} to {high} {noun}"
    return f"at least {low} {noun}" if low is not None else f"at most {high} {noun}"


def texts(meta: Meta) -> str:
    """Say which texts ``meta`` lets through."""
    if meta.pattern is not None:
        return _PATTERNS.get(meta.pattern, f"text that matches {meta.pattern}")
    return f"text of {sizes(meta, 'characters')}"


def one_of(choices: Sequence[object]) -> str:
    """List the allowed values."""
    words = [quoted(choice) if isinstance(choice, str) else str(choice) for choice in choices]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """End a message with the known word that looks most like ``word``, if one does."""
    near = difflib.get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f"; did you mean '{near[0]}'?" if near else ""


def _figure(bound: float) -> str:
    """Write a bound without an exponent where that stays short."""
    short = f"{bound:g}"
    is_short_whole = float(bound).is_integer() and abs(bound) < _MAX_PLAIN
    return f"{bound:.0f}" if "e" in short and is_short_whole else short


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def _whole(value: int) -> str:
    """Write an integer; one that is absurdly long would be refused by ``str``."""
    bits = value.bit_length()
    return str(value) if bits <= _MAX_PLAIN_BITS else f"a number of {bits} bits"


# The first that fits speaks: a bool is an int and a datetime is a date.
_FOUND: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: str(value).lower()),
    (int, _whole),
    (float, repr),
    (str, lambda value: f"the text {quoted(value)}"),
    (dict, lambda _: "a table"),
    (list, lambda value: f"a list of {len(value)}"),
    (datetime, lambda value: f"the date and time {value.isoformat()}"),
    (date, lambda value: f"the date {value.isoformat()}"),
    (time, lambda value: f"the time {value.isoformat()}"),
    (object, lambda value: f"a {type(value).__name__}"),
)
