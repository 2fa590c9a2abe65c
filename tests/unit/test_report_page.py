from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
import run_samples as sample

from node.errors import StoreError
from node.report.axes import (
    clock,
    duration,
    nice_ticks,
    number,
    quantity,
    thin,
    time_ticks,
    time_unit,
)
from node.report.page import render, write_report
from node.report.run import Run, RunEvent, load_run


def page(**changes: object) -> str:
    return render(Run(sample.summary(**changes), sample.telemetry(), []))


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>"))


def texts(root: ET.Element) -> str:
    return " ".join(root.itertext())


def test_the_page_is_well_formed_and_escapes_names() -> None:
    root = parsed(page())
    assert "two-orbits <&> demo" in texts(root)


def test_the_page_asks_nothing_of_the_network() -> None:
    text = page()
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(""", text)
    assert "default-src 'none'" in text


def test_every_requirement_stands_with_its_verdict() -> None:
    root = parsed(page())
    rows = [list(row.itertext()) for row in root.iter("tr")]
    for verdict in sample.summary().verdicts:
        (row,) = (row for row in rows if verdict.metric in row)
        assert row[0] == ("PASS" if verdict.passed else "FAIL")
    assert any(row[-1] == "no figure" for row in rows)


def test_a_requirement_that_was_not_judged_is_said() -> None:
    reason = "masks_equal_ratio == 1: the executor is simulated"
    rows = [list(row.itertext()) for row in parsed(page(not_evaluated=[reason])).iter("tr")]
    assert ["not judged", reason] in rows


def test_every_plot_is_drawn() -> None:
    root = parsed(page())
    titles = [svg.get("aria-label") for svg in root.iter("svg")]
    assert titles == ["State of charge", "Power", "Temperatures", "Link rate", "Jobs by state"]
    for svg in root.iter("svg"):
        lines = [p for p in svg.iter("path") if "line" in (p.get("class") or "").split()]
        assert lines
        shades = [r.get("class") for r in svg.iter("rect")]
        assert shades == ["eclipse", "eclipse", "pass", "pass", "pass"]
    strips = [s for s in root.iter("div") if s.get("class") == "strip"]
    assert [next(iter(s.itertext())) for s in strips] == ["Mode", "Light", "awarua", "svalbard"]


def test_every_job_has_a_row() -> None:
    root = parsed(page())
    codes = {code.text for code in root.iter("code")}
    assert {sample.job(n).job_id for n in range(9)} <= codes


def test_the_rate_is_said_where_it_is_not_one() -> None:
    assert "valid only at rate 1" in page()
    assert "valid only at rate 1" not in page(rate=1.0)


def test_a_modelled_inference_is_not_called_measured() -> None:
    def source(executor: str) -> str:
        rows = [list(row.itertext()) for row in parsed(page(executor=executor)).iter("tr")]
        return next(row[1] for row in rows if row[0] == "Inference durations")

    assert source("onnx") == "measured"
    assert source("simulated") == "modelled"


def test_the_pointer_shows_the_values_of_every_series() -> None:
    root = parsed(page())
    data = msgspec.json.decode(next(s for s in root.iter("script") if s.get("id") == "data").text)
    named = [li.get("data-series") for li in root.iter("li") if li.get("data-series")]
    assert sorted(named) == sorted(data["values"])
    assert {len(column) for column in data["values"].values()} == {len(data["times"])}
    charge = data["values"]["State of charge/state of charge"]
    assert charge[0] == pytest.approx(sample.snapshot(0.0).power.state_of_charge, abs=1e-3)


def test_a_run_without_telemetry_still_has_a_report() -> None:
    root = parsed(render(Run(sample.summary(metrics={}, jobs=[], masks=None), [], [])))
    assert "No job was submitted." in texts(root)


def test_a_run_folder_is_written_read_and_reported(tmp_path: Path) -> None:
    lines = [msgspec.json.encode(s) + b"\n" for s in sample.telemetry(300.0)]
    (tmp_path / "summary.json").write_bytes(msgspec.json.encode(sample.summary()))
    (tmp_path / "telemetry.jsonl").write_bytes(b"".join(lines) + b'{"mission_s": 1')
    event = RunEvent(4.0, "mode", "nominal to safe")
    (tmp_path / "events.jsonl").write_bytes(msgspec.json.encode(event) + b"\n")
    run = load_run(tmp_path)
    assert len(run.snapshots) == len(lines), "a half-written last line is left out"
    assert run.events == [event]
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    assert parsed(path.read_text(encoding="utf-8")).tag == "html"


@pytest.mark.parametrize("name", ["summary.json", "telemetry.jsonl"])
def test_a_malformed_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "summary.json").write_bytes(msgspec.json.encode(sample.summary()))
    (tmp_path / "telemetry.jsonl").write_bytes(b"")
    (tmp_path / "events.jsonl").write_bytes(b"")
    (tmp_path / name).write_bytes(b"{}\n")
    with pytest.raises(StoreError, match=re.escape(name)):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (13.0, 52.0, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
        (5.0, 5.0, [4.5, 4.75, 5.0, 5.25, 5.5]),
        (-3e-6, 4e-6, [-4e-6, -2e-6, 0.0, 2e-6, 4e-6]),
    ],
)
def test_value_ticks_are_round_and_cover_the_values(
    low: float, high: float, expected: list[float]
) -> None:
    assert nice_ticks(low, high) == pytest.approx(expected, abs=1e-15)


def test_time_ticks_are_round_and_few() -> None:
    minutes = time_ticks(0.0, 97.0 * 60.0)
    assert [text for _, text in minutes] == [
        "0",
        "10",
        "20",
        "30",
        "40",
        "50",
        "60",
        "70",
        "80",
        "90",
    ]
    assert minutes[3][0] == 1800.0
    assert [text for _, text in time_ticks(0.0, 190.0 * 60.0)][-1] == "180"
    hours = time_ticks(3600.0, 100_000.0)
    assert [text for _, text in hours] == ["3", "6", "9", "12", "15", "18", "21", "24", "27"]
    assert hours[0][0] == 10_800.0
    assert [text for _, text in time_ticks(0.0, 30 * 86_400.0)] == [
        "0",
        "5",
        "10",
        "15",
        "20",
        "25",
        "30",
    ]
    assert len(time_ticks(0.0, 900 * 86_400.0)) <= 11


def test_a_longer_axis_counts_in_longer_units() -> None:
    assert [time_unit(s).name for s in (60.0, 21_600.0, 86_400.0, 1e6)] == [
        "minutes",
        "minutes",
        "hours",
        "days",
    ]


def test_thinning_keeps_the_extremes() -> None:
    points = [(float(n), 0.0) for n in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[77_777] = (77_777.0, -9.0)
    kept = thin(points, limit=1000)
    assert len(kept) <= 1000
    assert points[54_321] in kept
    assert points[77_777] in kept
    assert kept == sorted(kept)


def test_figures_read_well() -> None:
    assert [number(v) for v in (9.0, 0.42, 12_345.0, 1 / 3)] == [
        "9",
        "0.42",
        "12\u202f345",
        "0.3333",
    ]
    assert [quantity(v, "B") for v in (491, 410_000, 3.7e6)] == ["491 B", "410 kB", "3.7 MB"]
    assert [clock(v) for v in (3723.0, -480.0, 90_000.0)] == [
        "+01:02:03",
        "-00:08:00",
        "+1d 01:00:00",
    ]
    assert [duration(v) for v in (0.21, 12.0, 200.0, 11_400.0)] == [
        "210 ms",
        "12 s",
        "3 min 20 s",
        "3 h 10 min",
    ]


def test_numbers_are_short_and_whole_above_their_digits() -> None:
    assert [number(value, 3) for value in (0.12345, 12.0, 1254.4, 1e12 / 3)] == [
        "0.123",
        "12",
        "1\u202f254",
        "3.33e+11",
    ]


def test_figures_that_round_up_to_a_power_of_ten_stay_readable() -> None:
    assert [number(value, 3) for value in (999.4, 999.96, -999.96)] == [
        "999",
        "1\u202f000",
        "-1\u202f000",
    ]
    assert [quantity(value, "B") for value in (999.4, 999.7, 999_960.0, -999_960.0)] == [
        "999 B",
        "1 kB",
        "1 MB",
        "-1 MB",
    ]
