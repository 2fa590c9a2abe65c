from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from node.config.load import load_scenario
from node.config.spacecraft import Battery, BatteryAgeing
from node.forecast.ageing import battery_ageing

DEMO = load_scenario(Path(__file__).parents[3] / "scenarios" / "demo.toml").battery


def battery(calendar: float, cycling: float, faded: float = 0.0) -> Battery:
    ageing = BatteryAgeing(calendar, cycling)
    return msgspec.structs.replace(DEMO, ageing=ageing, capacity_fade_ratio=faded)


def daily_cycles(days: int, depth: float) -> list[float]:
    return [1.0, *([1.0 - depth, 1.0] * days)]


def test_without_figures_nothing_is_said() -> None:
    silent = msgspec.structs.replace(DEMO, ageing=None)
    assert battery_ageing(silent, daily_cycles(3, 0.2), 3.0) is None


def test_cycling_alone_wears_evenly() -> None:
    found = battery_ageing(battery(0.0, 1e-4), daily_cycles(10, 0.2), 10.0)

    assert found is not None
    assert found.full_cycles_per_day == pytest.approx(0.2)
    assert found.cycles_per_day == pytest.approx(1.0)
    assert found.mean_cycle_depth == pytest.approx(0.2)
    assert found.fade_first_year_ratio == pytest.approx(0.2 * 365.25 * 1e-4)
    assert found.calendar_share_ratio == pytest.approx(0.0, abs=1e-9)
    assert found.years_to_80_percent == pytest.approx(0.2 / (0.2 * 365.25 * 1e-4))


def test_the_calendar_alone_wears_with_the_root_of_time() -> None:
    found = battery_ageing(battery(0.1, 0.0), [1.0], 10.0)

    assert found is not None
    assert (found.full_cycles_per_day, found.mean_cycle_depth) == (0.0, 0.0)
    assert found.fade_first_year_ratio == pytest.approx(0.1)
    assert found.calendar_share_ratio == 1.0
    assert found.years_to_80_percent == pytest.approx(4.0)


def test_a_battery_that_is_not_new_has_less_time_left() -> None:
    new = battery_ageing(battery(0.0, 1e-4), daily_cycles(10, 0.2), 10.0)
    used = battery_ageing(battery(0.0, 1e-4, 0.1), daily_cycles(10, 0.2), 10.0)
    assert new is not None
    assert used is not None
    assert new.years_to_80_percent is not None
    assert used.years_to_80_percent == pytest.approx(new.years_to_80_percent / 2)


def test_a_battery_that_does_not_wear_lasts_beyond_all_years() -> None:
    found = battery_ageing(battery(0.0, 0.0), daily_cycles(10, 0.2), 10.0)
    assert found is not None
    assert found.years_to_80_percent is None
    assert (found.fade_first_year_ratio, found.calendar_share_ratio) == (0.0, 0.0)
