"""Readers of the reference set beside this file; each file's origin stands in its README."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from node.physics.orbit import Orbit
from node.physics.passes import Station

REFERENCE = Path(__file__).parent / "reference"


def load_json(name: str) -> Any:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


def load_csv(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def utc_s(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


ELEMENTS = {entry["name"]: entry for entry in load_json("orbits.json")}


@cache
def orbit(name: str) -> Orbit:
    return Orbit.from_tle(ELEMENTS[name]["line1"], ELEMENTS[name]["line2"])


def station(name: str, min_elevation_deg: float) -> Station:
    place = load_json("stations.json")[name]
    return Station(
        name, place["lat_deg"], place["lon_deg"], place["alt_m"] / 1000.0, min_elevation_deg
    )
