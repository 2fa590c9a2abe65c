"""Takes the picture: from the core's state to one frozen snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.core.contacts import Contact
from node.core.events import Source
from node.core.modes import LIMITS
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
    RunningJob,
    SensorSnapshot,
)
from node.physics.frames import geodetic_from_ecef
from node.physics.shadow import beta_angle_deg

if TYPE_CHECKING:
    from node.core.node import NodeCore


def take_picture(core: NodeCore) -> NodeSnapshot:
    """Read the whole state of the core at its present instant."""
    emulation = core.emulation
    now = emulation.now
    power = core.readings.power
    return NodeSnapshot(
        mission_s=now,
        utc_s=core.craft.epoch_utc_s + now,
        rate=core.limits.rate,
        mode=core.mode,
        mode_since_s=core.mode_since_s,
        mode_cause=core.mode_cause,
        orbit=_orbit(core, now),
        power=PowerSnapshot(
            solar_w=emulation.solar_w,
            load_w=emulation.load_w,
            board_w=emulation.board_w,
            board_source=emulation.board_source,
            bus_v=emulation.bus_v,
            battery_w=emulation.battery_w,
            battery_loss_w=emulation.battery_loss_w,
            curtailed_w=emulation.curtailed_w,
            state_of_charge=emulation.state_of_charge,
            capacity_wh=emulation.capacity_j / 3600.0,
            solar_generated_j=emulation.solar_generated_j,
            load_consumed_j=emulation.load_consumed_j,
            board_consumed_j=emulation.board_consumed_j,
            solar_curtailed_j=emulation.solar_curtailed_j,
            battery_lost_j=emulation.battery_lost_j,
            brown_outs=emulation.brown_outs,
            board_scope="" if power is None else power.scope,
            board_model="" if power is None else power.model,
            board_error_ratio=None if power is None else power.error_ratio,
            board_age_s=None if power is None else power.age_s,
        ),
        temperatures_c=dict(zip(core.craft.thermal_names, emulation.temperatures_c, strict=True)),
        sensors=tuple(
            SensorSnapshot(
                sensor=reading.sensor,
                temperature_c=reading.temperature_c,
                source=reading.source,
                age_s=reading.age_s,
            )
            for reading in core.readings.temperatures
        ),
        cpu_utilisation_ratio=core.readings.cpu_utilisation_ratio,
        link=_link(core, now),
        jobs=_jobs(core),
        faults_active=tuple(sorted(emulation.faults)),
        ticks=core.ticks,
        tick_slips=core.tick_slips,
        boots=core.boots,
        radiation=_radiation(core),
        clock=_clock(core),
        hardware=core.readings.hardware,
        enforcement=_enforcement(core),
    )


def _orbit(core: NodeCore, now: float) -> OrbitSnapshot:
    emulation = core.emulation
    latitude_deg, longitude_deg, altitude_km = geodetic_from_ecef(emulation.r_ecef_km)
    sunset_s, sunrise_s = core.almanac.sunlight(now)
    return OrbitSnapshot(
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        altitude_km=altitude_km,
        illumination=emulation.illumination,
        beta_angle_deg=beta_angle_deg(
            emulation.r_teme_km, emulation.v_teme_km_s, emulation.sun.direction_teme
        ),
        period_s=core.craft.orbit.period_s,
        next_sunrise_s=sunrise_s,
        next_sunset_s=sunset_s,
    )


def _clock(core: NodeCore) -> ClockSnapshot | None:
    clock = core.clock
    if clock is None:
        return None
    board_c = core.emulation.temperatures_c[core.craft.board_node]
    return ClockSnapshot(
        allowed_mhz=clock.ratio * clock.law.clock_mhz,
        full_mhz=clock.law.clock_mhz,
        ratio=clock.ratio,
        die_c=clock.die_c(board_c, core.emulation.board_w),
        throttled_s=clock.throttled_s,
        offset_source=Source.MEASURED if clock.offset_measured else Source.MODELLED,
    )


def _enforcement(core: NodeCore) -> EnforcementSnapshot:
    enforcement = core.enforcement
    ceiling = enforcement.ceiling
    return EnforcementSnapshot(
        ceiling_w=ceiling.ceiling_w if ceiling.engaged else None,
        mean_w=ceiling.mean_w,
        headroom_w=ceiling.headroom_w,
        share=enforcement.share,
        unmet=enforcement.ceiling_unmet,
        unmet_s=ceiling.unmet_s,
        protected=enforcement.protection.reason,
    )


def _radiation(core: NodeCore) -> RadiationSnapshot | None:
    upsets = core.emulation.upsets
    if upsets is None:
        return None
    here = upsets.exposure
    return RadiationSnapshot(
        proton_flux_per_cm2_s=here.proton_flux_per_cm2_s,
        in_saa=upsets.in_anomaly,
        cutoff_rigidity_gv=here.cutoff_rigidity_gv,
        memory_upsets_per_s=here.memory_upsets_per_s,
        corrected=upsets.corrected,
        uncorrected=upsets.uncorrected,
        interrupts=upsets.interrupts,
    )


def _pass(contact: Contact | None) -> PassSnapshot | None:
    if contact is None:
        return None
    return PassSnapshot(
        station=contact.station.name,
        aos_s=contact.aos_s,
        tca_s=contact.tca_s,
        los_s=contact.los_s,
        max_elevation_deg=contact.max_elevation_deg,
    )


def _link(core: NodeCore, now: float) -> LinkSnapshot:
    contact = core.almanac.contact(now)
    view = None if contact is None else core.emulation.look(contact.station)
    uplink_bps, downlink_bps = core.link_rates_bps()
    comms = core.comms
    up_before, down_before = core.payload_bytes_before
    return LinkSnapshot(
        up=comms.link_up and LIMITS[core.mode].powered,
        station=None if contact is None else contact.station.name,
        elevation_deg=None if view is None else view.elevation_deg,
        range_km=None if view is None else view.range_km,
        uplink_bps=uplink_bps,
        downlink_bps=downlink_bps,
        next_pass=_pass(core.almanac.next_contact(now)),
        sessions=core.sessions_before + comms.sessions,
        uplink_queue_bytes=comms.uplink.open_bytes,
        downlink_queue_bytes=comms.downlink.open_bytes,
        payload_up_bytes=up_before + comms.uplink.confirmed_bytes,
        payload_down_bytes=down_before + comms.downlink.confirmed_bytes,
    )


def _jobs(core: NodeCore) -> JobsSnapshot:
    payload = core.payload
    run, deferral = payload.run, payload.deferral
    return JobsSnapshot(
        by_state=payload.jobs.counts(),
        running=None
        if run is None
        else RunningJob(
            job_id=run.job.job_id, model=run.job.manifest.job.model, started_s=run.started_s
        ),
        deferral_reason=None if deferral is None else deferral.reason.value,
        deferral_until_s=None if deferral is None else deferral.until_s,
        decisions=dict(core.totals.decisions),
        inferences=dict(core.totals.inferences),
        inference_energy_j=dict(core.totals.inference_energy_j),
    )
