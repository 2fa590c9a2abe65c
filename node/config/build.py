"""From checked configuration to the objects that the core and the link fly with."""

from __future__ import annotations

from node.clock import epoch_utc_s
from node.config.installation import BoardChoice
from node.config.omm import read_message
from node.config.scenario import (
    AnyOrbit,
    KeplerianOrbit,
    RadioChannel,
    Scenario,
    SsoOrbit,
    TleOrbit,
)
from node.config.spacecraft import Throttle
from node.core.craft import ModelFigures, ScheduledFault, Spacecraft
from node.core.modes import Thresholds
from node.core.throttle import ThrottleLaw
from node.errors import PhysicsError
from node.physics.ageing import Ageing
from node.physics.array import Panel
from node.physics.battery import BatterySpec
from node.physics.crosslink import Neighbour
from node.physics.linkbudget import ChannelBudget
from node.physics.orbit import Orbit
from node.physics.passes import Station
from node.physics.radiation import RadiationSpec
from node.physics.surfaces import Surface
from node.physics.thermal import Heater, Link, Node, ThermalSpec


def make_orbit(orbit: AnyOrbit, start_utc_s: float) -> Orbit:
    """Make the propagator of an orbit source.

    Args:
        orbit: as configured.
        start_utc_s: POSIX seconds of mission time zero.

    Raises:
        PhysicsError: the elements describe no orbit that SGP4 can fly.
    """
    if isinstance(orbit, SsoOrbit):
        return Orbit.from_sso(
            orbit.altitude_km,
            orbit.ltan_h,
            orbit.eccentricity,
            orbit.argument_of_latitude_deg,
            start_utc_s,
        )
    if isinstance(orbit, KeplerianOrbit):
        return Orbit.from_keplerian(
            orbit.altitude_km,
            orbit.eccentricity,
            orbit.inclination_deg,
            orbit.raan_deg,
            orbit.argument_of_perigee_deg,
            orbit.mean_anomaly_deg,
            start_utc_s,
        )
    if isinstance(orbit, TleOrbit):
        return Orbit.from_tle(orbit.line1, orbit.line2)
    reading = read_message(orbit.message)
    if reading.elements is None:
        raise PhysicsError("; ".join(reading.problems))
    return Orbit.from_omm(reading.elements)


def build_orbit(scenario: Scenario) -> Orbit:
    """Make the propagator of the scenario's orbit; raises as `make_orbit`."""
    return make_orbit(scenario.orbit, epoch_utc_s(scenario.mission.epoch))


def build_neighbours(scenario: Scenario) -> tuple[Neighbour, ...]:
    """Make the other satellites; raises as `make_orbit`."""
    start_utc_s = epoch_utc_s(scenario.mission.epoch)
    return tuple(
        Neighbour(
            neighbour.name,
            make_orbit(neighbour.orbit, start_utc_s),
            neighbour.min_grazing_altitude_km,
            neighbour.max_range_km,
        )
        for neighbour in scenario.neighbour
    )


def build_stations(scenario: Scenario) -> tuple[Station, ...]:
    """Make the ground stations."""
    return tuple(
        Station(
            station.name,
            station.latitude_deg,
            station.longitude_deg,
            station.altitude_m / 1000.0,
            station.min_elevation_deg,
            tuple(station.horizon_mask),
        )
        for station in scenario.ground_station
    )


def build_channels(scenario: Scenario) -> tuple[ChannelBudget, ChannelBudget]:
    """Make the link budgets of uplink and downlink."""
    return _channel(scenario.radio.uplink), _channel(scenario.radio.downlink)


def build_spacecraft(scenario: Scenario, board: BoardChoice | None = None) -> Spacecraft:
    """Make everything that the core flies; the installation's board figures come first.

    Raises:
        PhysicsError: a figure that physics cannot compute with.
    """
    power, thermal, modes = scenario.power, scenario.thermal, scenario.modes
    names = tuple(node.name for node in thermal.node)
    board_node = names.index(thermal.board_node)
    panels = _panels(scenario)
    uplink, downlink = build_channels(scenario)
    idle_w = scenario.board.idle_w if board is None or board.idle_w is None else board.idle_w
    active_w = (
        scenario.board.active_w if board is None or board.active_w is None else board.active_w
    )
    return Spacecraft(
        name=scenario.mission.name,
        epoch_utc_s=epoch_utc_s(scenario.mission.epoch),
        tick_s=scenario.mission.tick_s,
        orbit=build_orbit(scenario),
        attitude=scenario.attitude,
        panels=panels,
        array_to_bus_ratio=power.mppt_efficiency_ratio * power.harness_efficiency_ratio,
        board_converter_efficiency=power.board_converter_efficiency_ratio,
        bus_load_w=power.bus_load_w,
        off_load_w=power.off_load_w,
        transmitter_load_w=power.transmitter_load_w,
        battery=_battery(scenario),
        ageing=_ageing(scenario),
        initial_soc=scenario.battery.initial_soc,
        battery_node=names.index(scenario.battery.thermal_node),
        thermal=_thermal(scenario, panels),
        thermal_names=names,
        initial_temperatures_c=tuple(node.initial_c for node in thermal.node),
        board_node=board_node,
        bus_node=names.index(thermal.bus_node),
        board_capacity_j_per_k=thermal.node[board_node].capacity_j_per_k,
        earth_infrared_w_per_m2=thermal.earth_infrared_w_per_m2,
        albedo_ratio=thermal.albedo_ratio,
        stations=build_stations(scenario),
        uplink=uplink,
        downlink=downlink,
        acquisition_s=scenario.radio.acquisition_s,
        stop_before_los_s=scenario.radio.stop_before_los_s,
        thresholds=Thresholds(
            modes.reduced_below_soc,
            modes.nominal_above_soc,
            modes.safe_below_soc,
            modes.reduced_above_soc,
            modes.off_below_soc,
            modes.boot_above_soc,
            modes.reduced_above_board_c,
            modes.nominal_below_board_c,
            modes.safe_above_board_c,
            modes.reduced_below_board_c,
        ),
        reduced_power_ceiling_w=modes.reduced_power_ceiling_w,
        boot_s=modes.boot_s,
        board_idle_w=idle_w,
        board_active_w=active_w,
        throttle=None
        if scenario.board.throttle is None
        else build_throttle(scenario.board.throttle),
        models={
            model.name: ModelFigures(
                model.duration_s,
                model.max_duration_s,
                model.result_bytes,
                _model_active_w(model.active_w, active_w, board),
            )
            for model in scenario.model
        },
        radiation=_radiation(scenario),
        faults=tuple(
            ScheduledFault(fault.at_s, fault.kind, fault.value)
            for fault in sorted(scenario.fault, key=lambda item: item.at_s)
        ),
    )


def _panels(scenario: Scenario) -> tuple[Panel, ...]:
    return tuple(
        Panel(
            panel.name,
            panel.mounting,
            panel.normal_body,
            panel.area_m2,
            panel.packing_ratio,
            panel.cell_efficiency_ratio,
            panel.temperature_coefficient_per_k,
            panel.cell_temperature_c,
            panel.degradation_per_year_ratio,
            panel.age_years,
            panel.axis_body,
            panel.thermal_node,
            panel.axis_limit_deg,
            panel.max_incidence_deg,
        )
        for panel in scenario.array
    )


def _radiation(scenario: Scenario) -> RadiationSpec | None:
    radiation = scenario.radiation
    if radiation is None:
        return None
    return RadiationSpec(
        radiation.memory_bits,
        radiation.memory_proton_cross_section_cm2_per_bit,
        radiation.memory_cosmic_ray_upsets_per_bit_day,
        radiation.corrected_ratio,
        radiation.device_proton_cross_section_cm2,
        radiation.device_cosmic_ray_interrupts_per_day,
        radiation.flux_ratio,
        radiation.solar_modulation_gv,
        scenario.mission.seed,
    )


def _channel(channel: RadioChannel) -> ChannelBudget:
    return ChannelBudget(
        channel.frequency_ghz,
        channel.eirp_dbw,
        channel.receiver_g_over_t_db_per_k,
        channel.losses_db,
        channel.zenith_atmosphere_db,
        channel.bandwidth_hz,
        channel.rolloff_ratio,
        channel.margin_db,
        channel.max_rate_bps,
        channel.coding,
    )


def build_throttle(throttle: Throttle) -> ThrottleLaw:
    """Make the law of the board's clock."""
    return ThrottleLaw(
        throttle.clock_mhz,
        throttle.min_clock_mhz,
        throttle.begins_c,
        throttle.slope_mhz_per_k,
        throttle.die_offset_k_per_w,
        throttle.power_exponent,
    )


def _model_active_w(model_w: float | None, board_w: float, board: BoardChoice | None) -> float:
    """Board power while a model runs; what the installation says of its own board counts first."""
    installed = board is not None and board.active_w is not None
    return board_w if model_w is None or installed else model_w


def _battery(scenario: Scenario) -> BatterySpec:
    battery = scenario.battery
    return BatterySpec(
        battery.series,
        battery.parallel,
        battery.cell_capacity_ah,
        battery.cell_resistance_ohm,
        tuple(battery.cell_ocv_soc),
        tuple(battery.cell_ocv_v),
        battery.cell_max_v,
        battery.max_charge_c_rate,
        battery.coulombic_efficiency_ratio,
        battery.capacity_fade_ratio,
        battery.min_charge_temperature_c,
        battery.min_bus_v,
    )


def _ageing(scenario: Scenario) -> Ageing | None:
    ageing = scenario.battery.ageing
    if ageing is None:
        return None
    return Ageing(ageing.calendar_fade_per_root_year_ratio, ageing.cycle_fade_per_full_cycle_ratio)


def _thermal(scenario: Scenario, panels: tuple[Panel, ...]) -> ThermalSpec:
    thermal = scenario.thermal
    fronts = {panel.name: panel for panel in panels}
    return ThermalSpec(
        nodes=tuple(Node(node.name, node.capacity_j_per_k) for node in thermal.node),
        links=tuple(
            Link(link.between, link.conductance_w_per_k, link.radiation_area_m2)
            for link in thermal.link
        ),
        surfaces=tuple(
            Surface(
                surface.node,
                surface.area_m2,
                surface.emissivity_ratio,
                surface.absorptance_ratio,
                surface.space_view_ratio,
                surface.facing,
                surface.normal_body,
                None if surface.panel is None else fronts[surface.panel],
            )
            for surface in thermal.surface
        ),
        heaters=tuple(
            Heater(heater.node, heater.power_w, heater.on_below_c, heater.off_above_c)
            for heater in thermal.heater
        ),
    )
