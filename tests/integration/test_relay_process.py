"""``groundlink relay`` as a process, with a real broker, real MQTT clients and a real scenario."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import ListedWindows, clock_at, flat_window, free_port, relaying
from mosquitto import mosquitto

from groundlink.window import Schedule, Window
from node import icd
from node._compat import timeout
from node.clock import write_anchor
from node.config.load import load_scenario
from node.errors import LinkError
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "demo.toml"
PROGRAM = "import sys; from groundlink.cli import main; sys.exit(main())"


def first_window() -> Window:
    window = Schedule.from_scenario(load_scenario(SCENARIO)).next_window(0.0)
    assert window is not None
    return window


@contextlib.contextmanager
def relay_process(
    anchor: Path, port: int, broker_port: int, *more: str, scenario: Path = SCENARIO
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "relay", "--scenario", str(scenario)]
    command += ["--node", "oen-01", "--listen", f"127.0.0.1:{port}", "--anchor", str(anchor)]
    command += ["--broker", f"127.0.0.1:{broker_port}", *more]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str], port: int) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line == f"groundlink relay: READY 127.0.0.1:{port}\n":
            return
    pytest.fail("the relay ended before it was ready")


def set_clock(anchor: Path, mission_s: float, rate: float = 1.0) -> None:
    write_anchor(anchor, rate, time.monotonic() - mission_s / rate)


async def receive(session: MqttSession, suffix: str, kind: type) -> icd.Message:
    """Return the next message of a kind on a topic of the node's."""
    async with timeout(15.0):
        async for incoming in session.incoming():
            incoming.acknowledge()
            _, got = icd.split_topic(incoming.topic)
            message = icd.decode(got, incoming.payload)
            if got == suffix and isinstance(message, kind):
                return message
    raise AssertionError


async def test_mqtt_crosses_a_pass_and_the_relay_reports_it(tmp_path: Path) -> None:
    window = first_window()
    anchor, port, broker_port = tmp_path / "clock.json", free_port(), free_port()
    # Ten times as fast; three real seconds before LOS, two after the relay has come up.
    set_clock(anchor, window.los_s - 40.0, 10.0)
    with (
        mosquitto(tmp_path, broker_port),
        relay_process(anchor, port, broker_port, "--rate", "10") as process,
    ):
        wait_until_ready(process, port)
        ground = MqttConnector(BrokerAddress("127.0.0.1", broker_port), "ground")
        node = MqttConnector(BrokerAddress("127.0.0.1", port), "node")
        async with ground.session(["orbitnode/v1/oen-01/#"]) as listening:
            up = await receive(listening, icd.LINK_WINDOW, icd.LinkWindow)
            assert isinstance(up, icd.LinkWindow)
            assert up.station == window.station
            assert up.los_s == pytest.approx(window.los_s, abs=0.01)
            with pytest.raises(LinkError):
                # At LOS the session ends under the node's hands.
                await speak_until_cut(node)
            ledger = await receive(listening, icd.LINK_LEDGER, icd.LinkLedger)
            assert isinstance(ledger, icd.LinkLedger)
            assert ledger.station == window.station
            assert 5000 < ledger.downlink_bytes < ledger.downlink_capacity_bytes
            assert 0 < ledger.uplink_bytes < ledger.uplink_capacity_bytes
        async with ground.session(["orbitnode/v1/oen-01/link/window"]) as late:
            down = await receive(late, icd.LINK_WINDOW, icd.LinkWindow)
            assert isinstance(down, icd.LinkWindow)
            assert not down.up
            assert down.aos_s > window.los_s
        with pytest.raises(LinkError):
            async with node.session([]):
                pass


async def speak_until_cut(node: MqttConnector) -> None:
    """Publish state and then wait for the end of the session."""
    async with node.session([]) as session:
        event = icd.EventReport(1.0, "info", "test", "x" * 400)
        for _ in range(10):
            await session.publish(icd.topic("oen-01", icd.TM_EVENT), icd.encode(event))
        async with timeout(15.0):
            async for _ in session.incoming():
                pass


def test_a_killed_relay_starts_again_on_its_port_at_once(tmp_path: Path) -> None:
    anchor, port, broker_port = tmp_path / "clock.json", free_port(), free_port()
    set_clock(anchor, first_window().open_s + 10.0)
    with mosquitto(tmp_path, broker_port):
        with relay_process(anchor, port, broker_port) as process:
            wait_until_ready(process, port)
            connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
            time.sleep(0.2)
            process.send_signal(signal.SIGKILL)
            process.wait()
        begun_s = time.monotonic()
        with relay_process(anchor, port, broker_port) as process:
            wait_until_ready(process, port)
            assert time.monotonic() - begun_s < 5.0
            socket.create_connection(("127.0.0.1", port)).close()
        for connection in connections:
            connection.close()


def test_sigterm_ends_it_cleanly_in_a_pass(tmp_path: Path) -> None:
    anchor, port, broker_port = tmp_path / "clock.json", free_port(), free_port()
    set_clock(anchor, first_window().open_s + 10.0)
    with (
        mosquitto(tmp_path, broker_port),
        relay_process(anchor, port, broker_port) as process,
    ):
        wait_until_ready(process, port)
        with socket.create_connection(("127.0.0.1", port)):
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=10.0)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert "Warning" not in log


async def test_a_relay_that_vanishes_leaves_the_link_down(tmp_path: Path) -> None:
    anchor, port, broker_port = tmp_path / "clock.json", free_port(), free_port()
    set_clock(anchor, first_window().open_s + 10.0)
    with (
        mosquitto(tmp_path, broker_port),
        relay_process(anchor, port, broker_port) as process,
    ):
        wait_until_ready(process, port)
        ground = MqttConnector(BrokerAddress("127.0.0.1", broker_port), "ground")
        async with ground.session(["orbitnode/v1/oen-01/link/window"]) as listening:
            states = []
            while True not in states:
                window = await receive(listening, icd.LINK_WINDOW, icd.LinkWindow)
                assert isinstance(window, icd.LinkWindow)
                states.append(window.up)
            process.send_signal(signal.SIGTERM)
            window = await receive(listening, icd.LINK_WINDOW, icd.LinkWindow)
            assert isinstance(window, icd.LinkWindow)
            assert not window.up


async def test_a_broker_that_dies_and_returns_gets_the_window_again(tmp_path: Path) -> None:
    broker_port = free_port()
    address = BrokerAddress("127.0.0.1", broker_port)
    windows = ListedWindows(flat_window(0.0, 1e4))
    ground = MqttConnector(address, "ground")
    async with relaying(windows, clock_at(10.0), broker_port, report=address) as port:
        node = MqttConnector(BrokerAddress("127.0.0.1", port), "node")
        for _ in range(2):
            with mosquitto(tmp_path, broker_port):
                async with ground.session(["orbitnode/v1/rig/link/window"]) as listening:
                    window = await receive(listening, icd.LINK_WINDOW, icd.LinkWindow)
                    assert isinstance(window, icd.LinkWindow)
                    assert window.up
                async with node.session([]) as session:
                    await session.publish(icd.topic("rig", icd.TM_HK), b"{}")
            with pytest.raises(LinkError):
                async with node.session([]):
                    pass


async def test_ledgers_wait_for_the_broker(tmp_path: Path) -> None:
    broker_port = free_port()
    # A second relay is the door to the broker, and opens after both passes.
    passes = ListedWindows(flat_window(10.0, 10.3), flat_window(10.4, 10.6))
    door = ListedWindows(flat_window(10.8, 1e4))
    clock = clock_at(10.0)
    with mosquitto(tmp_path, broker_port):
        ground = MqttConnector(BrokerAddress("127.0.0.1", broker_port), "ground")
        async with (
            ground.session(["orbitnode/v1/rig/#"]) as listening,
            relaying(door, clock, broker_port) as port,
            relaying(passes, clock, port, report=BrokerAddress("127.0.0.1", port)),
        ):
            ledgers = [await receive(listening, icd.LINK_LEDGER, icd.LinkLedger) for _ in range(2)]
            assert clock.now() > 10.8
    assert [one.los_s for one in ledgers if isinstance(one, icd.LinkLedger)] == [10.3, 10.6]


def test_a_bad_scenario_exits_78_with_every_error(tmp_path: Path) -> None:
    scenario = tmp_path / "bad.toml"
    text = SCENARIO.read_text()
    scenario.write_text(
        text.replace("altitude_km = 550", "altitude_km = 5").replace("seed = 1", 'seed = "x"')
    )
    with relay_process(tmp_path / "clock.json", free_port(), 1, scenario=scenario) as process:
        _, log = process.communicate(timeout=20.0)
    assert process.returncode == 78
    assert "orbit.altitude_km" in log
    assert "mission.seed" in log
    assert "Traceback" not in log


def test_another_rate_than_the_anchors_exits_78(tmp_path: Path) -> None:
    anchor = tmp_path / "clock.json"
    set_clock(anchor, 0.0, 10.0)
    with relay_process(anchor, free_port(), 1, "--rate", "20") as process:
        _, log = process.communicate(timeout=20.0)
    assert process.returncode == 78
    assert "the anchor runs at 10.0" in log


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with relay_process(tmp_path / "clock.json", port, 1) as process:
            _, log = process.communicate(timeout=20.0)
    assert process.returncode == 1
    assert f"groundlink relay: cannot listen on 127.0.0.1:{port}:" in log
    assert "Traceback" not in log
