"""Which board is this, what do its sensors say, and where does its power come from?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from node.board.alone import is_unknown, opened_board
from node.board.base import Board
from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.core.events import PowerReading, Readings, Source
from node.doctor.finding import Finding, error, note, ok, warning
from node.doctor.patient import Patient
from node.errors import BoardError, SensorError

_INTERVAL_S = 1.0
"""Utilisation and counters of energy tell about an interval."""
_TRIES = 4
_STALE_S = 5.0
_GIB = 1 << 30
_MEND_POWER = (
    "set [board] idle_w and active_w in the installation to what a meter at the supply shows, or "
    "put one beside the board: [board.meter]"
)
_MEND_THROTTLE = {
    "under-voltage": "use the supply and the cable that the board's maker names",
    "soft-temperature-limit": "cool it better, or mind that in orbit it will be hotter still",
}
_MEND_ANY_THROTTLE = "cool it better, or supply it better; docs/boards.md has the reasons"


async def check_board(patient: Patient) -> list[Finding]:
    """Open the board as the daemon would and read it for a second or some."""
    opened = patient.loaded or patient.board
    try:
        async with opened_board(opened, "doctor") as board:
            readings = await _readings(board)
            power = readings.power
            unknown = power is not None and is_unknown(power, opened)
            return [
                *judge_identity(board.family, board.identity),
                *judge_sensors(readings, board.sensor_health()),
                *judge_power(power, unknown=unknown),
            ]
    except (BoardError, SensorError) as failure:
        return [
            error(
                "board",
                str(failure),
                'set [board] family in the installation; "auto" takes what the files name',
            )
        ]


async def _readings(board: Board) -> Readings:
    readings = board.read(time.monotonic())
    for _ in range(_TRIES):
        await asyncio.sleep(_INTERVAL_S)
        readings = board.read(time.monotonic())
        if readings.power is not None:
            break
    return readings


def judge_identity(family: str, identity: Identity) -> Iterator[Finding]:
    """Say which board it is and why. Pure."""
    if family == "simulated":
        yield ok("board", "simulated: no sensors, power from figures")
        return
    because = identity.because
    why = "no file names a family" if because is None else f"by {because}"
    yield ok("board", f"{family}, {why}")
    for name, fact in zip(identity._fields[2:], identity[2:], strict=True):
        if fact is not None:
            text = f"{int(fact.text) / _GIB:.2f} GiB" if name == "memory" else f'"{fact.text}"'
            yield ok("board", f"{name} {text} ({fact.path})")


def judge_sensors(readings: Readings, health: Sequence[ReaderHealth]) -> Iterator[Finding]:
    """List what the sensors say. Pure."""
    for each in health:
        if not each.ok:
            yield warning(
                "sensors",
                f"reader {each.name} could not read everything that was there",
                "orbitnode run --log-level debug names the sensor and the reason",
            )
    temperatures = [
        f"{each.sensor} {each.temperature_c:.1f} C{_age(each.age_s)}"
        for each in readings.temperatures
    ]
    yield from _listed("temperatures", temperatures)
    if readings.cpu_utilisation_ratio is not None:
        yield ok("sensors", f"processor busy {readings.cpu_utilisation_ratio:.0%}")
    hardware = readings.hardware
    if hardware is None:
        return
    yield from _listed(
        "clocks",
        [
            f"{each.clock} {each.frequency_hz / 1e6:.0f} MHz"
            + ("" if each.limit_hz is None else f" of {each.limit_hz / 1e6:.0f}")
            for each in hardware.clocks
            if each.frequency_hz is not None
        ],
    )
    yield from _listed(
        "supplies",
        [
            f"{each.rail} {each.power_w:.2f} W"
            for each in hardware.rails
            if each.power_w is not None
        ],
    )
    if hardware.gpu_utilisation_ratio is not None:
        yield ok("sensors", f"GPU busy {hardware.gpu_utilisation_ratio:.0%}")
    if hardware.power_mode is not None:
        yield ok("sensors", f"power mode {hardware.power_mode}")
    for throttle in hardware.throttles:
        remedy = _MEND_THROTTLE.get(throttle.reason, _MEND_ANY_THROTTLE)
        if throttle.active:
            yield warning("sensors", f"the board slows itself down: {throttle.reason}", remedy)
        elif throttle.since_boot:
            yield warning(
                "sensors", f"the board has slowed itself down since boot: {throttle.reason}", remedy
            )


def judge_power(power: PowerReading | None, *, unknown: bool) -> Iterator[Finding]:
    """Say where the watts come from. Pure."""
    if power is None:
        yield error(
            "power",
            "the board's meter is there and tells nothing",
            "see the permissions below, or the meter that [board.meter] names",
        )
        return
    if unknown:
        yield warning(
            "power", "nothing tells this board's power: no meter, no published model", _MEND_POWER
        )
        return
    figures = f"{power.power_w:.2f} W, scope {power.scope}{_age(power.age_s)}"
    if power.source is Source.MEASURED:
        yield ok("power", f"measured: {figures}")
    else:
        error_ratio = power.error_ratio
        known = "no published error" if error_ratio is None else f"up to {error_ratio:.0%} off"
        yield note("power", f"modelled by {power.model}: {figures}, {known}", _MEND_POWER)
    if power.age_s > _STALE_S:
        yield warning(
            "power", f"the last figure is {power.age_s:.0f} s old", "see that the meter reports"
        )


def _listed(what: str, items: list[str]) -> Iterator[Finding]:
    if items:
        yield ok("sensors", f"{what}: {', '.join(items)}")


def _age(age_s: float) -> str:
    return "" if age_s <= 0.0 else f", at most {age_s:.2g} s old"
