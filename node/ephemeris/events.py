"""What happens on the way, to better than a second: shadow edges, passes, lines of sight.

The searches of `node.physics` keep a sample every 30 s for as long as they search, so a long span
is searched a week at a time, each week with some orbits before and after it: memory stays bounded,
and no pass or eclipse is cut where two weeks meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from node.ephemeris.rows import Ephemeris
from node.instants import utc_text
from node.physics.crosslink import Neighbour, crosslink_at
from node.physics.orbit import Orbit
from node.physics.passes import Station, find_passes, look_at
from node.physics.search import crossings, sample_times
from node.physics.shadow import EclipseKind, eclipse_events
from node.span import SECONDS_PER_DAY, Span

EventKind = Literal[EclipseKind, "aos", "tca", "los", "line_of_sight_begin", "line_of_sight_end"]

_PIECE_S = 7.0 * SECONDS_PER_DAY
_MARGIN_ORBITS = 2.0
_SAME_EVENT_S = 1.0
"""Two searches find the same event well within this."""
_NEIGHBOUR_SCAN_S = 30.0


class Event(Struct, frozen=True, omit_defaults=True):
    """One instant; the angles are those of the station's sky then."""

    utc: str
    mission_s: float
    kind: EventKind
    station: str | None = None
    neighbour: str | None = None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    range_km: float | None = None


class _Happening(NamedTuple):
    """An event before it is known whether it is wanted."""

    utc_s: float
    kind: EventKind
    station: Station | None = None
    neighbour: Neighbour | None = None


def find_events(ephemeris: Ephemeris, span: Span) -> list[Event]:
    """Return what happens in a span, in order of time.

    A pass that is under way at an edge of the span has only those of AOS, TCA and LOS that lie
    inside it. One that lasts longer than two orbits to either side of its TCA may be without a TCA.

    Raises:
        PropagationError: SGP4 cannot follow an orbit in the span or two orbits around it.
    """
    orbit, epoch_utc_s = ephemeris.orbit, ephemeris.epoch_utc_s
    last_utc_s: dict[tuple[str, str], float] = {}
    found: list[Event] = []
    margin_s = _MARGIN_ORBITS * orbit.period_s
    start_s = span.start_s
    while start_s < span.stop_s:
        stop_s = min(start_s + _PIECE_S, span.stop_s)
        wide = Span(epoch_utc_s + start_s - margin_s, epoch_utc_s + stop_s + margin_s)
        happenings = [
            *_eclipses(orbit, wide),
            *_passes(orbit, ephemeris.stations, wide),
            *_lines_of_sight(orbit, ephemeris.neighbours, wide),
        ]
        for happening in sorted(happenings, key=lambda each: each.utc_s):
            mission_s = happening.utc_s - epoch_utc_s
            other = happening.station or happening.neighbour
            key = happening.kind, other.name if other else ""
            # The margin of the piece before has brought the first of these already.
            known = happening.utc_s - last_utc_s.get(key, float("-inf")) < _SAME_EVENT_S
            if not known and span.start_s <= mission_s < span.stop_s:
                last_utc_s[key] = happening.utc_s
                found.append(_event(orbit, mission_s, happening))
        start_s = stop_s
    return sorted(found, key=lambda event: event.mission_s)


def _eclipses(orbit: Orbit, wide: Span) -> Iterator[_Happening]:
    for eclipse in eclipse_events(orbit, *wide):
        yield _Happening(eclipse.utc_s, eclipse.kind)


def _passes(orbit: Orbit, stations: Sequence[Station], wide: Span) -> Iterator[_Happening]:
    """The edges and tops of passes; where the search itself cuts a pass is no event."""
    for transit in find_passes(orbit, list(stations), *wide):
        begun, ended = transit.aos_utc_s > wide.start_s, transit.los_utc_s < wide.stop_s
        if begun:
            yield _Happening(transit.aos_utc_s, "aos", transit.station)
        if begun and ended:
            yield _Happening(transit.tca_utc_s, "tca", transit.station)
        if ended:
            yield _Happening(transit.los_utc_s, "los", transit.station)


def _lines_of_sight(
    orbit: Orbit, neighbours: Sequence[Neighbour], wide: Span
) -> Iterator[_Happening]:
    times = sample_times(*wide, _NEIGHBOUR_SCAN_S)
    for neighbour in neighbours:

        def margin_km(utc_s: float, neighbour: Neighbour = neighbour) -> float:
            link = crosslink_at(orbit, neighbour, utc_s)
            return min(
                link.grazing_altitude_km - neighbour.min_grazing_altitude_km,
                neighbour.max_range_km - link.range_km,
            )

        for utc_s, rising in crossings(margin_km, times, [margin_km(each) for each in times]):
            kind: EventKind = "line_of_sight_begin" if rising else "line_of_sight_end"
            yield _Happening(utc_s, kind, neighbour=neighbour)


def _event(orbit: Orbit, mission_s: float, happening: _Happening) -> Event:
    utc_s, kind, station, neighbour = happening
    if station is not None:
        view = look_at(station, orbit, utc_s)
        return Event(
            utc_text(utc_s),
            mission_s,
            kind,
            station=station.name,
            azimuth_deg=view.azimuth_deg,
            elevation_deg=view.elevation_deg,
            range_km=view.range_km,
        )
    if neighbour is not None:
        link = crosslink_at(orbit, neighbour, utc_s)
        return Event(
            utc_text(utc_s), mission_s, kind, neighbour=neighbour.name, range_km=link.range_km
        )
    return Event(utc_text(utc_s), mission_s, kind)
