"""A mission in radiation: the same upsets on every Python version, every job in spite of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from history_figures import ROOT

from node.config.load import load_scenario
from node.config.spacecraft import Radiation
from node.simulation.mission import Mission, MissionResult

RADIATION = Radiation(
    memory_bits=1e9,
    memory_proton_cross_section_cm2_per_bit=1e-13,
    memory_cosmic_ray_upsets_per_bit_day=5e-6,
    corrected_ratio=0.8,
    device_proton_cross_section_cm2=1e-6,
    device_cosmic_ray_interrupts_per_day=2000.0,
    flux_ratio=1.0,
)


def fly(history: Path | None = None) -> MissionResult:
    scenario = load_scenario(ROOT / "scenarios" / "demo.toml")
    irradiated = msgspec.structs.replace(scenario, radiation=RADIATION)
    return asyncio.run(Mission(irradiated, history_path=history).fly())


def test_upsets_of_a_mission(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    flown = fly(history)
    assert fly().history_digest == flown.history_digest

    end = flown.snapshots[-1].radiation
    assert end is not None
    # Literal on purpose: seed, generator and rates give these on every version and machine.
    assert (end.corrected, end.uncorrected, end.interrupts) == (89, 34, 45)

    entries = [msgspec.json.decode(line)["item"] for line in history.read_bytes().splitlines()]
    told = [entry["message"] for entry in entries if entry["type"] == "Publish"]
    assert _counted(told, "memory-upset") == end.uncorrected
    assert _counted(told, "functional-interrupt") == end.interrupts
    kills = sum(entry["type"] == "KillWorker" for entry in entries)
    assert kills == sum(message.get("code") == "functional-interrupt" for message in told)
    assert all(entry.deliveries == 1 for entry in flown.ledger.values())


def _counted(told: list[dict[str, Any]], code: str) -> int:
    """Sum up reports, which begin with a number."""
    return sum(int(each["text"].split()[0]) for each in told if each.get("code") == code)
