"""A power ceiling on the real worker: the board's power is what the worker's CPU time says.

The ceiling leaves a fifth of the board's power above idle. The short form is in every run; the long
one, of a minute each, is marked ``stress``. Each prints what it measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from executors import opened
from lone_node import LoneNode, flying, percentile
from model_factory import npz, slow_loop, tiny_cnn
from spacecraft import ACTIVE_W, IDLE_W, spacecraft

from node.core.craft import ModelFigures
from node.core.modes import OperatingMode
from node.enforcement.control_groups import GroupFiles
from node.enforcement.duty import DutyCycle
from node.enforcement.enforcer import Enforcer
from node.enforcement.quota import open_quota
from node.enforcement.share import Lack, ShareLimiter, core_count

SHARE = 0.2
SPAN_W = ACTIVE_W - IDLE_W
CEILING_W = IDLE_W + SHARE * SPAN_W
IMAGE = npz(bands=np.ones((1, 48, 48, 4), np.uint16))
WARM_UP_S = 3.0
SECONDS = [pytest.param(10.0, id="10s"), pytest.param(60.0, id="60s", marks=pytest.mark.stress)]


def limiter_of(means: str) -> ShareLimiter | None:
    if means == "duty-cycle":
        return DutyCycle()
    if means == "pacing":
        return None
    quota = open_quota(GroupFiles())
    if isinstance(quota, Lack):
        pytest.skip(str(quota))
    return quota


def report(means: str, seconds: float, share: float, node: LoneNode) -> None:
    took_s = [event.report.duration_s for event in node.finished] or [float("nan")]
    lags_ms = [1e3 * lag_s for lag_s in node.lags_s]
    sys.stdout.write(
        f"\n{means}: {seconds:.0f} s, share {share:.4f} of {SHARE}, mean "
        f"{node.core.enforcement.ceiling.mean_w:.3f} W of {CEILING_W:.3f} W, inference p50 "
        f"{1e3 * percentile(took_s, 0.5):.1f} ms p99 {1e3 * percentile(took_s, 0.99):.1f} ms, "
        f"loop lag p50 {percentile(lags_ms, 0.5):.2f} ms p99 {percentile(lags_ms, 0.99):.2f} ms\n"
    )


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("means", ["quota", "duty-cycle"])
async def test_a_long_run_is_held_at_the_ceiling(
    tmp_path: Path, means: str, seconds: float
) -> None:
    slow_loop(tmp_path / "models", "long", seconds=600.0)
    craft = spacecraft(
        boot_s=0.0,
        reduced_power_ceiling_w=CEILING_W,
        models={"long": ModelFigures(100.0, 600.0, 100, ACTIVE_W)},
    )
    enforcer = Enforcer(limiter_of(means), None)
    # Twice the configured slope: the loop has to find the share by itself.
    async with flying(tmp_path, craft, enforcer, soc=0.55, span_w=2.0 * SPAN_W) as node:
        await node.until(lambda: node.core.mode is OperatingMode.REDUCED)
        await node.submit("long")
        await node.until(lambda: node.busy)
        await asyncio.sleep(WARM_UP_S)
        share = 2.0 * await node.share_over(seconds)
        report(means, seconds, share, node)
        assert share == pytest.approx(SHARE, rel=0.1)
        found = [each for each in node.reports if each.share_achieved is not None][-1]
        assert found.active == (means,)
        assert found.share_achieved == pytest.approx(found.share, rel=0.25)
        assert not node.core.enforcement.ceiling.unmet
        assert percentile(node.lags_s, 0.5) < 0.01


@pytest.mark.parametrize("seconds", SECONDS)
async def test_short_runs_are_paced_at_the_ceiling(tmp_path: Path, seconds: float) -> None:
    tiny_cnn(tmp_path / "models", "short", width=192)
    craft = spacecraft(
        boot_s=0.0,
        reduced_power_ceiling_w=CEILING_W,
        models={"short": ModelFigures(0.06, 30.0, 100, ACTIVE_W)},
    )
    enforcer = Enforcer(limiter_of("pacing"), None)
    async with flying(tmp_path, craft, enforcer, soc=0.55) as node:
        await node.until(lambda: node.core.mode is OperatingMode.REDUCED)
        await node.submit("short", count=round(30 * (seconds + WARM_UP_S)), data=IMAGE)
        await node.until(lambda: len(node.finished) > 3)
        await asyncio.sleep(WARM_UP_S)
        share = await node.share_over(seconds)
        report("pacing", seconds, share, node)
        assert share == pytest.approx(SHARE, rel=0.1)
        assert node.core.totals.decisions["defer:pacing"] > seconds
        assert percentile(node.lags_s, 0.5) < 0.01


@pytest.mark.stress
async def test_pacing_leaves_each_inference_as_quick_as_it_is(tmp_path: Path) -> None:
    """The same share of one core by each means, in turns that alternate."""
    tiny_cnn(tmp_path, "short", width=96)
    took_s: dict[str, list[float]] = {}
    share_of: dict[str, list[float]] = {}
    used: list[ShareLimiter] = []
    async with opened(tmp_path) as executor:
        assert executor.worker_pid is not None
        for means in ["none", *(["pacing", "quota", "duty-cycle"] * 3)]:
            limiter = None if means == "none" else limiter_of(means)
            if limiter is not None:
                limiter.place(executor.worker_pid)
                limiter.limit(SHARE / core_count())
            begun_s, used_s = time.monotonic(), executor.cpu_time_s
            while time.monotonic() < begun_s + 6.0:
                started_s = time.monotonic()
                outcome = await executor.run("short", IMAGE, 1)
                assert outcome.ok
                run_s = time.monotonic() - started_s
                took_s.setdefault(means, []).append(run_s)
                if means == "pacing":
                    await asyncio.sleep(max(0.0, outcome.cpu_s / SHARE - run_s))
            share = (executor.cpu_time_s - used_s) / (time.monotonic() - begun_s)
            share_of.setdefault(means, []).append(share)
            if limiter is not None:
                limiter.limit(1.0)
                used.append(limiter)
    # A group can be removed once its worker is gone.
    for limiter in used:
        limiter.close()
    for means, each_s in took_s.items():
        sys.stdout.write(
            f"\n{means}: shares {', '.join(f'{share:.4f}' for share in share_of[means])}, "
            f"{len(each_s)} inferences, p50 {1e3 * percentile(each_s, 0.5):.1f} ms, "
            f"p99 {1e3 * percentile(each_s, 0.99):.1f} ms\n"
        )
    for means in ("pacing", "quota", "duty-cycle"):
        assert np.mean(share_of[means]) == pytest.approx(SHARE, rel=0.1)
    assert percentile(took_s["pacing"], 0.99) < percentile(took_s["quota"], 0.99)
    assert percentile(took_s["quota"], 0.99) < percentile(took_s["duty-cycle"], 0.99)


@pytest.mark.parametrize("means", ["quota", "duty-cycle"])
async def test_what_is_lifted_is_lifted(tmp_path: Path, means: str) -> None:
    slow_loop(tmp_path / "models", "long", seconds=600.0)
    craft = spacecraft(boot_s=0.0, models={"long": ModelFigures(100.0, 600.0, 100, ACTIVE_W)})
    enforcer = Enforcer(limiter_of(means), None)
    async with flying(tmp_path, craft, enforcer) as node:
        await node.until(lambda: node.core.mode is OperatingMode.NOMINAL)
        await node.submit("long")
        await node.until(lambda: node.busy)
        enforcer.limit_clock(0.05)
        await asyncio.sleep(0.5)
        assert await node.share_over(1.0) == pytest.approx(0.05, rel=0.3)
        enforcer.limit_clock(1.0)
        assert await node.share_over(1.0) > 0.15
        # The worker dies in the middle of a share, and the next one has it too.
        enforcer.limit_clock(0.05)
        await node.executor.kill()
        await node.executor.start()
        await node.until(lambda: node.busy)
        assert await node.share_over(1.5) == pytest.approx(0.05, rel=0.3)
