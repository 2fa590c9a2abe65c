"""Stand-ins for node, ground and relay as processes, for tests of the demo's launcher.

``python fake_services.py ROLE PORT ANCHOR [INPUT_FOLDER]``: the node answers with a made-up
snapshot of the present mission time; the ground takes jobs and delivers each 400 mission seconds
later, with the result that ``answer`` makes of its input.
"""

from __future__ import annotations

import io
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np
import run_samples as sample

from groundlink.ledger_rows import JobRecord
from node.clock import Anchor, MissionClock
from node.icd import InferenceReport, JobSpec, Manifest

DELIVERED_AFTER_S = 400.0
REPORT = InferenceReport(
    model="dlr-cloud-unet",
    model_sha256="0" * 64,
    provider="CPUExecutionProvider",
    duration_s=0.25,
    inference_s=0.2,
    energy_j=1.5,
    energy_source="modelled",
    started_s=300.0,
    finished_s=315.0,
)


def answer(tile: bytes) -> bytes:
    """The result of a network that gives its input back, under argmax."""
    with np.load(io.BytesIO(tile)) as archive:
        (name,) = archive.files
        mask = archive[name].argmax(-1).astype(np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, y=mask)
    return out.getvalue()


class Handler(BaseHTTPRequestHandler):
    role: str
    clock: MissionClock
    jobs: dict[str, tuple[JobSpec, bytes]] = {}  # noqa: RUF012 - one ground a process

    def do_GET(self) -> None:
        now = self.clock.now()
        path = urlsplit(self.path).path
        if self.role == "node" and path == "/status":
            status = {"node": "demo", "version": "0", "snapshot": sample.snapshot(now)}
            self._answer(msgspec.json.encode(status))
        elif path == "/jobs":
            self._answer(msgspec.json.encode([self._record(job_id, now) for job_id in self.jobs]))
        elif found := re.fullmatch(r"/jobs/([\w.-]+)/result", path):
            self._answer(answer(self.jobs[found[1]][1]))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        query = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
        if os.environ.get("FAKE_GROUND_REFUSES"):
            self._answer(b'{"error": "no room"}', 409)
            return
        data = self.rfile.read(int(self.headers["Content-Length"]))
        now = self.clock.now()
        job = JobSpec(query["job_id"], query["model"], submitted_s=now)
        self.jobs[job.job_id] = (job, data)
        self._answer(msgspec.json.encode(self._record(job.job_id, now)))

    def _record(self, job_id: str, now: float) -> JobRecord:
        job, data = self.jobs[job_id]
        due_s = job.submitted_s + DELIVERED_AFTER_S
        delivered = now >= due_s
        return JobRecord(
            job_id=job_id,
            node="demo",
            model=job.model,
            priority=job.priority,
            state="delivered" if delivered else "queued",
            reason="",
            submitted_s=job.submitted_s,
            changed_s=due_s if delivered else job.submitted_s,
            deadline_s=None,
            until_s=None,
            input_bytes=len(data),
            delivered_s=due_s if delivered else None,
            deliveries=int(delivered),
            result=Manifest("0" * 64, 491, job, REPORT) if delivered else None,
        )

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


def main() -> None:
    role, port, anchor_path = sys.argv[1:4]
    anchor = msgspec.json.decode(Path(anchor_path).read_bytes(), type=Anchor)
    Handler.role = role
    Handler.clock = MissionClock(anchor.monotonic_zero_s, anchor.rate, 0.0)
    if os.environ.get("FAKE_DIES") == role:
        sys.stderr.write("something broke\n")
        raise SystemExit(3)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
