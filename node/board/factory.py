"""Opens the board that the installation names. Nothing is guessed and nothing is fallen back to."""

from __future__ import annotations

from node.board.generic import GenericBoard
from node.board.simulated import SimulatedBoard
from node.config.installation import BoardChoice
from node.config.scenario import BoardFigures


def open_board(choice: BoardChoice, figures: BoardFigures) -> GenericBoard | SimulatedBoard:
    """Open the chosen board; where the installation has no power figures, the scenario's count.

    Raises:
        BoardError: the board is not there.
    """
    idle_w = figures.idle_w if choice.idle_w is None else choice.idle_w
    active_w = figures.active_w if choice.active_w is None else choice.active_w
    if choice.family == "simulated":
        return SimulatedBoard(idle_w, active_w)
    return GenericBoard(choice.root, idle_w, active_w)
