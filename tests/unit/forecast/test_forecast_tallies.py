from __future__ import annotations

import pytest
from spacecraft import MASPALOMAS

from node.core.contacts import Contact
from node.forecast.tallies import Falls, Meters, PassTally, TurningPoints

CONTACT = Contact(MASPALOMAS, 100.0, 400.0, 700.0, 60.0, 115.0)


def test_meters_give_the_energy_between_two_instants() -> None:
    begin = Meters(3600.0, 0.0, 0.0, 0.0, 0.0)
    end = Meters(10_800.0, 3600.0, 1800.0, 720.0, 360.0)

    energy = begin.until(end, 0.8)

    assert (energy.generated_wh, energy.consumed_wh, energy.board_wh) == (2.0, 1.0, 0.5)
    assert energy.converter_loss_wh == pytest.approx(0.125)
    assert (energy.curtailed_wh, energy.battery_loss_wh) == (0.2, 0.1)


def test_a_fall_that_an_orbit_cuts_in_two_is_as_deep_as_it_is() -> None:
    falls = Falls(0.9)
    falls.extend((1.0, 0.9, 0.8))
    assert falls.next_orbit() == pytest.approx(0.2)
    falls.extend((0.7, 0.75, 0.8, 0.79))
    assert falls.next_orbit() == pytest.approx(0.3), "from 1.0 to 0.7, then it charged"
    falls.extend((0.78, 0.79, 0.77))
    assert falls.next_orbit() == pytest.approx(0.02), "from 0.79, since it charged after 0.78"


def test_a_new_orbit_forgets_the_high_once_the_battery_charges() -> None:
    falls = Falls(1.0)
    falls.extend([0.5])
    falls.next_orbit()
    falls.extend([0.6])
    falls.extend([0.55])
    assert falls.next_orbit() == pytest.approx(0.05)


def test_wiggles_are_no_turning_points() -> None:
    turns = TurningPoints(0.9)
    assert turns.points() == [0.9]
    turns.extend((0.8999, 0.9, 0.8, 0.8004, 0.7, 0.7005, 0.6995, 0.95, 0.9499, 1.0, 0.9))
    assert turns.points() == pytest.approx([0.9, 0.6995, 1.0, 0.9])


def test_a_rise_can_come_first() -> None:
    turns = TurningPoints(0.5)
    turns.extend((0.6, 0.4))
    assert turns.points() == pytest.approx([0.5, 0.6, 0.4])


def test_a_contact_carries_while_it_is_open() -> None:
    tally = PassTally(CONTACT, close_s=695.0)
    for before_s, now, rate_bps in (
        (90.0, 100.0, 8.0),
        (100.0, 115.0, 16.0),
        (115.0, 125.0, 32.0),
        (125.0, 695.0, 32.0),
        (695.0, 705.0, 32.0),
    ):
        tally.carry(before_s, now, (rate_bps, 2.0 * rate_bps))

    assert tally.open_s == 580.0
    assert tally.uplink_bits == 10.0 * 24.0 + 570.0 * 32.0
    assert tally.downlink_bits == 2.0 * tally.uplink_bits


def test_a_long_step_counts_for_what_was_open_of_it() -> None:
    tally = PassTally(CONTACT, close_s=695.0)
    tally.carry(60.0, 120.0, (10.0, 0.0))
    tally.carry(120.0, 760.0, (10.0, 0.0))
    assert tally.open_s == 580.0
