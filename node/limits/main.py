"""The command ``orbitnode-governor``."""

from __future__ import annotations

import argparse
import errno
import fcntl
import logging
import os
import pwd
import signal
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from node import __version__
from node.errors import ConfigError, Problem
from node.limits.hold import Limits
from node.limits.journal import Journal, read_boot_id
from node.limits.knobs import find_knobs
from node.limits.server import STOP_SIGNALS, Server
from node.limits.session import LEASE_S, Session
from node.limits.tree import Tree
from node.log import start_logging

_log = logging.getLogger(__name__)
_DEFAULT_USERS = ("orbitnode", "root")
_FIRST_DESCRIPTOR = 3
_BAD_CONFIGURATION = os.EX_CONFIG
_LEASE_RANGE_S = (0.1, 60.0)
_DESCRIPTION = """\
Lowers clock and power limits of this board for orbitnode, and restores them when its client goes
away. The one part of orbitnode that runs as root; docs/governor.md says what it never does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the helper; the return value is the exit status."""
    parsed = _parser().parse_args(arguments)
    start_logging(parsed.log_level)
    try:
        return _run(parsed)
    except ConfigError as error:
        _log.error("bad_configuration %s", error)
        return _BAD_CONFIGURATION


def listening_socket(path: Path | None) -> socket.socket:
    """Take the socket of the service manager (sd_listen_fds(3)), or make one at a path.

    Raises:
        ConfigError: neither is there, both are, or the path is taken.
    """
    handed_over = os.environ.get("LISTEN_PID") == str(os.getpid())
    count = os.environ.get("LISTEN_FDS", "0") if handed_over else "0"
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    if count != "0" and path is not None:
        raise _wrong("--socket", "the service manager has handed a socket over already")
    if count == "1":
        os.set_inheritable(_FIRST_DESCRIPTOR, False)
        listener = socket.socket(fileno=_FIRST_DESCRIPTOR)
        is_stream = (listener.family, listener.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
        if is_stream and listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
        raise _wrong("LISTEN_FDS", "expected a listening AF_UNIX stream")
    if count != "0" or path is None:
        raise _wrong(
            "--socket", f"expected one socket of the service manager or a path; got {count}"
        )
    return _bind(path)


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            # The lock of the state folder is ours, so that nobody listens there any more.
            path.unlink()
        before = os.umask(0o117)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _wrong("--socket", f"{path}: {error.strerror or error}") from error
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orbitnode-governor", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"orbitnode {__version__}")
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="tree that holds sys (default: /)"
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=os.environ.get("STATE_DIRECTORY"),
        help="folder of the journal (default: the service manager's STATE_DIRECTORY)",
    )
    parser.add_argument(
        "--socket", type=Path, help="where to listen (default: the service manager's socket)"
    )
    parser.add_argument(
        "--allow-user",
        action="append",
        metavar="NAME",
        help="who is served; may be repeated (default: orbitnode and root)",
    )
    parser.add_argument(
        "--lease-s",
        type=_lease,
        default=LEASE_S,
        metavar="SECONDS",
        help=f"restore when a client is silent for so long (default: {LEASE_S:g})",
    )
    parser.add_argument(
        "--idle-exit-s",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="end after so long without a client (default: never)",
    )
    parser.add_argument(
        "--boot-id-file",
        type=Path,
        default=Path("/proc/sys/kernel/random/boot_id"),
        help="where the kernel tells one boot from another (default: %(default)s)",
    )
    parser.add_argument(
        "--restore",
        action="store_true",
        help="restore what a killed helper has left lowered, and end",
    )
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    return parser


def _lease(text: str) -> float:
    seconds = float(text)
    if not _LEASE_RANGE_S[0] <= seconds <= _LEASE_RANGE_S[1]:
        raise argparse.ArgumentTypeError(
            "expected seconds from {:g} to {:g}".format(*_LEASE_RANGE_S)
        )
    return seconds


def _run(parsed: argparse.Namespace) -> int:
    if parsed.state is None:
        raise _wrong("--state", "expected a folder, since there is no STATE_DIRECTORY")
    state = Path(parsed.state)
    try:
        boot_id = read_boot_id(parsed.boot_id_file)
    except (OSError, ValueError) as error:
        raise _wrong("--boot-id-file", str(error)) from error
    try:
        tree = Tree(parsed.root)
    except OSError as error:
        raise _wrong("--root", str(error)) from error
    with closing(tree), _locked(state):
        limits = Limits(tree, Journal(state, boot_id), find_knobs)
        # A signal in the middle of restoring would leave half of it to the next start.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        limits.recover()
        if parsed.restore:
            return 1 if limits.held else 0
        uids = _uids(parsed.allow_user)
        with listening_socket(parsed.socket) as listener:
            server = Server(
                Session(limits, parsed.lease_s), listener, uids, idle_exit_s=parsed.idle_exit_s
            )
            _log.info("listening uids=%s", ",".join(map(str, sorted(uids))))
            server.serve()
    return 0


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second helper from the same journal.

    Raises:
        ConfigError: there is one, or the folder cannot be written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        lock = os.open(folder / "lock", flags, 0o600)
    except OSError as error:
        raise _wrong("--state", str(error)) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held = error.errno == errno.EWOULDBLOCK
            reason = f"another helper works with {folder}" if held else str(error)
            raise _wrong("--state", reason) from error
        yield
    finally:
        os.close(lock)


def _uids(names: Sequence[str] | None) -> set[int]:
    uids = {name: _uid(name) for name in names or _DEFAULT_USERS}
    for name in (name for name, uid in uids.items() if uid is None):
        if names:
            raise _wrong("--allow-user", f"there is no user {name!r}")
        _log.warning("user_missing name=%s", name)
    return {uid for uid in uids.values() if uid is not None}


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _wrong(option: str, message: str) -> ConfigError:
    return ConfigError([Problem("orbitnode-governor", None, option, message)])
