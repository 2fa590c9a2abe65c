from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone

import pytest
from listed_scenario import DEMO, ISS_LINES, demo

from node.config.scenario import Scenario, TleOrbit
from node.span import Span, above_zero, add_span_arguments, chosen_stations, days, span_of, start

EPOCH = datetime(2025, 3, 20, 11, 30, tzinfo=timezone.utc)
ISS = TleOrbit(*ISS_LINES)
ISS_UTC = datetime(2024, 5, 6, 19, 53, 5, tzinfo=timezone.utc)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_span_arguments(parser)
    return parser.parse_args([str(DEMO), *words])


def flying_iss(epoch: datetime) -> Scenario:
    scenario = demo(orbit=ISS)
    return demo(orbit=ISS, mission=type(scenario.mission)("iss", epoch, 5800.0, 1))


def test_a_span_is_a_day_from_mission_time_zero() -> None:
    assert span_of(parsed(), demo()) == Span(0.0, 86_400.0)


@pytest.mark.parametrize(
    ("text", "start_s"),
    [
        ("12.5", 12.5),
        ("-3600", -3600.0),
        ("2025-03-20T12:00:00Z", 1800.0),
        ("2025-03-20T13:00:00.123+01:00", 1800.123),
        ("2025-03-20 11:29:59.5Z", -0.5),
    ],
)
def test_a_start_is_mission_seconds_or_an_instant(text: str, start_s: float) -> None:
    span = span_of(parsed("--start", text, "--days", "0.5"), demo())
    assert span == Span(start_s, start_s + 43_200.0)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "now", "", "2025-03-20", "2025-03-20T12:00:00", "2025-02-30T12:00:00Z"]
)
def test_a_start_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        start(text)


@pytest.mark.parametrize("text", ["4e8", "-4e8", "2099-01-01T00:00:00Z"])
def test_a_start_far_away_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="more than ten years"):
        span_of(parsed(f"--start={text}"), demo())


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "366.1", "a"])
def test_days_are_above_zero_and_at_most_a_year(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="days above 0 to 366"):
        days(text)


def test_a_number_may_have_a_least() -> None:
    assert days("366") == 366.0
    assert above_zero("0.5", "seconds", 10.0, 0.5) == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match=r"seconds from 0\.5 to 10, got '0\.4'"):
        above_zero("0.4", "seconds", 10.0, 0.5)


def test_stations_are_chosen_by_name_in_the_order_of_the_scenario() -> None:
    assert chosen_stations(None, demo()) == ["svalbard", "kiruna", "maspalomas"]
    assert chosen_stations(["maspalomas", "svalbard"], demo()) == ["svalbard", "maspalomas"]
    with pytest.raises(
        argparse.ArgumentTypeError, match="no 'Kiruna' in the scenario; it has sval"
    ):
        chosen_stations(["kiruna", "Kiruna"], demo())


@pytest.mark.parametrize(
    ("after_days", "words", "warned"),
    [
        (0.0, (), False),
        (0.0, ("--days", "14.5"), True),
        (0.0, ("--start", "-1296000"), True),
        # The file's own warning speaks of these elements already.
        (15.0, (), False),
    ],
)
def test_a_span_far_from_the_elements_is_warned_of(
    after_days: float, words: tuple[str, ...], warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    span_of(parsed(*words), flying_iss(ISS_UTC + timedelta(days=after_days)))
    said = capsys.readouterr().err
    assert ("days from the elements of 2024-05-06T19:53:05." in said) is warned
    assert (said == "") is not warned
    span_of(parsed(*words), demo())
    assert capsys.readouterr().err == ""
