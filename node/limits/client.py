"""Asks ``orbitnode-governor`` for limits, from the daemon's event loop.

That there is no helper is nothing out of the ordinary: `GovernorClient.connect` says so in words
and the daemon goes on with what needs no privilege.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
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
_READ_BYTES = 65_536
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

    def __init__(self, connected: socket.socket) -> None:
        """Take a connected socket that does not block; `connect` is the way in."""
        self._socket = connected
        self._turn = asyncio.Lock()
        self._beat_s = 1.0
        self._wanted = asyncio.Event()
        self._gone = ""

    @classmethod
    async def connect(cls, path: Path = DEFAULT_PATH) -> GovernorClient | NoGovernor:
        """Connect and see that the helper answers; a `NoGovernor` where it does not."""
        # No asyncio stream: one whose peer hangs up loses the answer in which the peer says why.
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        client = cls(connected)
        try:
            async with timeout(_PATIENCE_S):
                await asyncio.get_running_loop().sock_connect(connected, str(path))
        except (OSError, TimeoutError, asyncio.TimeoutError) as error:
            connected.close()
            return NoGovernor(_why_not(error, path))
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
        async with self._turn:
            self._lost("closed")

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
                    answer = decode_answer(await self._exchange(encode(request)))
            except (TimeoutError, asyncio.TimeoutError) as error:
                raise self._lost(f"no answer within {_PATIENCE_S:g} s") from error
            except OSError as error:
                raise self._lost(f"the connection ended: {error}") from error
            except MessageError as error:
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

    async def _exchange(self, request: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        with suppress(BrokenPipeError, ConnectionResetError):
            # What it said before it hung up can still be read.
            await loop.sock_sendall(self._socket, request)
        line = b""
        while not line.endswith(b"\n"):
            data = await loop.sock_recv(self._socket, _READ_BYTES)
            if not data:
                raise ConnectionResetError("the helper hung up")
            line += data
            if len(line) > MAX_ANSWER_BYTES:
                raise MessageError(f"above {MAX_ANSWER_BYTES} bytes")
        return line

    def _lost(self, reason: str) -> GovernorGoneError:
        """Give the connection up: what it would say next answers nothing."""
        self._gone = self._gone or reason
        self._socket.close()
        return GovernorGoneError(reason)


def _why_not(error: Exception, path: Path) -> str:
    match error:
        case FileNotFoundError():
            return f"not installed: there is no {path}"
        case PermissionError():
            return f"this user may not open {path}"
        case ConnectionRefusedError():
            return f"nobody listens at {path}"
        case OSError() if error.strerror:
            return f"{path}: {error.strerror}"
        case _:
            return f"{path} does not answer"
