"""The relay with real sockets at both ends."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest
from link_rig import ListedWindows, clock_at, flat_window, free_port, relaying

from node._compat import timeout

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class GroundEnd:
    """What the broker would be: hands out its side of each connection."""

    def __init__(self) -> None:
        self.port = 0
        self._accepted: asyncio.Queue[Pair] = asyncio.Queue()

    async def accept(self) -> Pair:
        """Return the next connection."""
        async with timeout(5.0):
            return await self._accepted.get()

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[GroundEnd]:
        """Listen."""
        writers: list[asyncio.StreamWriter] = []

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await self._accepted.put((reader, writer))

        server = await asyncio.start_server(keep, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()
            await server.wait_closed()


@pytest.fixture
async def ground() -> AsyncIterator[GroundEnd]:
    async with GroundEnd().serving() as end:
        yield end


async def connect(port: int) -> Pair:
    return await asyncio.open_connection("127.0.0.1", port)


async def test_bytes_cross_unharmed_both_ways(ground: GroundEnd) -> None:
    up, down = bytes(range(256)) * 300, bytes(reversed(range(256))) * 500
    window = flat_window(0.0, 1e4, rate_bps=8e6, delay_s=0.01)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        node_in, node_out = await connect(port)
        node_out.write(down)
        node_out.write_eof()
        ground_in, ground_out = await ground.accept()
        ground_out.write(up)
        ground_out.write_eof()
        async with timeout(10.0):
            assert hashlib.sha256(await ground_in.read()).digest() == hashlib.sha256(down).digest()
            assert hashlib.sha256(await node_in.read()).digest() == hashlib.sha256(up).digest()
        node_out.close()


async def test_delay_and_serialisation_take_their_time(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, rate_bps=64_000.0, delay_s=0.1)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        _, node_out = await connect(port)
        node_out.write(b"first")
        ground_in, _ = await ground.accept()
        await ground_in.readexactly(5)
        begun_s = time.monotonic()
        node_out.write(bytes(800))
        await ground_in.readexactly(800)
        assert time.monotonic() - begun_s == pytest.approx(0.2, abs=0.04)
        node_out.close()


async def test_a_connection_costs_a_round_trip(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, delay_s=0.15)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        begun_s = time.monotonic()
        _, node_out = await connect(port)
        node_out.write(b"x")
        ground_in, _ = await ground.accept()
        await ground_in.readexactly(1)
        assert time.monotonic() - begun_s == pytest.approx(0.45, abs=0.06)
        node_out.close()


async def test_time_runs_faster_at_a_higher_clock_rate(ground: GroundEnd) -> None:
    # 10 mission seconds a second: 10 times the bits, a tenth of the delay.
    window = flat_window(0.0, 1e5, rate_bps=64_000.0, delay_s=1.0)
    async with relaying(ListedWindows(window), clock_at(10.0, 10.0), ground.port) as port:
        _, node_out = await connect(port)
        node_out.write(b"first")
        ground_in, _ = await ground.accept()
        await ground_in.readexactly(5)
        begun_s = time.monotonic()
        node_out.write(bytes(16_000))
        await ground_in.readexactly(16_000)
        assert time.monotonic() - begun_s == pytest.approx(0.3, abs=0.05)
        node_out.close()


async def test_connections_share_one_serialiser(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, rate_bps=400_000.0)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        received = [0, 0]
        nodes = []
        ends = []
        for _ in received:
            _, node_out = await connect(port)
            nodes.append(node_out)
            ends.append((await ground.accept())[0])
        for node_out in nodes:
            node_out.write(bytes(1 << 20))
        until_s = time.monotonic() + 1.5

        async def count(index: int) -> None:
            with contextlib.suppress(TimeoutError):
                async with timeout(until_s - time.monotonic()):
                    while True:
                        received[index] += len(await ends[index].read(65536))

        for task in [asyncio.ensure_future(count(index)) for index in range(2)]:
            await task
        assert sum(received) * 8 == pytest.approx(400_000.0 * 1.5, rel=0.1)
        # They take turns at the serialiser; one turn is at most a buffer of 0.2 s.
        assert min(received) > 0.3 * sum(received)
        for node_out in nodes:
            node_out.transport.abort()


async def test_a_sender_feels_the_slow_link(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, rate_bps=16_000.0)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        with socket.socket() as node:
            node.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            node.connect(("127.0.0.1", port))
            node.setblocking(False)
            await ground.accept()
            taken = 0
            for _ in range(50):
                with contextlib.suppress(BlockingIOError):
                    taken += node.send(bytes(4096))
                await asyncio.sleep(0.01)
            # Half a second carries 1 kB; the rest of what was taken sits in short queues.
            assert taken < 40_000


async def test_a_receiver_that_stops_reading_stops_the_sender(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, rate_bps=80e6)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        with socket.socket() as node:
            node.connect(("127.0.0.1", port))
            node.setblocking(False)
            await ground.accept()
            taken = 0
            for _ in range(200):
                with contextlib.suppress(BlockingIOError):
                    taken += node.send(bytes(1 << 16))
                await asyncio.sleep(0.005)
            # One second of the link is 10 MB; nobody reads, so that far less may be taken.
            before = taken
            for _ in range(40):
                with contextlib.suppress(BlockingIOError):
                    taken += node.send(bytes(1 << 16))
                await asyncio.sleep(0.005)
            assert taken == before


async def refused(port: int) -> bool:
    """Whether a connection is accepted and reset."""
    try:
        node_in, node_out = await connect(port)
    except ConnectionError:
        return True
    try:
        async with timeout(2.0):
            await node_in.read(1)
            return False
    except ConnectionResetError:
        return True
    finally:
        node_out.transport.abort()


async def test_outside_a_window_connections_are_reset_at_once(ground: GroundEnd) -> None:
    window = flat_window(100.0, 200.0)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        begun_s = time.monotonic()
        assert await refused(port)
        assert time.monotonic() - begun_s < 0.5


async def test_without_any_window_connections_are_reset(ground: GroundEnd) -> None:
    async with relaying(ListedWindows(), clock_at(10.0), ground.port) as port:
        assert await refused(port)


async def test_los_resets_both_sides_and_loses_what_is_under_way(
    ground: GroundEnd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "groundlink.relay")
    window = flat_window(0.0, 10.6, rate_bps=80_000.0, delay_s=0.02)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        node_in, node_out = await connect(port)
        node_out.write(bytes(100_000))
        ground_in, _ = await ground.accept()
        received = 0
        with pytest.raises(ConnectionResetError):  # noqa: PT012 - it reads until it is reset
            async with timeout(3.0):
                while data := await ground_in.read(65536):
                    received += len(data)
        with pytest.raises(ConnectionResetError):
            async with timeout(1.0):
                await node_in.read(1)
        # Open for 0.6 s less handshake and delay: at most 5.4 kB of the 100 kB.
        assert 2000 < received <= 5600
        assert await refused(port)
        (line,) = [one for one in caplog.messages if one.startswith("los=")]
        assert "reset_connections=1" in line
        # The socket may lose, by its reset, what the link has just carried; never the reverse.
        carried = int(line.split("downlink_bytes=")[1].split()[0])
        assert received <= carried <= received + 400
        assert int(line.split("downlink_lost_bytes=")[1].split()[0]) > 0


async def test_the_link_opens_at_its_time_and_again(ground: GroundEnd) -> None:
    windows = ListedWindows(flat_window(10.3, 10.6), flat_window(10.9, 1e4))
    async with relaying(windows, clock_at(10.0), ground.port) as port:
        assert await refused(port)
        await asyncio.sleep(0.4)
        _, first = await connect(port)
        await ground.accept()
        await asyncio.sleep(0.3)
        assert await refused(port)
        await asyncio.sleep(0.3)
        _, second = await connect(port)
        second.write(b"again")
        ground_in, _ = await ground.accept()
        assert await ground_in.readexactly(5) == b"again"
        first.transport.abort()
        second.close()


async def test_an_outage_holds_bytes_back_and_keeps_the_connection(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4)
    clock = clock_at(10.0)
    outages_s = ((10.3, 10.8),)
    async with relaying(ListedWindows(window), clock, ground.port, outages_s=outages_s) as port:
        _, node_out = await connect(port)
        ground_in, _ = await ground.accept()
        await asyncio.sleep(0.4)
        node_out.write(b"held")
        assert await ground_in.readexactly(4) == b"held"
        assert clock.now() == pytest.approx(10.8, abs=0.05)
        node_out.close()


async def test_frame_loss_slows_and_corrupts_nothing(ground: GroundEnd) -> None:
    data = bytes(range(256)) * 400
    window = flat_window(0.0, 1e4, rate_bps=2e6, delay_s=0.002)
    async with relaying(
        ListedWindows(window), clock_at(10.0), ground.port, frame_loss_ratio=0.5
    ) as port:
        _, node_out = await connect(port)
        begun_s = time.monotonic()
        node_out.write(data)
        node_out.write_eof()
        ground_in, _ = await ground.accept()
        async with timeout(10.0):
            assert await ground_in.read() == data
        # 102 kB at 2 Mbit/s takes 0.41 s, and about twice that when half of the frames are lost.
        assert 0.6 < time.monotonic() - begun_s < 1.3
        node_out.close()


async def test_a_node_that_loses_power_resets_the_broker_side(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4, delay_s=0.05)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        with socket.create_connection(("127.0.0.1", port)) as node:
            node.sendall(b"last words")
            ground_in, _ = await ground.accept()
            assert await ground_in.readexactly(10) == b"last words"
            node.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with pytest.raises(ConnectionResetError):
            async with timeout(2.0):
                await ground_in.read(1)


async def test_an_absent_broker_resets_and_a_returned_one_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "groundlink.relay")
    broker_port = free_port()
    window = flat_window(0.0, 1e4)
    async with relaying(ListedWindows(window), clock_at(10.0), broker_port) as port:
        assert await refused(port)
        assert await refused(port)
        async with GroundEnd().serving(broker_port) as ground:
            _, node_out = await connect(port)
            node_out.write(b"hello")
            ground_in, _ = await ground.accept()
            assert await ground_in.readexactly(5) == b"hello"
            node_out.close()
    states = [line.split()[0] for line in caplog.messages if line.startswith("broker=")]
    assert states == ["broker=unreachable", "broker=back"]


async def test_too_many_connections_are_reset(ground: GroundEnd) -> None:
    window = flat_window(0.0, 1e4)
    async with relaying(ListedWindows(window), clock_at(10.0), ground.port) as port:
        writers = [(await connect(port))[1] for _ in range(64)]
        for _ in writers:
            await ground.accept()
        assert await refused(port)
        for writer in writers:
            writer.transport.abort()
