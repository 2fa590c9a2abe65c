"""Where the captured boards begin to slow themselves down."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_tree import copy_board

from node.enforcement.trips import passive_trips_c


@pytest.mark.parametrize(
    ("name", "sensor", "trip_c"),
    [
        ("jetson-orin-nano", "cpu-thermal", 99.0),
        ("jetson-agx-orin", "cpu-thermal", 99.0),
        ("raspberry-pi-4", "cpu-thermal", 80.0),
        ("raspberry-pi-5", "cpu-thermal", 80.0),
    ],
)
def test_captured_boards(tmp_path: Path, name: str, sensor: str, trip_c: float) -> None:
    sysfs = copy_board(name, tmp_path).open()
    try:
        assert passive_trips_c(sysfs)[sensor] == trip_c
    finally:
        sysfs.close()
