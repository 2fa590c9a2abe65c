"""A made-up run for the tests of reports and of the demo's view: two orbits, sampled."""

from __future__ import annotations

import math
from typing import Any

from node.core.events import Source
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
    RunningJob,
    SensorSnapshot,
)
from node.report.run import JobRecord, MaskCheck, Summary
from node.report.verdict import Verdict

PERIOD_S = 5700.0
SUNSETS_S = (3400.0, 9100.0)
ECLIPSE_S = 2100.0
PASSES = (
    PassSnapshot("svalbard", 1210.0, 1500.0, 1790.0, 47.0),
    PassSnapshot("awarua", 4300.0, 4560.0, 4820.0, 21.0),
    PassSnapshot("svalbard", 6915.0, 7200.0, 7480.0, 71.0),
)
SAFE_S = (5321.0, 6017.0)
STATES = (
    *("received", "queued", "deferred", "running", "stored", "delivered"),
    *("rejected", "expired", "failed"),
)


def snapshot(mission_s: float, *, sensors: bool = True) -> NodeSnapshot:
    dark = any(start <= mission_s < start + ECLIPSE_S for start in SUNSETS_S)
    here = next((p for p in PASSES if p.aos_s <= mission_s < p.los_s), None)
    coming = next((p for p in PASSES if p.los_s > mission_s), None)
    safe = SAFE_S[0] <= mission_s < SAFE_S[1]
    charge = 0.62 + 0.2 * math.cos(2 * math.pi * (mission_s - 3400) / PERIOD_S)
    delivered = sum(mission_s > 1500 + 650 * n for n in range(9))
    stored = 9 - delivered if mission_s > 1300 else 0
    since = SAFE_S[0] if safe else SAFE_S[1] if mission_s >= SAFE_S[1] else 0.0
    up_to = [p for p in PASSES if p.aos_s <= mission_s]
    carried = sum(min(mission_s, p.los_s) - p.aos_s for p in up_to)
    return NodeSnapshot(
        mission_s=mission_s,
        utc_s=1.78e9 + mission_s,
        rate=60.0,
        mode=OperatingMode.SAFE if safe else OperatingMode.NOMINAL,
        mode_since_s=since,
        mode_cause="charge-critical" if safe else "recovered-to-nominal",
        orbit=OrbitSnapshot(
            latitude_deg=80 * math.sin(mission_s / 900),
            longitude_deg=-120.0,
            altitude_km=548.2,
            illumination=0.0 if dark else 1.0,
            beta_angle_deg=23.0,
            period_s=PERIOD_S,
            next_sunrise_s=min(
                (s + ECLIPSE_S for s in SUNSETS_S if s + ECLIPSE_S > mission_s), default=None
            ),
            next_sunset_s=min((s for s in SUNSETS_S if s > mission_s), default=None),
        ),
        power=PowerSnapshot(
            solar_w=0.0 if dark else 24.0 + 2 * math.sin(mission_s / 400),
            load_w=14.0 if safe else 18.5,
            board_w=5.2 + (3.0 if int(mission_s / 300) % 3 == 0 else 0.0),
            board_source=Source.MODELLED,
            bus_v=7.6,
            battery_w=-12.5 if dark else 7.1,
            battery_loss_w=0.3,
            curtailed_w=0.0,
            state_of_charge=charge,
            capacity_wh=41.4,
            solar_generated_j=24.0 * mission_s * 0.64,
            load_consumed_j=16.0 * mission_s,
            board_consumed_j=6.0 * mission_s,
            solar_curtailed_j=0.0,
            battery_lost_j=0.3 * mission_s,
            brown_outs=0,
        ),
        temperatures_c={
            "board": 31 + 9 * math.sin(mission_s / 900),
            "battery": 18 + 3 * math.sin(mission_s / 1400),
        },
        sensors=(SensorSnapshot("cpu", 52.0, Source.MEASURED, 0.2),) if sensors else (),
        cpu_utilisation_ratio=0.4,
        link=LinkSnapshot(
            up=here is not None and here.station != "awarua",
            station=here.station if here else None,
            elevation_deg=30.0 if here else None,
            range_km=1100.0 if here else None,
            uplink_bps=1e6 if here else 0.0,
            downlink_bps=(4e6 + 3e6 * math.sin((mission_s - here.aos_s) / 185)) if here else 0.0,
            next_pass=coming,
            sessions=1,
            uplink_queue_bytes=120_000,
            downlink_queue_bytes=3400,
            payload_up_bytes=int(carried * 4000),
            payload_down_bytes=int(carried * 9),
        ),
        jobs=JobsSnapshot(
            by_state={**dict.fromkeys(STATES, 0), "stored": stored, "delivered": delivered},
            running=RunningJob("tile-000-022", "csmask", mission_s - 3),
            deferral_reason="energy" if dark else None,
            deferral_until_s=mission_s + 600 if dark else None,
            decisions={"admit": 9},
            inferences={"csmask|ok": 9},
            inference_energy_j={"csmask": 11.0},
        ),
        faults_active=(),
        ticks=int(mission_s),
        tick_slips=0,
        boots=1,
        radiation=RadiationSnapshot(
            proton_flux_per_cm2_s=1200.0 if here is None and not dark else 0.0,
            in_saa=here is None and not dark,
            cutoff_rigidity_gv=8.2,
            memory_upsets_per_s=2e-6,
            corrected=int(mission_s / 700),
            uncorrected=int(mission_s / 5000),
            interrupts=int(mission_s / 6000),
        ),
        clock=ClockSnapshot(
            allowed_mhz=1650.0 if dark else 1800.0,
            full_mhz=1800.0,
            ratio=1650.0 / 1800.0 if dark else 1.0,
            die_c=83.5 if dark else 60.0,
            throttled_s=sum(min(max(mission_s - s, 0.0), ECLIPSE_S) for s in SUNSETS_S),
        ),
    )


def telemetry(every_s: float = 30.0, until_s: float = 11_400.0) -> list[NodeSnapshot]:
    return [snapshot(n * every_s) for n in range(int(until_s / every_s) + 1)]


def job(index: int, **changes: Any) -> JobRecord:
    values: dict[str, Any] = {
        "job_id": f"tile-{22 * (index // 3):03d}-{22 * (index % 3):03d}",
        "model": "csmask",
        "state": "delivered",
        "submitted_s": 10.0,
        "started_s": 1400.0 + 40 * index,
        "finished_s": 1412.0 + 40 * index,
        "delivered_s": 1500.0 + 650 * index,
        "duration_s": 0.21,
        "inference_s": 0.19,
        "energy_j": 1.2,
        "energy_source": "modelled",
        "provider": "CPUExecutionProvider",
        "input_bytes": 410_000,
        "result_bytes": 491,
        "deliveries": 1,
        "equal": True,
    }
    return JobRecord(**{**values, **changes})


def summary(**changes: Any) -> Summary:
    values: dict[str, Any] = {
        "scenario": "two-orbits <&> demo",
        "node": "demo",
        "epoch_utc": "2026-03-20T12:00:00Z",
        "started_utc": "2026-03-21T09:00:00Z",
        "rate": 60.0,
        "duration_s": 11_400.0,
        "completed": True,
        "executor": "onnx",
        "board_family": "generic",
        "board_node": "board",
        "configuration_sha256": "ab" * 32,
        "versions": {"orbitnode": "0.1.0", "python": "3.11.7"},
        "jobs": [job(n) for n in range(9)],
        "masks": MaskCheck(9, 0, 0),
        "metrics": {
            "jobs_submitted": 9,
            "jobs_delivered": 9,
            "min_state_of_charge": 0.42,
            "payload_up_bytes": 3.7e6,
            "payload_down_bytes": 4500,
            "contacts": 2,
            "eclipses": 2,
            "max_board_temperature_c": 40.0,
        },
        "verdicts": [
            Verdict("jobs_delivered_ratio", "==", 1.0, 1.0, passed=True),
            Verdict("min_state_of_charge", ">=", 0.3, 0.42, passed=True),
            Verdict("max_board_temperature_c", "<=", 38.0, 40.0, passed=False),
            Verdict("boots", "==", 1.0, None, passed=False),
        ],
        "passed": False,
    }
    return Summary(**{**values, **changes})
