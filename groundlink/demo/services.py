"""Asks the node for its status and the ground for its jobs, over their HTTP interfaces."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from node.core.snapshot import NodeSnapshot
from node.errors import GroundError
from node.icd import InferenceReport, Manifest
from node.report.run import DELIVERED, JobRecord

TIMEOUT_S = 5.0

Decoded = TypeVar("Decoded")


class NodeStatus(Struct, frozen=True):
    """What ``GET /status`` of the node answers, as far as it is needed here."""

    node: str
    version: str
    snapshot: NodeSnapshot


class GroundJob(Struct, frozen=True):
    """One job of ``GET /jobs`` of the ground, as far as it is needed here."""

    job_id: str
    model: str
    state: str
    priority: str | None = None
    submitted_s: float | None = None
    delivered_s: float | None = None
    input_bytes: int | None = None
    result: Manifest | None = None
    deliveries: int | None = None

    def record(self) -> JobRecord:
        """Turn it into the record of a run."""
        report: InferenceReport | None = None if self.result is None else self.result.report
        known = self.deliveries
        deliveries = int(self.state == DELIVERED) if known is None else known
        record = JobRecord(
            job_id=self.job_id,
            model=self.model,
            state=self.state,
            priority=self.priority,
            submitted_s=self.submitted_s,
            delivered_s=self.delivered_s,
            input_bytes=self.input_bytes,
            result_bytes=None if self.result is None else self.result.size_bytes,
            deliveries=deliveries,
        )
        if report is None:
            return record
        return msgspec.structs.replace(
            record,
            started_s=report.started_s,
            finished_s=report.finished_s,
            duration_s=report.duration_s,
            inference_s=report.inference_s,
            energy_j=report.energy_j,
            energy_source=report.energy_source,
            provider=report.provider,
        )


class NodeClient:
    """The node's status."""

    def __init__(self, port: int) -> None:
        self._port = port

    def status(self) -> NodeStatus:
        """Ask for the status.

        Raises:
            GroundError: no answer, or not the one that was expected.
        """
        return _decode(_request(self._port, "GET", "/status"), NodeStatus)


class GroundClient:
    """The ground's jobs."""

    def __init__(self, port: int) -> None:
        self._port = port

    def jobs(self) -> list[JobRecord]:
        """Ask for every job.

        Raises:
            GroundError: no answer, or not the one that was expected.
        """
        found = _decode(_request(self._port, "GET", "/jobs"), list[GroundJob])
        return [job.record() for job in found]

    def submit(self, job_id: str, model: str, tile: Path) -> None:
        """Hand a job over; the ground has it on disk when this returns.

        Raises:
            GroundError: it was refused, or there was no answer.
        """
        query = urlencode({"job_id": job_id, "model": model})
        _request(self._port, "POST", f"/jobs?{query}", tile.read_bytes())

    def result(self, job_id: str) -> bytes:
        """Fetch a delivered result.

        Raises:
            GroundError: it is not there, or there was no answer.
        """
        return _request(self._port, "GET", f"/jobs/{job_id}/result")


def _request(port: int, method: str, path: str, body: bytes | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise GroundError(f"{method} {path}: {error}") from error
    finally:
        connection.close()
    if not 200 <= response.status < 300:  # noqa: PLR2004 - success in HTTP
        text = answer[:300].decode(errors="replace").strip()
        raise GroundError(f"{method} {path}: {response.status} {text}")
    return answer


def _decode(answer: bytes, kind: type[Decoded]) -> Decoded:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        raise GroundError(f"unexpected answer: {error}") from error
