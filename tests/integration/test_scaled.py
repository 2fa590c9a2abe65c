"""A mission that keeps the pace of a clock does what it does when nothing waits."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from node.clock import MissionClock
from node.config.load import load_scenario
from node.simulation.mission import Mission

SCENARIO = Path(__file__).parents[2] / "scenarios" / "demo.toml"
DURATION_S = 700.0
RATE = 2000.0


def flown(path: Path, clock: MissionClock | None) -> list[dict[str, Any]]:
    base = load_scenario(SCENARIO)
    scenario = replace(base, mission=replace(base.mission, duration_s=DURATION_S))
    asyncio.run(Mission(scenario, clock=clock, history_path=path).fly())
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scaled_time_keeps_the_order_of_freerun(tmp_path: Path) -> None:
    free = flown(tmp_path / "free.jsonl", None)
    begun_s = time.monotonic()
    scaled = flown(tmp_path / "scaled.jsonl", MissionClock(begun_s, RATE, 0.0))
    took_s = time.monotonic() - begun_s

    assert took_s >= DURATION_S / RATE
    assert [entry["item"] for entry in scaled] == [entry["item"] for entry in free]
    kinds = {entry["item"]["type"] for entry in free}
    assert {"OpenLink", "StartJob", "JobFinished", "ReleaseResult"} <= kinds
