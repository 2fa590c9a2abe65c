"""What a power meter says in text: a number of watts, a JSON object, or a line of a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

DEFAULT_KEY = "power_w"
_ENERGY_KEY = "energy_j"
_TIME_KEY = "time"
_PLAUSIBLE_W = (-0.5, 1e6)
"""A meter at rest can read slightly below zero; further below it is wired the wrong way round."""


class MeterFigures(NamedTuple):
    """One record of a meter."""

    power_w: float
    energy_j: float | None = None
    """Joules that the meter has counted, from wherever it began."""
    time: str | None = None
    """The meter's own time of the record, by which a repeated one is told from a new one."""


def figures_of_message(text: str, key: str = DEFAULT_KEY) -> MeterFigures:
    """Read one record: a number of watts, or a JSON object.

    Args:
        text: the whole message.
        key: where in an object the watts stand; dots lead into objects within.

    Raises:
        ValueError: it is neither, or the figures make no sense.
    """
    watts = _number(text)
    if watts is not None:
        return _checked(watts)
    try:
        decoded = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"neither a number nor a JSON object: {text[:48]!r}") from error
    return _of_object(decoded, key)


def figures_of_file(head: str, tail: str, key: str = DEFAULT_KEY) -> MeterFigures | None:
    """Read the newest record of a file: a single one, or the last whole line.

    A table has its columns' names in the first line, parted by commas, semicolons or tabs.

    Args:
        head: the beginning of the file, the first line at least.
        tail: its end; all of it where it is short, when ``head`` and ``tail`` are the same.
        key: where in an object the watts stand, or the name of their column.

    Returns:
        The figures; None where there is no record yet.

    Raises:
        ValueError: the record cannot be read.
    """
    text = tail.strip()
    if not text:
        return None
    if head == tail and text.startswith("{") and "\n" in text:
        # One object over several lines, unless it is a line for each object.
        try:
            return figures_of_message(text, key)
        except ValueError:
            pass
    # What follows the last line end is still being written.
    lines = tail[: tail.rfind("\n") + 1].split("\n") if "\n" in tail else [tail]
    line = next((each.strip() for each in reversed(lines) if each.strip()), "")
    if not line:
        return None
    first = head.split("\n", 1)[0].strip()
    if first.startswith("{") or _number(first) is not None:
        return figures_of_message(line, key)
    return _of_table(first, line, key)


def _of_table(header: str, line: str, key: str) -> MeterFigures | None:
    delimiter = next((each for each in "\t;" if each in header), ",")
    columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    if key not in columns:
        raise ValueError(f"no column {key!r} in {header[:64]!r}")
    if line == header:
        return None
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} cells for {len(columns)} columns: {line[:48]!r}")
    row = dict(zip(columns, cells, strict=True))
    watts = _number(row[key])
    if watts is None:
        raise ValueError(f"column {key!r} holds no number: {row[key][:32]!r}")
    energy = row.get(_ENERGY_KEY)
    return _checked(watts, None if energy is None else _number(energy), row.get(_TIME_KEY))


def _of_object(found: Mapping[str, Any], key: str) -> MeterFigures:
    watts: Any = found
    for part in key.split("."):
        watts = watts.get(part) if isinstance(watts, dict) else None
    if not _is_number(watts):
        raise ValueError(f"no number at {key!r}")
    energy = found.get(_ENERGY_KEY)
    if energy is not None and not _is_number(energy):
        raise ValueError(f"no number at {_ENERGY_KEY!r}")
    time = found.get(_TIME_KEY)
    return _checked(float(watts), energy, None if time is None else str(time))


def _checked(
    power_w: float, energy_j: float | None = None, time: str | None = None
) -> MeterFigures:
    if not _PLAUSIBLE_W[0] <= power_w <= _PLAUSIBLE_W[1]:
        raise ValueError(f"{power_w:g} W is no power of a board")
    if energy_j is not None and not math.isfinite(energy_j):
        raise ValueError(f"{energy_j} J is no energy")
    return MeterFigures(max(0.0, power_w), energy_j, time)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
