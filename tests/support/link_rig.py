"""A relay with windows made to measure, and a broker's socket behind it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

from groundlink.profile import Profile
from groundlink.relay import Relay, RelaySettings
from groundlink.window import Window
from node.clock import MissionClock
from node.radio.mqtt import BrokerAddress


def flat_window(
    open_s: float, los_s: float, *, rate_bps: float = 1e6, delay_s: float = 0.0
) -> Window:
    """Make a window of constant rate and delay."""
    rate = Profile.constant(rate_bps, open_s, los_s)
    return Window(
        station="rig",
        aos_s=open_s - 1.0,
        open_s=open_s,
        tca_s=(open_s + los_s) / 2.0,
        los_s=los_s,
        max_elevation_deg=90.0,
        range_km=Profile.constant(1000.0, open_s - 1.0, los_s),
        elevation_deg=Profile.constant(45.0, open_s - 1.0, los_s),
        delay_s=Profile.constant(delay_s, open_s - 1.0, los_s),
        uplink_bps=rate,
        downlink_bps=rate,
    )


class ListedWindows:
    """Windows in order."""

    def __init__(self, *windows: Window) -> None:
        self._windows = windows

    def next_window(self, now: float) -> Window | None:
        """Return the first that has not ended."""
        return next((window for window in self._windows if window.los_s > now), None)


def clock_at(mission_s: float, rate: float = 1.0) -> MissionClock:
    """Make a clock that shows a mission time now."""
    return MissionClock(time.monotonic() - mission_s / rate, rate, 0.0)


def free_port() -> int:
    """Find a port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def relaying(
    windows: ListedWindows,
    clock: MissionClock,
    broker_port: int,
    *,
    report: BrokerAddress | None = None,
    frame_loss_ratio: float = 0.0,
    outages_s: tuple[tuple[float, float], ...] = (),
) -> AsyncIterator[int]:
    """Run a relay; yield its port."""
    settings = RelaySettings(
        node_name="rig",
        broker=("127.0.0.1", broker_port),
        report=report,
        listen_port=0,
        frame_loss_ratio=frame_loss_ratio,
        outages_s=outages_s,
    )
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    relay = Relay(settings, windows, clock)
    running = asyncio.ensure_future(relay.run(lambda _, port: listening.set_result(port)))
    try:
        await asyncio.wait((listening, running), return_when=asyncio.FIRST_COMPLETED)
        # The relay opens a window that is under way in its next step.
        await asyncio.sleep(0.01)
        yield await listening
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
