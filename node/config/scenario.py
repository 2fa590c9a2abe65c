"""What flies: orbit, spacecraft, stations, workload, faults, requirements.

Portable between boards. Every number has both bounds; physics has no defaults, so that a reader
sees every figure that the result depends on. Each field says its unit in its name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Union

from msgspec import Meta, field

from node.config.section import Angle180, Name, PositiveSeconds, Ratio, Seconds, Section, Watts
from node.config.spacecraft import (
    ArrayPanel,
    Battery,
    BoardFigures,
    Modes,
    Power,
    Radiation,
    Thermal,
)


class Mission(Section, frozen=True):
    """Name, start and length of the run."""

    name: Name
    epoch: datetime
    """UTC instant of mission time zero; write it with a ``Z``."""
    duration_s: PositiveSeconds
    """How long a run lasts; a daemon in real time goes on after it."""
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    tick_s: Annotated[float, Meta(ge=0.05, le=60)] = 1.0


class TleOrbit(Section, frozen=True, tag_field="source", tag="tle"):
    """A two-line element set, verbatim."""

    line1: Annotated[str, Meta(min_length=68, max_length=70)]
    line2: Annotated[str, Meta(min_length=68, max_length=70)]


class SsoOrbit(Section, frozen=True, tag_field="source", tag="sso"):
    """A Sun-synchronous orbit by altitude and local time of the ascending node."""

    altitude_km: Annotated[float, Meta(ge=200, le=5000)]
    ltan_h: Annotated[float, Meta(ge=0, lt=24)]
    eccentricity: Annotated[float, Meta(ge=0, lt=0.1)]
    argument_of_latitude_deg: Angle180
    """Where on its orbit the node is at mission time zero; 0 is the ascending node."""


class KeplerianOrbit(Section, frozen=True, tag_field="source", tag="keplerian"):
    """Mean elements in TEME at mission time zero."""

    altitude_km: Annotated[float, Meta(ge=200, le=50_000)]
    """Semi-major axis less 6378.137 km."""
    eccentricity: Annotated[float, Meta(ge=0, lt=0.9)]
    inclination_deg: Annotated[float, Meta(ge=0, le=180)]
    raan_deg: Angle180
    argument_of_perigee_deg: Angle180
    mean_anomaly_deg: Angle180


class OmmOrbit(Section, frozen=True, tag_field="source", tag="omm"):
    """A CCSDS Orbit Mean-Elements Message (502.0-B)."""

    message: Annotated[str, Meta(min_length=1, max_length=20_000)]
    """Verbatim, as JSON, as keyword = value lines or as XML; an example stands in
    orbit-and-link.md."""


AnyOrbit = Union[  # noqa: UP007 - read at run time on 3.10
    TleOrbit, OmmOrbit, SsoOrbit, KeplerianOrbit
]


class GroundStation(Section, frozen=True):
    """An antenna on the ground."""

    name: Name
    latitude_deg: Annotated[float, Meta(ge=-90, le=90)]
    longitude_deg: Annotated[float, Meta(ge=-180, le=180)]
    altitude_m: Annotated[float, Meta(ge=-500, le=9000)]
    min_elevation_deg: Annotated[float, Meta(ge=0, lt=90)]
    backhaul_delay_s: Annotated[float, Meta(ge=0, le=10)]
    horizon_mask: Annotated[
        list[tuple[Annotated[float, Meta(ge=0, lt=360)], Annotated[float, Meta(ge=0, lt=90)]]],
        Meta(max_length=360),
    ] = field(default_factory=list)
    """Azimuth and lowest elevation in degrees, azimuths rising, straight lines between; the greater
    of this and ``min_elevation_deg`` counts."""


class RadioChannel(Section, frozen=True):
    """One direction of the link: from a link budget to a bit rate."""

    frequency_ghz: Annotated[float, Meta(gt=0, le=1e6)]
    eirp_dbw: Annotated[float, Meta(ge=-100, le=200)]
    receiver_g_over_t_db_per_k: Annotated[float, Meta(ge=-100, le=100)]
    losses_db: Annotated[float, Meta(ge=0, le=100)]
    """Pointing, polarisation and implementation."""
    zenith_atmosphere_db: Annotated[float, Meta(ge=0, le=50)]
    bandwidth_hz: Annotated[float, Meta(gt=0, le=1e12)]
    rolloff_ratio: Ratio
    margin_db: Annotated[float, Meta(ge=0, le=60)]
    max_rate_bps: Annotated[float, Meta(gt=0, le=1e12)]
    coding: Annotated[str, Meta(min_length=1, max_length=64)] = "dvb-s2"
    """``dvb-s2`` or ``ccsds``: the most efficient mode of that table that closes at each instant;
    or the name of one mode of either table, which is then fixed. The names stand in
    orbit-and-link.md."""


class Radio(Section, frozen=True):
    """Both directions."""

    uplink: RadioChannel
    downlink: RadioChannel
    acquisition_s: Seconds
    """After AOS the modem needs this long to lock."""
    stop_before_los_s: Seconds
    """The node says goodbye this long before LOS."""


class ModelFigures(Section, frozen=True):
    """One model as forecast, governor (first estimate) and simulated executor know it."""

    name: Name
    duration_s: PositiveSeconds
    max_duration_s: PositiveSeconds
    """Budget: a run that takes longer is stopped."""
    result_bytes: Annotated[int, Meta(ge=1, le=1 << 32)]
    active_w: Watts | None = None
    """Board power while this model runs; without it the board's ``active_w``. Counts in simulated
    runs and as the governor's first estimate; where the installation says what its own board draws,
    that counts."""


class Workload(Section, frozen=True):
    """Jobs that a simulated ground submits in freerun."""

    model: Name
    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    first_s: Seconds
    every_s: Seconds
    input_bytes: Annotated[int, Meta(ge=1, le=1 << 32)]
    priority: Annotated[int, Meta(ge=2, le=4)] = 3
    deadline_after_s: PositiveSeconds | None = None


class Terrestrial(Section, frozen=True):
    """The data centre on the ground that a forecast compares with."""

    distance_km: Annotated[float, Meta(gt=0, le=20_100)]
    """Great circle between the user and the data centre."""
    route_ratio: Annotated[float, Meta(ge=1, le=5)]
    """Length of the fibre over that distance."""
    access_rate_bps: Annotated[float, Meta(gt=0, le=1e12)]
    inference_duration_ratio: Annotated[float, Meta(gt=0, le=1000)]
    """Its time for one inference over the board's."""


class Neighbour(Section, frozen=True):
    """Another satellite, for the geometry of a link to it."""

    name: Name
    orbit: AnyOrbit
    min_grazing_altitude_km: Annotated[float, Meta(ge=0, le=1000)]
    """The line of sight stays this far above the Earth."""
    max_range_km: Annotated[float, Meta(gt=0, le=1e5)]


class Provenance(Section, frozen=True):
    """Where figures of this file come from; forecasts and reports repeat it."""

    of: Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1)]
    """Dotted paths, such as ``battery.cell_ocv_v``; a table stands for all that is in it."""
    kind: Literal["assumed", "data_sheet", "published", "measured", "fitted"]
    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Fault(Section, frozen=True):
    """Something that breaks at a given time."""

    at_s: Seconds
    kind: Literal["array_loss", "worker_kill", "safe_mode"]
    value: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    """``array_loss``: lost part of the array, 0 to 1."""


class Requirement(Section, frozen=True):
    """A line of the verdict: ``metric operator value``."""

    metric: Name
    operator: Literal["<", "<=", "==", ">=", ">"]
    value: Annotated[float, Meta(ge=-1e15, le=1e15)]


class Scenario(Section, frozen=True):
    """One scenario file."""

    schema: Annotated[int, Meta(ge=1, le=1)]
    mission: Mission
    orbit: AnyOrbit
    attitude: Literal["nadir", "sun", "inertial"]
    array: Annotated[list[ArrayPanel], Meta(min_length=1, max_length=32)]
    power: Power
    battery: Battery
    thermal: Thermal
    ground_station: Annotated[list[GroundStation], Meta(min_length=1, max_length=64)]
    radio: Radio
    modes: Modes
    board: BoardFigures
    model: Annotated[list[ModelFigures], Meta(min_length=1, max_length=64)]
    workload: list[Workload] = field(default_factory=list)
    fault: list[Fault] = field(default_factory=list)
    requirement: list[Requirement] = field(default_factory=list)
    radiation: Radiation | None = None
    terrestrial: Terrestrial | None = None
    neighbour: Annotated[list[Neighbour], Meta(max_length=64)] = field(default_factory=list)
    provenance: list[Provenance] = field(default_factory=list)
