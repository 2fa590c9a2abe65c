"""The traps of the MQTT client, each held by what it puts on the wire or by a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest
from link_rig import free_port
from mosquitto import mosquitto
from mqtt_wire import (
    CONNECT,
    DISCONNECT,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    UNSUPPORTED_VERSION,
    Wire,
    wire,
)

from node._compat import TaskGroup, timeout
from node.errors import LinkError
from node.radio.mqtt import BrokerAddress, Incoming, MqttConnector, MqttSession, Will

TOPIC = "orbitnode/v1/sat/tc/xfer"
STATE = "orbitnode/v1/sat/tm/state"
WILL = Will(STATE, b"dead")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerAddress]:
    port = free_port()
    with mosquitto(tmp_path, port):
        yield BrokerAddress("127.0.0.1", port)


async def take(session: MqttSession, count: int) -> list[Incoming]:
    taken: list[Incoming] = []
    async with timeout(10.0):
        async for incoming in session.incoming():
            taken.append(incoming)
            if len(taken) == count:
                break
    return taken


async def silence(session: MqttSession, seconds: float) -> bool:
    """Say whether nothing comes for a while."""
    with contextlib.suppress(TimeoutError):
        async with timeout(seconds):
            async for _ in session.incoming():
                return False
    return True


@contextlib.asynccontextmanager
async def expect_link_error() -> AsyncIterator[None]:
    begun_s = time.monotonic()
    with pytest.raises(LinkError):
        yield
    assert time.monotonic() - begun_s < 8.0


async def cut(broker: Wire, after: int) -> None:
    """End the first connection after a packet of this kind."""
    connection = await broker.connected()
    await connection.until(after)
    connection.writer.close()


# What is on the wire


async def test_every_session_is_clean_and_ends_with_a_goodbye() -> None:
    async with wire() as broker:
        connector = MqttConnector(broker.address(), "sat")
        for _ in range(2):
            async with connector.session([TOPIC], WILL) as session:
                await session.publish(STATE, b"alive", retain=True)
        one, other = broker.connections
        for connection in (one, other):
            await connection.ended.wait()
            assert connection.kinds() == [CONNECT, SUBSCRIBE, PUBLISH, DISCONNECT]
            _, body = connection.packets[0]
            # Protocol MQTT 5; clean start, will of QoS 1, retained; no session that outlives it.
            assert body[:7] == b"\x00\x04MQTT\x05"
            assert body[7] & 0b0010_1110 == 0b0010_1110
            assert body[10] == 0
        # The second session knows nothing of the first: nothing is resent, packet ids begin anew.
        assert one.packets[1:] == other.packets[1:]


async def test_what_was_not_confirmed_is_not_resent_by_the_library() -> None:
    async with wire() as broker:
        broker.answers_publishes = False
        connector = MqttConnector(broker.address(), "sat")
        async with connector.session([]) as session, TaskGroup() as group:
            group.create_task(cut(broker, PUBLISH))
            async with expect_link_error():
                await session.publish(TOPIC, b"lost")
        broker.answers_publishes = True
        async with connector.session([TOPIC]):
            pass
        await broker.connections[1].ended.wait()
        assert broker.connections[1].kinds() == [CONNECT, SUBSCRIBE, DISCONNECT]


async def test_a_message_is_acknowledged_by_hand_alone() -> None:
    async with (
        wire() as broker,
        MqttConnector(broker.address(), "sat").session([TOPIC]) as session,
    ):
        [connection] = broker.connections
        connection.deliver(TOPIC, b"one", 11)
        connection.deliver(TOPIC, b"two", 12)
        one, two = await take(session, 2)
        assert (one.topic, one.payload, one.retained) == (TOPIC, b"one", False)
        await session.publish(STATE, b"a round trip")
        assert PUBACK not in connection.kinds()
        two.acknowledge()
        await connection.until(PUBACK)
        assert connection.packets[-1][1][:2] == (12).to_bytes(2, "big")
        one.acknowledge()
        await connection.until(PUBACK, 2)
        assert connection.packets[-1][1][:2] == (11).to_bytes(2, "big")


async def test_a_power_loss_says_no_goodbye() -> None:
    async with wire() as broker:
        async with MqttConnector(broker.address(), "sat").session([TOPIC], WILL) as session:
            session.drop()
            async with timeout(5.0):
                await broker.connections[0].ended.wait()
            async with expect_link_error():
                await take(session, 1)
            session.drop()
        assert broker.connections[0].kinds() == [CONNECT, SUBSCRIBE]


async def test_a_publish_does_not_outlive_its_session() -> None:
    async with wire() as broker:
        broker.answers_publishes = False
        async with MqttConnector(broker.address(), "sat").session([]) as session:
            async with TaskGroup() as group:
                group.create_task(cut(broker, PUBLISH))
                async with expect_link_error():
                    await session.publish(TOPIC, b"never confirmed")
            async with expect_link_error():
                await session.publish(TOPIC, b"too late")
            async with expect_link_error():
                await take(session, 1)


async def test_a_peer_that_falls_silent_is_noticed_by_keepalive() -> None:
    async with wire() as broker:
        broker.answers_publishes = broker.answers_pings = False
        connector = MqttConnector(broker.address(keepalive_s=1), "sat")
        async with connector.session([]) as session, expect_link_error():
            await session.publish(TOPIC, b"into the dark")


async def test_a_cancelled_publish_is_over() -> None:
    async with wire() as broker:
        broker.answers_publishes = False
        async with MqttConnector(broker.address(), "sat").session([]) as session:
            with pytest.raises(TimeoutError):
                async with timeout(0.1):
                    await session.publish(TOPIC, b"nobody waits")
            assert broker.connections[0].kinds()[-1] == PUBLISH


async def test_a_broker_that_lacks_version_5_is_asked_in_3_1_1() -> None:
    async with wire() as broker:
        broker.connack = UNSUPPORTED_VERSION
        connector = MqttConnector(broker.address(), "sat")
        async with expect_link_error(), connector.session([]):
            pytest.fail("refused, yet a session")
        broker.connack = b"\x20\x02\x00\x00"
        for number in (1, 2):
            async with connector.session([]):
                _, body = broker.connections[number].packets[0]
                assert body[:7] == b"\x00\x04MQTT\x04"
                assert body[7] & 0b10


async def test_nobody_there() -> None:
    connector = MqttConnector(BrokerAddress("127.0.0.1", free_port()), "sat", timeout_s=1.0)
    async with expect_link_error(), connector.session([]):
        pytest.fail("nobody is there")


async def test_a_connection_that_ends_before_the_connack() -> None:
    async with wire() as broker:
        broker.connack = b""
        connector = MqttConnector(broker.address(), "sat", timeout_s=30.0)
        async with TaskGroup() as group:
            group.create_task(cut(broker, CONNECT))
            async with expect_link_error(), connector.session([]):
                pytest.fail("no CONNACK came")


async def test_a_password_that_cannot_be_read_is_a_link_that_is_down(tmp_path: Path) -> None:
    address = BrokerAddress("127.0.0.1", 1, password_file=tmp_path / "missing")
    with pytest.raises(LinkError, match="cannot read the password"):
        async with MqttConnector(address, "sat").session([]):
            pytest.fail("there is no password")


def test_the_password_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "password"
    address = BrokerAddress("127.0.0.1", 1, username="sat", password_file=path)
    for secret in ("one", "two"):
        path.write_text(f"{secret}\n")
        assert address.password() == secret
    assert BrokerAddress("127.0.0.1", 1).password() is None


async def test_the_private_parts_of_the_libraries_are_where_they_were() -> None:
    client = aiomqtt.Client("127.0.0.1", 1)
    assert isinstance(client._disconnected, asyncio.Future)
    paho = client._client
    for name in ("ack", "manual_ack_set", "socket"):
        assert callable(getattr(paho, name))
    assert list(inspect.signature(paho.ack).parameters) == ["mid", "qos"]
    assert paho.on_disconnect is not None


# With a real broker


async def test_what_is_not_acknowledged_fills_the_brokers_window(broker: BrokerAddress) -> None:
    async with (
        MqttConnector(broker, "ground").session([]) as ground,
        MqttConnector(broker, "sat").session([TOPIC]) as sat,
    ):
        for number in range(30):
            await ground.publish(TOPIC, str(number).encode())
        held = await take(sat, 20)
        assert [int(each.payload) for each in held] == list(range(20))
        assert await silence(sat, 0.3)
        held[0].acknowledge()
        [more] = await take(sat, 1)
        assert more.payload == b"20"


async def test_the_will_speaks_for_a_node_that_lost_power(broker: BrokerAddress) -> None:
    async with MqttConnector(broker, "ground").session([STATE]) as ground:
        async with MqttConnector(broker, "sat").session([TOPIC], WILL) as sat:
            await sat.publish(STATE, b"alive", retain=True)
            [alive] = await take(ground, 1)
            assert (alive.payload, alive.retained) == (b"alive", False)
            sat.drop()
            [dead] = await take(ground, 1)
            assert dead.payload == b"dead"
        async with MqttConnector(broker, "late").session([STATE]) as late:
            [kept] = await take(late, 1)
            assert (kept.payload, kept.retained) == (b"dead", True)


async def test_after_a_goodbye_the_will_is_silent(broker: BrokerAddress) -> None:
    async with MqttConnector(broker, "ground").session([STATE]) as ground:
        async with MqttConnector(broker, "sat").session([TOPIC], WILL) as sat:
            await sat.publish(STATE, b"alive")
        [alive] = await take(ground, 1)
        assert alive.payload == b"alive"
        assert await silence(ground, 0.3)


async def test_messages_of_the_time_without_a_session_are_gone(broker: BrokerAddress) -> None:
    connector = MqttConnector(broker, "sat")
    async with connector.session([TOPIC]):
        pass
    async with MqttConnector(broker, "ground").session([]) as ground:
        await ground.publish(TOPIC, b"nobody hears this")
        async with connector.session([TOPIC]) as sat:
            await ground.publish(TOPIC, b"heard", qos=0)
            [heard] = await take(sat, 1)
            assert heard.payload == b"heard"
            heard.acknowledge()
