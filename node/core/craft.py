"""The spacecraft as the core flies it: every figure of the scenario in one frozen object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.core.modes import Thresholds
from node.core.throttle import ThrottleLaw
from node.physics.ageing import Ageing
from node.physics.array import Panel
from node.physics.attitude import AttitudeMode
from node.physics.battery import BatterySpec
from node.physics.linkbudget import ChannelBudget
from node.physics.orbit import Orbit
from node.physics.passes import Station
from node.physics.radiation import RadiationSpec
from node.physics.thermal import ThermalSpec


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What the scenario says of one model."""

    duration_s: float
    max_duration_s: float
    result_bytes: int
    active_w: float
    """Of the board while the model runs."""


@dataclass(frozen=True, slots=True)
class ScheduledFault:
    """Something that breaks at a given mission time."""

    at_s: float
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Spacecraft:
    """What flies. Names as in the scenario file."""

    name: str
    epoch_utc_s: float
    tick_s: float
    orbit: Orbit
    attitude: AttitudeMode
    panels: tuple[Panel, ...]
    array_to_bus_ratio: float
    """MPPT and harness together."""
    board_converter_efficiency: float
    bus_load_w: float
    off_load_w: float
    transmitter_load_w: float
    battery: BatterySpec
    ageing: Ageing | None
    """Of the battery; its capacity stays the same within a run."""
    initial_soc: float
    battery_node: int
    thermal: ThermalSpec
    thermal_names: tuple[str, ...]
    initial_temperatures_c: tuple[float, ...]
    board_node: int
    bus_node: int
    board_capacity_j_per_k: float
    earth_infrared_w_per_m2: float
    albedo_ratio: float
    stations: tuple[Station, ...]
    uplink: ChannelBudget
    downlink: ChannelBudget
    acquisition_s: float
    stop_before_los_s: float
    thresholds: Thresholds
    reduced_power_ceiling_w: float
    boot_s: float
    board_idle_w: float
    board_active_w: float
    throttle: ThrottleLaw | None
    models: Mapping[str, ModelFigures]
    radiation: RadiationSpec | None
    faults: tuple[ScheduledFault, ...]
