"""One row of the ephemeris for each instant: the physics of the node, called and named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from msgspec import Struct

from node.clock import epoch_utc_s
from node.config.build import build_neighbours, build_orbit, build_stations
from node.config.scenario import Scenario
from node.instants import utc_text
from node.physics.crosslink import crosslink, has_line_of_sight
from node.physics.frames import (
    ecef_from_teme,
    ecef_velocity_from_teme,
    geodetic_from_ecef,
    gmst_rad,
)
from node.physics.linkbudget import doppler_hz
from node.physics.passes import is_visible, look
from node.physics.shadow import beta_angle_deg, illumination
from node.physics.sun import AU_KM, sun_teme
from node.physics.vectors import Vector
from node.span import Span

_MISSION_DIGITS = 6
"""A microsecond: what POSIX seconds can hold, without the digits that sums of steps leave."""
_SAME_INSTANT_RATIO = 1e-4
"""Part of a step by which rounding may move the end of the span."""


class StationView(Struct, frozen=True, gc=False):
    """The node in one station's sky."""

    azimuth_deg: float
    """From north over east, 0 to 360."""
    elevation_deg: float
    """Geometric; negative below the horizon."""
    range_km: float
    range_rate_km_s: float
    """Positive while the node moves away."""
    downlink_doppler_hz: float
    """Received less sent, at the downlink's frequency."""
    visible: bool
    """At or above the station's mask."""


class NeighbourView(Struct, frozen=True, gc=False):
    """Another satellite, as the node sees it."""

    range_km: float
    range_rate_km_s: float
    """Positive while they move apart."""
    grazing_altitude_km: float
    """Of the lowest point of the line between them; negative where the Earth is in between."""
    line_of_sight: bool
    """The line clears the Earth and is short enough for the link."""


class Row(Struct, frozen=True, gc=False):
    """Everything at one instant."""

    utc: str
    mission_s: float
    r_teme_km: Vector
    v_teme_km_s: Vector
    latitude_deg: float
    longitude_deg: float
    altitude_km: float
    sun_direction_teme: Vector
    sun_distance_au: float
    illumination_ratio: float
    beta_angle_deg: float
    stations: dict[str, StationView]
    neighbours: dict[str, NeighbourView]


class Ephemeris:
    """Computes the rows of one scenario."""

    def __init__(self, scenario: Scenario, station_names: Sequence[str]) -> None:
        """Take what flies and the stations that rows are wanted for.

        Raises:
            PhysicsError: the elements describe no orbit that SGP4 can fly.
        """
        self.epoch_utc_s = epoch_utc_s(scenario.mission.epoch)
        self.orbit = build_orbit(scenario)
        self.stations = [each for each in build_stations(scenario) if each.name in station_names]
        self.neighbours = build_neighbours(scenario)
        self._downlink_ghz = scenario.radio.downlink.frequency_ghz

    def rows(self, span: Span, step_s: float) -> Iterator[Row]:
        """Yield a row every ``step_s`` from the span's start on, none at or after its end.

        Raises:
            PropagationError: SGP4 cannot follow the orbit there.
        """
        for index in range(row_count(span, step_s)):
            yield self.at(round(span.start_s + index * step_s, _MISSION_DIGITS))

    def at(self, mission_s: float) -> Row:
        """Return the row of one instant; raises as `rows`."""
        utc_s = self.epoch_utc_s + mission_s
        r_teme_km, v_teme_km_s = self.orbit.state(utc_s)
        gmst = gmst_rad(utc_s)
        r_ecef_km = ecef_from_teme(r_teme_km, gmst)
        v_ecef_km_s = ecef_velocity_from_teme(r_ecef_km, v_teme_km_s, gmst)
        latitude_deg, longitude_deg, altitude_km = geodetic_from_ecef(r_ecef_km)
        sun_direction_teme, sun_distance_au = sun_teme(utc_s)
        stations = {}
        for station in self.stations:
            view = look(station, r_ecef_km, v_ecef_km_s)
            stations[station.name] = StationView(
                view.azimuth_deg,
                view.elevation_deg,
                view.range_km,
                view.range_rate_km_s,
                doppler_hz(view.range_rate_km_s, self._downlink_ghz),
                is_visible(station, r_ecef_km),
            )
        neighbours = {}
        for neighbour in self.neighbours:
            link = crosslink(r_teme_km, v_teme_km_s, *neighbour.orbit.state(utc_s))
            neighbours[neighbour.name] = NeighbourView(
                link.range_km,
                link.range_rate_km_s,
                link.grazing_altitude_km,
                has_line_of_sight(neighbour, link),
            )
        return Row(
            utc_text(utc_s),
            mission_s,
            r_teme_km,
            v_teme_km_s,
            latitude_deg,
            longitude_deg,
            altitude_km,
            sun_direction_teme,
            sun_distance_au,
            illumination(r_teme_km, sun_direction_teme, sun_distance_au * AU_KM),
            beta_angle_deg(r_teme_km, v_teme_km_s, sun_direction_teme),
            stations,
            neighbours,
        )


def row_count(span: Span, step_s: float) -> int:
    """How many rows a span has; at least the one at its start."""
    return max(1, ceil((span.stop_s - span.start_s) / step_s - _SAME_INSTANT_RATIO))
