from dataclasses import replace
from itertools import pairwise

import pytest
from spacecraft import EPOCH_UTC_S, spacecraft

from node.core.almanac import Almanac
from node.core.contacts import Contact
from node.physics.orbit import Orbit

DAY_S = 86_400.0


def contacts_of(almanac: Almanac, until_s: float) -> list[Contact]:
    found: list[Contact] = []
    now = 0.0
    while (contact := almanac.next_contact(now)) is not None and contact.aos_s < until_s:
        found.append(contact)
        now = contact.aos_s
    return found


def test_contacts_of_the_first_orbit() -> None:
    almanac = Almanac(spacecraft())
    assert almanac.contact(0.0) is None
    first = almanac.next_contact(0.0)
    assert first is not None
    assert (first.station.name, round(first.aos_s), round(first.los_s)) == ("maspalomas", 131, 713)
    assert first.open_s == first.aos_s + 15.0

    assert almanac.contact(first.aos_s - 0.01) is None
    assert almanac.contact(first.aos_s) == first
    assert almanac.contact(first.los_s - 0.01) == first
    assert almanac.contact(first.los_s) is None
    second = almanac.next_contact(first.aos_s)
    assert second is not None
    assert second.station.name == "svalbard"


def test_edges_are_where_the_radio_is_switched() -> None:
    almanac = Almanac(spacecraft())
    first = almanac.next_contact(0.0)
    assert first is not None
    assert almanac.next_edge(0.0) == first.open_s
    assert almanac.next_edge(first.open_s - 1.0) == first.open_s
    assert almanac.next_edge(first.open_s) == first.los_s - 5.0
    second = almanac.next_contact(first.los_s)
    assert second is not None
    assert almanac.next_edge(first.los_s - 5.0) == second.open_s


def test_without_stations_the_plan_itself_is_the_edge() -> None:
    almanac = Almanac(spacecraft(stations=()))
    assert almanac.contact(0.0) is None
    assert almanac.next_contact(0.0) is None
    assert almanac.next_edge(0.0) == DAY_S
    later_s = DAY_S - 7200.0
    assert almanac.next_edge(later_s) == later_s + DAY_S


def test_the_plan_goes_on_from_day_to_day() -> None:
    walked = contacts_of(Almanac(spacecraft()), 3 * DAY_S)
    assert len(walked) > 20
    for before, after in pairwise(walked):
        assert before.los_s <= after.aos_s
    # An almanac that begins late sees the same contacts as one that has come there.
    fresh = Almanac(spacecraft())
    for contact in walked[-5:]:
        seen = fresh.contact(contact.aos_s + 1.0)
        assert seen is not None
        assert seen.station == contact.station
        assert seen.aos_s == pytest.approx(contact.aos_s, abs=0.01)


def test_sunset_and_sunrise_follow_each_other() -> None:
    almanac = Almanac(spacecraft())
    sunset_s, sunrise_s = almanac.sunlight(0.0)
    assert sunset_s == pytest.approx(2661.0, abs=10.0)
    assert sunrise_s == pytest.approx(4709.0, abs=10.0)
    assert almanac.sunlight(2000.0) == (sunset_s, sunrise_s)
    assert sunset_s is not None
    next_sunset_s, same_sunrise_s = almanac.sunlight(sunset_s + 1.0)
    assert same_sunrise_s == pytest.approx(sunrise_s, abs=0.01)
    assert next_sunset_s == pytest.approx(sunset_s + spacecraft().orbit.period_s, abs=60.0)


def test_an_orbit_in_endless_light_has_neither() -> None:
    dawn_dusk = Orbit.from_sso(1400.0, 18.0, 0.0005, 0.0, EPOCH_UTC_S)
    almanac = Almanac(spacecraft(orbit=dawn_dusk))
    assert almanac.sunlight(0.0) == (None, None)
    assert almanac.sunlight(dawn_dusk.period_s + 1.0) == (None, None)


def test_a_new_plan_keeps_the_contact_that_is_going_on() -> None:
    almanac = Almanac(spacecraft())
    # The plan is renewed 7200 s before its end; here in the middle of a pass.
    walked = contacts_of(Almanac(spacecraft()), 2 * DAY_S)
    before = next(contact for contact in walked if contact.aos_s > DAY_S)
    begin_s = (before.aos_s + before.los_s) / 2 - (DAY_S - 7200.0)
    almanac.contact(begin_s)
    planned_until_s = almanac._planned_until_s
    going_on = almanac.contact(before.aos_s + 1.0)
    assert going_on is not None
    assert almanac.contact(before.los_s - 1.0) is going_on
    assert almanac._planned_until_s > planned_until_s


def test_contacts_end_behind_a_mountain() -> None:
    first, *others = spacecraft().stations
    whole = Almanac(spacecraft(stations=(first,))).next_contact(0.0)
    assert whole is not None
    ridge = tuple((azimuth_deg, 40.0) for azimuth_deg in (0.0, 90.0, 180.0, 270.0))
    hidden = replace(first, horizon_mask=ridge)
    craft = spacecraft(stations=(hidden, *others))
    found = contacts_of(Almanac(craft), DAY_S)
    assert {contact.station.name for contact in found} >= {"svalbard"}
    for contact in found:
        if contact.station.name == first.name:
            assert contact.max_elevation_deg > 40.0
    (inner,) = (contact for contact in found if whole.aos_s <= contact.aos_s < whole.los_s)
    assert whole.aos_s + 60.0 < inner.aos_s < whole.tca_s < inner.los_s < whole.los_s - 60.0
    assert Almanac(craft).next_edge(0.0) == inner.open_s
