"""A small HTTP/1.1 server on the event loop: metrics, status and the ground's job interface.

It is made for a lab network and few clients, and it defends itself against broken ones: every
header, body, pause and reply has a limit, and whatever goes wrong in one connection or handler
leaves the server alive. Every error is answered as JSON ``{"error": "..."}``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import h11

from node._compat import timeout
from node.errors import MessageError
from node.http_routes import (
    Handler,
    Request,
    Response,
    Router,
    error_response,
    json_response,
)

__all__ = [
    "Handler",
    "HttpLimits",
    "HttpServer",
    "Request",
    "Response",
    "error_response",
    "json_response",
]

_log = logging.getLogger(__name__)
_READ_BYTES = 65_536
_LINGER_BYTES = 1 << 20
_MAX_QUERY_FIELDS = 64


@dataclass(frozen=True)
class HttpLimits:
    """What one client may cost; each has a bound so that none can starve the loop."""

    header_bytes: int = 16_384
    connections: int = 64
    idle_s: float = 90.0
    """Between requests of a kept connection; longer than a usual scrape interval."""
    header_s: float = 10.0
    """From the first byte of a request to the end of its headers."""
    body_s: float = 10.0
    """Allowance for the body, on top of the time it takes at ``body_bytes_per_s``."""
    body_bytes_per_s: float = 16_384.0
    write_s: float = 30.0
    """For the client to take what was sent; each chunk of a streamed body anew."""
    close_s: float = 2.0
    """At ``close``, how long requests that are being handled may still take."""


class HttpServer:
    """Serves ``routes`` on one address, in the event loop that starts it."""

    def __init__(
        self,
        routes: Mapping[tuple[str, str], Handler],
        host: str = "127.0.0.1",
        port: int = 0,
        max_body_bytes: int = 1 << 20,
        limits: HttpLimits | None = None,
    ) -> None:
        self._router = Router(routes)
        self._host = host
        self._port = port
        self._max_body_bytes = max_body_bytes
        self._limits = limits or HttpLimits()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[Any], _Connection] = {}

    async def start(self) -> int:
        """Listen; return the port, which differs from the one asked for if that was 0.

        Raises:
            OSError: the address cannot be had.
        """
        self._server = await asyncio.start_server(self._accept, self._host, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        _log.info("http_listening host=%s port=%d", self._host, port)
        return port

    async def close(self) -> None:
        """Stop listening, drop idle connections, let running requests end for a moment."""
        if self._server is None:
            return
        self._server.close()
        for task, connection in self._connections.items():
            connection.keep_alive = False
            if not connection.busy:
                task.cancel()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=self._limits.close_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._server.wait_closed()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - a coroutine on the loop always has its task
            raise RuntimeError("not in a task")
        connection = _Connection(self._router, self._limits, self._max_body_bytes, reader, writer)
        if len(self._connections) >= self._limits.connections:
            connection.refuse(error_response(503, "too many connections"))
            writer.close()
            return
        self._connections[task] = connection
        try:
            await connection.serve()
        except asyncio.CancelledError:
            # Only close() cancels these tasks, and this is their last statement: asyncio's stream
            # protocol would otherwise report the cancellation as an unhandled error.
            writer.transport.abort()
        finally:
            del self._connections[task]


class _Connection:
    """One client: reads requests, calls handlers, writes responses, one after the other."""

    def __init__(
        self,
        router: Router,
        limits: HttpLimits,
        max_body_bytes: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._router = router
        self._limits = limits
        self._max_body_bytes = max_body_bytes
        self._reader = reader
        self._writer = writer
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.header_bytes)
        self._loop = asyncio.get_running_loop()
        self._watchdog = timeout(None)
        self._phase = "idle"
        self._head_only = False
        self.busy = False
        """A request is being read, handled or answered."""
        self.keep_alive = True
        # A drain then waits until all is sent, so that the write limit covers the last byte too.
        writer.transport.set_write_buffer_limits(0)

    async def serve(self) -> None:
        """Serve until the client or a limit ends it; only cancellation escapes."""
        try:
            async with self._watchdog:
                while await self._serve_one():
                    self._wire.start_next_cycle()
                await self._linger()
        except TimeoutError:
            if self._phase in ("header", "body"):
                self.refuse(error_response(408, f"the {self._phase} took too long"))
            elif self._phase == "write":
                self._writer.transport.abort()
        except OSError as error:
            _log.debug("http_connection_lost error=%s", error)
        except Exception:  # noqa: BLE001 - a response that cannot be sent, such as one with a bad header
            _log.exception("http_connection_failed")
            self._writer.transport.abort()
        finally:
            self._writer.close()

    def refuse(self, response: Response) -> None:
        """Write a whole error response without waiting, where none has begun."""
        if self._wire.our_state in (h11.IDLE, h11.SEND_RESPONSE) and isinstance(
            response.body, bytes
        ):
            self._send(h11.Response(**self._head(response, close=True)))
            self._send(h11.Data(data=response.body))
            self._send(h11.EndOfMessage())

    def _limit(self, phase: str, seconds: float | None) -> None:
        self._phase = phase
        self._watchdog.reschedule(None if seconds is None else self._loop.time() + seconds)

    async def _serve_one(self) -> bool:
        """Serve one request; true if another may follow."""
        try:
            head = await self._read_head()
            if head is None:
                return False
            response = await self._answer(head)
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            response = error_response(status, f"{HTTPStatus(status).phrase}: {error}")
        complete = await self._respond(response)
        self.busy = False
        return (
            complete
            and self.keep_alive
            and self._wire.our_state is h11.DONE
            and self._wire.their_state is h11.DONE
        )

    async def _read_head(self) -> h11.Request | None:
        self._limit("idle", self._limits.idle_s)
        while True:
            event = self._wire.next_event()
            if isinstance(event, h11.Request):
                self.busy = True
                return event
            if event is not h11.NEED_DATA:
                return None
            data = await self._reader.read(_READ_BYTES)
            if self._phase == "idle" and data:
                self.busy = True
                self._limit("header", self._limits.header_s)
            self._wire.receive_data(data)

    async def _answer(self, head: h11.Request) -> Response:
        """Route, read the body, call the handler; every outcome is a response."""
        method = head.method.decode("ascii")
        self._head_only = method == "HEAD"
        path, _, query_text = head.target.decode("ascii").partition("?")
        headers = _join_headers(head.headers)
        try:
            query = dict(parse_qsl(query_text, True, max_num_fields=_MAX_QUERY_FIELDS))
        except ValueError:
            return error_response(400, "too many query fields")
        route = self._router.match(method, path)
        too_large = error_response(413, f"at most {self._max_body_bytes} bytes of body are taken")
        if int(headers.get("content-length", "0")) > self._max_body_bytes:
            return too_large
        # The body of a request without a handler is not worth reading; the connection closes.
        body = (
            b"" if isinstance(route, Response) and _has_body(headers) else await self._read_body()
        )
        if isinstance(route, Response):
            return route
        if body is None:
            return too_large
        handler, parameters = route
        self._limit("handler", None)
        return await _call(handler, Request(method, path, parameters, query, headers, body))

    async def _read_body(self) -> bytes | None:
        """Read the body to its end; None if it is larger than allowed."""
        began_s = self._loop.time()
        body = bytearray()
        while True:
            event = self._wire.next_event()
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._max_body_bytes:
                    return None
            elif event is h11.NEED_DATA:
                if self._wire.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                allowed_s = self._limits.body_s + len(body) / self._limits.body_bytes_per_s
                self._limit("body", began_s + allowed_s - self._loop.time())
                self._wire.receive_data(await self._reader.read(_READ_BYTES))
            else:
                return bytes(body)

    async def _respond(self, response: Response) -> bool:
        """Send the response; false if its body broke off."""
        if self._wire.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return False
        # Closing is honest where the request was not read to its end.
        close = self._wire.their_state is not h11.DONE or not self.keep_alive
        self._send(h11.Response(**self._head(response, close=close)))
        if isinstance(response.body, bytes):
            await self._flush(response.body)
        elif not await self._stream(response.body):
            # Without the last chunk the client sees that the body is cut short.
            self._writer.transport.abort()
            return False
        self._send(h11.EndOfMessage())
        await self._flush(b"")
        return True

    async def _stream(self, pieces: AsyncIterator[bytes]) -> bool:
        """Send each piece as it comes; false if the iterator failed."""
        try:
            while True:
                self._limit("handler", None)
                try:
                    piece = await anext(pieces)
                except StopAsyncIteration:
                    return True
                except Exception:  # noqa: BLE001 - an iterator is a handler's: it may fail in any way
                    _log.exception("http_stream_failed")
                    return False
                await self._flush(piece)
        finally:
            with suppress(AttributeError):
                await pieces.aclose()  # type: ignore[attr-defined]  # only generators have it

    def _head(self, response: Response, *, close: bool) -> dict[str, Any]:
        headers = {"Date": formatdate(usegmt=True), "Content-Type": response.content_type}
        headers.update(response.headers)
        if isinstance(response.body, bytes):
            headers["Content-Length"] = str(len(response.body))
        if close:
            headers["Connection"] = "close"
        return {
            "status_code": response.status,
            "headers": list(headers.items()),
            "reason": HTTPStatus(response.status).phrase.encode(),
        }

    def _send(self, event: h11.Event) -> None:
        data = self._wire.send(event)
        if data:
            self._writer.write(data)

    async def _flush(self, body: bytes) -> None:
        self._limit("write", self._limits.write_s)
        if body and not self._head_only:
            self._send(h11.Data(data=body))
        await self._writer.drain()

    async def _linger(self) -> None:
        """Read off what the client still sends, so that a reset does not overtake the response."""
        if self._wire.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.IDLE):
            return
        self._limit("linger", 1.0)
        self._writer.write_eof()
        left = _LINGER_BYTES
        while left > 0 and (data := await self._reader.read(_READ_BYTES)):
            left -= len(data)


async def _call(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except MessageError as error:
        return error_response(400, str(error))
    except Exception:  # noqa: BLE001 - one broken handler must not end the server
        _log.exception("http_handler_failed method=%s path=%r", request.method, request.path)
        return error_response(500, "internal error")


def _join_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
