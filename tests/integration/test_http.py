"""The HTTP server against raw sockets, with well-formed, malformed and hostile clients."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from msgspec import Struct

from node.errors import MessageError
from node.http import (
    Handler,
    HttpLimits,
    HttpServer,
    Request,
    Response,
    error_response,
    json_response,
)
from node.http_routes import Router


class Order(Struct):
    count: int


async def echo(request: Request) -> Response:
    return json_response(
        {
            "method": request.method,
            "path": request.path,
            "parameters": request.parameters,
            "query": request.query,
            "host": request.headers.get("host"),
            "body": request.body.decode(),
        }
    )


async def order(request: Request) -> Response:
    return json_response({"count": request.json(Order).count + 1}, 201)


async def broken(_request: Request) -> Response:
    raise RuntimeError("boom")


async def bad_header(_request: Request) -> Response:
    return Response(200, b"x", "text/plain", {"X-Bad": "line\r\nbreak"})


async def stream(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield f"piece {number}\n".encode()

    return Response(200, pieces(), "text/plain")


async def broken_stream(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("boom")

    return Response(200, pieces(), "text/plain")


ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/echo"): echo,
    ("POST", "/echo"): echo,
    ("GET", "/jobs/{job_id}"): echo,
    ("GET", "/jobs/latest"): echo,
    ("GET", "/jobs/{job_id}/result"): echo,
    ("POST", "/orders"): order,
    ("GET", "/broken"): broken,
    ("GET", "/bad-header"): bad_header,
    ("GET", "/stream"): stream,
    ("GET", "/broken-stream"): broken_stream,
}
FAST = HttpLimits(
    header_bytes=2048,
    connections=3,
    idle_s=0.15,
    header_s=0.15,
    body_s=0.15,
    body_bytes_per_s=1e6,
    write_s=0.3,
    close_s=0.3,
)


@asynccontextmanager
async def serving(
    limits: HttpLimits | None = None, routes: dict[tuple[str, str], Handler] | None = None
) -> AsyncIterator[int]:
    server = HttpServer(routes or ROUTES, max_body_bytes=1000, limits=limits)
    port = await server.start()
    try:
        yield port
    finally:
        await server.close()


async def talk(port: int, *sent: bytes, pause_s: float = 0.0) -> bytes:
    """Send the pieces, then read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in sent:
        writer.write(piece)
        await writer.drain()
        if pause_s:
            await asyncio.sleep(pause_s)
    received = await reader.read(-1)
    writer.close()
    return received


def status_of(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


def error_of(received: bytes) -> str:
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return str(json.loads(body)["error"])


def get(path: str, *, close: bool = True) -> bytes:
    end = "Connection: close\r\n" if close else ""
    return f"GET {path} HTTP/1.1\r\nHost: node\r\n{end}\r\n".encode()


async def get_json(port: int, path: str) -> Any:
    received = await talk(port, get(path))
    assert status_of(received) == 200
    return json.loads(received.partition(b"\r\n\r\n")[2])


async def test_parameters_query_and_headers_reach_the_handler() -> None:
    async with serving() as port:
        answer = await get_json(port, "/jobs/a%2Fb%20c/result?state=done&flag=&state=open")
    assert answer["parameters"] == {"job_id": "a/b c"}
    assert answer["query"] == {"state": "open", "flag": ""}
    assert answer["host"] == "node"


async def test_literal_segment_wins_over_parameter() -> None:
    async with serving() as port:
        assert (await get_json(port, "/jobs/latest"))["parameters"] == {}
        assert (await get_json(port, "/jobs/other"))["parameters"] == {"job_id": "other"}


async def test_connection_is_kept_and_pipelined_requests_are_answered_in_order() -> None:
    async with serving() as port:
        received = await talk(
            port, get("/jobs/1", close=False) + get("/jobs/2", close=False), get("/jobs/3")
        )
    assert received.count(b"HTTP/1.1 200") == 3
    assert [received.index(f'"job_id":"{n}"'.encode()) for n in (1, 2, 3)] == sorted(
        received.index(f'"job_id":"{n}"'.encode()) for n in (1, 2, 3)
    )


async def test_head_has_the_length_but_not_the_body() -> None:
    async with serving() as port:
        whole = await talk(port, get("/echo"))
        head = await talk(port, get("/echo").replace(b"GET", b"HEAD"))
        streamed = await talk(port, get("/stream").replace(b"GET", b"HEAD"))
    assert head.endswith(b"\r\n\r\n")
    assert status_of(streamed) == 200
    assert streamed.endswith(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    # The body names the method: HEAD is one letter longer than GET.
    assert length == len(whole.partition(b"\r\n\r\n")[2]) + 1


@pytest.mark.parametrize(
    ("request_bytes", "status", "words"),
    [
        (get("/nowhere"), 404, "no such path"),
        (get("/jobs/"), 404, "no such path"),
        (get("/echo").replace(b"GET", b"DELETE"), 405, "not allowed"),
        (get("/jobs/%ff"), 400, "UTF-8"),
        (get("/echo?" + "a=1&" * 100), 400, "query"),
        (b"OPTIONS * HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n", 400, "not a path"),
        (b"nonsense\r\n\r\n", 400, "illegal"),
        (b"GET /echo HTTP/1.1\r\n\r\n", 400, "Host"),
        (b"GET /echo HTTP/1.1\r\nHost: n\r\nbad header\r\n\r\n", 400, "illegal"),
        (b"GET /echo HTTP/1.1\r\nHost: n\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "illegal"),
        (b"POST /echo HTTP/1.1\r\nHost: n\r\nContent-Length: 1001\r\n\r\n", 413, "1000"),
        (
            b"POST /echo HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"
            + b"x" * 1001,
            413,
            "1000",
        ),
        (
            b"POST /echo HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            "chunk",
        ),
        (b"POST /nowhere HTTP/1.1\r\nHost: n\r\nContent-Length: 9\r\n\r\n", 404, "no such path"),
        (b"GET /echo HTTP/1.1\r\nHost: n\r\nX: " + b"x" * 20_000, 431, "Receive buffer"),
    ],
)
async def test_refusals(request_bytes: bytes, status: int, words: str) -> None:
    async with serving(FAST) as port:
        received = await talk(port, request_bytes)
        assert status_of(received) == status
        assert words in error_of(received)
        assert (await get_json(port, "/echo"))["method"] == "GET"


async def test_405_names_what_is_allowed() -> None:
    async with serving() as port:
        received = await talk(port, get("/echo").replace(b"GET", b"PUT"))
    assert b"Allow: GET, HEAD, POST" in received


async def test_json_body_is_decoded_by_type_and_refused_otherwise() -> None:
    def post(body: str) -> bytes:
        return (
            f"POST /orders HTTP/1.1\r\nHost: n\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async with serving() as port:
        good = await talk(port, post('{"count": 1}'))
        wrong_type = await talk(port, post('{"count": "x"}'))
        not_json = await talk(port, post("count"))
    assert (status_of(good), status_of(wrong_type), status_of(not_json)) == (201, 400, 400)
    assert "count" in error_of(wrong_type)


async def test_expect_continue_is_answered_before_the_body_is_sent() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /echo HTTP/1.1\r\nHost: n\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"hello")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_failing_handler_is_logged_and_the_server_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as port:
        received = await talk(port, get("/broken", close=False) + get("/echo"))
    assert status_of(received) == 500
    assert b"boom" not in received
    assert b"HTTP/1.1 200" in received
    assert [r for r in caplog.records if r.exc_info and "http_handler_failed" in r.message]


async def test_response_that_cannot_be_sent_costs_one_connection_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as port:
        received = b""
        with suppress(ConnectionResetError):
            received = await talk(port, get("/bad-header"))
        assert received == b""
        assert (await get_json(port, "/echo"))["method"] == "GET"
    assert "http_connection_failed" in caplog.text


async def test_streamed_body_is_chunked_and_the_connection_goes_on() -> None:
    async with serving() as port:
        received = await talk(port, get("/stream", close=False) + get("/echo"))
    assert b"transfer-encoding: chunked" in received.lower()
    assert b"8\r\npiece 0\n\r\n8\r\npiece 1\n\r\n8\r\npiece 2\n\r\n0\r\n\r\n" in received
    assert received.count(b"HTTP/1.1 200") == 2


async def test_broken_stream_ends_without_its_last_chunk(caplog: pytest.LogCaptureFixture) -> None:
    received = b""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get("/broken-stream"))
        with suppress(ConnectionResetError):
            while data := await reader.read(1000):
                received += data
        writer.close()
    assert b"0\r\n\r\n" not in received
    assert "http_stream_failed" in caplog.text


async def test_http_1_0_client_is_served_and_closed() -> None:
    async with serving() as port:
        received = await talk(port, b"GET /stream HTTP/1.0\r\n\r\n")
    assert received.endswith(b"piece 0\npiece 1\npiece 2\n")


async def test_slow_headers_and_slow_bodies_are_cut_off() -> None:
    async with serving(FAST) as port:
        drip = [b"GET /echo HTTP/1.1\r\n", b"Host: n\r\n", b"X-A: 1\r\n", b"X-B: 2\r\n"]
        began_s = asyncio.get_running_loop().time()
        header = await talk(port, *drip, pause_s=0.06)
        body = await talk(port, b"POST /echo HTTP/1.1\r\nHost: n\r\nContent-Length: 9\r\n\r\nab")
        took_s = asyncio.get_running_loop().time() - began_s
    assert (status_of(header), status_of(body)) == (408, 408)
    assert "header" in error_of(header)
    assert "body" in error_of(body)
    assert took_s < 5


async def test_idle_connection_is_closed_silently() -> None:
    async with serving(FAST) as port:
        assert await talk(port) == b""
        kept = await talk(port, get("/echo", close=False))
    assert kept.count(b"HTTP/1.1") == 1
    assert status_of(kept) == 200


async def test_client_that_does_not_read_is_dropped() -> None:
    dropped = asyncio.Event()

    async def endless(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                dropped.set()

        return Response(200, pieces(), "text/plain")

    async with serving(FAST, {("GET", "/endless"): endless}) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(get("/endless"))
        await asyncio.wait([asyncio.ensure_future(dropped.wait())], timeout=5)
        assert dropped.is_set()
        writer.close()


async def test_too_many_connections_are_refused_and_room_returns() -> None:
    async with serving(FAST) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.02)
        refused = await talk(port)
        assert status_of(refused) == 503
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await get_json(port, "/echo"))["method"] == "GET"


async def test_close_waits_for_the_running_request_and_drops_the_idle_one() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        entered.set()
        await release.wait()
        return json_response("done")

    server = HttpServer({("GET", "/slow"): slow}, limits=HttpLimits(close_s=5))
    port = await server.start()
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/slow", close=False))
    await entered.wait()
    asyncio.get_running_loop().call_later(0.05, release.set)
    await server.close()
    received = await reader.read(-1)
    assert b"done" in received
    assert b"connection: close" in received.lower()
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the kernel has it
        await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionResetError):
        assert await idle_reader.read(-1) == b""
    idle_writer.close()
    writer.close()


async def test_close_cancels_a_handler_that_never_ends(caplog: pytest.LogCaptureFixture) -> None:
    entered = asyncio.Event()

    async def hang(_request: Request) -> Response:
        entered.set()
        await asyncio.Event().wait()
        return json_response(None)

    server = HttpServer({("GET", "/hang"): hang}, limits=FAST)
    _, writer = await asyncio.open_connection("127.0.0.1", await server.start())
    writer.write(get("/hang"))
    await entered.wait()
    with caplog.at_level(logging.WARNING):
        await server.close()
        await server.close()
    writer.close()
    assert not caplog.records


async def test_message_error_of_a_handler_is_the_clients_fault() -> None:
    async def refuse(_request: Request) -> Response:
        raise MessageError("job_id: too long")

    async with serving(routes={("GET", "/"): refuse}) as port:
        received = await talk(port, get("/"))
    assert status_of(received) == 400
    assert error_of(received) == "job_id: too long"


def test_router_refuses_patterns_that_cannot_work() -> None:
    with pytest.raises(ValueError, match="slash"):
        Router({("GET", "jobs"): echo})
    with pytest.raises(ValueError, match="repeats"):
        Router({("GET", "/{a}/{a}"): echo})


def test_error_response_is_json() -> None:
    assert error_response(404, 'no "x"').body == b'{"error":"no \\"x\\""}\n'
