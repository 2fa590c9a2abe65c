"""What the chips of the real board say, as gauges: name, text, figures and labels of each.

Names follow node_exporter and dcgm-exporter where they have the thing. The values of a label are
those that one board has: its rails, its clocks, its fans and its firmware's reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from node.core.events import Hardware

Row = tuple[tuple[str, ...], float | None]
"""Label values and the figure; None where there is none."""


class HardwareGauge(NamedTuple):
    """One family of gauges."""

    name: str
    text: str
    rows: list[Row]
    labels: tuple[str, ...] = ()


def hardware_gauges(hardware: Hardware) -> Iterator[HardwareGauge]:
    """Yield every family; one without figures has rows without figures, or none."""
    yield HardwareGauge(
        "rail_power_watts",
        "Drawn from one supply of the real board, or by one domain of its processor",
        [((each.rail,), each.power_w) for each in hardware.rails],
        ("rail",),
    )
    yield HardwareGauge(
        "rail_voltage_volts",
        "Of a supply whose power is not measured",
        [((each.rail,), each.voltage_v) for each in hardware.rails if each.power_w is None],
        ("rail",),
    )
    yield HardwareGauge(
        "clock_frequency_hertz",
        "Clock of the real board as its kernel reports it",
        [((each.clock,), each.frequency_hz) for each in hardware.clocks],
        ("clock",),
    )
    yield HardwareGauge(
        "clock_limit_hertz",
        "What a clock of the real board is capped to",
        [((each.clock,), each.limit_hz) for each in hardware.clocks],
        ("clock",),
    )
    yield HardwareGauge(
        "gpu_utilisation_ratio",
        "Busy share of the real board's GPU",
        [((), hardware.gpu_utilisation_ratio)],
    )
    yield HardwareGauge(
        "fan_speed_rpm",
        "Revolutions a minute of a fan of the real board",
        [((each.fan,), each.speed_rpm) for each in hardware.fans],
        ("fan",),
    )
    yield HardwareGauge(
        "fan_duty_ratio",
        "How far a fan of the real board is driven",
        [((each.fan,), each.duty_ratio) for each in hardware.fans],
        ("fan",),
    )
    yield HardwareGauge(
        "throttle_active",
        "1 while the firmware of the real board slows it down for this reason",
        [((each.reason,), _flag(each.active)) for each in hardware.throttles],
        ("reason",),
    )
    yield HardwareGauge(
        "throttle_since_boot",
        "1 once the firmware has slowed the real board down since it was switched on",
        [((each.reason,), _flag(each.since_boot)) for each in hardware.throttles],
        ("reason",),
    )
    yield HardwareGauge(
        "power_limit_watts",
        "What the firmware of the real board's GPUs holds their power to",
        [((), hardware.power_limit_w)],
    )
    mode = hardware.power_mode
    yield HardwareGauge(
        "power_mode_info",
        "Power mode that the real board is set to; always 1",
        [] if mode is None else [((mode,), 1.0)],
        ("mode",),
    )


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)
