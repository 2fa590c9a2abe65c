"""The simulated board and the choice of a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.board.base import Board
from node.board.factory import open_board
from node.board.simulated import SimulatedBoard
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.core.events import Source
from node.errors import BoardError


def test_energy_is_exact_between_calls() -> None:
    board = SimulatedBoard(4.0, 10.0)
    first = board.read(0.0)
    board.set_busy(True, 10.0)
    board.set_busy(False, 12.5)
    readings = board.read(20.0)
    assert first.power is not None
    assert readings.power is not None
    assert first.power.power_w == 4.0
    assert readings.power.energy_j == pytest.approx(4.0 * 20 + 6.0 * 2.5, rel=1e-15)
    assert readings.power.power_w == pytest.approx((4.0 * 20 + 6.0 * 2.5) / 20)
    assert readings.cpu_utilisation_ratio == pytest.approx(2.5 / 20)
    assert (readings.power.source, readings.power.scope) == (Source.MODELLED, "board")
    assert readings.temperatures == ()
    assert board.sensor_health() == ()
    board.close()


def test_work_before_the_first_read_counts() -> None:
    board = SimulatedBoard(4.0, 10.0)
    board.set_busy(1, 5.0)
    readings = board.read(7.0)
    assert readings.power is not None
    assert readings.power.energy_j == pytest.approx(20.0)
    assert readings.power.power_w == pytest.approx(10.0)


def test_time_never_runs_backwards() -> None:
    board = SimulatedBoard(4.0, 10.0, wall_s=0.0)
    board.set_busy(0.5, 2.0)
    board.set_busy(0.0, 1.0)
    readings = board.read(2.0)
    assert readings.power is not None
    assert readings.power.energy_j == pytest.approx(8.0)
    again = board.read(2.0).power
    assert again is not None
    assert again.power_w == 4.0


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_share_outside_its_bounds_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SimulatedBoard(4.0, 10.0).set_busy(share, 0.0)


def test_factory_opens_what_is_named_with_the_right_figures(tmp_path: Path) -> None:
    figures = BoardFigures(idle_w=3.0, active_w=9.0)
    simulated: Board = open_board(BoardChoice(family="simulated"), figures)
    assert (simulated.family, simulated.idle_power_w) == ("simulated", 3.0)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu  1 0 0 1 0 0 0 0 0 0\n")
    generic = open_board(BoardChoice(family="generic", idle_w=0.0, root=str(tmp_path)), figures)
    assert generic.family == "generic"
    assert generic.idle_power_w == 0.0
    generic.close()


def test_factory_never_falls_back(tmp_path: Path) -> None:
    with pytest.raises(BoardError):
        open_board(BoardChoice(family="generic", root=str(tmp_path)), BoardFigures(3.0, 9.0))
