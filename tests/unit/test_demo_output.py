from __future__ import annotations

import io

import msgspec
import pytest
import run_samples as sample
from rich.console import Console

from groundlink.demo.output import JsonOutput, LineOutput, LiveOutput, choose
from groundlink.demo.view import Picture
from node.report.run import RunEvent, Summary


def test_lines_for_people() -> None:
    stream = io.StringIO()
    output = LineOutput(stream)
    output.say("run folder runs/demo")
    output.event(RunEvent(3723.4, "link-up", "session over svalbard"))
    output.frame(Picture("demo", "demo", 60.0, 100.0))
    output.close()
    assert stream.getvalue().splitlines() == [
        "run folder runs/demo",
        "T+01:02:03  link-up        session over svalbard",
    ]


@pytest.mark.parametrize("passed", [True, False])
def test_the_verdict_has_a_row_for_every_requirement(passed: bool) -> None:
    stream = io.StringIO()
    reason = "masks_equal_ratio == 1: the executor is simulated"
    LineOutput(stream).verdict(sample.summary(passed=passed, not_evaluated=[reason]))
    lines = stream.getvalue().splitlines()
    rows = [line.split() for line in lines]
    assert ["PASS", "min_state_of_charge", ">=", "0.3", "0.42"] in rows
    assert ["FAIL", "max_board_temperature_c", "<=", "38", "40"] in rows
    assert ["FAIL", "boots", "==", "1", "no", "figure"] in rows
    assert any(reason in line for line in lines)
    assert lines[-1].startswith("PASS" if passed else "FAIL")


def test_json_lines_for_programs() -> None:
    stream = io.StringIO()
    output = JsonOutput(stream)
    output.say("a note")
    output.event(RunEvent(1.5, "mode", "nominal to safe"))
    output.verdict(sample.summary())
    note, event, summary = (msgspec.json.decode(line) for line in stream.getvalue().splitlines())
    assert note == {"type": "note", "text": "a note"}
    assert event == {"type": "event", "mission_s": 1.5, "code": "mode", "text": "nominal to safe"}
    assert summary.pop("type") == "summary"
    assert msgspec.convert(summary, Summary) == sample.summary()


def test_the_live_picture_leaves_its_last_frame_and_the_verdict() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    output = LiveOutput(console)
    output.frame(Picture("demo", "demo", 60.0, 11_400.0, 1300.0, snapshot=sample.snapshot(1300.0)))
    output.verdict(sample.summary())
    output.close()
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "T+00:21:40" in text
    assert "min_state_of_charge" in text
    assert text.endswith("\x1b[0m\n")
    assert "\x1b[?25h" in text, "the cursor is shown again"


def test_without_a_terminal_there_are_lines() -> None:
    assert isinstance(choose(headless=False, json=True), JsonOutput)
    assert isinstance(choose(headless=True, json=False), LineOutput)
    assert isinstance(choose(headless=False, json=False), LineOutput)
