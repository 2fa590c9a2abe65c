"""The spacecraft of a scenario: array, power, battery, heat, operating modes, board, radiation."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from node.config.section import Celsius, Name, Ratio, Seconds, Section, Vector, Watts


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
    board_converter_efficiency_ratio: Annotated[float, Meta(ge=0.01, le=1)]
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
    heater: list[ThermalHeater] = field(default_factory=list)


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
