"""A meter beside the board: what counts as new, as old, and as a failure."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from node.board.external_meter import ExternalMeter
from node.board.file_meter import FileMeter
from node.board.meter import MeterSample
from node.board.meter_text import MeterFigures
from node.board.parts import Draft
from node.core.events import Source


def sample(meter: ExternalMeter, wall_s: float) -> MeterSample | None:
    return meter.sample(Draft(wall_s))


@pytest.fixture
def meter() -> ExternalMeter:
    return ExternalMeter("wall", 3.0)


def test_nothing_before_the_first_record(meter: ExternalMeter) -> None:
    assert sample(meter, 10.0) is None
    assert meter.ok
    assert (meter.source, meter.scope, meter.model) == (Source.MEASURED, "wall", "")


def test_the_last_record_counts_until_it_is_too_old(meter: ExternalMeter) -> None:
    meter.take(MeterFigures(5.0), 10.0, 9.0)
    assert sample(meter, 10.5) == MeterSample(5.0, 0.0, 10.0, 1.5)
    assert sample(meter, 13.0) == MeterSample(5.0, 0.0, 10.0, 4.0)
    assert sample(meter, 13.01) is None
    assert meter.ok


def test_power_is_integrated_between_records_but_not_over_a_gap(meter: ExternalMeter) -> None:
    for wall_s, power_w, energy_j in ((10.0, 4.0, 0.0), (12.0, 6.0, 10.0), (16.0, 6.0, 10.0)):
        meter.take(MeterFigures(power_w), wall_s, wall_s)
        found = sample(meter, wall_s)
        assert found is not None
        assert found.energy_j == pytest.approx(energy_j)


def test_the_meter_s_own_count_holds_over_a_gap_and_when_it_begins_anew(
    meter: ExternalMeter,
) -> None:
    for wall_s, counted_j, energy_j in (
        (10.0, 1000.0, 0.0),
        (11.0, 1007.0, 7.0),
        (60.0, 1300.0, 300.0),
        (61.0, 2.0, 305.0),  # begun anew: this interval by its power
        (62.0, 6.0, 309.0),
    ):
        meter.take(MeterFigures(5.0, counted_j), wall_s, wall_s)
        found = sample(meter, wall_s)
        assert found is not None
        assert found.energy_j == pytest.approx(energy_j)


def test_a_repeated_record_is_the_old_one(meter: ExternalMeter) -> None:
    meter.take(MeterFigures(5.0, None, "7"), 10.0, 10.0)
    meter.take(MeterFigures(5.0, None, "7"), 12.0, 12.0)
    assert sample(meter, 13.5) is None
    meter.take(MeterFigures(5.0, None, "8"), 13.6, 13.6)
    assert sample(meter, 13.7) is not None


def test_a_record_that_cannot_be_read_is_a_failure_until_one_can(
    meter: ExternalMeter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    meter.take(MeterFigures(5.0), 10.0, 10.0)
    meter.refuse("garbage")
    meter.refuse("garbage")
    assert sample(meter, 10.1) is None
    assert not meter.ok
    meter.take(MeterFigures(5.5), 11.0, 11.0)
    assert sample(meter, 11.1) is not None
    assert meter.ok
    assert caplog.text.count("sensor_failed") == 1
    assert caplog.text.count("sensor_recovered") == 1


# A file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "meter"


@pytest.fixture
def write(path: Path) -> Callable[[str], None]:
    """Write as a meter's program should: whole, at once, with a time that never repeats."""
    stamps = iter(range(1, 1000))

    def replace(text: str) -> None:
        other = path.with_suffix(".new")
        other.write_text(text)
        stamp_s = next(stamps)
        os.utime(other, (stamp_s, stamp_s))
        other.replace(path)

    return replace


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_what_was_there_before_is_of_unknown_age(path: Path, write: Callable[[str], None]) -> None:
    write("5.0\n")
    meter = FileMeter(path, "board", 3.0)
    assert sample(meter, 10.0) is None
    assert sample(meter, 11.0) is None
    write("5.0\n")
    assert sample(meter, 12.0) == MeterSample(5.0, 0.0, 12.0, 1.0)


def test_a_file_that_stands_still_is_stale(path: Path, write: Callable[[str], None]) -> None:
    meter = FileMeter(path, "board", 3.0)
    assert sample(meter, 10.0) is None
    write("5.0\n")
    assert sample(meter, 11.0) == MeterSample(5.0, 0.0, 11.0, 1.0)
    assert sample(meter, 14.0) == MeterSample(5.0, 0.0, 11.0, 4.0)
    assert sample(meter, 14.1) is None
    assert meter.ok
    write("5.0\n")
    assert sample(meter, 15.0) is not None


def test_a_line_for_each_record(path: Path) -> None:
    meter = FileMeter(path, "module", 3.0, key="watts")
    sample(meter, 10.0)
    path.write_text("time,watts\n")
    assert sample(meter, 11.0) is None
    append(path, "1,4.0\n2,9")
    assert sample(meter, 12.0) == MeterSample(4.0, 0.0, 12.0, 1.0)
    # The line that was half written is whole now.
    append(path, "9.0\n")
    assert sample(meter, 13.0) == MeterSample(99.0, 51.5, 13.0, 1.0)
    append(path, "3,5.0\n4,7.0\n")
    found = sample(meter, 14.0)
    assert found is not None
    assert found.power_w == 7.0


def test_only_the_end_of_a_long_file_is_read(path: Path) -> None:
    meter = FileMeter(path, "board", 3.0)
    sample(meter, 10.0)
    rows = "".join(f"{number},{number / 1000:.3f}\n" for number in range(20_000))
    path.write_text(f"time,power_w\n{rows}")
    found = sample(meter, 11.0)
    assert found is not None
    assert found.power_w == 19.999


def test_a_missing_file_is_no_data_and_a_broken_one_a_failure(
    path: Path, write: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    meter = FileMeter(path, "board", 3.0)
    assert sample(meter, 10.0) is None
    assert meter.ok
    write("garbage\n")
    for wall_s in (11.0, 12.0):
        assert sample(meter, wall_s) is None
        assert not meter.ok
    assert caplog.text.count("sensor_failed") == 1
    write("5.0\n")
    assert sample(meter, 13.0) is not None
    assert meter.ok
    path.unlink()
    assert sample(meter, 14.0) is not None
    assert sample(meter, 17.0) is None


def test_what_is_no_file_is_a_failure(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "fifo/within"):
        meter = FileMeter(path, "board", 3.0)
        assert sample(meter, 10.0) is None
        assert not meter.ok


def test_reading_a_file_is_cheap(path: Path) -> None:
    path.write_text("".join(f'{{"power_w": {number}}}\n' for number in range(5000)))
    meter = FileMeter(path, "board", 1e9)
    sample(meter, 0.0)
    began_s = time.process_time()
    for number in range(200):
        append(path, f'{{"power_w": {number}}}\n')
        assert sample(meter, 1.0 + number) is not None
    # A tenth of a millisecond is what it takes; what is asserted leaves room for a loaded machine.
    assert (time.process_time() - began_s) / 200 < 0.002
