"""A chip that averages: the age of what it says, and energy by the time between readings."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import pytest

from node.board.parts import Draft
from node.board.rails import Rail, RailsMeter
from node.board.sysfs import SysFs

AVERAGE_S = 0.43


class Bench(NamedTuple):
    root: Path
    sysfs: SysFs
    rails: list[Rail]
    meter: RailsMeter

    def set(self, name: str, milliamperes: int) -> None:
        (self.root / f"{name}_ma").write_text(f"{milliamperes}\n")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    rails = []
    for name in ("a", "b", "other"):
        (tmp_path / f"{name}_mv").write_text("5000\n")
        (tmp_path / f"{name}_ma").write_text("1000\n")
        rails.append(Rail(name, (f"{name}_mv", f"{name}_ma"), AVERAGE_S))
    sysfs = SysFs(tmp_path)
    meter = RailsMeter("rails", sysfs, lambda: rails, ["a", "b"], "module")
    return Bench(tmp_path, sysfs, rails, meter)


def test_a_repeated_register_is_no_new_measurement(bench: Bench) -> None:
    ages = []
    for wall_s in (10.0, 10.1, 10.4, 10.5, 10.6):
        sample = bench.meter.sample(Draft(wall_s))
        assert sample is not None
        ages.append(sample.age_s)
    # At 10.5 the average has been renewed whatever it says; until then the reading grows older.
    assert ages == pytest.approx([0.43, 0.53, 0.83, 0.43, 0.53])
    bench.set("b", 1008)
    changed = bench.meter.sample(Draft(10.65))
    assert changed is not None
    assert changed.age_s == pytest.approx(AVERAGE_S)


def test_energy_follows_the_time_between_readings(bench: Bench) -> None:
    for wall_s in (10.0, 10.1, 10.2):
        bench.meter.sample(Draft(wall_s))
    bench.set("a", 2000)
    sample = bench.meter.sample(Draft(11.2))
    assert sample is not None
    assert sample.power_w == pytest.approx(15.0)
    assert sample.energy_j == pytest.approx(0.2 * 10.0 + 1.0 * 12.5)
    assert sample.wall_s == 11.2


def test_below_zero_is_zero_in_the_sum_too(bench: Bench) -> None:
    bench.set("a", -80)
    draft = Draft(10.0)
    sample = bench.meter.sample(draft)
    assert sample is not None
    assert sample.power_w == pytest.approx(5.0)
    assert [rail.power_w for rail in draft.rails] == pytest.approx([0.0, 5.0, 5.0])
    assert [rail.voltage_v for rail in draft.rails] == [5.0, 5.0, 5.0]


def test_a_rail_beside_the_total_may_fail(bench: Bench) -> None:
    bench.sysfs._faults["other_ma"] = errno.EIO
    draft = Draft(10.0)
    assert bench.meter.sample(draft) is not None
    assert [rail.rail for rail in draft.rails] == ["a", "b"]
    assert not bench.meter.ok


def test_a_rail_of_the_total_without_data_leaves_no_power(bench: Bench) -> None:
    bench.sysfs._faults["b_mv"] = errno.ENODATA
    draft = Draft(10.0)
    assert bench.meter.sample(draft) is None
    assert [rail.rail for rail in draft.rails] == ["a", "other"]
    assert bench.meter.ok


def test_a_rail_that_is_not_found_again_has_failed_until_it_is(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    gone = bench.rails.pop(0)
    bench.meter.find()
    assert bench.meter.sample(Draft(10.0)) is None
    assert bench.meter.sample(Draft(11.0)) is None
    assert not bench.meter.ok
    assert caplog.text.count("sensor_failed sensor='a' error=no such rail any more") == 1
    bench.rails.append(gone)
    bench.meter.find()
    assert bench.meter.sample(Draft(12.0)) is not None
    assert bench.meter.ok
