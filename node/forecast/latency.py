"""From submission to result: where the time goes, in orbit and in a data centre on the ground.

In orbit the parts are cut so that they add up, job by job. Until the input is whole on board, time
in which the link is down is *waiting*, the rest, less light time and backhaul, *uplink*; the same
holds between the end of the inference and the delivery. On the ground nothing waits:

    t = 8 (input + result) / access rate + 2 distance route 1.468 / c + ratio inference

with the group index 1.468 of single-mode fibre at 1550 nm. Limits: light time and backhaul count
once a direction, for the last piece (those of pieces before hide behind the air time); no queue, no
handshakes and no congestion on the ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean, median

from node.config.scenario import Terrestrial
from node.forecast.model import Latency, LatencyPart, Quantiles, TerrestrialLatency
from node.physics.linkbudget import SPEED_OF_LIGHT_KM_S
from node.simulation.milestones import JobMilestones

FIBRE_INDEX = 1.468
_PERCENTILE = 0.95

_ORBIT_PARTS = {
    "wait_for_uplink": "link down until the input is on board",
    "uplink": "input on its way up, behind others too",
    "queue": "on board until its run begins",
    "inference": "the run that ended well",
    "wait_for_downlink": "link down until the result is on the ground",
    "downlink": "result on its way down, behind others too",
    "light_time": "slant range over the speed of light, up and down",
    "backhaul": "between station and user, up and down",
}
_GROUND_PARTS = {
    "upload": "input over the access line",
    "fibre": "light in the fibre, there and back",
    "inference": "in the data centre",
    "download": "result over the access line",
}


@dataclass(frozen=True, slots=True)
class ModelOnGround:
    """What a data centre needs to know of a model."""

    duration_s: float
    """On the board at full speed."""
    result_bytes: int


def quantiles(values: Sequence[float]) -> Quantiles:
    """Mean, median and 95th percentile (nearest rank) of some figures."""
    if not values:
        return Quantiles(0, 0.0, 0.0, 0.0)
    ordered = sorted(values)
    rank = ceil(_PERCENTILE * len(ordered))
    return Quantiles(len(ordered), fmean(ordered), median(ordered), ordered[rank - 1])


def latency(
    jobs: Iterable[JobMilestones],
    models: Mapping[str, ModelOnGround],
    terrestrial: Terrestrial | None,
) -> Latency:
    """Take the times of the delivered jobs apart.

    Args:
        jobs: every job of the flight.
        models: by name, for the data centre.
        terrestrial: what to compare with, if anything.
    """
    delivered: list[JobMilestones] = []
    rows: list[dict[str, float]] = []
    for job in jobs:
        parts = orbit_parts(job)
        if parts is not None:
            delivered.append(job)
            rows.append(parts)
    whole = quantiles([sum(parts.values()) for parts in rows])
    ground = None
    if terrestrial is not None:
        ground = _on_ground(delivered, models, terrestrial, whole)
    return Latency(time_to_result_s=whole, parts=_parts(rows, _ORBIT_PARTS), terrestrial=ground)


def orbit_parts(job: JobMilestones) -> dict[str, float] | None:
    """Return the seconds of each part; None for a job that was not delivered."""
    up, finished, down = job.uploaded, job.finished, job.delivered
    if up is None or job.started_s is None or finished is None or down is None:
        return None
    up_s = up.at.mission_s - job.submitted.mission_s
    up_linked_s = up.at.linked_s - job.submitted.linked_s
    down_s = down.at.mission_s - finished.mission_s
    down_linked_s = down.at.linked_s - finished.linked_s
    return {
        "wait_for_uplink": up_s - up_linked_s,
        "uplink": up_linked_s - up.light_time_s - up.backhaul_s,
        "queue": job.started_s - up.at.mission_s,
        "inference": finished.mission_s - job.started_s,
        "wait_for_downlink": down_s - down_linked_s,
        "downlink": down_linked_s - down.light_time_s - down.backhaul_s,
        "light_time": up.light_time_s + down.light_time_s,
        "backhaul": up.backhaul_s + down.backhaul_s,
    }


def ground_parts(
    input_bytes: int, model: ModelOnGround, terrestrial: Terrestrial
) -> dict[str, float]:
    """Return the seconds of each part of a job in the data centre."""
    fibre_km = terrestrial.distance_km * terrestrial.route_ratio
    return {
        "upload": 8.0 * input_bytes / terrestrial.access_rate_bps,
        "fibre": 2.0 * fibre_km * FIBRE_INDEX / SPEED_OF_LIGHT_KM_S,
        "inference": model.duration_s * terrestrial.inference_duration_ratio,
        "download": 8.0 * model.result_bytes / terrestrial.access_rate_bps,
    }


def _on_ground(
    delivered: Iterable[JobMilestones],
    models: Mapping[str, ModelOnGround],
    terrestrial: Terrestrial,
    orbit: Quantiles,
) -> TerrestrialLatency:
    rows = [
        ground_parts(job.manifest.size_bytes, models[job.manifest.job.model], terrestrial)
        for job in delivered
    ]
    whole = quantiles([sum(parts.values()) for parts in rows])
    return TerrestrialLatency(
        distance_km=terrestrial.distance_km,
        route_ratio=terrestrial.route_ratio,
        access_rate_bps=terrestrial.access_rate_bps,
        inference_duration_ratio=terrestrial.inference_duration_ratio,
        time_to_result_s=whole,
        parts=_parts(rows, _GROUND_PARTS),
        median_ratio=orbit.median / whole.median if whole.median > 0.0 else 0.0,
    )


def _parts(rows: Sequence[Mapping[str, float]], texts: Mapping[str, str]) -> list[LatencyPart]:
    return [
        LatencyPart(part, text, quantiles([row[part] for row in rows]))
        for part, text in texts.items()
    ]
