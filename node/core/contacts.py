"""Which station the node talks to, and when: from geometric passes to contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.physics.passes import Pass, Station


@dataclass(frozen=True, slots=True)
class Contact:
    """The part of a pass that is used; times are mission seconds."""

    station: Station
    aos_s: float
    tca_s: float
    los_s: float
    max_elevation_deg: float
    open_s: float
    """The modem has locked: data can flow from here to ``los_s``."""


def plan_contacts(
    passes: Iterable[Pass], epoch_utc_s: float, acquisition_s: float
) -> tuple[Contact, ...]:
    """Turn passes into contacts that never overlap.

    The node has one radio: it keeps the station that it has until that station's LOS, then takes
    the next one, for what is left of its pass. A contact shorter than the acquisition is left out.

    Args:
        passes: passes of all stations.
        epoch_utc_s: POSIX seconds of mission time zero.
        acquisition_s: time from AOS to lock.
    """
    contacts: list[Contact] = []
    free_from_s = float("-inf")
    for transit in sorted(passes, key=lambda item: (item.aos_utc_s, item.station.name)):
        aos_s = max(transit.aos_utc_s - epoch_utc_s, free_from_s)
        los_s = transit.los_utc_s - epoch_utc_s
        if aos_s + acquisition_s >= los_s:
            continue
        tca_s = min(max(transit.tca_utc_s - epoch_utc_s, aos_s), los_s)
        contacts.append(
            Contact(
                transit.station,
                aos_s,
                tca_s,
                los_s,
                transit.max_elevation_deg,
                aos_s + acquisition_s,
            )
        )
        free_from_s = los_s
    return tuple(contacts)
