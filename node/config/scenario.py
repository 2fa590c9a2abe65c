"""What flies: orbit, spacecraft, stations, workload, faults, requirements.

Portable between boards. Every number has both bounds; physics has no defaults, so that a reader
sees every figure that the result depends on. Each field says its unit in its name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Union

from msgspec import Meta, Struct

from node.icd import NAME_PATTERN

Ratio = Annotated[float, Meta(ge=0, le=1)]
Angle180 = Annotated[float, Meta(ge=-180, le=360)]
Seconds = Annotated[float, Meta(ge=0, le=3.2e8)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=3.2e8)]
Watts = Annotated[float, Meta(ge=0, le=1e6)]
Celsius = Annotated[float, Meta(ge=-200, le=400)]
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Vector = tuple[
    Annotated[float, Meta(ge=-1, le=1)],
    Annotated[float, Meta(ge=-1, le=1)],
    Annotated[float, Meta(ge=-1, le=1)],
]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every table: immutable, unknown keys refused."""


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


class ArrayPanel(Section, frozen=True):
    """One plane of solar cells."""

    name: Name
    mounting: Literal["fixed", "one_axis", "two_axis"]
    normal_body: Vector
    """Outward normal in the body frame; for ``one_axis`` the rotation axis is ``axis_body``."""
    area_m2: Annotated[float, Meta(gt=0, le=10_000)]
    packing_ratio: Ratio
    cell_efficiency_ratio: Annotated[float, Meta(gt=0, le=0.6)]
    """At 28 degrees Celsius, at the beginning of life."""
    temperature_coefficient_per_k: Annotated[float, Meta(ge=-0.02, le=0)]
    degradation_per_year_ratio: Ratio
    age_years: Annotated[float, Meta(ge=0, le=50)]
    """At mission time zero."""
    cell_temperature_c: Celsius | None = None
    """Held at this; give either this or ``thermal_node``."""
    thermal_node: Name | None = None
    """The cells have this node's temperature; a surface with ``facing = "panel"`` heats it."""
    axis_body: Vector | None = None
    axis_limit_deg: Annotated[float, Meta(gt=0, le=180)] = 180.0
    """For ``one_axis``: how far the panel turns to either side of ``normal_body``."""
    max_incidence_deg: Annotated[float, Meta(gt=0, le=90)] = 90.0
    """Sunlight that comes in flatter than this gives nothing."""


class Power(Section, frozen=True):
    """Between array, battery and loads."""

    mppt_efficiency_ratio: Annotated[float, Meta(gt=0, le=1)]
    harness_efficiency_ratio: Annotated[float, Meta(gt=0, le=1)]
    board_converter_efficiency_ratio: Annotated[float, Meta(gt=0, le=1)]
    bus_load_w: Watts
    """Everything but the board and the transmitter; on whenever the node is not OFF."""
    off_load_w: Watts
    """What still draws while the node is OFF."""
    transmitter_load_w: Watts
    """Added while the link is open."""


class BatteryAgeing(Section, frozen=True):
    """How capacity fades: with the root of time and with the charge cycled through the pack."""

    calendar_fade_per_root_year_ratio: Ratio
    cycle_fade_per_full_cycle_ratio: Annotated[float, Meta(ge=0, le=0.1)]
    """By equivalent full cycle."""


class Battery(Section, frozen=True):
    """A pack of equal cells."""

    series: Annotated[int, Meta(ge=1, le=1000)]
    parallel: Annotated[int, Meta(ge=1, le=1000)]
    cell_capacity_ah: Annotated[float, Meta(gt=0, le=1000)]
    cell_resistance_ohm: Annotated[float, Meta(gt=0, le=10)]
    cell_ocv_soc: Annotated[list[Ratio], Meta(min_length=2, max_length=64)]
    """States of charge of the open-circuit-voltage table, rising from 0 to 1."""
    cell_ocv_v: Annotated[
        list[Annotated[float, Meta(gt=0, le=10)]], Meta(min_length=2, max_length=64)
    ]
    cell_max_v: Annotated[float, Meta(gt=0, le=10)]
    max_charge_c_rate: Annotated[float, Meta(gt=0, le=20)]
    coulombic_efficiency_ratio: Annotated[float, Meta(gt=0, le=1)]
    capacity_fade_ratio: Annotated[float, Meta(ge=0, lt=1)]
    min_charge_temperature_c: Celsius
    min_bus_v: Annotated[float, Meta(gt=0, le=1000)]
    """Below this terminal voltage the bus browns out."""
    initial_soc: Ratio
    thermal_node: Name
    ageing: BatteryAgeing | None = None


class ThermalNode(Section, frozen=True):
    """One lump of heat capacity."""

    name: Name
    capacity_j_per_k: Annotated[float, Meta(gt=0, le=1e9)]
    initial_c: Celsius


class ThermalLink(Section, frozen=True):
    """Conduction, radiation or both between two nodes."""

    between: tuple[Name, Name]
    conductance_w_per_k: Annotated[float, Meta(ge=0, le=1e6)]
    radiation_area_m2: Annotated[float, Meta(ge=0, le=1e4)] = 0.0
    """Effective radiating area between the two (area, emissivity and view factor together)."""


class ThermalSurface(Section, frozen=True):
    """A face that sees space, Sun and Earth."""

    node: Name
    area_m2: Annotated[float, Meta(gt=0, le=1e4)]
    emissivity_ratio: Ratio
    absorptance_ratio: Ratio
    space_view_ratio: Ratio
    """Part of the face's view that the spacecraft itself does not block."""
    facing: Literal["fixed", "sphere", "sun", "anti_sun", "nadir", "zenith", "panel"]
    normal_body: Vector | None = None
    """For ``fixed``: outward normal in the body frame."""
    panel: Name | None = None
    """For ``panel``: the array panel whose front this is; what its cells give does not heat it."""


class ThermalHeater(Section, frozen=True):
    """A thermostat with hysteresis."""

    node: Name
    power_w: Watts
    on_below_c: Celsius
    off_above_c: Celsius


class Thermal(Section, frozen=True):
    """The network and where the dissipated power goes."""

    node: Annotated[list[ThermalNode], Meta(min_length=1, max_length=64)]
    link: list[ThermalLink]
    surface: list[ThermalSurface]
    board_node: Name
    """Node that takes the board's dissipation."""
    bus_node: Name
    """Node that takes the bus load and what converter, tracker and harness lose; what the battery
    loses goes to its own node."""
    earth_infrared_w_per_m2: Annotated[float, Meta(ge=0, le=500)]
    albedo_ratio: Ratio
    heater: list[ThermalHeater] = []


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
    ] = []
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


class Modes(Section, frozen=True):
    """Thresholds of the operating modes; each pair is a hysteresis."""

    reduced_below_soc: Ratio
    nominal_above_soc: Ratio
    safe_below_soc: Ratio
    reduced_above_soc: Ratio
    off_below_soc: Ratio
    boot_above_soc: Ratio
    reduced_above_board_c: Celsius
    nominal_below_board_c: Celsius
    safe_above_board_c: Celsius
    reduced_below_board_c: Celsius
    reduced_power_ceiling_w: Watts
    """Mean board power allowed in REDUCED; inferences are paced to it."""
    boot_s: Seconds
    """How long the emulated boot takes."""


class Throttle(Section, frozen=True):
    """How the board's firmware lowers its clock when it is hot.

    Enforced on simulated boards; on a real one the clock that the emulated heat would leave is
    computed, logged and exported.
    """

    clock_mhz: Annotated[float, Meta(gt=0, le=1e5)]
    """At full speed."""
    min_clock_mhz: Annotated[float, Meta(gt=0, le=1e5)]
    begins_c: Celsius
    """Die temperature from which the clock falls."""
    slope_mhz_per_k: Annotated[float, Meta(gt=0, le=1e5)]
    die_offset_k_per_w: Annotated[float, Meta(ge=0, le=100)]
    """Die above the board's thermal node, for each watt of the board."""
    power_exponent: Annotated[float, Meta(ge=0, le=4)]
    """Power above idle goes with the clock to this power."""


class BoardFigures(Section, frozen=True):
    """The board as the forecast and the simulated board know it."""

    idle_w: Watts
    active_w: Watts
    """While one inference runs; no model draws more."""
    throttle: Throttle | None = None


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


class Radiation(Section, frozen=True):
    """What energetic particles meet on board; upsets follow the position on the orbit.

    Cross-sections and rates are those of the part behind its shielding. A scenario whose worst
    place gives more than 1000 upsets a second is refused.
    """

    memory_bits: Annotated[float, Meta(ge=0, le=1e16)]
    memory_proton_cross_section_cm2_per_bit: Annotated[float, Meta(ge=0, le=1e-6)]
    """Trapped protons above 30 MeV. In the literature about 1e-14 for SRAM, 1e-18 for LPDDR5."""
    memory_cosmic_ray_upsets_per_bit_day: Annotated[float, Meta(ge=0, le=1)]
    """Outside the magnetosphere, at solar minimum."""
    corrected_ratio: Ratio
    """Part of the memory upsets that error correction mends."""
    device_proton_cross_section_cm2: Annotated[float, Meta(ge=0, le=1)]
    """Functional interrupts: the worker dies."""
    device_cosmic_ray_interrupts_per_day: Annotated[float, Meta(ge=0, le=1e6)]
    """Outside the magnetosphere, at solar minimum."""
    flux_ratio: Annotated[float, Meta(ge=0, le=1e6)]
    """All fluxes against those of solar minimum: about 0.5 at maximum, far above 1 in a storm."""
    solar_modulation_gv: Annotated[float, Meta(ge=0.45, le=0.9)] = 0.45
    """Modulation potential, 0.45 of a quiet Sun to 0.9 of an active one: which part of the cosmic
    rays gets through the Earth's field. How many there are is ``flux_ratio``."""


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
    workload: list[Workload] = []
    fault: list[Fault] = []
    requirement: list[Requirement] = []
    radiation: Radiation | None = None
    terrestrial: Terrestrial | None = None
    neighbour: Annotated[list[Neighbour], Meta(max_length=64)] = []
    provenance: list[Provenance] = []
