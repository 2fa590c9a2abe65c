"""How well the relay keeps rate and delay: prints JSON.

The relay runs in a process of its own with one endless window of constant rate and delay; plain
TCP sockets at both ends measure it. Rates count TCP payload.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from groundlink.profile import Profile
from groundlink.relay import Relay, RelaySettings
from groundlink.window import Window
from node.clock import MissionClock

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOS_S = 1e6
_MESSAGE_BYTES = 64
_PAUSE_S = 0.05


class OneWindow:
    """A window that has opened and does not close."""

    def __init__(self, rate_bps: float, delay_s: float) -> None:
        rate = Profile.constant(rate_bps, 0.0, _LOS_S)
        delay = Profile.constant(delay_s, 0.0, _LOS_S)
        flat = Profile.constant(1.0, 0.0, _LOS_S)
        self._window = Window("bench", 0.0, 0.0, 0.0, _LOS_S, 90.0, flat, flat, delay, rate, rate)

    def next_window(self, now: float) -> Window | None:
        """Return it."""
        return self._window if now < _LOS_S else None


def serve(broker_port: int, rate_bps: float, delay_s: float) -> None:
    """Be the relay's process: print the port, then relay until terminated."""
    settings = RelaySettings("bench", ("127.0.0.1", broker_port), None, listen_port=0)
    clock = MissionClock(time.monotonic() - 1.0, 1.0, 0.0)
    relay = Relay(settings, OneWindow(rate_bps, delay_s), clock)
    asyncio.run(relay.run(lambda _, port: print(port, flush=True)))  # noqa: T201 - read by the parent


@contextmanager
def link(rate_bps: float, delay_s: float) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect a node's and a broker's socket through a relay."""
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        command = [sys.executable, __file__, "--serve", str(port), str(rate_bps), str(delay_s)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
            try:
                assert relay.stdout is not None
                relay_port = int(relay.stdout.readline())
                with socket.create_connection(("127.0.0.1", relay_port)) as node:
                    ground, _ = broker.accept()
                    with ground:
                        for end in (node, ground):
                            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        yield node, ground
            finally:
                relay.terminate()


def measure_rate(rate_bps: float, delay_s: float, seconds: float) -> dict[str, float]:
    """Saturate node to ground; compare what arrives, after the first arrival, with the rate."""
    with link(rate_bps, delay_s) as (node, ground):
        stop = threading.Event()

        def feed() -> None:
            block = bytes(65536)
            try:
                while not stop.is_set():
                    node.sendall(block)
            except OSError:
                pass  # the far end has seen enough

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        ground.recv(1 << 20)
        first_s = last_s = time.monotonic()
        size = 0
        while last_s - first_s < seconds:
            size += len(ground.recv(1 << 20))
            last_s = time.monotonic()
        stop.set()
        node.shutdown(socket.SHUT_RDWR)
        feeder.join(timeout=5.0)
    measured_bps = size * 8 / (last_s - first_s)
    return {
        "rate_bps": rate_bps,
        "measured_bps": measured_bps,
        "error_ratio": measured_bps / rate_bps - 1.0,
        "seconds": last_s - first_s,
    }


def measure_delay(rate_bps: float, delay_s: float, count: int) -> dict[str, float]:
    """Send single messages; compare their time with light time plus serialisation."""
    ideal_s = delay_s + _MESSAGE_BYTES * 8 / rate_bps
    errors_s = []
    with link(rate_bps, delay_s) as (node, ground):
        # The first one also pays for the handshake over the air.
        for index in range(count + 1):
            sent_s = time.monotonic()
            node.sendall(bytes(_MESSAGE_BYTES))
            received = 0
            while received < _MESSAGE_BYTES:
                received += len(ground.recv(_MESSAGE_BYTES))
            if index:
                errors_s.append(time.monotonic() - sent_s - ideal_s)
            time.sleep(_PAUSE_S)
    return {
        "rate_bps": rate_bps,
        "ideal_s": ideal_s,
        "error_median_s": statistics.median(errors_s),
        "error_p95_s": sorted(errors_s)[int(0.95 * (len(errors_s) - 1))],
    }


def accuracy(
    rates_bps: list[float], *, seconds: float = 5.0, delay_s: float = 0.02, messages: int = 50
) -> dict[str, Any]:
    """Measure the rate at each of several rates, and the delay at the same."""
    return {
        "rate": [measure_rate(rate_bps, delay_s, seconds) for rate_bps in rates_bps],
        "delay": [measure_delay(rate_bps, delay_s, messages) for rate_bps in rates_bps],
    }


def main() -> None:
    """Measure and print, or be the relay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, type=float, help=argparse.SUPPRESS)
    parser.add_argument("--rates", nargs="+", type=float, default=[9.6e3, 256e3, 2e6, 50e6])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--messages", type=int, default=50)
    args = parser.parse_args()
    if args.serve:
        serve(int(args.serve[0]), args.serve[1], args.serve[2])
    else:
        result = accuracy(args.rates, seconds=args.seconds, messages=args.messages)
        print(json.dumps(result, indent=2))  # noqa: T201 - the output is the point


if __name__ == "__main__":
    main()
