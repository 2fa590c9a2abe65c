"""Which limit goes to which means, and what is reported."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from node._compat import TaskGroup, timeout
from node.enforcement import enforcer as enforcer_module
from node.enforcement.clock import ClockCaps
from node.enforcement.enforcer import Enforcer
from node.enforcement.share import Lack
from node.errors import GovernorGoneError, GovernorRefusedError
from node.limits.protocol import Described, KnobState, Outcome, Restoration

OWN = os.getpid()


class Limiter:
    name = "quota"

    def __init__(self) -> None:
        self.told: list[float | str] = []
        self.broken = False

    def _check(self) -> None:
        if self.broken:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    def place(self, pid: int) -> None:
        self._check()
        self.told.append(f"pid {pid}")

    def limit(self, share: float) -> None:
        self._check()
        self.told.append(share)

    def close(self) -> None:
        self.told.append("close")


def knob(name: str, kind: str, baseline: int) -> KnobState:
    return KnobState(name, kind, "kHz", baseline, baseline, 1, [], capped=False)  # type: ignore[arg-type]


class Helper:
    """The helper's client; the CPU of this board goes no lower than a third."""

    def __init__(self, *knobs: KnobState) -> None:
        self.knobs = list(knobs)
        self.told: list[str] = []
        self.gone = asyncio.Event()
        self.refuses = False

    async def describe(self) -> Described:
        return Described(self.knobs, [], 10.0)

    async def _cap(self, name: str, value: int, least: int) -> list[Outcome]:
        self.told.append(f"{name} {value}")
        await asyncio.sleep(0)
        if self.gone.is_set():
            raise GovernorGoneError("it went away")
        if self.refuses:
            raise GovernorRefusedError("busy", "another client holds the lease")
        written = max(value, least)
        return [Outcome(name, value, written, written)]

    async def cap_cpu(self, khz: int, policy: int | None = None) -> list[Outcome]:
        return await self._cap(f"cpu:{policy}", khz, 600_000)

    async def cap_gpu(self, hz: int) -> list[Outcome]:
        return await self._cap("gpu", hz, 1)

    async def release(self) -> list[Restoration]:
        self.told.append("release")
        if self.refuses:
            raise GovernorRefusedError("no_lease", "nothing is held")
        return []

    async def keep_alive(self) -> None:
        await self.gone.wait()
        raise GovernorGoneError("it went away")

    async def close(self) -> None:
        self.told.append("close")


@asynccontextmanager
async def running(
    limiter: Limiter | None, *knobs: KnobState
) -> AsyncIterator[tuple[Enforcer, Helper]]:
    helper = Helper(*(knobs or (knob("cpu:0", "cpu", 1_800_000),)))
    made = Enforcer(limiter, await ClockCaps.open(helper))
    async with timeout(10.0), TaskGroup() as group:
        task = group.create_task(made.run())
        yield made, helper
        task.cancel()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_without_any_means_only_pacing_is_left() -> None:
    enforcer = Enforcer(None, None, (Lack("quota", "no groups", "another kernel"),))
    assert not enforcer.slows_runs
    enforcer.place(OWN)
    enforcer.limit_activity(0.2)
    enforcer.limit_clock(0.9)
    await enforcer.run()
    report = enforcer.report()
    assert (report.available, report.active) == (("pacing",), ())
    assert (report.share, report.clock, report.clock_achieved) == (1.0, 0.9, 1.0)
    await enforcer.close()


def test_the_lower_of_two_limits_by_time() -> None:
    limiter = Limiter()
    enforcer = Enforcer(limiter, None)
    assert enforcer.slows_runs
    enforcer.place(OWN)
    enforcer.limit_activity(0.5)
    enforcer.limit_clock(0.9)
    assert enforcer.report().clock_achieved == 0.9
    enforcer.limit_clock(0.4)
    enforcer.limit_activity(1.0)
    assert enforcer.report().clock_achieved == 0.4
    enforcer.let_stop()
    enforcer.resume()
    enforcer.release()
    assert limiter.told == [f"pid {OWN}", 0.5, 0.4, 1.0, 0.4, 1.0]
    assert enforcer.report().active == ()


def test_a_means_that_fails_is_told_and_what_stood_stands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limiter = Limiter()
    enforcer = Enforcer(limiter, None)
    enforcer.limit_activity(0.5)
    limiter.broken = True
    enforcer.limit_activity(0.3)
    enforcer.place(OWN)
    assert enforcer.report().share == 0.5
    assert caplog.text.count("means=quota error=Operation not permitted") == 2


async def test_the_clock_is_capped_where_the_helper_is_there() -> None:
    limiter = Limiter()
    knobs = (
        knob("cpu:0", "cpu", 1_800_000),
        knob("cpu:4", "cpu", 1_500_000),
        knob("gpu", "gpu", 1_000_000_000),
        knob("package-0", "package_power", 9),
    )
    async with running(limiter, *knobs) as (enforcer, helper):
        enforcer.limit_clock(0.5)
        enforcer.limit_activity(0.25)
        await settle()
        assert helper.told == ["cpu:0 900000", "cpu:4 750000", "gpu 500000000"]
        # Until the caps stand, time stands in for them.
        assert limiter.told == [0.5, 0.25]
        report = enforcer.report()
        assert report.available == ("pacing", "quota", "clock")
        assert report.active == ("quota", "clock")
        assert (report.clock, report.clock_achieved, report.share) == (0.5, 0.5, 0.25)
        enforcer.limit_activity(1.0)
        enforcer.limit_clock(0.1)
        await settle()
        # The CPU goes no lower than 600 MHz, 0.4 of the second policy's clock: the rest is time.
        assert limiter.told[-1] == pytest.approx(0.25)
        assert enforcer.report().clock_achieved == pytest.approx(0.1)
        enforcer.release()
        await settle()
        assert helper.told[-1] == "release"
        assert enforcer.report().clock_achieved == 1.0
        await enforcer.close()
        assert helper.told[-1] == limiter.told[-1] == "close"


async def test_the_clock_stands_in_for_time() -> None:
    async with running(None) as (enforcer, helper):
        assert enforcer.slows_runs
        enforcer.limit_activity(0.6)
        enforcer.limit_clock(0.9)
        await settle()
        assert helper.told[-1] == "cpu:0 1080000"
        enforcer.limit_activity(0.2)
        await settle()
        assert enforcer.report().clock_achieved == pytest.approx(1 / 3)


async def test_time_stands_in_for_a_helper_that_goes_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limiter = Limiter()
    async with running(limiter) as (enforcer, helper):
        enforcer.limit_clock(0.8)
        await settle()
        assert limiter.told == [0.8, 1.0]
        helper.gone.set()
        await settle()
        assert limiter.told[2:] == [0.8]
        report = enforcer.report()
        assert report.available == ("pacing", "quota")
        assert report.clock_achieved == 0.8
    assert caplog.text.count("clock=lost reason=it went away") == 1


async def test_a_cap_that_finds_the_helper_gone() -> None:
    limiter = Limiter()
    async with running(limiter) as (enforcer, helper):
        helper.gone.set()
        enforcer.limit_clock(0.7)
        await settle()
        assert limiter.told == [0.7]


async def test_a_refusal_is_told_and_the_next_order_tries_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(Limiter()) as (enforcer, helper):
        helper.refuses = True
        enforcer.limit_clock(0.8)
        await settle()
        assert enforcer.report().active == ("quota",)
        assert enforcer.report().clock_achieved == 0.8
        enforcer.limit_clock(1.0)
        await settle()
        assert enforcer.report().active == ()
        helper.refuses = False
        enforcer.limit_clock(0.7)
        await settle()
        assert enforcer.report().active == ("clock",)
        assert enforcer.report().clock_achieved == pytest.approx(0.7)
    assert "clock=cpu:0 refused=busy" in caplog.text


async def test_a_board_without_clocks() -> None:
    caps = await ClockCaps.open(Helper(knob("package-0", "package_power", 9)))
    assert not caps.usable


def test_what_the_worker_used_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    used_s = {OWN: 10.0}
    now = [100.0]
    monkeypatch.setattr(enforcer_module, "process_cpu_s", used_s.get)
    monkeypatch.setattr(enforcer_module, "core_count", lambda: 4)
    monkeypatch.setattr(enforcer_module.time, "monotonic", lambda: now[0])
    enforcer = Enforcer(Limiter(), None)
    assert enforcer.report().share_achieved is None
    enforcer.place(OWN)
    assert enforcer.report().share_achieved is None
    now[0], used_s[OWN] = 100.1, 11.0
    assert enforcer.report().share_achieved is None
    now[0], used_s[OWN] = 101.0, 12.0
    assert enforcer.report().share_achieved == pytest.approx(0.5)
    # Another share is another measurement.
    enforcer.limit_activity(0.25)
    assert enforcer.report().share_achieved is None
    now[0], used_s[OWN] = 102.0, 13.0
    assert enforcer.report().share_achieved == pytest.approx(0.25)
    used_s.clear()
    assert enforcer.report().share_achieved is None
