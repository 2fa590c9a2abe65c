from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node._compat import tomllib
from node.config.locate import child, line_of, locate

SCENARIOS = Path(__file__).parents[3] / "scenarios"

TEXT = '''\
# a comment with [brackets] and key = 1
schema = 1

[battery] # trailing [[comment]]
initial_soc = 0.5
text = "a # no comment ] = ["
ocv = [
  3.0,   # first
  3.5, 3.6,
  # nothing here
  4.2,
]
after = 1

[[ground_station]]
name = "a"

[[ground_station]]
name = "b"
position.latitude_deg = 1
position.longitude_deg = 2

[ground_station.antenna]
gain = 3

[[thermal.node]]
name = "board"
[[thermal.node]]
name = """
several
lines with ""quotes"" and \\""" escaped"""
capacity = 1
[thermal]
literal = \'\'\'
x = 1
[fake]
\'\'\'
last = { inline = 1, list = [
  1, { deep = 2 } ] }
'''


def test_every_kind_of_key_has_its_line() -> None:
    lines = locate(TEXT)

    expected = {
        "$.schema": 2,
        "$.battery": 4,
        "$.battery.initial_soc": 5,
        "$.battery.text": 6,
        "$.battery.ocv": 7,
        "$.battery.ocv[0]": 8,
        "$.battery.ocv[1]": 9,
        "$.battery.ocv[2]": 9,
        "$.battery.ocv[3]": 11,
        "$.battery.after": 13,
        "$.ground_station": 15,
        "$.ground_station[0]": 15,
        "$.ground_station[0].name": 16,
        "$.ground_station[1]": 18,
        "$.ground_station[1].name": 19,
        "$.ground_station[1].position": 20,
        "$.ground_station[1].position.latitude_deg": 20,
        "$.ground_station[1].position.longitude_deg": 21,
        "$.ground_station[1].antenna": 23,
        "$.ground_station[1].antenna.gain": 24,
        "$.thermal": 33,
        "$.thermal.node": 26,
        "$.thermal.node[0]": 26,
        "$.thermal.node[0].name": 27,
        "$.thermal.node[1]": 28,
        "$.thermal.node[1].name": 29,
        "$.thermal.node[1].capacity": 32,
        "$.thermal.literal": 34,
        "$.thermal.last": 38,
        "$.thermal.last.inline": 38,
        "$.thermal.last.list": 38,
        "$.thermal.last.list[0]": 39,
        "$.thermal.last.list[1]": 39,
        "$.thermal.last.list[1].deep": 39,
    }

    assert lines == expected


def paths_of(value: Any, path: str = "$") -> set[str]:
    paths = {path}
    if isinstance(value, dict):
        for key, entry in value.items():
            paths |= paths_of(entry, child(path, key))
    if isinstance(value, list):
        for index, entry in enumerate(value):
            paths |= paths_of(entry, f"{path}[{index}]")
    return paths


@pytest.mark.parametrize("text", [TEXT, *(p.read_text() for p in sorted(SCENARIOS.glob("*.toml")))])
def test_the_parser_and_the_locator_know_the_same_paths(text: str) -> None:
    assert set(locate(text)) == paths_of(tomllib.loads(text)) - {"$"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$.battery.initial_soc", 5),
        ("$.battery.missing", 4),
        ("$.ground_station[1].position.altitude_m", 20),
        ("$.ground_station[7].name", 15),
        ("$.battery.ocv[9]", 7),
        ('$.battery."a.b"', 4),
        ("$.absent.key", None),
        ("$", None),
        ("", None),
    ],
)
def test_a_path_without_a_line_takes_its_parents(path: str, line: int | None) -> None:
    assert line_of(locate(TEXT), path) == line


def test_quoted_keys() -> None:
    lines = locate('["a.b"]\n\'c d\' = 1\n"plain" = 2\n')

    assert lines == {'$."a.b"': 1, '$."a.b"."c d"': 2, '$."a.b".plain': 3}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a = [", "= ", "[", "[[", "a = {"])
def test_even_a_broken_text_ends(text: str) -> None:
    assert isinstance(locate(text), dict)
