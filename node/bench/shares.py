"""Leaves the worker a share of every core's time for one operating point, as in flight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from node.enforcement.control_groups import GroupFiles
from node.enforcement.duty import DutyCycle
from node.enforcement.quota import open_quota
from node.enforcement.share import Lack, ShareLimiter
from node.errors import WorkerError


@contextmanager
def held_share(ratio: float, worker_pid: int | None) -> Iterator[str]:
    """Hold the share while the context is open; yield what holds it, nothing at a share of 1.

    Raises:
        WorkerError: there is no worker, or the system refuses.
    """
    if ratio >= 1.0:
        yield ""
        return
    if worker_pid is None:
        raise WorkerError("there is no worker to leave a share of time")
    found = open_quota(GroupFiles())
    limiter: ShareLimiter = DutyCycle() if isinstance(found, Lack) else found
    try:
        limiter.place(worker_pid)
        limiter.limit(ratio)
    except OSError as error:
        raise WorkerError(f"a share of {ratio:g} cannot be held: {error.strerror}") from error
    try:
        yield limiter.name
    finally:
        limiter.limit(1.0)
        limiter.close()
