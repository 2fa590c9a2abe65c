from __future__ import annotations

import pytest
from spacecraft import MASPALOMAS, SVALBARD

from node.core.contacts import Contact
from node.forecast.contacts import direction, link_budget, pass_rows
from node.forecast.tallies import PassTally

DAY_S = 86_400.0


def tallies() -> list[PassTally]:
    """One pass that is under way at the beginning, one in the middle, one that the end cuts."""
    passes = [
        PassTally(Contact(SVALBARD, -60.0, 10.0, 300.0, 40.0, -45.0), 295.0),
        PassTally(Contact(MASPALOMAS, 1000.0, 1300.0, 1600.0, 70.0, 1015.0), 1595.0),
        PassTally(Contact(SVALBARD, DAY_S - 120.0, DAY_S, DAY_S + 300.0, 20.0, DAY_S - 105.0), 0.0),
    ]
    for number, tally in enumerate(passes, 1):
        tally.uplink_bits, tally.downlink_bits = 800.0 * number, 8000.0 * number
        tally.up_bytes, tally.down_bytes = 10 * number, 100 * number
    return passes


def test_contacts_are_cut_to_the_flight_and_summed_by_station() -> None:
    rows = pass_rows(tallies(), DAY_S)
    assert [(row.aos_s, row.los_s) for row in rows] == [
        (0.0, 300.0),
        (1000.0, 1600.0),
        (DAY_S - 120.0, DAY_S),
    ]
    up = direction("up", rows, demanded_bytes=70, busy_s=5.0, open_s=50.0, days=1.0)
    down = direction("down", rows, demanded_bytes=700, busy_s=6.0, open_s=50.0, days=1.0)

    link = link_budget(["svalbard", "kiruna", "maspalomas"], rows, up, down, DAY_S)

    assert (up.bytes_total, up.capacity_bytes, up.demanded_bytes) == (60, 600, 70)
    assert (down.bytes_total, down.capacity_bytes, down.bytes_per_day) == (600, 6000, 600.0)
    assert (link.contacts, link.minutes_per_day) == (3, pytest.approx(17.0))
    assert link.max_gap_s == DAY_S - 120.0 - 1600.0
    svalbard, kiruna, maspalomas = link.stations
    assert (svalbard.contacts, svalbard.mean_minutes) == (2, pytest.approx(3.5))
    assert svalbard.max_gap_s == DAY_S - 120.0 - 300.0
    assert (svalbard.up_bytes, svalbard.downlink_capacity_bytes) == (40, 4000)
    assert (kiruna.contacts, kiruna.mean_minutes, kiruna.max_gap_s) == (0, 0.0, DAY_S)
    assert maspalomas.minutes_per_day == pytest.approx(10.0)
