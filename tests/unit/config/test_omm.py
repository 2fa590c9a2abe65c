from __future__ import annotations

import json
from typing import Any

import pytest

from node.config.build import make_orbit
from node.config.omm import read_message
from node.config.scenario import OmmOrbit
from node.errors import PhysicsError
from node.physics.orbit import MeanElements

# As CelesTrak publishes elements; the figures are those of the set in Skyfield's documentation.
ISS: dict[str, Any] = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2024-05-06T19:53:04.999776",
    "MEAN_MOTION": 15.50957674,
    "ECCENTRICITY": 0.000358,
    "INCLINATION": 51.6393,
    "RA_OF_ASC_NODE": 160.4574,
    "ARG_OF_PERICENTER": 140.6673,
    "MEAN_ANOMALY": 205.725,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 45212,
    "BSTAR": 0.0002731,
    "MEAN_MOTION_DOT": 0.00015698,
    "MEAN_MOTION_DDOT": 0,
}
METADATA = {
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
}
ELEMENTS = MeanElements(
    1_715_025_184.999776, 15.50957674, 0.000358, 51.6393, 160.4574, 140.6673, 205.725, 0.0002731
)


def as_json(**change: Any) -> str:
    """The message with keys changed; ``...`` leaves one out."""
    return json.dumps({key: value for key, value in (ISS | change).items() if value is not ...})


def as_kvn(**change: Any) -> str:
    fields = {"CCSDS_OMM_VERS": "2.0"} | METADATA | ISS | change
    return "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not ...)


def as_xml(version: Any = "2.0", **change: Any) -> str:
    fields = METADATA | ISS | change
    leaves = "".join(f"<{k}>{v}</{k}>\n" for k, v in fields.items() if v is not ...)
    return (
        f'<ndm><omm id="CCSDS_OMM_VERS" version="{version}"><body><segment>\n'
        f"{leaves}</segment></body></omm></ndm>"
    )


def problems(text: str) -> list[str]:
    reading = read_message(text)
    assert (reading.elements is None) == bool(reading.problems)
    return reading.problems


@pytest.mark.parametrize("text", [as_json(), f"[{as_json()}]", as_kvn(), as_xml()])
def test_every_form_says_the_same(text: str) -> None:
    reading = read_message(text)
    assert reading.problems == []
    assert reading.elements == ELEMENTS
    assert reading.object_name == "ISS (ZARYA)"
    orbit = make_orbit(OmmOrbit(text), 0.0)
    assert orbit.epoch_utc_s == ELEMENTS.epoch_utc_s


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"OBJECT_NAME": ...}, "1998-067A"),
        ({"OBJECT_NAME": "", "OBJECT_ID": None}, "25544"),
        (dict.fromkeys(("OBJECT_NAME", "OBJECT_ID", "NORAD_CAT_ID"), ...), "an unnamed object"),
        ({"OBJECT_NAME": "A\nB"}, "A\\nB"),
    ],
)
def test_the_object_has_the_first_name_that_is_given(change: dict[str, Any], name: str) -> None:
    assert read_message(as_json(**change)).object_name == name


@pytest.mark.parametrize(
    ("epoch", "utc_s"),
    [
        ("2024-05-06T19:53:04.999776Z", 1_715_025_184.999776),
        ("2024-127T19:53:04.999776", 1_715_025_184.999776),
        ("2024-366T00:00:00", 1_735_603_200.0),
        ("2000-01-01T12:00:00.", 946_728_000.0),
    ],
)
def test_epochs_by_day_of_month_and_of_year(epoch: str, utc_s: float) -> None:
    elements = read_message(as_json(EPOCH=epoch)).elements
    assert elements is not None
    assert elements.epoch_utc_s == utc_s


@pytest.mark.parametrize(
    "epoch",
    [
        "2024-05-06 19:53:04",
        "2024-05-06T19:53",
        "2024-13-06T19:53:04",
        "2023-02-29T19:53:04",
        "2023-366T00:00:00",
        "2024-000T00:00:00",
        "9999-999T00:00:00",
        "0000-05-06T19:53:04",
        "2024-05-06T24:00:00",
        "2016-12-31T23:59:60",
        "24127.82853009",
        "２０24-05-06T19:53:04",  # noqa: RUF001 - digits that are none
    ],
)
def test_epochs_that_are_none(epoch: str) -> None:
    (problem,) = problems(as_json(EPOCH=epoch))
    assert problem.startswith("EPOCH: expected a date and time such as 2024-05-06T19:53:04.999776")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"MEAN_MOTION": 0}, 'MEAN_MOTION: expected a number from 0.01 to 18, got "0"'),
        ({"MEAN_MOTION": 18.1}, 'MEAN_MOTION: expected a number from 0.01 to 18, got "18.1"'),
        ({"MEAN_MOTION": "1e999"}, 'MEAN_MOTION: expected a number from 0.01 to 18, got "1e999"'),
        (
            {"MEAN_MOTION": float("nan")},
            'MEAN_MOTION: expected a number from 0.01 to 18, got "NaN"',
        ),
        ({"ECCENTRICITY": -0.1}, 'ECCENTRICITY: expected a number from 0 to 0.999999, got "-0.1"'),
        ({"ECCENTRICITY": "0003580x"}, 'got "0003580x"'),
        ({"INCLINATION": 180.1}, 'INCLINATION: expected a number from 0 to 180, got "180.1"'),
        ({"RA_OF_ASC_NODE": -361}, "RA_OF_ASC_NODE: expected a number from -360 to 360"),
        (
            {"ARG_OF_PERICENTER": "1_0"},
            "ARG_OF_PERICENTER: expected a number from -360 to 360, got",
        ),
        ({"MEAN_ANOMALY": 361}, "MEAN_ANOMALY: expected a number from -360 to 360"),
        ({"BSTAR": "inf"}, 'BSTAR: expected a number from -10 to 10, got "inf"'),
        ({"BSTAR": True}, '"BSTAR": expected a text or a number, got true or false'),
        ({"EPHEMERIS_TYPE": 4}, 'EPHEMERIS_TYPE: expected "0" or "2", got "4"'),
        ({"TIME_SYSTEM": "TAI"}, 'TIME_SYSTEM: expected "UTC", got "TAI"'),
        ({"REF_FRAME": "EME2000"}, 'REF_FRAME: expected "TEME", got "EME2000"'),
        ({"CENTER_NAME": "MARS"}, 'CENTER_NAME: expected "EARTH", got "MARS"'),
        (
            {"MEAN_ELEMENT_THEORY": "SGP4-XP"},
            'MEAN_ELEMENT_THEORY: expected "SGP4" or "SGP/SGP4", got "SGP4-XP"',
        ),
        (
            {"CCSDS_OMM_VERS": "4.0"},
            'CCSDS_OMM_VERS: expected "1.0", "2.0" or "3.0", got "4.0"',
        ),
    ],
)
def test_a_value_that_cannot_be(change: dict[str, Any], problem: str) -> None:
    found = problems(as_json(**change))
    assert problem in found[0]
    # A value that is no text at all is missing as well.
    assert found[1:] in ([], ["BSTAR is missing"])


def test_wrong_lines_are_told_by_their_number() -> None:
    assert problems(as_kvn(INCLINATION="n/a", TIME_SYSTEM="TDB")) == [
        'TIME_SYSTEM (line 4 of the message): expected "UTC", got "TDB"',
        'INCLINATION (line 11 of the message): expected a number from 0 to 180, got "n/a"',
    ]
    assert problems(as_xml(INCLINATION="n/a", version="0.9")) == [
        'CCSDS_OMM_VERS (line 1 of the message): expected "1.0", "2.0" or "3.0", got "0.9"',
        'INCLINATION (line 11 of the message): expected a number from 0 to 180, got "n/a"',
    ]


def test_metadata_may_be_in_lower_case_and_is_needed_where_the_standard_has_it() -> None:
    assert problems(as_kvn(CENTER_NAME="Earth", TIME_SYSTEM="utc")) == []
    without: dict[str, Any] = dict.fromkeys((*METADATA, "CCSDS_OMM_VERS"), ...)
    missing = ["CCSDS_OMM_VERS", *METADATA]
    assert problems(as_kvn(**without)) == [f"{keyword} is missing" for keyword in missing]
    del without["CCSDS_OMM_VERS"]
    assert problems(as_xml(**without)) == [f"{keyword} is missing" for keyword in METADATA]


@pytest.mark.parametrize(
    "keyword",
    [
        "EPOCH",
        "MEAN_MOTION",
        "ECCENTRICITY",
        "INCLINATION",
        "RA_OF_ASC_NODE",
        "ARG_OF_PERICENTER",
        "MEAN_ANOMALY",
        "BSTAR",
    ],
)
def test_what_sgp4_needs_must_be_there(keyword: str) -> None:
    for gone in (..., None, " "):
        assert problems(as_json(**{keyword: gone})) == [f"{keyword} is missing"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("15.50957674 [rev/day]", []),
        ("15.50957674 [REV/DAY]", []),
        (
            "15.50957674 [deg/s]",
            ['MEAN_MOTION (line 9 of the message): expected the unit rev/day, got "deg/s"'],
        ),
    ],
)
def test_units_are_those_of_the_standard(value: str, found: list[str]) -> None:
    assert problems(as_kvn(MEAN_MOTION=value)) == found


def test_a_ratio_has_no_unit() -> None:
    assert problems(as_kvn(ECCENTRICITY="0.000358 [km]")) == [
        'ECCENTRICITY (line 10 of the message): expected no unit, got "km"'
    ]


def test_two_objects_are_one_problem() -> None:
    two = as_xml().replace("<ndm>", "").replace("</ndm>", "")
    assert problems(f"<ndm>{two}{two}</ndm>") == [
        "EPOCH (line 30 of the message): is there 2 times; the message must be of one object"
    ]
    assert problems(as_kvn() + "BSTAR = 0\n") == [
        "BSTAR (line 23 of the message): is there 2 times; the message must be of one object"
    ]


def test_what_is_no_message_is_one_problem() -> None:
    (problem,) = problems("{")
    assert problem.startswith("it is not JSON: Expecting property name")
    assert len(problems("1 25544U\n2 25544")) == 2


def test_lines_beside_keywords_do_not_hide_what_is_missing() -> None:
    assert problems(as_kvn(BSTAR=...) + "1 25544U\n") == [
        'line 22 of the message: expected KEYWORD = value, got "1 25544U"',
        "BSTAR is missing",
    ]


def test_a_message_that_cannot_be_read_is_no_orbit() -> None:
    with pytest.raises(PhysicsError, match="EPOCH is missing; BSTAR is missing"):
        make_orbit(OmmOrbit(as_json(EPOCH=..., BSTAR=...)), 0.0)
