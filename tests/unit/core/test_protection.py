"""When the real board protects itself, and how hot its die is over its board."""

from __future__ import annotations

import pytest

from node.core.events import (
    Hardware,
    Readings,
    Source,
    TemperatureReading,
    ThrottleReading,
)
from node.core.protection import BoardLimits, Protection, die_offset_k

LIMITS = BoardLimits(trips_c={"cpu-thermal": 99.0}, die_limit_c=80.0)


def warm(sensor: str, temperature_c: float, hardware: Hardware | None = None) -> Readings:
    reading = TemperatureReading(sensor, temperature_c, 0.0, Source.MEASURED)
    return Readings(temperatures=(reading,), hardware=hardware)


def throttled(reason: str, **flags: object) -> Readings:
    return Readings(hardware=Hardware(throttles=(ThrottleReading(reason, **flags),)))  # type: ignore[arg-type]


def test_five_kelvin_below_its_trip_and_back_with_hysteresis() -> None:
    protection = Protection(LIMITS, 1.0)
    assert not protection.follow(warm("cpu-thermal", 93.9), 0.0)
    assert protection.reason is None
    assert protection.follow(warm("cpu-thermal", 94.0), 1.0)
    assert protection.reason == "cpu-thermal at 94.0 C, trip at 99 C"
    assert not protection.follow(warm("cpu-thermal", 92.0), 2.0)
    assert protection.reason is not None
    assert protection.follow(warm("cpu-thermal", 91.9), 3.0)
    assert protection.reason is None


def test_a_sensor_without_a_trip_has_none() -> None:
    protection = Protection(LIMITS, 1.0)
    assert not protection.follow(warm("gpu-thermal", 150.0), 0.0)
    assert protection.reason is None


def test_the_die_at_the_installations_limit() -> None:
    protection = Protection(LIMITS, 1.0)
    assert not protection.follow(warm("x", 0.0, Hardware(die_c=74.9)), 0.0)
    assert protection.follow(warm("x", 0.0, Hardware(die_c=75.0)), 1.0)
    assert protection.reason == "die at 75.0 C, limit at 80 C"
    assert protection.follow(Readings(), 2.0)
    assert not Protection(BoardLimits(), 1.0).follow(Readings(hardware=Hardware(die_c=150.0)), 0.0)


def test_a_flag_of_under_voltage_counts_while_it_stands() -> None:
    protection = Protection(BoardLimits(), 1.0)
    assert not protection.follow(throttled("throttled", active=True), 0.0)
    assert not protection.follow(throttled("under-voltage", active=False), 0.0)
    assert protection.follow(throttled("under-voltage", active=True), 1.0)
    assert protection.reason == "under-voltage"
    assert protection.follow(throttled("under-voltage", active=False), 2.0)


@pytest.mark.parametrize("rate", [1.0, 60.0])
def test_a_count_of_under_voltage_holds_for_ten_real_seconds(rate: float) -> None:
    protection = Protection(BoardLimits(), rate)
    assert not protection.follow(throttled("under-voltage", events=7), 0.0)
    assert protection.follow(throttled("under-voltage", events=8), 1.0)
    assert not protection.follow(throttled("under-voltage", events=8), 1.0 + 10.0 * rate)
    assert protection.follow(throttled("under-voltage", events=8), 1.1 + 10.0 * rate)
    # A counter that could not be read is no event.
    assert not protection.follow(throttled("under-voltage"), 2000.0)
    assert not protection.follow(throttled("under-voltage", events=9), 2001.0)


def test_the_offset_of_the_die_is_measured_where_both_are() -> None:
    hardware = Hardware(die_c=61.0)
    assert die_offset_k(warm("tboard", 40.0, hardware), "tboard") == 21.0
    assert die_offset_k(warm("tboard", 65.0, hardware), "tboard") == 0.0
    assert die_offset_k(warm("other", 40.0, hardware), "tboard") is None
    assert die_offset_k(warm("tboard", 40.0, hardware), None) is None
    assert die_offset_k(warm("tboard", 40.0, Hardware()), "tboard") is None
    assert die_offset_k(warm("tboard", 40.0), "tboard") is None
