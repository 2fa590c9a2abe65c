"""Contacts and sunlight changes to come, found ahead so that no step has to search."""

from __future__ import annotations

from node.core.contacts import Contact, plan_contacts
from node.core.craft import Spacecraft
from node.physics.passes import find_passes
from node.physics.shadow import next_sunlight_change

_HORIZON_S = 86_400.0
_OVERLAP_S = 7200.0
"""Plan anew when less than this is left ahead: no pass in low orbit lasts longer."""
_SAME_EDGE_S = 1.0
"""Two searches find the same edge of a pass within this."""
_SUNLIGHT_HORIZON_ORBITS = 2.0


class Almanac:
    """Coming contacts and sunlight changes, as functions of mission time."""

    def __init__(self, craft: Spacecraft) -> None:
        self._craft = craft
        self._contacts: tuple[Contact, ...] = ()
        self._index = 0
        self._planned_until_s = float("-inf")
        self._edge_s = float("-inf")
        self._sunset_s: float | None = None
        self._sunrise_s: float | None = None
        self._sunlight_until_s = float("-inf")

    def contact(self, now: float) -> Contact | None:
        """Return the contact whose pass is going on, or None."""
        self._seek(now)
        if self._index < len(self._contacts) and self._contacts[self._index].aos_s <= now:
            return self._contacts[self._index]
        return None

    def next_contact(self, now: float) -> Contact | None:
        """Return the first contact that begins after now, or None within the horizon."""
        self._seek(now)
        for contact in self._contacts[self._index : self._index + 2]:
            if contact.aos_s > now:
                return contact
        return None

    def next_edge(self, now: float) -> float:
        """Mission time at which the radio must be switched next."""
        self._seek(now)
        if now >= self._edge_s:
            self._edge_s = self._first_edge(now)
        return self._edge_s

    def stands_until(self, now: float) -> float:
        """Return a mission time before which the radio is not switched and the plan not renewed."""
        return min(self.next_edge(now), self._planned_until_s - _OVERLAP_S)

    def sunlight(self, now: float) -> tuple[float | None, float | None]:
        """Return mission times of the next sunset and sunrise; None where there is none."""
        if now >= self._sunlight_until_s:
            epoch = self._craft.epoch_utc_s
            horizon_s = _SUNLIGHT_HORIZON_ORBITS * self._craft.orbit.period_s
            change = next_sunlight_change(self._craft.orbit, epoch + now, horizon_s)
            sunset, sunrise = change.sunset_utc_s, change.sunrise_utc_s
            self._sunset_s = None if sunset is None else sunset - epoch
            self._sunrise_s = None if sunrise is None else sunrise - epoch
            known = [time for time in (self._sunset_s, self._sunrise_s) if time is not None]
            # Without any change in sight, look again after half the horizon.
            self._sunlight_until_s = min(known, default=now + horizon_s / 2)
        return self._sunset_s, self._sunrise_s

    def _first_edge(self, now: float) -> float:
        for contact in self._contacts[self._index :]:
            for edge_s in (contact.open_s, contact.los_s - self._craft.stop_before_los_s):
                if edge_s > now:
                    return edge_s
        return self._planned_until_s

    def _seek(self, now: float) -> None:
        if now >= self._planned_until_s - _OVERLAP_S:
            # Begin before now, so that the contact that is going on keeps its true AOS.
            epoch = self._craft.epoch_utc_s
            begin_s = now - _OVERLAP_S
            self._planned_until_s = now + _HORIZON_S
            passes = find_passes(
                self._craft.orbit,
                list(self._craft.stations),
                epoch + begin_s,
                epoch + self._planned_until_s,
            )
            # The contact that is going on stays the very same: found anew it would differ in its
            # last digits, and the session would be broken off for them.
            kept = [each for each in self._contacts if each.aos_s <= now < each.los_s]
            known_until_s = max((each.los_s + _SAME_EDGE_S for each in kept), default=begin_s)
            planned = plan_contacts(passes, epoch, self._craft.acquisition_s)
            later = (each for each in planned if each.los_s > known_until_s)
            self._contacts = (*kept, *later)
            self._index = 0
            self._edge_s = float("-inf")
        while self._index < len(self._contacts) and self._contacts[self._index].los_s <= now:
            self._index += 1
