"""Flies one whole mission on this machine: broker, relay, ground and node as real processes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from io import BufferedWriter

import msgspec

from groundlink.client import GroundClient
from groundlink.demo.changes import job_changes, node_changes
from groundlink.demo.judge import judge
from groundlink.demo.launch import ground_url, launch
from groundlink.demo.output import Output
from groundlink.demo.prepare import NODE_NAME, DemoOptions, Prepared, prepare
from groundlink.demo.processes import Crew
from groundlink.demo.services import TIMEOUT_S, job_record, node_status
from groundlink.demo.view import EVENT_ROWS, Picture
from groundlink.ledger_rows import SUBMITTED
from node.clock import MissionClock
from node.core.snapshot import NodeSnapshot
from node.errors import LinkError
from node.report.run import (
    DELIVERED,
    EVENTS,
    LOST,
    REPORT,
    TELEMETRY,
    JobRecord,
    RunEvent,
    Summary,
)

SAMPLE_WALL_S = 0.5
SUBMIT_AT_S = 10.0
"""Mission time at which the jobs are handed to the ground."""


def run_demo(options: DemoOptions, output: Output) -> Summary:
    """Fly the mission, judge it and write its report.

    A run that ends early, by Ctrl-C or by a process that died, leaves a summary and a report of
    what there was; the exception goes on to the caller.

    Raises:
        ConfigError: the scenario is wrong or the run folder cannot be made.
        AssetError: model or scene cannot be had or used.
        ProcessError: a process died or did not come up.
        GroundError: the ground refused a job.
        LinkError: the ground did not answer when it was handed a job or asked for a result.
    """
    started_utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    prepared = prepare(options, output.say)
    output.say(f"run folder {prepared.folder.root}")
    with _flight(prepared, output) as flight:
        try:
            with closing(Crew(prepared.folder.logs)) as crew:
                clock = launch(crew, prepared, flight.show_start)
                flight.fly(crew, clock)
                flight.collect()
        finally:
            output.close()
            flight.flush()
            jobs = list(flight.jobs.values())
            summary = judge(prepared, jobs, started_utc, completed=flight.completed)
            ended = "" if flight.completed else "ended early; "
            output.say(f"{ended}report {prepared.folder.root / REPORT}")
    output.verdict(summary)
    return summary


@contextmanager
def _flight(prepared: Prepared, output: Output) -> Iterator[Flight]:
    folder = prepared.folder.root
    with (folder / TELEMETRY).open("wb") as telemetry, (folder / EVENTS).open("wb") as events:
        yield Flight(prepared, output, telemetry, events)


@dataclass
class Flight:
    """One run while it flies: polls node and ground, keeps and shows what they say."""

    prepared: Prepared
    output: Output
    telemetry: BufferedWriter
    event_log: BufferedWriter
    completed: bool = False
    jobs: dict[str, JobRecord] = field(default_factory=dict)
    """Every job that was submitted, as the ground last told."""
    _snapshot: NodeSnapshot | None = None
    _events: deque[RunEvent] = field(default_factory=lambda: deque(maxlen=EVENT_ROWS))
    _silent: bool = False

    def __post_init__(self) -> None:
        """Find the ground and prepare the picture."""
        self._ground = GroundClient(ground_url(self.prepared.ports), TIMEOUT_S)
        mission = self.prepared.scenario.mission
        self._picture = Picture(
            scenario=mission.name,
            node=NODE_NAME,
            rate=self.prepared.options.rate,
            duration_s=mission.duration_s,
            events=self._events,
        )

    def show_start(self, mission_s: float, ready: Mapping[str, bool]) -> None:
        """Show which processes are ready."""
        self._picture.mission_s = mission_s
        self._picture.ready = dict(ready)
        self.output.frame(self._picture)

    def fly(self, crew: Crew, clock: MissionClock) -> None:
        """Follow the mission to its end.

        Raises:
            ProcessError: a process died.
            GroundError: the ground refused a job.
            LinkError: the ground did not answer when it was handed one.
        """
        duration_s = self.prepared.scenario.mission.duration_s
        while clock.now() < duration_s:
            crew.check()
            self._sample(clock.now())
            if not self.jobs and clock.now() >= SUBMIT_AT_S:
                self._submit(clock.now())
            time.sleep(min(SAMPLE_WALL_S, clock.wall_delay(duration_s)))
        crew.check()
        self._sample(duration_s)
        self.completed = True

    def collect(self) -> None:
        """Fetch every delivered result into the run folder.

        Raises:
            GroundError: the ground does not hand one out.
            LinkError: it does not answer.
        """
        for job in self.jobs.values():
            if job.state == DELIVERED:
                path = self.prepared.folder.results / f"{job.job_id}.npz"
                path.write_bytes(self._ground.result(job.job_id))

    def flush(self) -> None:
        """Put telemetry and events on disk."""
        self.telemetry.flush()
        self.event_log.flush()

    def _submit(self, now_s: float) -> None:
        for job_id, tile in self.prepared.tiles.items():
            self._ground.submit(
                tile.read_bytes(), model=self.prepared.model_name, node=NODE_NAME, job_id=job_id
            )
            self.jobs[job_id] = JobRecord(
                job_id=job_id,
                model=self.prepared.model_name,
                state=SUBMITTED,
                submitted_s=now_s,
                input_bytes=tile.stat().st_size,
            )
        self._take([RunEvent(now_s, "submit", f"{len(self.jobs)} jobs handed to the ground")])

    def _sample(self, now_s: float) -> None:
        """Ask node and ground once; a missed answer is an event, at its edge, and no more."""
        try:
            snapshot = node_status(self.prepared.ports.node).snapshot
            told = {job.job_id: job_record(job) for job in self._ground.jobs()}
        except LinkError as error:
            if not self._silent:
                self._take([RunEvent(now_s, "no-answer", str(error))])
            self._silent = True
        else:
            self._silent = False
            self._keep(snapshot)
            self._follow_jobs(told, now_s)
        self._picture.mission_s = now_s
        self._picture.jobs = list(self.jobs.values())
        self.output.frame(self._picture)

    def _keep(self, snapshot: NodeSnapshot) -> None:
        before = self._snapshot
        # The last tick before mission time zero is none of the mission's.
        if snapshot.mission_s < 0 or (before and snapshot.mission_s <= before.mission_s):
            return
        self.telemetry.write(msgspec.json.encode(snapshot) + b"\n")
        self._take(node_changes(before, snapshot))
        self._snapshot = self._picture.snapshot = snapshot

    def _follow_jobs(self, told: dict[str, JobRecord], now_s: float) -> None:
        # A job that the ground does not list any more is lost, whatever it was before.
        now = {
            job_id: told.get(job_id, msgspec.structs.replace(job, state=LOST))
            for job_id, job in self.jobs.items()
        }
        self._take(job_changes(self.jobs, now, now_s))
        self.jobs = now

    def _take(self, events: Iterable[RunEvent]) -> None:
        for event in events:
            self.event_log.write(msgspec.json.encode(event) + b"\n")
            self._events.append(event)
            self.output.event(event)
