"""What meters write, and what is no figure."""

from __future__ import annotations

import pytest

from node.board.meter_text import MeterFigures, figures_of_file, figures_of_message


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("5.12", MeterFigures(5.12)),
        (" 7\n", MeterFigures(7.0)),
        ("-0.2", MeterFigures(0.0)),
        ('{"power_w": 6}', MeterFigures(6.0)),
        (
            '{"power_w": 6.5, "energy_j": 120, "time": 1732310000.5, "v": "5 V"}',
            MeterFigures(6.5, 120, "1732310000.5"),
        ),
        (
            '{"power_w": 6.5, "energy_j": null, "time": "12:00:01"}',
            MeterFigures(6.5, None, "12:00:01"),
        ),
    ],
)
def test_a_number_or_an_object(text: str, figures: MeterFigures) -> None:
    assert figures_of_message(text) == figures


def test_a_key_within() -> None:
    tasmota = '{"Time": "x", "ENERGY": {"Power": 4.2, "Total": 0.3}}'
    assert figures_of_message(tasmota, "ENERGY.Power") == MeterFigures(4.2)
    with pytest.raises(ValueError, match=r"no number at 'ENERGY.Power.W'"):
        figures_of_message(tasmota, "ENERGY.Power.W")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither a number nor a JSON object"),
        ("5.1 W", "neither a number nor a JSON object"),
        ("nan", "no power of a board"),
        ("inf", "no power of a board"),
        ("-3", "no power of a board"),
        ("[5.1]", "neither a number nor a JSON object"),
        ("true", "neither a number nor a JSON object"),
        ('{"watts": 5}', "no number at 'power_w'"),
        ('{"power_w": "5"}', "no number at 'power_w'"),
        ('{"power_w": true}', "no number at 'power_w'"),
        ('{"power_w": 5, "energy_j": "1"}', "no number at 'energy_j'"),
        ('{"power_w": 5', "neither a number nor a JSON object"),
    ],
)
def test_what_is_malformed(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        figures_of_message(text)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("", None),
        ("\n \n", None),
        ("4.5", MeterFigures(4.5)),
        ("4.5\n4.75\n", MeterFigures(4.75)),
        ("4.5\n4.75", MeterFigures(4.5)),
        ('{"power_w": 1}\n{"power_w": 2}\n', MeterFigures(2.0)),
        ('{\n  "power_w": 3\n}\n', MeterFigures(3.0)),
        ("time,power_w\n", None),
        ("time,power_w\n1,4.5\n2,4.75\n3,9", MeterFigures(4.75, None, "2")),
        ("power_w;energy_j\n4,5\n4.0;12\n\n", MeterFigures(4.0, 12.0)),
        ("voltage\tpower_w\n5.1\t6.1\n", MeterFigures(6.1)),
    ],
)
def test_the_last_whole_record_of_a_file(text: str, figures: MeterFigures | None) -> None:
    assert figures_of_file(text, text) == figures


def test_a_long_file_is_read_from_its_end_with_the_names_of_its_beginning() -> None:
    head = "time,watts\n1,4.0\n2,4.1\n"
    assert figures_of_file(head, "0\n998,7.5\n999,7.25\n", "watts") == MeterFigures(
        7.25, None, "999"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,watts\n1,4.0\n", "no column 'power_w'"),
        ("time,power_w\n1,off\n", "holds no number: 'off'"),
        ("time,power_w\n1\n", "1 cells for 2 columns"),
        ('{"power_w": 2}\n{"power"\n', "neither"),
    ],
)
def test_files_that_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        figures_of_file(text, text)
