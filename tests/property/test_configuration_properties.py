from __future__ import annotations

import copy
import math
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node._compat import tomllib
from node.config.convert import convert
from node.config.locate import child, line_of, locate
from node.config.rules import SCENARIO_RULES, apply_rules
from node.config.scenario import Scenario

TEXT = (Path(__file__).parents[2] / "scenarios" / "demo.toml").read_text()
GOOD = tomllib.loads(TEXT)
LINES = locate(TEXT)

Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> list[Place]:
    found = [place] if place else []
    if isinstance(value, dict):
        for key, entry in value.items():
            found += places(entry, (*place, key))
    if isinstance(value, list):
        for index, entry in enumerate(value):
            found += places(entry, (*place, index))
    return found


zones = st.timezones() | st.just(timezone(timedelta(hours=14))) | st.none()
scalars = (
    st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.booleans()
    | st.text(max_size=80)
    | st.sampled_from(["board", "structure", "svalbard", "tle", "keplerian", "fixed", "one_axis"])
    | st.datetimes(timezones=zones)
    | st.dates()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)
changes = st.lists(st.tuples(st.sampled_from(places(GOOD)), values | st.just(...)), max_size=4)


def changed(steps: list[tuple[Place, Any]]) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    for place, value in steps:
        parent: Any = data
        try:
            for step in place[:-1]:
                parent = parent[step]
            if value is ...:
                del parent[place[-1]]
            else:
                parent[place[-1]] = value
        except (LookupError, TypeError):
            continue  # an earlier change took this place away
    return data


def all_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(all_finite, value.values()))
    if isinstance(value, list):
        return all(map(all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@given(changes)
@settings(deadline=None, max_examples=150)
def test_whatever_stands_in_a_file_is_taken_or_refused_in_words(
    steps: list[tuple[Place, Any]],
) -> None:
    data = changed(steps)

    converted = convert(data, Scenario)
    findings = [*converted.findings, *apply_rules(SCENARIO_RULES, converted.tables)]

    assert (converted.value is None) == bool(converted.findings)
    if converted.value is not None:
        assert all_finite(data)
    for finding in findings:
        assert finding.message
        assert "\n" not in finding.message
        assert line_of(LINES, finding.path) is None or finding.path.startswith("$.")


keys = st.text("abc-_9", min_size=1, max_size=3)


@given(st.lists(st.tuples(st.lists(keys, min_size=1, max_size=3), st.booleans()), max_size=12))
@settings(deadline=None, max_examples=150)
def test_the_locator_finds_every_key_of_a_generated_file(
    tables: list[tuple[list[str], bool]],
) -> None:
    lines = []
    for number, (path, is_list) in enumerate(tables):
        header = ".".join(path)
        lines += [f"[[{header}]]" if is_list else f"[{header}]", f"key{number} = [{number}, '#']"]
    text = "\n".join(lines)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the same table twice

    located = locate(text)

    def check(value: Any, path: str) -> None:
        if path != "$":
            assert path in located
        entries = value.items() if isinstance(value, dict) else ()
        for key, entry in entries:
            below = child(path, key)
            if key.startswith("key") and not isinstance(entry, dict):
                assert lines[located[below] - 1].startswith(f"{key} = ")
            check(entry, below)
        if isinstance(value, list):
            for index, entry in enumerate(value):
                check(entry, f"{path}[{index}]")

    check(data, "$")


def test_dates_alone_are_refused() -> None:
    data = copy.deepcopy(GOOD)
    data["mission"]["epoch"] = date(2025, 3, 20)
    assert convert(data, Scenario).value is None
    data["mission"]["epoch"] = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    converted = convert(data, Scenario)
    assert [each.path for each in apply_rules(SCENARIO_RULES, converted.tables)] == [
        "$.mission.epoch"
    ]
