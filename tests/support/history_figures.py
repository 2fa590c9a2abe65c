"""Flies a scenario and takes down what must not change unnoticed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from node.config.load import load_scenario
from node.simulation.mission import Mission

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "golden" / "reference" / "history.json"
NAMES = ("brownout", "demo")


def fly(name: str) -> dict[str, Any]:
    """Fly a scenario that ships; return its digest and a few figures of its end."""
    mission = Mission(load_scenario(ROOT / "scenarios" / f"{name}.toml"))
    result = asyncio.run(mission.fly())
    end = result.snapshots[-1]
    return {
        "history_sha256": result.history_digest,
        "figures": {
            "state_of_charge": end.power.state_of_charge,
            "solar_generated_j": end.power.solar_generated_j,
            "load_consumed_j": end.power.load_consumed_j,
            "board_c": end.temperatures_c["board"],
            "radiator_c": end.temperatures_c["radiator"],
            "structure_c": end.temperatures_c["structure"],
            "last_delivered_s": max(
                entry.delivered_s
                for entry in result.ledger.values()
                if entry.delivered_s is not None
            ),
        },
    }
