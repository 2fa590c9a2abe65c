from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node.forecast.bottleneck import (
    DeadlineUse,
    EnergyUse,
    HeatUse,
    bottleneck,
    compute_constraint,
    deadline_constraint,
    energy_constraint,
    heat_constraint,
    link_constraint,
    rank,
)
from node.forecast.model import Constraint, Direction

CALM = EnergyUse(100.0, 50.0, 0.9, 0.5, 0.0, 0)
COOL = HeatUse(0.0, 30.0, 75.0, 0.0, 0)


def direction(**changes: Any) -> Direction:
    values: dict[str, Any] = {
        "bytes_total": 40,
        "bytes_per_day": 40.0,
        "capacity_bytes": 100,
        "capacity_bytes_per_day": 100.0,
        "demanded_bytes": 62,
        "busy_s": 5.0,
        "open_s": 10.0,
    }
    return Direction(**{**values, **changes})


def replace(value: Any, **changes: Any) -> Any:
    return type(value)(**{**{name: getattr(value, name) for name in value.__slots__}, **changes})


def test_a_link_is_used_by_what_is_asked_for_and_by_its_time_on_the_air() -> None:
    assert link_constraint("downlink", direction()).utilisation_ratio == 0.62
    assert link_constraint("uplink", direction(busy_s=8.0)).utilisation_ratio == 0.8
    assert not link_constraint("uplink", direction(demanded_bytes=94)).binds
    assert link_constraint("uplink", direction(demanded_bytes=95)).binds


def test_a_link_without_a_pass_binds_whatever_is_asked_for() -> None:
    none = direction(capacity_bytes=0, busy_s=0.0, open_s=0.0)
    assert link_constraint("uplink", none).binds
    idle = msgspec.structs.replace(none, demanded_bytes=0)
    assert link_constraint("uplink", idle).utilisation_ratio == 0.0


def test_the_board_has_its_time() -> None:
    assert compute_constraint(30.0, 60.0).utilisation_ratio == 0.5
    assert not compute_constraint(59.0, 60.0).binds
    assert compute_constraint(60.0, 60.0).binds


def test_energy_is_used_by_the_balance_and_by_the_depth() -> None:
    assert energy_constraint(CALM).utilisation_ratio == 0.5
    deep = replace(CALM, min_state_of_charge=0.6)
    assert energy_constraint(deep).utilisation_ratio == pytest.approx(0.8)
    assert not energy_constraint(deep).binds
    assert energy_constraint(replace(CALM, needed_wh=101.0)).binds
    assert energy_constraint(replace(CALM, min_state_of_charge=0.4)).binds


@pytest.mark.parametrize("changes", [{"held_s": 1.0}, {"deferrals": 1}])
def test_what_was_held_back_binds(changes: dict[str, Any]) -> None:
    for found in (
        energy_constraint(replace(CALM, **changes)),
        heat_constraint(replace(COOL, **changes)),
    ):
        assert found.binds
        assert found.utilisation_ratio == 1.0
        assert "deferrals" in found.text


def test_heat_is_used_from_the_coldest_to_the_limit() -> None:
    assert heat_constraint(COOL).utilisation_ratio == 0.4
    assert not heat_constraint(COOL).binds
    assert heat_constraint(replace(COOL, max_board_c=75.0)).binds
    hot_all_along = HeatUse(80.0, 80.0, 75.0, 0.0, 0)
    assert heat_constraint(hot_all_along).utilisation_ratio == 1.0


def test_deadlines_count_only_where_there_are_some() -> None:
    none = deadline_constraint(DeadlineUse([], 0))
    assert (none.utilisation_ratio, none.binds) == (None, False)
    met = deadline_constraint(DeadlineUse([0.2] * 19 + [0.9], 0))
    assert (met.utilisation_ratio, met.binds) == (0.2, False)
    missed = deadline_constraint(DeadlineUse([0.2], 1))
    assert (missed.utilisation_ratio, missed.binds) == (1.0, True)
    assert deadline_constraint(DeadlineUse([], 2)).binds


def constraint(name: Any, use: float | None, *, binds: bool = False) -> Constraint:
    return Constraint(name=name, utilisation_ratio=use, binds=binds, text="")


def test_the_highest_use_stands_first_and_what_does_not_apply_last() -> None:
    found = rank([constraint("deadline", None), constraint("uplink", 0.1), constraint("heat", 0.3)])
    assert [each.name for each in found] == ["heat", "uplink", "deadline"]


def test_the_bottleneck_is_what_binds_first_or_comes_nearest() -> None:
    calm = [constraint("downlink", 0.62), constraint("deadline", None)]
    assert bottleneck(calm).text == "nothing binds; nearest is downlink at 62%"
    assert (bottleneck(calm).name, bottleneck(calm).nearest) == (None, "downlink")
    tight = [constraint("energy", 0.99), constraint("downlink", 0.97, binds=True)]
    assert (bottleneck(tight).name, bottleneck(tight).nearest) == ("downlink", "energy")
    assert bottleneck(tight).text == "downlink"
