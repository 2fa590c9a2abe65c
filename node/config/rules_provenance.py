"""The rule of ``[[provenance]]``: what it speaks of stands in the file.

A rule names the top-level tables that it needs as its parameters and yields findings; this one asks
for ``tables``, all that are right by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from node.config import wording
from node.config.finding import Finding
from node.config.scenario import Provenance, Scenario


def provenance_speaks_of_keys(
    provenance: list[Provenance], tables: Mapping[str, Any]
) -> Iterator[Finding]:
    """Each path leads to something that the scenario has."""
    known = list(_keys(Scenario))
    for index, entry in enumerate(provenance):
        for number, path in enumerate(entry.of):
            first, *rest = path.split(".")
            if first not in known:
                message = _unknown("", first, known)
            elif first not in tables:
                continue  # wrong by itself: whether the path leads anywhere cannot be said
            else:
                message = _follow([tables[first]], first, rest)
            if message:
                yield Finding(f"$.provenance[{index}].of[{number}]", message)


def _follow(values: list[Any], path: str, keys: list[str]) -> str:
    """Go down the keys, in every entry of a list of tables; return what is wrong, if anything."""
    if not keys and any(isinstance(value, list) for value in values):
        return ""  # a list that happens to be empty is one all the same
    values = _given(values)
    if not values:
        return f"{wording.quoted(path)} is not given in this scenario"
    if not keys:
        return ""
    key, *rest = keys
    known = {name for value in values if isinstance(value, Struct) for name in _keys(type(value))}
    if key not in known:
        return _unknown(f"{path}.", key, sorted(known))
    below = [getattr(value, key, None) for value in values]
    return _follow(below, f"{path}.{key}", rest)


def _given(values: list[Any]) -> list[Any]:
    """Take lists of tables apart and leave out what was not given."""
    entries: list[Any] = []
    for value in values:
        entries += value if isinstance(value, list) else [value]
    return [entry for entry in entries if entry is not None]


def _keys(type_: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(type_))


def _unknown(prefix: str, key: str, known: list[str]) -> str:
    hint = wording.did_you_mean(key, known)
    return f"there is no key {wording.quoted(prefix + key)}{hint}"


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (provenance_speaks_of_keys,)
