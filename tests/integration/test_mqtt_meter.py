"""A meter that reports by MQTT, through a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from link_rig import free_port
from mosquitto import mosquitto
from waiting import until

from node._compat import TaskGroup
from node.board.external_meter import ExternalMeter
from node.board.meter import MeterSample
from node.board.meter_factory import open_meter
from node.board.parts import Draft
from node.config.installation import AnyMeter
from node.radio.mqtt import BrokerAddress, MqttConnector, MqttSession

TOPIC = "lab/shelly/status"


def sample(meter: ExternalMeter) -> MeterSample | None:
    return meter.sample(Draft(time.monotonic()))


def power_w(meter: ExternalMeter) -> float | None:
    found = sample(meter)
    return None if found is None else found.power_w


def configured(port: int, **changes: object) -> ExternalMeter:
    choice = {"kind": "mqtt", "host": "127.0.0.1", "port": port, "topic": TOPIC, "scope": "wall"}
    described: AnyMeter = msgspec.convert({**choice, **changes}, AnyMeter)
    return open_meter(described, Path(), "sat-1")


@contextlib.asynccontextmanager
async def hearing(meter: ExternalMeter) -> AsyncIterator[None]:
    async with TaskGroup() as group:
        task = group.create_task(meter.run(), name="meter")
        yield
        task.cancel()


@contextlib.asynccontextmanager
async def reporting(port: int) -> AsyncIterator[MqttSession]:
    """The meter's own connection."""
    connector = MqttConnector(BrokerAddress("127.0.0.1", port), "meter")
    async with connector.session([]) as session:
        yield session


async def test_records_are_heard_and_grow_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    with mosquitto(tmp_path, port):
        meter = configured(port, max_age_s=0.5)
        async with reporting(port) as lab:
            # What the broker keeps from before says nothing about now.
            await lab.publish(TOPIC, b"99", retain=True)
            async with hearing(meter):
                await until(lambda: "meter_connected" in caplog.text)
                await asyncio.sleep(0.1)
                assert sample(meter) is None
                await lab.publish(TOPIC, b'{"power_w": 6.25, "energy_j": 100}')
                await until(lambda: power_w(meter) == 6.25)
                found = sample(meter)
                assert found is not None
                assert found.age_s < 0.5
                await lab.publish(TOPIC, b'{"power_w": 6.5, "energy_j": 103.5}', qos=0)
                await until(lambda: power_w(meter) == 6.5)
                found = sample(meter)
                assert found is not None
                assert found.energy_j == 3.5
                await until(lambda: sample(meter) is None)
                assert meter.ok
                assert meter.scope == "wall"


async def test_what_cannot_be_read_is_a_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    with mosquitto(tmp_path, port):
        meter = configured(port, key="apower")
        async with reporting(port) as lab, hearing(meter):
            await until(lambda: "meter_connected" in caplog.text)
            await lab.publish(TOPIC, b'{"apower": 5.5}')
            await until(lambda: power_w(meter) == 5.5)
            for wrong in (b'{"power_w": 1}', b"\xff\xfe", b"1" * 5000):
                await lab.publish(TOPIC, wrong)
                await until(lambda: not meter.ok)
                assert sample(meter) is None
                await lab.publish(TOPIC, b"5.75")
                await until(lambda: power_w(meter) == 5.75)
    assert caplog.text.count("sensor_failed") == 3
    assert caplog.text.count("sensor_recovered") == 3


async def test_a_broker_that_goes_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    meter = configured(port, max_age_s=0.5)
    async with hearing(meter):
        await until(lambda: "meter_not_connected" in caplog.text)
        for round_ in (1, 2):
            with mosquitto(tmp_path, port):
                await until(lambda: caplog.text.count("meter_connected") == round_)  # noqa: B023
                async with reporting(port) as lab:
                    await lab.publish(TOPIC, b"4.5")
                    await until(lambda: power_w(meter) == 4.5)
            await until(lambda: sample(meter) is None)
            await until(lambda: caplog.text.count("meter_not_connected") == round_ + 1)  # noqa: B023
    assert meter.ok
