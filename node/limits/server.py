"""The socket around a session: one thread, one selector, and a lease that runs out without help."""

from __future__ import annotations

import logging
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from node.errors import MessageError
from node.limits.protocol import MAX_ANSWER_BYTES, Answer, LineBuffer, Refused, encode
from node.limits.session import Peer, Session
from node.notify import notify

_log = logging.getLogger(__name__)
_MAX_CLIENTS = 8
_MAX_READ_BYTES = 2048
"""About a hundred requests, so that one client cannot keep the loop from the others' leases."""
_MAX_WAIT_S = 5.0
"""The service manager's watchdog is told of life at least so often."""
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_CREDENTIALS = struct.Struct("3i")


@dataclass
class _Connection:
    socket: socket.socket
    peer: Peer
    lines: LineBuffer = field(default_factory=LineBuffer)
    unsent: bytes = b""


class Server:
    """Serves clients until it is told to stop; everything is restored when `serve` returns."""

    def __init__(
        self,
        session: Session,
        listener: socket.socket,
        allowed_uids: Collection[int],
        *,
        idle_exit_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the listening socket, which is the caller's to close.

        Args:
            session: what answers.
            listener: a listening ``AF_UNIX`` stream.
            allowed_uids: users whose processes are served.
            idle_exit_s: end after so long without any client; 0: never.
            clock: monotonic seconds.
        """
        self._session = session
        self._listener = listener
        self._allowed_uids = frozenset(allowed_uids)
        self._idle_exit_s = idle_exit_s
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, _Connection] = {}
        self._count = 0
        self._stopping = False

    def serve(self) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP, or until idle for too long."""
        wake, waking = socket.socketpair()
        with wake, waking:
            wake.setblocking(False)
            waking.setblocking(False)
            self._listener.setblocking(False)
            # A signal between the check and the wait would be slept over without the pair.
            signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
            for number in STOP_SIGNALS:
                signal.signal(number, self._stop)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            self._selector.register(wake, selectors.EVENT_READ)
            self._selector.register(self._listener, selectors.EVENT_READ)
            notify("READY=1")
            try:
                self._loop()
            finally:
                self._session.stop()
                for connection in list(self._connections.values()):
                    self._drop(connection)
                self._selector.close()
                signal.set_wakeup_fd(-1)
                notify("STOPPING=1")

    def _stop(self, number: int, _frame: object) -> None:
        _log.info("stopping signal=%d", number)
        self._stopping = True

    def _loop(self) -> None:
        busy_s = self._clock()
        while not self._stopping:
            events = self._selector.select(self._wait_s(busy_s))
            self._session.expire(self._clock())
            for key, mask in events:
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd in self._connections:
                    self._serve_one(self._connections[key.fd], mask)
            notify("WATCHDOG=1")
            if self._connections:
                busy_s = self._clock()
            elif self._idle_exit_s and self._clock() - busy_s >= self._idle_exit_s:
                _log.info("stopping reason=idle")
                return

    def _wait_s(self, busy_s: float) -> float:
        wait_s = _MAX_WAIT_S
        if self._session.expires_s is not None:
            wait_s = min(wait_s, self._session.expires_s - self._clock())
        if self._idle_exit_s and not self._connections:
            wait_s = min(wait_s, busy_s + self._idle_exit_s - self._clock())
        return max(0.0, wait_s)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError as error:
            # The client was gone before it was let in, or there are no descriptors left.
            _log.warning("accept_failed reason=%s", error)
            return
        client.setblocking(False)
        pid, uid, _gid = _CREDENTIALS.unpack(
            client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        self._count += 1
        connection = _Connection(client, Peer(self._count, pid, uid))
        if uid not in self._allowed_uids:
            _log.warning("client_refused peer=%s reason=user_not_allowed", connection.peer)
            self._turn_away(connection, Refused("forbidden", f"user {uid} is not allowed"))
        elif len(self._connections) >= _MAX_CLIENTS:
            self._turn_away(connection, Refused("too_many", f"{_MAX_CLIENTS} clients are served"))
        else:
            self._connections[client.fileno()] = connection
            self._selector.register(client, selectors.EVENT_READ)

    def _turn_away(self, connection: _Connection, answer: Refused) -> None:
        connection.unsent = encode(answer)
        self._send(connection)
        connection.socket.close()

    def _serve_one(self, connection: _Connection, mask: int) -> None:
        if mask & selectors.EVENT_READ and not self._receive(connection):
            self._drop(connection)
            return
        if not self._send(connection):
            self._drop(connection)
            return
        # Who does not read its answers is not read either, and so in time loses the lease.
        wanted = selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ
        self._selector.modify(connection.socket, wanted)

    def _receive(self, connection: _Connection) -> bool:
        """Read and answer; False where the connection has ended or is to be."""
        try:
            data = connection.socket.recv(_MAX_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        try:
            lines = connection.lines.feed(data)
        except MessageError as error:
            self._reply(connection, Refused("too_long", str(error)))
            self._send(connection)
            return False
        for line in lines:
            self._reply(connection, self._session.answer(connection.peer, line, self._clock()))
        return len(connection.unsent) <= MAX_ANSWER_BYTES

    def _reply(self, connection: _Connection, answer: Answer) -> None:
        connection.unsent += encode(answer)

    def _send(self, connection: _Connection) -> bool:
        """Send what can be sent now; False where the connection has ended."""
        try:
            sent = connection.socket.send(connection.unsent) if connection.unsent else 0
        except BlockingIOError:
            return True
        except OSError:
            return False
        connection.unsent = connection.unsent[sent:]
        return True

    def _drop(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        connection.socket.close()
        self._session.gone(connection.peer)
