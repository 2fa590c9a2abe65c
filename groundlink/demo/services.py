"""What a run asks of the node and of the ground while it flies."""

from __future__ import annotations

import http.client

import msgspec
from msgspec import Struct

from groundlink import ledger_rows
from node.core.snapshot import NodeSnapshot
from node.errors import LinkError, MessageError
from node.icd import Priority
from node.report.run import JobRecord

TIMEOUT_S = 5.0


class NodeStatus(Struct, frozen=True):
    """What ``GET /status`` of the node answers, as far as a run needs it."""

    node: str
    version: str
    snapshot: NodeSnapshot


def node_status(port: int) -> NodeStatus:
    """Ask the node on this port of 127.0.0.1 for its status.

    Raises:
        LinkError: no answer.
        MessageError: not the answer of a node.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/status")
        answer = connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise LinkError(f"the node does not answer: {error}") from error
    finally:
        connection.close()
    try:
        return msgspec.json.decode(answer, type=NodeStatus)
    except msgspec.MsgspecError as error:
        raise MessageError(f"not the status of a node: {error}") from error


def job_record(job: ledger_rows.JobRecord) -> JobRecord:
    """Turn a job of the ground's ledger into the record of a run."""
    report = None if job.result is None else job.result.report
    record = JobRecord(
        job_id=job.job_id,
        model=job.model,
        state=job.state,
        priority=Priority(job.priority).name.lower(),
        submitted_s=job.submitted_s,
        delivered_s=job.delivered_s,
        input_bytes=job.input_bytes,
        result_bytes=None if job.result is None else job.result.size_bytes,
        deliveries=job.deliveries,
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
