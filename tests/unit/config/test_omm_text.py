from __future__ import annotations

import pytest

from node.config.omm_text import Field, read_text


def pairs(text: str) -> list[tuple[str, str]]:
    written = read_text(text)
    assert written.problems == []
    return [(field.keyword, field.text) for field in written.fields]


def problem(text: str) -> str:
    written = read_text(text)
    assert written.fields == []
    (only,) = written.problems
    return only


@pytest.mark.parametrize(
    "text",
    [
        '{"EPOCH": "2024-05-06", "MEAN_MOTION": 15.50957674, "BSTAR": "-.5E-3", "GM": null}',
        '\ufeff\n [{"EPOCH": " 2024-05-06 ", "MEAN_MOTION": "15.50957674", "BSTAR": "-.5E-3"}]',
    ],
)
def test_json_is_one_object_or_a_list_of_one(text: str) -> None:
    assert pairs(text) == [
        ("EPOCH", "2024-05-06"),
        ("MEAN_MOTION", "15.50957674"),
        ("BSTAR", "-.5E-3"),
    ]
    assert not read_text(text).has_metadata


def test_json_numbers_stay_as_they_are_written() -> None:
    assert pairs('{"A": 1e400, "B": NaN, "C": 0.10}') == [
        ("A", "1e400"),
        ("B", "NaN"),
        ("C", "0.10"),
    ]


def test_json_keeps_what_stands_there_twice() -> None:
    assert pairs('{"EPOCH": "a", "EPOCH": "b"}') == [("EPOCH", "a"), ("EPOCH", "b")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it is not JSON: Expecting property name"),
        ("[]", "a list of one object, got a list of 0"),
        ('["EPOCH"]', "a list of one object, got a list of 1"),
        ('[{"A": 1}, {"A": 2}]', "a list of one object, got a list of 2"),
        ("[" * 19_000, "its lists are nested too deeply"),
    ],
)
def test_json_that_is_no_message(text: str, words: str) -> None:
    assert words in problem(text)


def test_json_values_that_are_no_values() -> None:
    written = read_text('{"A": true, "B": {"C": 1}, "D": [1], "E": 2}')
    assert written.fields == [Field("E", "2", "", None)]
    assert written.problems == [
        '"A": expected a text or a number, got true or false',
        '"B": expected a text or a number, got a list or an object',
        '"D": expected a text or a number, got a list or an object',
    ]


def test_lines_of_keyword_and_value() -> None:
    written = read_text(
        "CCSDS_OMM_VERS = 2.0\r\n"
        "COMMENT GENERATED = yes\n"
        "\n"
        "  OBJECT_NAME=ISS (ZARYA)  \n"
        "MEAN_MOTION = 15.5 [rev/day]\n"
        "CREATION_DATE =\n"
    )
    assert written.problems == []
    assert written.has_metadata
    assert written.fields == [
        Field("CCSDS_OMM_VERS", "2.0", "", 1),
        Field("OBJECT_NAME", "ISS (ZARYA)", "", 4),
        Field("MEAN_MOTION", "15.5", "rev/day", 5),
    ]


def test_every_line_that_is_none_is_told() -> None:
    written = read_text("EPOCH = x\n1 25544U 98067A\nepoch = y\n")
    assert [field.keyword for field in written.fields] == ["EPOCH"]
    assert written.problems == [
        'line 2 of the message: expected KEYWORD = value, got "1 25544U 98067A"',
        'line 3 of the message: expected KEYWORD = value, got "epoch = y"',
    ]


def test_xml_elements_without_elements_inside() -> None:
    written = read_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ndm><omm id="CCSDS_OMM_VERS" version="2.0"><header/>\n'
        "<body><segment><metadata><OBJECT_NAME>A &amp; B</OBJECT_NAME>\n"
        "</metadata><data><meanElements>\n"
        '<MEAN_MOTION units="rev/day"> 15.5 </MEAN_MOTION>\n'
        "</meanElements></data></segment></body></omm></ndm>"
    )
    assert written.problems == []
    assert written.has_metadata
    assert written.fields == [
        Field("CCSDS_OMM_VERS", "2.0", "", 2),
        Field("OBJECT_NAME", "A & B", "", 3),
        Field("MEAN_MOTION", "15.5", "rev/day", 5),
    ]


LAUGHS = "".join(f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};&l{n - 1};&l{n - 1};">' for n in range(1, 30))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<omm>", "it is not XML: no element found"),
        ("<omm></ndm>", "it is not XML: mismatched tag"),
        ("<omm>&nothing;</omm>", "it is not XML: undefined entity"),
        ("<opm></opm>", "its root is <opm>, expected <omm> or <ndm>"),
        (f'<!DOCTYPE omm [<!ENTITY l0 "ha">{LAUGHS}]><omm>&l29;</omm>', "declares a document type"),
        ('<!DOCTYPE omm SYSTEM "file:///etc/passwd"><omm/>', "declares a document type"),
    ],
)
def test_xml_that_is_no_message(text: str, words: str) -> None:
    assert words in problem(text)


def test_prefix_of_a_namespace_is_no_part_of_the_name() -> None:
    text = '<n:omm xmlns:n="urn:ccsds" version="3.0"><n:EPOCH>x</n:EPOCH></n:omm>'
    assert pairs(text) == [("CCSDS_OMM_VERS", "3.0"), ("EPOCH", "x")]
