"""Turns one snapshot of the node into metric families, so that a scrape is of a single instant.

Names follow the Prometheus conventions: base units, ``_total`` on counts, ratios from 0 to 1. What
is not known has no series; nothing is ever NaN. Every label takes its values from a closed set.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from node.board.health import ReaderHealth
from node.core.events import Hardware, Source
from node.core.modes import OperatingMode
from node.core.snapshot import (
    ClockSnapshot,
    EnforcementSnapshot,
    JobsSnapshot,
    LinkSnapshot,
    NodeSnapshot,
    OrbitSnapshot,
    PassSnapshot,
    PowerSnapshot,
    RadiationSnapshot,
)
from node.enforcement.enforcer import EnforcementReport
from node.enforcement_gauges import enforcement_gauges
from node.hardware_gauges import Row, hardware_gauges

_JOULES_PER_WH = 3600.0
_METERS_PER_KM = 1000.0
_HERTZ_PER_MHZ = 1e6
_VOLTS_PER_GV = 1e9


class SnapshotCollector:
    """Collects from the last snapshot; ``snapshot`` and ``health`` are replaced, never changed."""

    def __init__(self, node_id: str, station_names: Sequence[str]) -> None:
        self.snapshot: NodeSnapshot | None = None
        self.health: tuple[ReaderHealth, ...] = ()
        self.enforcement: EnforcementReport | None = None
        self._node_id = node_id
        self._station_names = tuple(station_names)

    def collect(self) -> Iterator[Metric]:
        """Yield the families that have samples; none before the first snapshot."""
        # One reference for the whole scrape: a snapshot that comes meanwhile waits for the next.
        snapshot, health = self.snapshot, self.health
        if snapshot is not None:
            yield from self._clock(snapshot)
            yield from self._orbit(snapshot.orbit, snapshot)
            yield from self._power(snapshot.power)
            yield from self._temperatures(snapshot)
            if snapshot.clock is not None:
                yield from self._board_clock(snapshot.clock)
            yield from self._die(snapshot)
            if snapshot.hardware is not None:
                yield from self._hardware(snapshot.hardware)
            if snapshot.radiation is not None:
                yield from self._radiation(snapshot.radiation)
            if snapshot.enforcement is not None:
                yield from self._enforcement(snapshot.enforcement)
            yield from self._mode(snapshot)
            yield from self._jobs(snapshot.jobs, snapshot.mission_s)
            yield from self._link(snapshot.link)
            if snapshot.link.next_pass is not None:
                yield from self._next_pass(snapshot.link.next_pass, snapshot)
        ok = [((entry.name,), float(entry.ok)) for entry in health]
        took = [((entry.name,), entry.duration_s) for entry in health]
        yield from self._gauge(
            "sensor_read_success", "Whether the last read of this reader worked", ok, "reader"
        )
        yield from self._gauge(
            "sensor_read_duration_seconds", "What the last read took", took, "reader"
        )

    def _gauge(
        self, name: str, text: str, rows: Iterable[Row] | float | None, *labels: str
    ) -> Iterator[Metric]:
        family = GaugeMetricFamily(f"orbitnode_{name}", text, labels=("node_id", *labels))
        yield from self._filled(family, rows)

    def _counter(
        self, name: str, text: str, rows: Iterable[Row] | float, *labels: str
    ) -> Iterator[Metric]:
        family = CounterMetricFamily(f"orbitnode_{name}", text, labels=("node_id", *labels))
        yield from self._filled(family, rows)

    def _filled(
        self, family: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[Row] | float | None
    ) -> Iterator[Metric]:
        if rows is None or isinstance(rows, (int, float)):
            rows = [((), rows)]
        for values, figure in rows:
            if figure is not None and math.isfinite(figure):
                family.add_metric((self._node_id, *values), figure)
        if family.samples:
            yield family

    def _clock(self, snapshot: NodeSnapshot) -> Iterator[Metric]:
        yield from self._gauge("mission_time_seconds", "Mission time", snapshot.mission_s)
        yield from self._gauge(
            "mission_utc_timestamp_seconds", "Emulated UTC instant", snapshot.utc_s
        )
        yield from self._gauge(
            "mission_clock_rate_ratio", "Mission seconds in one real second", snapshot.rate
        )
        yield from self._counter("ticks_total", "Steps of the emulation", snapshot.ticks)
        yield from self._counter("tick_slips_total", "Steps that came late", snapshot.tick_slips)
        yield from self._counter("boots_total", "Boots of the emulated node", snapshot.boots)

    def _orbit(self, orbit: OrbitSnapshot, snapshot: NodeSnapshot) -> Iterator[Metric]:
        yield from self._gauge(
            "orbit_latitude_degrees", "Geodetic latitude below the node", orbit.latitude_deg
        )
        yield from self._gauge(
            "orbit_longitude_degrees",
            "Longitude below the node, east positive",
            orbit.longitude_deg,
        )
        yield from self._gauge(
            "orbit_altitude_meters",
            "Height above the ellipsoid",
            orbit.altitude_km * _METERS_PER_KM,
        )
        yield from self._gauge(
            "orbit_illumination_ratio", "0 in the umbra to 1 in full sunlight", orbit.illumination
        )
        yield from self._gauge(
            "orbit_beta_angle_degrees", "Sun above the orbital plane", orbit.beta_angle_deg
        )
        yield from self._gauge("orbit_period_seconds", "Time of one orbit", orbit.period_s)
        crossings = [
            (("sunrise",), _until(orbit.next_sunrise_s, snapshot)),
            (("sunset",), _until(orbit.next_sunset_s, snapshot)),
        ]
        yield from self._gauge(
            "orbit_until_seconds", "Mission seconds until the next crossing", crossings, "event"
        )

    def _power(self, power: PowerSnapshot) -> Iterator[Metric]:
        capacity_j = power.capacity_wh * _JOULES_PER_WH
        yield from self._gauge(
            "solar_power_watts", "What the array can deliver to the bus", power.solar_w
        )
        yield from self._gauge(
            "curtailed_power_watts",
            "Of the array's, what neither loads nor battery take",
            power.curtailed_w,
        )
        yield from self._gauge("load_power_watts", "Drawn from the bus by everything", power.load_w)
        yield from self._gauge(
            "board_power_watts",
            "Mean power of the real board over the last step",
            [((power.board_source.value,), power.board_w)],
            "source",
        )
        yield from self._gauge(
            "board_power_info",
            "What the power of the real board covers and which model gave it; always 1",
            [((power.board_scope, power.board_model), 1.0 if power.board_scope else None)],
            "scope",
            "model",
        )
        yield from self._gauge(
            "board_power_error_ratio",
            "How far the model of the real board's power is from what others measured",
            power.board_error_ratio,
        )
        yield from self._gauge(
            "battery_power_watts", "Into the battery; negative while it discharges", power.battery_w
        )
        yield from self._gauge(
            "battery_loss_power_watts", "Becomes heat in the battery", power.battery_loss_w
        )
        yield from self._gauge("bus_voltage_volts", "Voltage of the bus", power.bus_v)
        yield from self._gauge("battery_charge_ratio", "State of charge", power.state_of_charge)
        yield from self._gauge(
            "battery_energy_joules", "Left in the battery", power.state_of_charge * capacity_j
        )
        yield from self._gauge("battery_capacity_joules", "Of the full battery", capacity_j)
        yield from self._counter(
            "solar_generated_joules_total",
            "What the array could deliver to the bus",
            power.solar_generated_j,
        )
        yield from self._counter(
            "solar_curtailed_joules_total",
            "Of the array's, what neither loads nor battery took",
            power.solar_curtailed_j,
        )
        yield from self._counter(
            "battery_lost_joules_total", "Became heat in the battery", power.battery_lost_j
        )
        yield from self._counter(
            "load_consumed_joules_total", "Drawn from the bus", power.load_consumed_j
        )
        yield from self._counter(
            "board_consumed_joules_total", "Drawn by the board", power.board_consumed_j
        )
        yield from self._counter(
            "brown_outs_total", "Times the bus could not carry the load", power.brown_outs
        )

    def _temperatures(self, snapshot: NodeSnapshot) -> Iterator[Metric]:
        rows: list[Row] = [
            ((name, "emulated"), temperature_c)
            for name, temperature_c in snapshot.temperatures_c.items()
        ]
        rows += [
            ((reading.sensor, reading.source.value), reading.temperature_c)
            for reading in snapshot.sensors
        ]
        yield from self._gauge(
            "temperature_celsius",
            "Of emulated thermal nodes and of sensors of the real board",
            rows,
            "sensor",
            "source",
        )
        ages: list[Row] = [((reading.sensor,), reading.age_s) for reading in snapshot.sensors]
        ages.append((("board_power",), snapshot.power.board_age_s))
        yield from self._gauge("sensor_age_seconds", "Age of a sensor's reading", ages, "sensor")
        yield from self._gauge(
            "board_cpu_utilisation_ratio",
            "Busy share of all cores of the real board",
            snapshot.cpu_utilisation_ratio,
        )

    def _board_clock(self, clock: ClockSnapshot) -> Iterator[Metric]:
        modelled = Source.MODELLED.value
        limits = [
            (("allowed", modelled), clock.allowed_mhz * _HERTZ_PER_MHZ),
            (("full", modelled), clock.full_mhz * _HERTZ_PER_MHZ),
        ]
        yield from self._gauge(
            "board_clock_hertz",
            "Clock that the board's firmware allows at the emulated temperature, and the full one",
            limits,
            "limit",
            "source",
        )
        yield from self._counter(
            "board_throttled_seconds_total",
            "Mission seconds below the full clock",
            [((modelled,), clock.throttled_s)],
            "source",
        )

    def _die(self, snapshot: NodeSnapshot) -> Iterator[Metric]:
        rows: list[Row] = []
        if snapshot.clock is not None:
            rows.append(((Source.MODELLED.value,), snapshot.clock.die_c))
        if snapshot.hardware is not None:
            rows.append(((Source.MEASURED.value,), snapshot.hardware.die_c))
        yield from self._gauge(
            "board_die_celsius",
            "Temperature of the die: emulated, and of the real board",
            rows,
            "source",
        )

    def _hardware(self, hardware: Hardware) -> Iterator[Metric]:
        for name, text, rows, labels in hardware_gauges(hardware):
            yield from self._gauge(name, text, rows, *labels)
        yield from self._counter(
            "throttle_events_total",
            "Times that the firmware of the real board slowed it down since it was opened",
            [
                ((each.reason,), None if each.events is None else float(each.events))
                for each in hardware.throttles
            ],
            "reason",
        )

    def _enforcement(self, ordered: EnforcementSnapshot) -> Iterator[Metric]:
        for name, text, rows, labels in enforcement_gauges(ordered, self.enforcement):
            yield from self._gauge(name, text, rows, *labels)
        yield from self._counter(
            "enforcement_unmet_seconds_total",
            "Mission seconds in which the mean power was above the ceiling",
            ordered.unmet_s,
        )

    def _radiation(self, radiation: RadiationSnapshot) -> Iterator[Metric]:
        modelled = Source.MODELLED.value
        for name, text, figure in (
            (
                "proton_flux_per_square_centimeter_second",
                "Trapped protons above 30 MeV at this place",
                radiation.proton_flux_per_cm2_s,
            ),
            (
                "saa",
                "1 in the South Atlantic Anomaly, where the proton flux is above 10 cm-2 s-1",
                float(radiation.in_saa),
            ),
            (
                "cutoff_rigidity_volts",
                "Cosmic rays below it do not come in",
                radiation.cutoff_rigidity_gv * _VOLTS_PER_GV,
            ),
            (
                "memory_upsets_per_second",
                "Memory upsets expected at this place",
                radiation.memory_upsets_per_s,
            ),
        ):
            yield from self._gauge(f"radiation_{name}", text, [((modelled,), figure)], "source")
        yield from self._counter(
            "upsets_total",
            "Memory upsets, corrected or not, and functional interrupts of the device",
            [
                (("corrected", modelled), float(radiation.corrected)),
                (("uncorrected", modelled), float(radiation.uncorrected)),
                (("interrupt", modelled), float(radiation.interrupts)),
            ],
            "outcome",
            "source",
        )

    def _mode(self, snapshot: NodeSnapshot) -> Iterator[Metric]:
        rows = [((mode.value,), float(mode is snapshot.mode)) for mode in OperatingMode]
        yield from self._gauge("mode", "1 for the present operating mode, else 0", rows, "mode")
        yield from self._gauge(
            "mode_age_seconds",
            "Mission seconds since the mode began",
            snapshot.mission_s - snapshot.mode_since_s,
        )
        yield from self._gauge(
            "faults_active", "Injected faults that are acting", float(len(snapshot.faults_active))
        )

    def _jobs(self, jobs: JobsSnapshot, mission_s: float) -> Iterator[Metric]:
        states = [((state,), float(count)) for state, count in jobs.by_state.items()]
        yield from self._gauge("jobs", "Jobs by state", states, "state")
        yield from self._gauge(
            "inference_running", "1 while an inference runs", float(jobs.running is not None)
        )
        until_s = jobs.deferral_until_s
        yield from self._gauge(
            "governor_deferral_seconds",
            "Mission seconds until the governor looks again at a deferred job",
            None if until_s is None else max(0.0, until_s - mission_s),
        )
        decisions: list[Row] = []
        for key, count in jobs.decisions.items():
            decision, _, reason = key.partition(":")
            decisions.append(((decision, reason), float(count)))
        yield from self._counter(
            "governor_decisions_total", "What the governor decided", decisions, "decision", "reason"
        )

    def _link(self, link: LinkSnapshot) -> Iterator[Metric]:
        contacts = [((name,), float(name == link.station)) for name in self._station_names]
        yield from self._gauge(
            "link_contact", "1 while the station sees the node", contacts, "station"
        )
        yield from self._gauge("link_up", "1 while the radio session stands", float(link.up))
        yield from self._gauge(
            "link_elevation_degrees", "Of the node above the horizon", link.elevation_deg
        )
        yield from self._gauge(
            "link_range_meters",
            "Distance to the station",
            None if link.range_km is None else link.range_km * _METERS_PER_KM,
        )
        rates = [(("up",), link.uplink_bps / 8.0), (("down",), link.downlink_bps / 8.0)]
        yield from self._gauge(
            "link_rate_bytes_per_second", "What the link budget gives now", rates, "direction"
        )
        yield from self._counter("link_sessions_total", "Radio sessions", link.sessions)
        waiting = [
            (("up",), float(link.uplink_queue_bytes)),
            (("down",), float(link.downlink_queue_bytes)),
        ]
        yield from self._gauge("link_queue_bytes", "Waiting for transfer", waiting, "direction")
        carried = [
            (("up",), float(link.payload_up_bytes)),
            (("down",), float(link.payload_down_bytes)),
        ]
        yield from self._counter(
            "link_payload_bytes_total", "Payload carried over the link", carried, "direction"
        )

    def _next_pass(self, coming: PassSnapshot, snapshot: NodeSnapshot) -> Iterator[Metric]:
        ends = (("aos", coming.aos_s), ("los", coming.los_s))
        for end, end_s in ends:
            yield from self._gauge(
                f"link_next_{end}_timestamp_seconds",
                f"Emulated UTC instant of the next pass's {end.upper()}",
                [((coming.station,), snapshot.utc_s + end_s - snapshot.mission_s)],
                "station",
            )
            yield from self._gauge(
                f"link_next_{end}_seconds",
                f"Mission seconds until the next pass's {end.upper()}",
                [((coming.station,), end_s - snapshot.mission_s)],
                "station",
            )
        yield from self._gauge(
            "link_next_elevation_degrees",
            "Highest elevation of the next pass",
            [((coming.station,), coming.max_elevation_deg)],
            "station",
        )


def _until(instant_s: float | None, snapshot: NodeSnapshot) -> float | None:
    return None if instant_s is None else instant_s - snapshot.mission_s
