"""Requests, responses and routes of the HTTP server; no sockets here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from node.errors import MessageError

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Request:
    """One request, read completely."""

    method: str
    path: str
    """Still percent-encoded, without the query."""
    parameters: Mapping[str, str]
    """Values of the pattern's ``{name}`` segments, decoded; never empty strings."""
    query: Mapping[str, str]
    """Decoded; where a key is given twice, the last one counts."""
    headers: Mapping[str, str]
    """Names in lower case; repeated headers are joined by a comma."""
    body: bytes

    def json(self, kind: type[_Kind]) -> _Kind:
        """Decode the body as one JSON value of this type.

        Raises:
            MessageError: it is not; unless caught, the server answers 400.
        """
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MessageError(f"request body: {error}") from error


@dataclass(frozen=True)
class Response:
    """What a handler answers. A body that is an iterator is sent in chunks as it yields."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


def json_response(value: object, status: int = 200) -> Response:
    """Answer with any value that msgspec can encode as JSON."""
    return Response(status, msgspec.json.encode(value) + b"\n")


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer ``{"error": message}`` with this status."""
    return Response(status, msgspec.json.encode({"error": message}) + b"\n", headers=headers or {})


class Router:
    """Maps method and path to a handler; a literal segment wins over a parameter."""

    def __init__(self, routes: Mapping[tuple[str, str], Handler]) -> None:
        self._patterns: dict[tuple[str, ...], dict[str, Handler]] = {}
        for (method, pattern), handler in routes.items():
            if not pattern.startswith("/"):
                raise ValueError(f"path pattern {pattern!r} does not start with a slash")
            segments = tuple(pattern.split("/")[1:])
            names = [_parameter(segment) for segment in segments if _parameter(segment)]
            if len(set(names)) != len(names):
                raise ValueError(f"path pattern {pattern!r} repeats a parameter")
            self._patterns.setdefault(segments, {})[method] = handler
        # Literal before parameter, from the left: the first match is the most literal one.
        self._order = sorted(
            self._patterns, key=lambda s: [_parameter(part) is not None for part in s]
        )

    def match(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | Response:
        """Find the handler and the decoded parameters, or the refusal (404, 405 or 400)."""
        if not path.startswith("/"):
            return error_response(400, "the request target is not a path")
        try:
            segments = [unquote_to_bytes(part).decode() for part in path.split("/")[1:]]
        except UnicodeDecodeError:
            return error_response(400, "path is not UTF-8")
        for pattern in self._order:
            parameters = _fit(pattern, segments)
            if parameters is None:
                continue
            handlers = self._patterns[pattern]
            # HEAD is GET without the body, which h11 leaves out.
            handler = handlers.get(method) or (handlers.get("GET") if method == "HEAD" else None)
            if handler is None:
                allowed = sorted(handlers.keys() | ({"HEAD"} if "GET" in handlers else set()))
                return error_response(
                    405, f"{method} is not allowed here", {"Allow": ", ".join(allowed)}
                )
            return handler, parameters
        return error_response(404, "no such path")


def _parameter(segment: str) -> str | None:
    """Name of a ``{name}`` segment; None for a literal one."""
    if segment.startswith("{") and segment.endswith("}"):
        return segment[1:-1]
    return None


def _fit(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    parameters: dict[str, str] = {}
    for expected, given in zip(pattern, segments, strict=True):
        name = _parameter(expected)
        if name is None:
            if expected != given:
                return None
        elif not given:
            return None
        else:
            parameters[name] = given
    return parameters
