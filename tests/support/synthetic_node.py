"""Snapshots of a node that does not exist, in which every figure is given by the step's number."""

from __future__ import annotations

import math

from node.core.events import (
    ClockReading,
    FanReading,
    Hardware,
    RailReading,
    Source,
    ThrottleReading,
)
from node.core.governor import DECISIONS
from node.core.jobs import JobState
from node.core.modes import OperatingMode
from node.core.snapshot import (
    ClockSnapshot,
    JobsSnapshot,
    LinkSnapshot,
    NodeSnapshot,
    OrbitSnapshot,
    PassSnapshot,
    PowerSnapshot,
    RadiationSnapshot,
    SensorSnapshot,
)

MODELS = ("cloud-mask", "ship-detector")
STATIONS = ("svalbard", "kiruna", "awarua")
EPOCH_S = 1_772_366_400.0


def snapshot_at(step: int) -> NodeSnapshot:
    """Picture of one step; every figure that a test compares is a function of ``step``."""
    phase = 2 * math.pi * step / 60
    in_contact = step % 20 < 8
    mode = OperatingMode.NOMINAL if step % 10 < 7 else OperatingMode.REDUCED
    return NodeSnapshot(
        mission_s=float(step),
        utc_s=EPOCH_S + step,
        rate=1.0,
        mode=mode,
        mode_since_s=float(step - step % 10),
        mode_cause="start",
        orbit=OrbitSnapshot(
            latitude_deg=80 * math.sin(phase),
            longitude_deg=(step * 4) % 360 - 180.0,
            altitude_km=550.0,
            illumination=1.0 if step % 12 < 8 else 0.0,
            beta_angle_deg=12.0,
            period_s=5700.0,
            next_sunrise_s=step + 100.0,
            next_sunset_s=step + 900.0,
        ),
        power=PowerSnapshot(
            solar_w=float(step),
            load_w=float(step) + 1,
            board_w=float(step) + 2,
            board_source=Source.MEASURED,
            bus_v=28.0,
            battery_w=-1.0,
            battery_loss_w=0.1,
            curtailed_w=0.0,
            state_of_charge=0.5 + 0.4 * math.sin(phase),
            capacity_wh=80.0,
            solar_generated_j=step * 100.0,
            load_consumed_j=step * 90.0,
            board_consumed_j=step * 50.0,
            solar_curtailed_j=step * 8.0,
            battery_lost_j=step * 2.0,
            brown_outs=0,
            board_scope="module",
            board_age_s=0.43,
            board_error_ratio=0.25,
        ),
        temperatures_c={"board": 40.0 + step % 5, "radiator": -5.0, "battery": 18.0},
        sensors=(
            SensorSnapshot(
                sensor="cpu-thermal", temperature_c=46.3, source=Source.MEASURED, age_s=0.1
            ),
        ),
        cpu_utilisation_ratio=0.25,
        link=LinkSnapshot(
            up=in_contact,
            station="kiruna" if in_contact else None,
            elevation_deg=35.0 if in_contact else None,
            range_km=900.0 if in_contact else None,
            uplink_bps=64_000.0 if in_contact else 0.0,
            downlink_bps=2e6 if in_contact else 0.0,
            next_pass=PassSnapshot(
                station="svalbard",
                aos_s=step + 720.0,
                tca_s=step + 1000.0,
                los_s=step + 1300.0,
                max_elevation_deg=61.0,
            ),
            sessions=step // 20,
            uplink_queue_bytes=1000 * (step % 7),
            downlink_queue_bytes=50_000 * (step % 9),
            payload_up_bytes=step * 1000,
            payload_down_bytes=step * 20_000,
        ),
        jobs=JobsSnapshot(
            by_state={state.value: step % 3 for state in JobState},
            running=None,
            deferral_reason="energy",
            deferral_until_s=step + 30.0,
            decisions=dict.fromkeys(DECISIONS, step // 5),
            inferences={},
            inference_energy_j={},
        ),
        faults_active=(),
        ticks=step,
        tick_slips=step // 30,
        boots=1,
        radiation=RadiationSnapshot(
            1250.0,
            in_saa=True,
            cutoff_rigidity_gv=9.5,
            memory_upsets_per_s=1.3e-4,
            corrected=step,
            uncorrected=step // 10,
            interrupts=step // 50,
        ),
        clock=ClockSnapshot(1649.0, 1800.0, 1649.0 / 1800.0, 83.5, step * 0.5),
        hardware=Hardware(
            rails=(
                RailReading("VDD_IN", step + 2.0, 5.0),
                RailReading("VDD_SOC", 2.4, 5.0),
                RailReading("EXT5V", voltage_v=5.09),
            ),
            clocks=(
                ClockReading("cpu0", 1.344e9, 1.728e9),
                ClockReading("gpu", 3.06e8, 9.18e8),
                ClockReading("emc", None, 3.199e9),
            ),
            gpu_utilisation_ratio=0.14,
            fans=(FanReading("fan", 1786.0, 0.25),),
            throttles=(
                ThrottleReading("under-voltage", active=False, since_boot=True),
                ThrottleReading("over-current", events=step),
            ),
            power_mode="25W",
            die_c=50.5,
            power_limit_w=25.0,
        ),
    )
