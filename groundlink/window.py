"""The schedule of the link: when it is open, and what it is like at each instant.

Contacts are those of the node's own plan. For each one the geometry is sampled into tables once,
before it opens, so that the relay does no orbit work for a packet: elements between samples follow
straight lines. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from groundlink.profile import Profile
from node.clock import epoch_utc_s
from node.config.build import build_channels, build_orbit, build_stations
from node.config.scenario import Scenario
from node.core.contacts import Contact, plan_contacts
from node.physics.linkbudget import ChannelBudget, one_way_light_time_s, rate_bps
from node.physics.orbit import Orbit
from node.physics.passes import Station, find_passes, look_at

HORIZON_S = 86_400.0
"""How far ahead contacts are searched."""
_BEFORE_S = 7200.0
"""The search begins this long ago, so that a contact that goes on keeps its true AOS."""
_SAMPLE_S = 1.0
_MAX_SAMPLES = 4096
_EDGE_S = 0.01
"""Two searches find the same edge to well within this."""


@dataclass(frozen=True)
class LinkState:
    """The link at one instant."""

    up: bool
    station: str
    range_km: float
    elevation_deg: float
    delay_s: float
    """One way: light time and the station's backhaul."""
    uplink_bps: float
    downlink_bps: float


@dataclass(frozen=True)
class Window:
    """One contact with its tables; all times are mission seconds."""

    station: str
    aos_s: float
    open_s: float
    """The modem has locked: bytes flow from here to ``los_s``."""
    tca_s: float
    """When the node stands highest in this contact."""
    los_s: float
    max_elevation_deg: float
    """At ``tca_s``."""
    range_km: Profile
    elevation_deg: Profile
    delay_s: Profile
    uplink_bps: Profile
    """Zero before ``open_s``."""
    downlink_bps: Profile
    """Zero before ``open_s``."""

    def state(self, now: float) -> LinkState:
        """What the link is like at one instant; all zero outside the contact."""
        return LinkState(
            self.open_s <= now < self.los_s,
            self.station,
            self.range_km.value(now),
            self.elevation_deg.value(now),
            self.delay_s.value(now),
            self.uplink_bps.value(now),
            self.downlink_bps.value(now),
        )


class Schedule:
    """Finds the windows of one scenario, forward in time."""

    def __init__(
        self,
        orbit: Orbit,
        stations: Sequence[Station],
        channels: tuple[ChannelBudget, ChannelBudget],
        backhaul_delay_s: Mapping[str, float],
        *,
        epoch_utc_s: float,
        acquisition_s: float,
    ) -> None:
        """Take what flies and who listens.

        Args:
            orbit: the node's orbit.
            stations: antennas on the ground.
            channels: link budgets of uplink and downlink.
            backhaul_delay_s: delay between each station and the broker, by the station's name.
            epoch_utc_s: POSIX seconds of mission time zero.
            acquisition_s: from AOS to lock.
        """
        self._orbit = orbit
        self._stations = stations
        self._channels = channels
        self._backhaul_delay_s = backhaul_delay_s
        self._epoch_utc_s = epoch_utc_s
        self._acquisition_s = acquisition_s
        self._contacts: tuple[Contact, ...] = ()
        self._searched_s = (0.0, 0.0)

    @classmethod
    def from_scenario(cls, scenario: Scenario) -> Schedule:
        """Make the schedule of a scenario.

        Raises:
            PhysicsError: the orbit or a link budget cannot be computed.
        """
        return cls(
            build_orbit(scenario),
            build_stations(scenario),
            build_channels(scenario),
            {station.name: station.backhaul_delay_s for station in scenario.ground_station},
            epoch_utc_s=epoch_utc_s(scenario.mission.epoch),
            acquisition_s=scenario.radio.acquisition_s,
        )

    def next_window(self, now: float) -> Window | None:
        """Return the window that is going on or comes next; None: none ends within the horizon."""
        contact = self._next_contact(now)
        return None if contact is None else self._window(contact)

    def windows(self, start_s: float, stop_s: float) -> Iterator[Window]:
        """Yield every window that begins in a span, and the one under way at its start."""
        now = start_s
        while now < stop_s:
            window = self.next_window(now)
            if window is None:
                now += HORIZON_S / 2.0
                continue
            if window.aos_s >= stop_s:
                break
            yield window
            now = window.los_s

    def _next_contact(self, now: float) -> Contact | None:
        first_s, last_s = self._searched_s
        if not first_s <= now <= last_s - HORIZON_S / 2.0:
            self._searched_s = first_s, last_s = now, now + HORIZON_S
            passes = find_passes(
                self._orbit,
                list(self._stations),
                self._epoch_utc_s + first_s - _BEFORE_S,
                self._epoch_utc_s + last_s,
            )
            self._contacts = plan_contacts(passes, self._epoch_utc_s, self._acquisition_s)
        for contact in self._contacts:
            # The search cut a pass that goes on at its end; a later search sees it whole. Only a
            # satellite that never sets is used up to the cut, and then found again.
            cut = contact.los_s > last_s - _EDGE_S and contact.aos_s > now
            # A new search may see the LOS that has just passed a little later: it is over.
            if contact.los_s > now + _EDGE_S and not cut:
                return contact
        return None

    def _window(self, contact: Contact) -> Window:
        span_s = contact.los_s - contact.aos_s
        pieces = max(1, min(_MAX_SAMPLES, round(span_s / _SAMPLE_S)))
        times_s = [contact.aos_s + span_s * index / pieces for index in range(pieces)]
        times_s.append(contact.los_s)
        looks = [
            look_at(contact.station, self._orbit, self._epoch_utc_s + time_s) for time_s in times_s
        ]
        highest = look_at(contact.station, self._orbit, self._epoch_utc_s + contact.tca_s)
        ranges_km = [look.range_km for look in looks]
        # At a mask of zero, AOS and LOS may lie below the horizon by a rounding error.
        elevations_deg = [max(0.0, look.elevation_deg) for look in looks]
        backhaul_s = self._backhaul_delay_s[contact.station.name]
        uplink_bps, downlink_bps = (
            Profile.through(
                times_s,
                [
                    rate_bps(channel, range_km, elevation_deg)
                    for range_km, elevation_deg in zip(ranges_km, elevations_deg, strict=True)
                ],
            ).clipped(contact.open_s, contact.los_s)
            for channel in self._channels
        )
        return Window(
            station=contact.station.name,
            aos_s=contact.aos_s,
            open_s=contact.open_s,
            tca_s=contact.tca_s,
            los_s=contact.los_s,
            # Not the pass's: a contact that begins late may have missed that.
            max_elevation_deg=highest.elevation_deg,
            range_km=Profile.through(times_s, ranges_km),
            elevation_deg=Profile.through(times_s, elevations_deg),
            delay_s=Profile.through(
                times_s, [backhaul_s + one_way_light_time_s(range_km) for range_km in ranges_km]
            ),
            uplink_bps=uplink_bps,
            downlink_bps=downlink_bps,
        )
