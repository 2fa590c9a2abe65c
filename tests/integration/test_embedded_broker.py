"""The embedded broker with our own client, as the demo uses it."""

from __future__ import annotations

import builtins
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from link_rig import ListedWindows, clock_at, flat_window, free_port, relaying
from mosquitto import wait_for_port

from groundlink.broker import run_broker
from node import icd
from node._compat import timeout
from node.errors import GroundError, LinkError
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession, Will

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from groundlink.cli import main; sys.exit(main())"
TOPIC = icd.topic("rig", icd.TM_STATE)

pytest.importorskip("amqtt", reason="amqtt is not installed")


@contextlib.contextmanager
def broker() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run the command; yield its port and process."""
    port = free_port()
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    command += ["broker", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            wait_for_port(port, 20.0)
            yield port, process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def session(port: int, name: str, *topics: str) -> AsyncIterator[MqttSession]:
    """Connect; the first attempt speaks MQTT 5 and is refused."""
    connector = MqttConnector(BrokerAddress("127.0.0.1", port), name)
    with contextlib.suppress(LinkError):
        async with connector.session([], Will(TOPIC, b"gone")):
            pytest.fail("the embedded broker speaks 3.1.1 only")
    async with connector.session(topics, Will(TOPIC, b"gone")) as connected:
        yield connected


async def first(listening: MqttSession) -> bytes:
    async with timeout(5.0):
        async for incoming in listening.incoming():
            incoming.acknowledge()
            return incoming.payload
    raise AssertionError


async def test_messages_pass_and_retained_ones_wait() -> None:
    with broker() as (port, _):
        async with (
            session(port, "ground", TOPIC) as ground,
            session(port, "node") as node,
        ):
            await node.publish(TOPIC, b"alive", retain=True)
            assert await first(ground) == b"alive"
        async with session(port, "late", TOPIC) as late:
            assert await first(late) == b"alive"


async def test_a_node_reaches_it_through_the_relay() -> None:
    window = flat_window(0.0, 1e4, rate_bps=256_000.0, delay_s=0.02)
    with broker() as (port, _):
        async with (
            relaying(
                ListedWindows(window), clock_at(10.0), port, report=BrokerAddress("127.0.0.1", port)
            ) as relay_port,
            session(port, "ground", TOPIC, icd.topic("rig", icd.LINK_WINDOW)) as ground,
            session(relay_port, "node") as node,
        ):
            await node.publish(TOPIC, b"x" * 2000)
            messages = {await first(ground), await first(ground)}
    assert b"x" * 2000 in messages
    (window_json,) = messages - {b"x" * 2000}
    reported = icd.decode(icd.LINK_WINDOW, window_json)
    assert isinstance(reported, icd.LinkWindow)
    assert reported.up


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError, match=rf"cannot listen on 127.0.0.1:{port}"):
            await run_broker("127.0.0.1", port)


async def test_without_amqtt_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    really_import = builtins.__import__

    def without_amqtt(
        name: str,
        namespace: Mapping[str, Any] | None = None,
        names: Mapping[str, Any] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name.startswith("amqtt"):
            raise ImportError(name)
        return really_import(name, namespace, names, wanted or (), level)

    monkeypatch.setattr(builtins, "__import__", without_amqtt)
    with pytest.raises(GroundError, match=r"pip install 'orbitnode\[demo\]'"):
        await run_broker("127.0.0.1", 1)


async def test_a_will_is_published_when_its_client_vanishes() -> None:
    with broker() as (port, _):
        async with session(port, "ground", TOPIC) as ground:
            async with session(port, "node") as node:
                node.drop()
            assert await first(ground) == b"gone"


async def test_a_refusal_of_mqtt_5_comes_at_once() -> None:
    with broker() as (port, _):
        connector = MqttConnector(BrokerAddress("127.0.0.1", port), "node")
        begun_s = time.monotonic()
        with pytest.raises(LinkError, match="version"):
            async with connector.session([], Will(TOPIC, b"gone")):
                pass
        assert time.monotonic() - begun_s < 1.0


STRANGERS = {
    "silent": b"",
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "not connect": bytes.fromhex("3000"),
    "endless length": bytes.fromhex("10ffffffffff"),
    "no name": bytes.fromhex("100a0000"),
    "long name": bytes.fromhex("10ff01ffff") + b"x" * 300,
    "other name": bytes.fromhex("100a00044d51545504"),
    "short": bytes.fromhex("100300044d51545404"),
    "cut": bytes.fromhex("100a00044d5154"),
    "mqtt 5": bytes.fromhex("101000044d5154540502003c000003616263"),
}


def test_the_command_is_quiet_about_strangers_and_ends_cleanly() -> None:
    with broker() as (port, process):
        for greeting in STRANGERS.values():
            with socket.create_connection(("127.0.0.1", port), timeout=5.0) as client:
                client.sendall(greeting)
                client.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    answer = client.recv(16)
                    assert answer == (bytes.fromhex("20020001") if greeting[8:9] == b"\5" else b"")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10.0)
    assert process.returncode == 0
    assert log == f"groundlink broker: READY 127.0.0.1:{port}\n"
