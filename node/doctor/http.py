"""Is the port for metrics and status free?"""

from __future__ import annotations

import errno
import http.client
import socket

from node.config.load import LoadedInstallation
from node.doctor.finding import Finding, error, note, ok

_AREA = "http"
_PATIENCE_S = 2.0


def check_http(loaded: LoadedInstallation) -> Finding:
    """Try to bind the port, and let go of it; where it is taken, ask who is there."""
    settings = loaded.installation.http
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE and _is_node(settings.host, settings.port):
            return note(_AREA, f"{place} is taken by a node that runs")
        return error(
            _AREA,
            f"{place} cannot be listened on: {failure.strerror}",
            "set [http] host to an address of this machine and port to a free one (0 takes any)",
        )
    return ok(_AREA, f"{place} is free" if settings.port else f"{settings.host}, any free port")


def _is_node(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/metrics")
        return b"orbitnode_" in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
