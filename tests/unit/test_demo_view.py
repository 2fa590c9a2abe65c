from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
import run_samples as sample
from rich.console import Console

from groundlink.demo.changes import job_changes, node_changes
from groundlink.demo.view import Picture, draw
from node.core.modes import OperatingMode
from node.report.run import RunEvent


def picture(mission_s: float, **changes: Any) -> Picture:
    values: dict[str, Any] = {
        "scenario": "demo",
        "node": "demo",
        "rate": 60.0,
        "duration_s": 11_400.0,
        "mission_s": mission_s,
        "snapshot": sample.snapshot(mission_s),
        "jobs": [sample.job(0), sample.job(1, state="stored"), sample.job(2, state="failed")],
        "events": [RunEvent(60.0 * n, "mode", f"event {n}") for n in range(12)],
    }
    return Picture(**{**values, **changes})


def rendered(shown: Picture, width: int = 80) -> list[str]:
    console = Console(width=width, height=24, record=True, file=io.StringIO())
    console.print(draw(shown))
    return console.export_text().splitlines()


@pytest.mark.parametrize("mission_s", [0.0, 1300.0, 4400.0, 5500.0, 11_400.0])
@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_frame_fits_the_terminal(mission_s: float, width: int) -> None:
    lines = rendered(picture(mission_s), width)
    assert len(lines) <= 23, "one row is left for the prompt"
    assert {len(line) for line in lines} == {width}


def test_a_frame_shows_the_state_of_the_node() -> None:
    text = "\n".join(rendered(picture(1300.0)))
    for part in (
        *("T+00:21:40 of 03:10:00", "NOMINAL", "SUN", "eclipse in 00:35:00", "0.4", "W modelled"),
        *("board 39.9 °C", "UP  svalbard 30° 1100 km", "1 Mbit/s", "LOS svalbard in 00:08:10"),
        *("1 of 3 delivered", "1 ended badly", "event 11"),
    ):
        assert part in text, part
    assert "event 5 " not in text, "only the last events are shown"


def test_a_frame_in_eclipse_without_a_station() -> None:
    text = "\n".join(rendered(picture(3600.0)))
    for part in ("ECLIPSE", "sunrise in 00:31:40", "no station in view", "waits: energy"):
        assert part in text, part
    assert "AOS awarua in 00:11:40" in text


def test_a_frame_before_mission_time_zero() -> None:
    starting = picture(-480.0, snapshot=None, jobs=[], ready={"broker": True, "node": False})
    text = "\n".join(rendered(starting))
    for part in ("T-00:08:00", "● broker", "○ node", "no job submitted yet"):
        assert part in text, part


def codes(before_s: float, after_s: float) -> list[str]:
    return [e.code for e in node_changes(sample.snapshot(before_s), sample.snapshot(after_s))]


def test_every_change_of_the_node_is_an_event() -> None:
    assert [e.code for e in node_changes(None, sample.snapshot(0.0))] == ["start"]
    assert codes(0.0, 30.0) == []
    assert codes(1200.0, 1230.0) == ["aos", "link-up"]
    assert codes(1770.0, 1800.0) == ["los", "link-down"]
    assert codes(3390.0, 3420.0) == ["eclipse", "defer"]
    assert codes(5490.0, 5520.0) == ["sunrise"]
    assert codes(5310.0, 5340.0) == ["mode"]


def test_events_bear_the_instant_at_which_they_happened() -> None:
    (mode,) = node_changes(sample.snapshot(5310.0), sample.snapshot(5340.0))
    assert mode == RunEvent(5321.0, "mode", "nominal to safe: charge-critical")
    eclipse = next(iter(node_changes(sample.snapshot(3390.0), sample.snapshot(3420.0))))
    assert eclipse.mission_s == 3400.0
    aos = next(iter(node_changes(sample.snapshot(1200.0), sample.snapshot(1230.0))))
    assert (aos.code, aos.mission_s) == ("aos", 1210.0)
    los = next(iter(node_changes(sample.snapshot(1770.0), sample.snapshot(1800.0))))
    assert (los.code, los.mission_s) == ("los", 1790.0)


def test_boots_and_faults_are_events() -> None:
    before = sample.snapshot(0.0)
    after = msgspec.structs.replace(
        before, boots=2, mode=OperatingMode.BOOT, faults_active=("array_loss",)
    )
    events = list(node_changes(before, after))
    assert [e.code for e in events] == ["boot", "mode", "fault"]
    assert events[-1].text == "array_loss"


def test_each_new_state_of_a_job_is_one_event() -> None:
    old = {"a": sample.job(0, job_id="a", state="stored", delivered_s=None)}
    new = {
        "a": sample.job(0, job_id="a", delivered_s=1500.0),
        "b": sample.job(1, job_id="b", state="queued", delivered_s=None, result_bytes=None),
    }
    assert list(job_changes(old, new, 1600.0)) == [
        RunEvent(1500.0, "job-delivered", "a (491 B)"),
        RunEvent(1600.0, "job-queued", "b"),
    ]
    assert list(job_changes(new, new, 1700.0)) == []
