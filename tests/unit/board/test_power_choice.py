"""What tells a board's power: a meter beside it, its own sensors, the right one of the models."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from board_tree import BoardTree

from node.board.composed import ComposedBoard
from node.board.external_meter import ExternalMeter
from node.board.factory import open_board, open_tree
from node.board.meter_text import MeterFigures
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.core.events import Source

SCENARIO = BoardFigures(idle_w=3.0, active_w=9.0)
Trees = Callable[[str], BoardTree]


def opened(
    tree: BoardTree,
    idle_w: float | None = None,
    active_w: float | None = None,
    external: ExternalMeter | None = None,
) -> ComposedBoard:
    choice = BoardChoice(family="auto", idle_w=idle_w, active_w=active_w)
    sysfs = tree.open(unprivileged=external is None)
    return open_tree(sysfs, choice, SCENARIO, external=external, clock=lambda: 100.0)


@pytest.mark.parametrize(
    ("name", "idle_w", "active_w", "model", "points", "error_ratio"),
    [
        ("raspberry-pi-4", None, None, "powerjoular-rbp4b1.2-64", (2.2857, 6.8201), 0.25),
        ("raspberry-pi-4", 2.8, 6.4, "installation", (2.8, 6.4), None),
        ("raspberry-pi-4", 2.8, None, "installation+scenario", (2.8, 9.0), None),
        ("raspberry-pi-4", None, 6.4, "installation+scenario", (3.0, 6.4), None),
        ("generic-x86", None, None, "scenario", (3.0, 9.0), None),
        ("generic-x86", 4.0, 20.0, "installation", (4.0, 20.0), None),
    ],
)
def test_the_installation_wins_over_the_published_fit_and_that_over_the_scenario(
    board_tree: Trees,
    name: str,
    idle_w: float | None,
    active_w: float | None,
    model: str,
    points: tuple[float, float],
    error_ratio: float | None,
) -> None:
    tree = board_tree(name)
    tree.write("proc/stat", "cpu  0 0 0 1000 0 0 0 0 0 0\n")
    board = opened(tree, idle_w, active_w)
    assert board.idle_power_w == points[0]
    for busy, idle, expected_w in ((0, 1100, points[0]), (100, 1100, points[1])):
        tree.write("proc/stat", f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n")
        power = board.read(101.0 + busy).power
        assert power is not None
        assert power.power_w == pytest.approx(expected_w)
        assert (power.source, power.scope, power.model) == (Source.MODELLED, "board", model)
        assert power.error_ratio == error_ratio
    board.close()


def test_a_meter_beside_the_board_tells_its_power_and_the_rails_stay(board_tree: Trees) -> None:
    meter = ExternalMeter("wall", 3.0)
    board = opened(board_tree("generic-x86"), external=meter)
    assert board.read(101.0).power is None
    meter.take(MeterFigures(21.5), 101.5, 101.5)
    readings = board.read(102.0)
    power = readings.power
    assert power is not None
    assert (power.power_w, power.scope, power.source) == (21.5, "wall", Source.MEASURED)
    assert (power.wall_s, power.age_s, power.model) == (101.5, 0.5, "")
    assert readings.hardware is not None
    assert "package-0" in {rail.rail for rail in readings.hardware.rails}
    health = {each.name: each.ok for each in board.sensor_health()}
    assert health["external_power"]
    assert "rapl_power" not in health
    meter.refuse("garbage")
    assert board.read(103.0).power is None
    assert not {each.name: each.ok for each in board.sensor_health()}["external_power"]
    board.close()


def test_a_silent_meter_is_not_replaced_by_a_model(board_tree: Trees) -> None:
    board = opened(board_tree("raspberry-pi-4"), external=ExternalMeter("board", 3.0))
    assert board.read(101.0).power is None
    # Nothing is modelled, so the rest is what the configuration says.
    assert board.idle_power_w == SCENARIO.idle_w
    board.close()


def test_a_simulated_board_has_two_points() -> None:
    board = open_board(BoardChoice(family="simulated", active_w=8.0), SCENARIO)
    board.set_busy(1.0, 0.0)
    power = board.read(1.0).power
    assert board.idle_power_w == 3.0
    assert power is not None
    assert power.power_w == 8.0
