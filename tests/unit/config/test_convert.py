from __future__ import annotations

from datetime import date, datetime, time, timezone
from typing import Annotated, Any, Literal, Union

import msgspec
import pytest
from msgspec import Meta, Struct, field

from node.config.convert import convert
from node.icd import NAME_PATTERN


class Round(Struct, frozen=True, tag_field="source", tag="round"):
    radius_m: Annotated[float, Meta(gt=0, le=10)]


class Square(Struct, frozen=True, tag_field="source", tag="square"):
    side_m: Annotated[float, Meta(ge=0, lt=24)]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern=NAME_PATTERN)]
    weight: float = 1.0


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    entry: list[Entry]


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    ratio: Annotated[float, Meta(ge=0, le=1)]
    count: Annotated[int, Meta(ge=1, le=65535)]
    label: Annotated[str, Meta(min_length=2, max_length=4)]
    colour: Literal["red", "green"]
    shape: Union[Round, Square]  # noqa: UP007 - read at run time on 3.10
    entry: Annotated[list[Entry], Meta(min_length=1, max_length=2)]
    at: datetime
    inner: Inner
    vector: tuple[float, float]
    flag: bool = False
    limit: Annotated[float, Meta(ge=0)] | None = None
    numbers: list[float] = field(default_factory=lambda: [1.0])


GOOD: dict[str, Any] = {
    "ratio": 0.5,
    "count": 3,
    "label": "abc",
    "colour": "red",
    "shape": {"source": "square", "side_m": 1},
    "entry": [{"name": "first"}],
    "at": datetime(2025, 3, 20, tzinfo=timezone.utc),
    "inner": {"entry": [{"name": "deep"}]},
    "vector": [1, 2.5],
}


def findings(**changes: Any) -> dict[str, str]:
    data = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    converted = convert(data, Document)
    assert (converted.value is None) == bool(converted.findings)
    return {each.path: each.message for each in converted.findings}


def test_a_good_document_is_what_msgspec_makes_of_it() -> None:
    assert convert(GOOD, Document).value == msgspec.convert(GOOD, Document)


def test_a_fresh_default_for_each_document() -> None:
    first, second = convert(GOOD, Document).value, convert(GOOD, Document).value
    assert first is not None
    assert second is not None
    assert first.numbers == [1.0]
    assert first.numbers is not second.numbers


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"ratio": 1.7}, "ratio", "expected a number from 0 to 1, got 1.7"),
        ({"ratio": -1}, "ratio", "expected a number from 0 to 1, got -1"),
        ({"ratio": "40"}, "ratio", 'expected a number, got the text "40"'),
        ({"ratio": True}, "ratio", "expected a number, got true"),
        ({"ratio": float("nan")}, "ratio", "expected a finite number, got nan"),
        ({"limit": float("inf")}, "limit", "expected a finite number, got inf"),
        ({"limit": float("-inf")}, "limit", "expected a finite number, got -inf"),
        ({"limit": -1}, "limit", "expected a number from 0, got -1"),
        ({"limit": 10**400}, "limit", "expected a number from 0, got a number of 1329 bits"),
        ({"ratio": {}}, "ratio", "expected a number, got a table"),
        ({"ratio": [1]}, "ratio", "expected a number, got a list of 1"),
        ({"ratio": ...}, "ratio", "required key is missing"),
        ({"count": 2.0}, "count", "expected a whole number, got 2.0"),
        ({"count": 0}, "count", "expected a whole number from 1 to 65535, got 0"),
        ({"label": "a"}, "label", 'expected text of 2 to 4 characters, got the text "a"'),
        ({"label": 3}, "label", "expected text in quotes, got 3"),
        (
            {"colour": "gren"},
            "colour",
            (
                """expected "red" or "green", got the text "gren"; """
                "did you mean 'green'?"
            ),
        ),
        ({"colour": 1}, "colour", 'expected "red" or "green", got 1'),
        ({"flag": 1}, "flag", "expected true or false, got 1"),
        (
            {"at": date(2025, 3, 20)},
            "at",
            "expected a date and time such as 2025-03-20T12:00:00Z, got the date 2025-03-20",
        ),
        (
            {"at": time(1, 2)},
            "at",
            "expected a date and time such as 2025-03-20T12:00:00Z, got the time 01:02:00",
        ),
        ({"shape": ...}, "shape", "required table is missing"),
        ({"shape": 3}, "shape", "expected a table, got 3"),
        (
            {"shape": {"side_m": 1}},
            "shape.source",
            'required key is missing; write one of "round" or "square"',
        ),
        (
            {"shape": {"source": "squar"}},
            "shape.source",
            (
                'expected "round" or "square", '
                """got the text "squar"; did you mean 'square'?"""
            ),
        ),
        ({"shape": {"source": 3}}, "shape.source", 'expected "round" or "square", got 3'),
        (
            {"shape": {"source": "round", "radius_m": 0}},
            "shape.radius_m",
            "expected a number above 0 and up to 10, got 0",
        ),
        (
            {"shape": {"source": "square", "side_m": 24}},
            "shape.side_m",
            "expected a number from 0 and below 24, got 24",
        ),
        (
            {"shape": {"source": "square", "side_m": 1, "radius_m": 1}},
            "shape.radius_m",
            "unknown key",
        ),
        ({"entry": ...}, "entry", "required list of tables is missing; write [[entry]]"),
        (
            {"entry": {"name": "x"}},
            "entry",
            "expected a list of tables, got a table; write [[entry]] with two brackets",
        ),
        (
            {"inner": {"entry": {"name": "x"}}},
            "inner.entry",
            "expected a list of tables, got a table; write [[inner.entry]] with two brackets",
        ),
        ({"entry": []}, "entry", "expected 1 to 2 entries, got 0"),
        ({"entry": [GOOD["entry"][0]] * 3}, "entry", "expected 1 to 2 entries, got 3"),
        (
            {"entry": [GOOD["entry"][0], {"name": "a b"}]},
            "entry[1].name",
            "expected a name of 1 to 64 letters, digits, '_', '.' and '-', got the text \"a b\"",
        ),
        (
            {"entry": [{"name": "x", "wieght": 2}]},
            "entry[0].wieght",
            "unknown key; did you mean 'weight'?",
        ),
        ({"entry": [3]}, "entry[0]", "expected a table, got 3"),
        ({"inner": 3}, "inner", "expected a table, got 3"),
        ({"vector": [1, 2, 3]}, "vector", "expected a list of 2, got a list of 3"),
        ({"vector": 3}, "vector", "expected a list of 2, got 3"),
        ({"vector": [1, "x"]}, "vector[1]", 'expected a number, got the text "x"'),
        ({"numbers": 3}, "numbers", "expected a list of values, got 3"),
        ({"numbers": [1, float("nan")]}, "numbers[1]", "expected a finite number, got nan"),
        ({"ratoi": 1}, "ratoi", "unknown key"),
        ({"a.b": 1}, '"a.b"', "unknown key"),
    ],
)
def test_one_wrong_thing(changes: dict[str, Any], path: str, message: str) -> None:
    assert findings(**changes) == {f"$.{path}": message}


def test_an_unknown_key_is_likened_only_to_keys_that_are_not_set() -> None:
    assert findings(ratoi=0.5, ratio=...) == {
        "$.ratoi": "unknown key; did you mean 'ratio'?",
        "$.ratio": "required key is missing",
    }


def test_everything_wrong_is_found_at_once() -> None:
    found = findings(
        ratio=2,
        count="x",
        shape={"source": "round"},
        entry=[{"name": ""}, {"nme": "x"}],
        surplus=1,
    )

    assert set(found) == {
        "$.ratio",
        "$.count",
        "$.shape.radius_m",
        "$.entry[0].name",
        "$.entry[1].nme",
        "$.entry[1].name",
        "$.surplus",
    }


def test_what_is_right_is_there_in_spite_of_the_rest() -> None:
    converted = convert({**GOOD, "ratio": 2}, Document)

    assert converted.value is None
    assert "ratio" not in converted.tables
    assert converted.tables["shape"] == Square(1.0)
    assert converted.tables["limit"] is None


def test_a_long_text_is_cut_and_stays_on_one_line() -> None:
    message = findings(label="line\n" * 100)["$.label"]

    assert "\n" not in message
    assert message.endswith('..."')
    assert len(message) < 130


def test_nothing_at_all() -> None:
    converted = convert({}, Document)

    assert len(converted.findings) == 9
    assert set(converted.tables) == {"flag", "limit", "numbers"}
