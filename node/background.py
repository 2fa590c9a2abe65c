"""Something that goes on beside something else, without exception groups around what fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from node._compat import TaskGroup
from node.errors import OrbitnodeError


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do the work while the context is open, and cancel it at the end.

    Raises:
        OrbitnodeError: the work failed; at the end of the context, not in its middle.
    """
    failed: list[Exception] = []

    async def guarded() -> None:
        try:
            await work
        except OrbitnodeError as error:
            failed.append(error)

    async with TaskGroup() as group:
        task = group.create_task(guarded(), name="background")
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again outside of the group
            failed.insert(0, error)
        finally:
            task.cancel()
    if failed:
        raise failed[0]
