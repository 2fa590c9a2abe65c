"""Talks to the ground daemon; for scripts and for the command line. Blocking, standard library."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from groundlink.ledger_rows import JobRecord, ResultRecord
from node.errors import GroundError, LinkError

DEFAULT_URL = "http://127.0.0.1:9465"
_TIMEOUT_S = 30.0
_SUCCESS = range(200, 300)

Decoded = TypeVar("Decoded")


class GroundClient:
    """One ground daemon, by its address.

    Every method raises ``LinkError`` where the daemon cannot be reached, and ``GroundError`` with
    the daemon's own words where it refuses.
    """

    def __init__(self, url: str = DEFAULT_URL, timeout_s: float = _TIMEOUT_S) -> None:
        """Remember the address; connect at each call.

        Raises:
            GroundError: it is not an address such as ``http://127.0.0.1:9465``.
        """
        try:
            parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
            port = parts.port
        except ValueError as error:
            raise GroundError(f"not an address: {url!r}: {error}") from error
        if parts.scheme != "http" or not parts.hostname:
            raise GroundError(f"not an address such as {DEFAULT_URL}: {url!r}")
        self.url = f"http://{parts.netloc}"
        self._host = parts.hostname
        self._port = port or 80
        self._timeout_s = timeout_s

    def submit(
        self,
        data: bytes,
        *,
        model: str,
        node: str | None = None,
        priority: str = "normal",
        deadline_s: float | None = None,
        job_id: str | None = None,
    ) -> JobRecord:
        """Hand a job over; the ground has it on disk when this returns.

        Args:
            data: the input as ``.npz`` bytes.
            model: name of the model that shall run.
            node: which node; may be left out while the ground knows one alone.
            priority: ``urgent``, ``normal`` or ``bulk``.
            deadline_s: mission seconds from now.
            job_id: yours, so that a repeated submit is the same job; None: the ground makes one.
        """
        fields = {
            "node": node,
            "model": model,
            "priority": priority,
            "deadline_s": deadline_s,
            "job_id": job_id,
        }
        query = urlencode({key: value for key, value in fields.items() if value is not None})
        return self._decoded(JobRecord, "POST", f"/jobs?{query}", data)

    def jobs(self) -> list[JobRecord]:
        """Return every job in the order of submission."""
        return self._decoded(list[JobRecord], "GET", "/jobs")

    def job(self, job_id: str) -> JobRecord:
        """Return one job."""
        return self._decoded(JobRecord, "GET", f"/jobs/{quote(job_id, safe='')}")

    def result(self, job_id: str) -> bytes:
        """Return the result of a delivered job as ``.npz`` bytes."""
        return self._request("GET", f"/jobs/{quote(job_id, safe='')}/result")

    def results(self, after: int = 0) -> list[ResultRecord]:
        """Return the results that arrived after the ``after``-th."""
        return self._decoded(list[ResultRecord], "GET", f"/results?after={after}")

    def status(self) -> dict[str, Any]:
        """Return what the ground knows now."""
        return self._decoded(dict[str, Any], "GET", "/status")

    def _decoded(
        self, kind: type[Decoded], method: str, path: str, body: bytes | None = None
    ) -> Decoded:
        try:
            return msgspec.json.decode(self._request(method, path, body), type=kind)
        except msgspec.MsgspecError as error:
            raise GroundError(f"unexpected answer from {self.url}: {error}") from error

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise LinkError(
                f"cannot reach the ground daemon at {self.url} ({error}); "
                "is `groundlink ground` running?"
            ) from error
        finally:
            connection.close()
        if response.status not in _SUCCESS:
            raise GroundError(_reason(answer) or f"{method} {path}: HTTP {response.status}")
        return answer


def read_input(path: Path) -> bytes:
    """Read an input file.

    Raises:
        GroundError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise GroundError(f"{path}: {error.strerror}") from error


def _reason(answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=dict[str, str]).get("error", "")
    except msgspec.MsgspecError:
        return ""
