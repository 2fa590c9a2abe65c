"""Asks ``orbitnode-governor`` for limits, from the daemon's event loop.

That there is no helper is nothing out of the ordinary: `GovernorClient.connect` says so in words
and the daemon goes on with what needs no privilege.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from node._compat import timeout
from node.errors import GovernorGoneError, GovernorRefusedError, MessageError
from node.limits.protocol import (
    MAX_ANSWER_BYTES,
    Alive,
    CapCpu,
    CapEmc,
    CapGpu,
    CapPackagePower,
    Capped,
    Describe,
    Described,
    Heartbeat,
    Kind,
    Outcome,
    Refused,
    Release,
    Released,
    Request,
    Restoration,
    decode_answer,
    encode,
)

DEFAULT_PATH = Path("/run/orbitnode-governor.sock")
_PATIENCE_S = 5.0
_BEATS_PER_LEASE = 4
_AnyAnswer = TypeVar("_AnyAnswer", Described, Capped, Released, Alive)


@dataclass(frozen=True)
class NoGovernor:
    """There is no helper to be had, and why."""

    reason: str


class GovernorClient:
    """One connection to the helper. Everything that it lowers is restored when it is closed.

    Every request raises `GovernorRefusedError` where the helper refuses, with its reason, and
    `GovernorGoneError` where it cannot be reached any more: the helper then restores, so that the
    caller has nothing to undo.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open stream; `connect` is the way in."""
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()
        self._beat_s = 1.0
        self._wanted = asyncio.Event()
        self._gone = ""

    @classmethod
    async def connect(cls, path: Path = DEFAULT_PATH) -> GovernorClient | NoGovernor:
        """Connect and see that the helper answers; a `NoGovernor` where it does not."""
        try:
            async with timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(path, limit=MAX_ANSWER_BYTES)
        except FileNotFoundError:
            return NoGovernor(f"not installed: there is no {path}")
        except PermissionError:
            return NoGovernor(f"this user may not open {path}")
        except (OSError, TimeoutError, asyncio.TimeoutError) as error:
            return NoGovernor(f"{path}: {error.__class__.__name__} {error}".rstrip())
        client = cls(reader, writer)
        try:
            client._beat_s = (await client.describe()).lease_s / _BEATS_PER_LEASE
        except (GovernorRefusedError, GovernorGoneError) as error:
            await client.close()
            return NoGovernor(str(error))
        return client

    async def describe(self) -> Described:
        """Ask which knobs there are and where they stand."""
        return await self._ask(Describe(), Described)

    async def cap_cpu(self, khz: int, policy: int | None = None) -> list[Outcome]:
        """Let the cores of one cpufreq policy, or of all, run no faster."""
        return await self._cap(CapCpu(khz, "all" if policy is None else policy))

    async def cap_gpu(self, hz: int) -> list[Outcome]:
        """Let the GPU run no faster."""
        return await self._cap(CapGpu(hz))

    async def cap_emc(self, hz: int) -> list[Outcome]:
        """Let the memory controller run no faster."""
        return await self._cap(CapEmc(hz))

    async def cap_package_power(self, microwatts: int) -> list[Outcome]:
        """Let each processor package draw no more."""
        return await self._cap(CapPackagePower(microwatts))

    async def release(
        self, knob: Kind | Literal["all"] = "all", policy: int | None = None
    ) -> list[Restoration]:
        """Restore one kind of knob, or all."""
        request = Release(knob, "all" if policy is None else policy)
        return (await self._ask(request, Released)).restorations

    async def heartbeat(self) -> list[str]:
        """Keep the lease; returns the names of the knobs that are capped."""
        return (await self._ask(Heartbeat(), Alive)).held

    async def keep_alive(self) -> None:
        """Beat while something is capped; belongs into the caller's task group.

        Raises:
            GovernorGoneError: the helper is not there any more.
        """
        while True:
            await self._wanted.wait()
            try:
                await self.heartbeat()
            except GovernorRefusedError:
                # Released, or expired while this process was stopped: the next cap begins anew.
                self._wanted.clear()
            await asyncio.sleep(self._beat_s)

    async def close(self) -> None:
        """End the connection, at which the helper restores."""
        self._gone = self._gone or "closed"
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return

    async def _cap(self, request: CapCpu | CapGpu | CapEmc | CapPackagePower) -> list[Outcome]:
        capped = await self._ask(request, Capped)
        self._wanted.set()
        return capped.outcomes

    async def _ask(self, request: Request, expected: type[_AnyAnswer]) -> _AnyAnswer:
        async with self._turn:
            if self._gone:
                raise GovernorGoneError(self._gone)
            try:
                async with timeout(_PATIENCE_S):
                    self._writer.write(encode(request))
                    await self._writer.drain()
                    line = await self._reader.readuntil(b"\n")
                answer = decode_answer(line)
            except (TimeoutError, asyncio.TimeoutError) as error:
                raise self._lost(f"no answer within {_PATIENCE_S:g} s") from error
            except (OSError, asyncio.IncompleteReadError) as error:
                raise self._lost(f"the connection ended: {error}") from error
            except (MessageError, asyncio.LimitOverrunError) as error:
                raise self._lost(f"an answer that is none: {error}") from error
            except asyncio.CancelledError:
                # The answer would be taken for that to the next request.
                self._lost("a request was cancelled")
                raise
        if isinstance(answer, Refused):
            raise GovernorRefusedError(answer.code, answer.text, answer.holder)
        if not isinstance(answer, expected):
            raise self._lost(f"an answer of the wrong kind: {type(answer).__name__}")
        return answer

    def _lost(self, reason: str) -> GovernorGoneError:
        """Give the connection up: what it would say next answers nothing."""
        self._gone = reason
        self._writer.close()
        return GovernorGoneError(reason)
