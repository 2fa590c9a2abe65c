"""The physical state of the node and the one function that moves it on.

The step reads like the chain it models: orbit, illumination, array, loads, battery, temperatures.
What the array gives is drawn, goes into the battery or is curtailed:

    solar_w = load_w + battery_w + curtailed_w

Light that the cells turn into power does not heat them; what nobody draws of it does. What the
tracker and the harness lose heats the bus node. Two things come one step late: cells work at the
temperature, and thermostats draw the power, of the step before. In a brown-out nothing draws more
than there is.

The board's power comes from its readings. At a rate other than one, real seconds are fewer than
mission seconds: what the board drew above idle is charged as the joules that it really took, the
idle draw is charged for the mission time that passes.
"""

from __future__ import annotations

from math import fsum

from msgspec import Struct

from node.core.craft import Spacecraft
from node.core.events import PowerReading, Source
from node.core.upsets import Upsets, UpsetState
from node.physics.array import YEAR_S, panel_powers_w
from node.physics.attitude import BodyAxes, body_axes_teme
from node.physics.battery import open_circuit_v
from node.physics.battery import step as battery_step
from node.physics.exposure_track import ExposureTrack
from node.physics.frames import ecef_from_teme, ecef_velocity_from_teme, gmst_rad
from node.physics.linkbudget import rate_bps
from node.physics.passes import Look, Station, look
from node.physics.shadow import illumination
from node.physics.sun import AU_KM, SOLAR_CONSTANT_W_PER_M2, SunTable
from node.physics.surfaces import surface_heat_w
from node.physics.thermal import ThermalNetwork
from node.physics.vectors import Vector

STALE_AFTER_S = 5.0
"""A power reading older than this (real seconds) is a fault, not the last value."""
POWER_STALE = "board-power-stale"

_BODY_FRAME: BodyAxes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_ALONG_Z: Vector = (0.0, 0.0, 1.0)


class EmulationState(Struct, frozen=True):
    """What survives a restart of the daemon."""

    mission_s: float
    state_of_charge: float
    temperatures_c: tuple[float, ...]
    mode: str
    boots: int
    solar_generated_j: float = 0.0
    load_consumed_j: float = 0.0
    board_consumed_j: float = 0.0
    brown_outs: int = 0
    array_health: float = 1.0
    """What faults have left of the array, 0 to 1."""
    upsets: UpsetState = UpsetState()
    throttled_s: float = 0.0
    """Time below the full clock."""
    solar_curtailed_j: float = 0.0
    battery_lost_j: float = 0.0


class Emulation:
    """Orbit, power and heat at one instant; ``advance`` moves it to the next."""

    __slots__ = (
        "_converter_loss_ratio",
        "_craft",
        "_looks",
        "_network",
        "_rates_bps",
        "_reading",
        "_roll_matters",
        "_sun_table",
        "_thermal",
        "_warm_panels",
        "array_health",
        "battery_loss_w",
        "battery_lost_j",
        "battery_w",
        "board_consumed_j",
        "board_source",
        "board_w",
        "brown_out",
        "brown_outs",
        "bus_v",
        "capacity_j",
        "curtailed_w",
        "faults",
        "heater_w",
        "illumination",
        "load_consumed_j",
        "load_w",
        "now",
        "r_teme_km",
        "solar_curtailed_j",
        "solar_generated_j",
        "solar_w",
        "state_of_charge",
        "sun",
        "temperatures_c",
        "upsets",
        "v_teme_km_s",
    )

    def __init__(self, craft: Spacecraft, start: EmulationState, now: float) -> None:
        self._craft = craft
        self._sun_table = SunTable()
        self._network = ThermalNetwork(craft.thermal)
        self._thermal = self._network.initial_state(start.temperatures_c)
        self.state_of_charge = start.state_of_charge
        """Of the battery, 0 to 1."""
        self.temperatures_c = self._thermal.temperatures_c
        """By thermal node, in the scenario's order."""
        self._reading: PowerReading | None = None
        # Turned to the Sun, with no face that is fixed to the body, light comes along the body's z
        # axis and nothing asks how the body is turned about it: the axes need not be found.
        self._roll_matters = craft.attitude != "sun" or any(
            surface.facing in {"fixed", "panel"} for surface in craft.thermal.surfaces
        )
        self._warm_panels = tuple(
            (number, craft.thermal_names.index(panel.thermal_node))
            for number, panel in enumerate(craft.panels)
            if panel.thermal_node is not None
        )
        self._converter_loss_ratio = 1.0 / craft.board_converter_efficiency - 1.0
        self.capacity_j = craft.battery.capacity_wh * 3600.0
        self.now = now
        self.array_health = start.array_health
        # Every message of a session asks for these, and they change with the step alone.
        self._looks: dict[str, Look] = {}
        self._rates_bps: dict[str, tuple[float, float]] = {}
        self.solar_w = 0.0
        self.load_w = 0.0
        self.board_w = 0.0
        self.board_source = Source.MODELLED
        self.heater_w = 0.0
        self.battery_w = 0.0
        self.battery_loss_w = 0.0
        self.curtailed_w = 0.0
        self.bus_v = open_circuit_v(craft.battery, start.state_of_charge)
        self.brown_out = False
        self.faults: set[str] = set()
        self.solar_generated_j = start.solar_generated_j
        self.load_consumed_j = start.load_consumed_j
        self.board_consumed_j = start.board_consumed_j
        self.solar_curtailed_j = start.solar_curtailed_j
        self.battery_lost_j = start.battery_lost_j
        self.brown_outs = start.brown_outs
        self._look_up()
        self.upsets = (
            None
            if craft.radiation is None
            else Upsets(
                craft.radiation,
                ExposureTrack(craft.radiation, craft.orbit),
                start.upsets,
                craft.epoch_utc_s + now,
            )
        )

    def advance(
        self,
        now: float,
        reading: PowerReading | None,
        *,
        rate: float,
        powered: bool,
        transmitting: bool,
        running: bool,
    ) -> None:
        """Move the whole emulation to mission time ``now``.

        Args:
            now: mission seconds; at or before the present instant nothing happens.
            reading: the board's power; None where no reading could be had.
            rate: mission seconds a real second.
            powered: the board has emulated power.
            transmitting: the radio is on.
            running: an inference is going on, the figure to charge where there is no reading.
        """
        step_s = now - self.now
        if step_s <= 0.0:
            return
        craft = self._craft
        self.now = now
        self._look_up()
        sun_teme, sun_au = self.sun
        irradiance_w_per_m2 = SOLAR_CONSTANT_W_PER_M2 / (sun_au * sun_au)
        if self._roll_matters:
            light = sun_teme
            axes = body_axes_teme(craft.attitude, self.r_teme_km, self.v_teme_km_s, sun_teme)
        else:
            light, axes = _ALONG_Z, _BODY_FRAME
        panels_w = panel_powers_w(
            craft.panels,
            axes,
            light,
            irradiance_w_per_m2 * self.illumination,
            now / YEAR_S,
            self._node_temperatures_c() if self._warm_panels else {},
        )
        array_w = self.array_health * fsum(panels_w)
        solar_w = craft.array_to_bus_ratio * array_w
        drawn_w = self._board_power_w(reading, step_s, rate, running=running)
        board_w = drawn_w if powered else 0.0
        converter_loss_w = self._converter_loss_ratio * board_w
        bus_w = self.standing_bus_w(powered=powered, transmitting=transmitting)
        load_w = board_w + converter_loss_w + bus_w + self.heater_w
        battery_c = self.temperatures_c[craft.battery_node]
        self.state_of_charge, self.bus_v, _, battery_w, loss_w, curtailed_w, brown_out = (
            battery_step(craft.battery, self.state_of_charge, solar_w - load_w, step_s, battery_c)
        )
        absorbed_w = surface_heat_w(
            craft.thermal.surfaces,
            axes,
            sun_teme,
            self.r_teme_km,
            irradiance_w_per_m2,
            self.illumination,
            craft.earth_infrared_w_per_m2,
            craft.albedo_ratio,
        )
        if brown_out:
            # The board may draw what it likes on its desk: on this bus there was no more.
            served = (solar_w - battery_w) / load_w
            board_w, converter_loss_w, bus_w, load_w = (
                served * watts for watts in (board_w, converter_loss_w, bus_w, load_w)
            )
            self.brown_outs += not self.brown_out
        taken = 1.0 - curtailed_w / solar_w if solar_w > 0.0 else 0.0
        heat_w = [0.0] * len(craft.thermal_names)
        heat_w[craft.board_node] += board_w
        heat_w[craft.bus_node] += bus_w + converter_loss_w + taken * (array_w - solar_w)
        heat_w[craft.battery_node] += loss_w
        for panel, node in self._warm_panels:
            heat_w[node] -= taken * self.array_health * panels_w[panel]
        self._thermal = self._network.step(
            self._thermal, heat_w, absorbed_w, step_s, bus_live=not brown_out
        )

        self.solar_w, self.load_w, self.board_w = solar_w, load_w, board_w
        self.curtailed_w = curtailed_w
        self.battery_w = battery_w
        self.battery_loss_w = loss_w
        self.brown_out = brown_out
        self.temperatures_c, _, self.heater_w = self._thermal
        self.solar_generated_j += solar_w * step_s
        self.load_consumed_j += load_w * step_s
        self.board_consumed_j += board_w * step_s
        self.solar_curtailed_j += curtailed_w * step_s
        self.battery_lost_j += loss_w * step_s
        if self.upsets is not None:
            self.upsets.advance(craft.epoch_utc_s + now, powered=powered)

    def standing_bus_w(self, *, powered: bool, transmitting: bool) -> float:
        """Everything on the bus but the board and the heaters."""
        if not powered:
            return self._craft.off_load_w
        return self._craft.bus_load_w + transmitting * self._craft.transmitter_load_w

    def standing_load_w(self, *, transmitting: bool) -> float:
        """Drawn from the bus while no inference runs."""
        return (
            self.standing_bus_w(powered=True, transmitting=transmitting)
            + self._craft.board_idle_w / self._craft.board_converter_efficiency
            + self.heater_w
        )

    def look(self, station: Station) -> Look:
        """Where the node stands in a station's sky now."""
        view = self._looks.get(station.name)
        if view is None:
            r_ecef_km = self.r_ecef_km
            v_ecef_km_s = ecef_velocity_from_teme(r_ecef_km, self.v_teme_km_s, self._gmst)
            view = self._looks[station.name] = look(station, r_ecef_km, v_ecef_km_s)
        return view

    def link_rates_bps(self, station: Station) -> tuple[float, float]:
        """Rates of uplink and downlink that the link budget gives now."""
        rates_bps = self._rates_bps.get(station.name)
        if rates_bps is None:
            view = self.look(station)
            rates_bps = self._rates_bps[station.name] = (
                (0.0, 0.0)
                if view.elevation_deg <= 0.0
                else (
                    rate_bps(self._craft.uplink, view.range_km, view.elevation_deg),
                    rate_bps(self._craft.downlink, view.range_km, view.elevation_deg),
                )
            )
        return rates_bps

    @property
    def r_ecef_km(self) -> tuple[float, float, float]:
        """Position in the rotating frame."""
        return ecef_from_teme(self.r_teme_km, self._gmst)

    def state(self, mode: str, boots: int) -> EmulationState:
        """Return what survives a restart of the daemon."""
        return EmulationState(
            mission_s=self.now,
            state_of_charge=self.state_of_charge,
            temperatures_c=self.temperatures_c,
            mode=mode,
            boots=boots,
            solar_generated_j=self.solar_generated_j,
            load_consumed_j=self.load_consumed_j,
            board_consumed_j=self.board_consumed_j,
            brown_outs=self.brown_outs,
            array_health=self.array_health,
            upsets=UpsetState() if self.upsets is None else self.upsets.state(),
            solar_curtailed_j=self.solar_curtailed_j,
            battery_lost_j=self.battery_lost_j,
        )

    def _node_temperatures_c(self) -> dict[str, float]:
        return dict(zip(self._craft.thermal_names, self.temperatures_c, strict=True))

    def _look_up(self) -> None:
        if self._looks:
            self._looks.clear()
            self._rates_bps.clear()
        utc_s = self._craft.epoch_utc_s + self.now
        self.r_teme_km, self.v_teme_km_s = self._craft.orbit.state(utc_s)
        self.sun = direction_teme, distance_au = self._sun_table.at(utc_s)
        self.illumination = illumination(self.r_teme_km, direction_teme, distance_au * AU_KM)

    @property
    def _gmst(self) -> float:
        return gmst_rad(self._craft.epoch_utc_s + self.now)

    def _board_power_w(
        self, reading: PowerReading | None, step_s: float, rate: float, *, running: bool
    ) -> float:
        idle_w = self._craft.board_idle_w
        before = self._reading
        self._reading = reading
        if reading is None or reading.age_s > STALE_AFTER_S:
            self.faults.add(POWER_STALE)
            self.board_source = Source.MODELLED
            return self._craft.board_active_w if running else idle_w
        if self.faults:
            self.faults.discard(POWER_STALE)
        self.board_source = reading.source
        wall_s = 0.0 if before is None else reading.wall_s - before.wall_s
        if before is None or wall_s <= 0.0:
            # Joules of a meter slower than the tick come with its next reading.
            return reading.power_w if rate == 1.0 else idle_w
        drawn_j = reading.energy_j - before.energy_j
        if rate == 1.0:
            return drawn_j / wall_s
        return idle_w + max(0.0, drawn_j - idle_w * wall_s) / step_s


def start_state(craft: Spacecraft, now: float = 0.0) -> EmulationState:
    """The state in which a scenario begins."""
    empty = craft.initial_soc <= craft.thresholds.off_below_soc
    return EmulationState(
        mission_s=now,
        state_of_charge=craft.initial_soc,
        temperatures_c=craft.initial_temperatures_c,
        mode="off" if empty else "boot",
        boots=0,
    )
