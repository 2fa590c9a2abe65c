"""The ground daemon's HTTP interface: submit jobs, look at them, fetch results.

- ``POST /jobs?node=&model=&priority=&deadline_s=&job_id=`` with the input (.npz) as its body: takes
  a job and answers with it; 201, or 200 where the job id was known.
- ``GET /jobs``, ``GET /jobs/ID``: every job, one job.
- ``GET /jobs/ID/result``: the result (.npz).
- ``GET /results?after=N``: the results that arrived after the N-th.
- ``GET /status``: mission time, broker, nodes, counts.
- ``GET /healthz``: 200 while the daemon works.

Errors are JSON: ``{"error": "..."}``.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from groundlink.counterpart import Counterpart
from groundlink.ground import Ground
from node import __version__
from node.errors import GroundError, StoreError
from node.http import Handler, Request, Response, error_response, json_response
from node.icd import JobSpec, Priority

_log = logging.getLogger(__name__)

PRIORITIES = {
    "urgent": Priority.URGENT,
    "normal": Priority.NORMAL,
    "bulk": Priority.BULK,
}
"""What a submitter may ask for; the classes above belong to the system."""
_KNOWN = frozenset({"node", "model", "priority", "deadline_s", "job_id"})


class Api:
    """Handlers over one ground segment."""

    def __init__(self, ground: Ground) -> None:
        """Serve this ground."""
        self._ground = ground

    def routes(self) -> dict[tuple[str, str], Handler]:
        """Return the routes for an ``HttpServer``."""
        return {
            ("POST", "/jobs"): self.submit,
            ("GET", "/jobs"): self.jobs,
            ("GET", "/jobs/{job_id}"): self.job,
            ("GET", "/jobs/{job_id}/result"): self.result,
            ("GET", "/results"): self.results,
            ("GET", "/status"): self.status,
            ("GET", "/healthz"): self.health,
        }

    async def submit(self, request: Request) -> Response:
        """Take custody of a job."""
        try:
            node, spec = self._spec(request.query)
        except GroundError as error:
            return error_response(400, str(error))
        if not request.body:
            return error_response(400, "the body is empty; send the input as .npz bytes")
        known = await self._ground.ledger.job(spec.job_id) is not None
        try:
            record = await self._ground.submit(node, spec, request.body)
        except GroundError as error:
            return error_response(409, str(error))
        except StoreError as error:
            _log.warning("job refused job=%s error=%s", spec.job_id, error)
            return error_response(507, str(error))
        return json_response(record, 200 if known else 201)

    async def jobs(self, _request: Request) -> Response:
        """List every job in the order of submission."""
        return json_response(await self._ground.ledger.jobs())

    async def job(self, request: Request) -> Response:
        """Show one job."""
        job_id = request.parameters["job_id"]
        record = await self._ground.ledger.job(job_id)
        return error_response(404, f"no job {job_id}") if record is None else json_response(record)

    async def result(self, request: Request) -> Response:
        """Send the result of a delivered job, its hash checked."""
        job_id = request.parameters["job_id"]
        object_id = await self._ground.ledger.result_object(job_id)
        if object_id is None:
            record = await self._ground.ledger.job(job_id)
            if record is None:
                return error_response(404, f"no job {job_id}")
            return error_response(404, f"job {job_id} has no result here; it is {record.state}")
        try:
            data = await self._ground.ledger.objects.read(object_id)
        except StoreError as error:
            _log.exception("result unreadable job=%s", job_id)
            return error_response(500, str(error))
        headers = {"Content-Disposition": f'attachment; filename="{job_id}.npz"'}
        return Response(200, data, "application/octet-stream", headers)

    async def results(self, request: Request) -> Response:
        """List the results that are here, in the order of arrival."""
        after = request.query.get("after", "0")
        if not after.isdecimal() or len(after) > 15:  # noqa: PLR2004 - fits SQLite's integers
            return error_response(400, "after: expected a whole number, the last arrival you have")
        return json_response(await self._ground.ledger.results(int(after)))

    async def status(self, _request: Request) -> Response:
        """Show what the ground knows now."""
        ground = self._ground
        return json_response(
            {
                "version": __version__,
                "boot_id": ground.boot_id,
                "mission_s": ground.clock.now(),
                "rate": ground.clock.rate,
                "broker": {"connected": ground.connected, "sessions": ground.sessions},
                "jobs": await ground.ledger.counts(),
                "refused": ground.refusals.counts,
                "store": {
                    "size_bytes": ground.ledger.objects.size_bytes,
                    "max_bytes": ground.ledger.objects.max_bytes,
                },
                "nodes": {name: _node(node) for name, node in sorted(ground.nodes.items())},
            }
        )

    async def health(self, _request: Request) -> Response:
        """Answer while the daemon works, with or without a broker."""
        return json_response({"ok": True})

    def _spec(self, query: Mapping[str, str]) -> tuple[str, JobSpec]:
        """Read a job from the query.

        Raises:
            GroundError: with what is wrong and what is expected.
        """
        unknown = sorted(query.keys() - _KNOWN)
        if unknown:
            raise GroundError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(_KNOWN))}")
        if "model" not in query:
            raise GroundError("model is missing: which model shall run?")
        now = self._ground.clock.now()
        fields: dict[str, Any] = {
            "job_id": query.get("job_id") or uuid.uuid4().hex,
            "model": query["model"],
            "priority": _priority(query.get("priority", "normal")),
            "submitted_s": now,
        }
        if "deadline_s" in query:
            fields["deadline_s"] = now + _seconds(query["deadline_s"])
        try:
            return self._target(query.get("node")), msgspec.convert(fields, JobSpec)
        except msgspec.ValidationError as error:
            raise GroundError(str(error)) from error

    def _target(self, node: str | None) -> str:
        if node:
            return node
        if len(self._ground.nodes) == 1:
            return next(iter(self._ground.nodes))
        raise GroundError("node is missing, and not exactly one node is known")


def _priority(name: str) -> Priority:
    try:
        return PRIORITIES[name]
    except KeyError:
        raise GroundError(f"priority: expected {', '.join(PRIORITIES)}, got {name!r}") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e9:  # noqa: PLR2004 - thirty years
        raise GroundError(f"deadline_s: expected mission seconds from now, got {text!r}")
    return seconds


def _node(node: Counterpart) -> dict[str, Any]:
    return {
        "online": node.online,
        "boot_id": None if node.state is None else node.state.boot_id,
        "heard_s": node.heard_s,
        "housekeeping": node.housekeeping,
        "link": node.window,
        "passes": list(node.passes),
        "events": list(node.events),
    }
