"""Turns two pictures of a run into the events between them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from node.core.snapshot import NodeSnapshot
from node.report.axes import clock, quantity
from node.report.run import JobRecord, RunEvent
from node.report.timeline import ECLIPSE_BELOW_ILLUMINATION


def node_changes(before: NodeSnapshot | None, after: NodeSnapshot) -> Iterator[RunEvent]:
    """Yield what happened on the node between two snapshots, in a fixed order."""
    now_s = after.mission_s
    if before is None:
        charge = after.power.state_of_charge
        yield RunEvent(now_s, "start", f"{after.mode.value} with state of charge {charge:.2f}")
        return
    if after.boots > before.boots:
        yield RunEvent(now_s, "boot", f"the node has booted, {after.boots} times in all")
    if after.mode is not before.mode:
        yield RunEvent(
            after.mode_since_s,
            "mode",
            f"{before.mode.value} to {after.mode.value}: {after.mode_cause}",
        )
    yield from _light(before, after)
    yield from _link(before, after)
    new_faults = [fault for fault in after.faults_active if fault not in before.faults_active]
    for fault in new_faults:
        yield RunEvent(now_s, "fault", fault)
    reason = after.jobs.deferral_reason
    if reason is not None and reason != before.jobs.deferral_reason:
        until = after.jobs.deferral_until_s
        text = reason if until is None else f"{reason} until {clock(until)}"
        yield RunEvent(now_s, "defer", f"the governor waits: {text}")


def job_changes(
    before: Mapping[str, JobRecord], after: Mapping[str, JobRecord], now_s: float
) -> Iterator[RunEvent]:
    """Yield each job's new state as the ground knows it."""
    for job_id, job in after.items():
        old = before.get(job_id)
        if old is not None and old.state == job.state:
            continue
        at_s = job.delivered_s if job.delivered_s is not None else now_s
        size = "" if job.result_bytes is None else f" ({quantity(job.result_bytes, 'B')})"
        yield RunEvent(at_s, f"job-{job.state}", f"{job_id}{size}")


def _light(before: NodeSnapshot, after: NodeSnapshot) -> Iterator[RunEvent]:
    was_dark = before.orbit.illumination < ECLIPSE_BELOW_ILLUMINATION
    dark = after.orbit.illumination < ECLIPSE_BELOW_ILLUMINATION
    if dark and not was_dark:
        charge = after.power.state_of_charge
        at_s = _between(before, before.orbit.next_sunset_s, after)
        yield RunEvent(at_s, "eclipse", f"into the shadow with state of charge {charge:.2f}")
    elif was_dark and not dark:
        charge = after.power.state_of_charge
        at_s = _between(before, before.orbit.next_sunrise_s, after)
        yield RunEvent(at_s, "sunrise", f"into the Sun with state of charge {charge:.2f}")


def _link(before: NodeSnapshot, after: NodeSnapshot) -> Iterator[RunEvent]:
    now_s = after.mission_s
    was, now = before.link.station, after.link.station
    told = before.link.next_pass
    if was is not None and now != was:
        los_s = told.los_s if told is not None and told.station == was else None
        yield RunEvent(_between(before, los_s, after), "los", f"{was} is below the horizon")
    if now is not None and now != was:
        aos_s = told.aos_s if told is not None and told.station == now else None
        yield RunEvent(_between(before, aos_s, after), "aos", f"{now} is above the horizon")
    if after.link.up and not before.link.up:
        rate = quantity(after.link.downlink_bps, "bit/s")
        yield RunEvent(now_s, "link-up", f"session over {after.link.station}, {rate} down")
    elif before.link.up and not after.link.up:
        yield RunEvent(now_s, "link-down", "session ended")


def _between(before: NodeSnapshot, told_s: float | None, after: NodeSnapshot) -> float:
    if told_s is not None and before.mission_s < told_s <= after.mission_s:
        return told_s
    return after.mission_s
