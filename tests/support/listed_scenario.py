"""The demo scenario with another orbit, station or neighbour, for tests of what lists times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from node.config.load import load_scenario
from node.config.scenario import GroundStation, KeplerianOrbit, Neighbour, Scenario
from node.ephemeris.rows import Ephemeris

DEMO = Path(__file__).parents[2] / "scenarios" / "demo.toml"
ISS_LINES = (
    "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995",
    "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123",
)
STATIONS = ("svalbard", "kiruna", "maspalomas")


def demo(**changes: Any) -> Scenario:
    """Load the demo and put some of its tables in place of others."""
    return msgspec.structs.replace(load_scenario(DEMO), **changes)


def with_neighbours() -> Scenario:
    """Load the demo with one neighbour that is seen now and then and one that never is."""
    crossing = KeplerianOrbit(700.0, 0.001, 60.0, 10.0, 0.0, 0.0)
    return demo(
        neighbour=[
            Neighbour("crossing", crossing, 80.0, 5000.0),
            Neighbour("far", crossing, 80.0, 1.0),
        ]
    )


def geostationary(station: GroundStation) -> Scenario:
    """Load the demo at rest over the equator."""
    orbit = KeplerianOrbit(35_786.0, 0.0001, 0.05, 0.0, 0.0, 0.0)
    return demo(orbit=orbit, ground_station=[station])


def station(name: str, latitude_deg: float, longitude_deg: float) -> GroundStation:
    """Make a station at sea level with a mask of 5 degrees."""
    return GroundStation(name, latitude_deg, longitude_deg, 0.0, 5.0, 0.0)


def write_stale(folder: Path) -> Path:
    """Write the demo with the Space Station's elements, 20 days older than its mission."""
    before, rest = DEMO.read_text().split("[orbit]\n")
    orbit = f'source = "tle"\nline1 = "{ISS_LINES[0]}"\nline2 = "{ISS_LINES[1]}"\n'
    after = rest[rest.index("\n#") :]
    path = folder / "stale.toml"
    path.write_text(
        f"{before}[orbit]\n{orbit}{after}".replace("2025-03-20T11:30:00Z", "2024-05-26T20:00:00Z")
    )
    return path


def ephemeris(scenario: Scenario, *names: str) -> Ephemeris:
    """Make the ephemeris with the stations named, or with all of them."""
    chosen = names or [each.name for each in scenario.ground_station]
    return Ephemeris(scenario, chosen)
