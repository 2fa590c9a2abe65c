"""Opens a board outside of the daemon, for commands that measure or examine it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from node.background import background
from node.board.base import Board
from node.board.factory import open_board
from node.board.meter_factory import open_meter
from node.config.installation import BoardChoice
from node.config.load import LoadedInstallation
from node.config.spacecraft import BoardFigures
from node.core.events import PowerReading, Source

_UNKNOWN = BoardFigures(0.0, 0.0)
"""Stands for figures that nobody has."""
_MODEL_OF_UNKNOWN = "scenario"
"""What the power that is modelled from them calls its model."""


@asynccontextmanager
async def opened_board(loaded: LoadedInstallation | BoardChoice, who: str) -> AsyncIterator[Board]:
    """Open the board of an installation, with the meter beside it, or a board without either.

    Args:
        loaded: the installation, or what stands for its ``[board]`` where there is none.
        who: what asks; a broker that the meter reports to knows it by that.

    Raises:
        BoardError: the board is not there; the text says what was found instead.
    """
    async with AsyncExitStack() as resources:
        if isinstance(loaded, BoardChoice):
            board = open_board(loaded, _UNKNOWN)
        else:
            choice, meter = loaded.installation.board, None
            if choice.meter is not None:
                node = f"{loaded.installation.node}-{who}"
                meter = open_meter(choice.meter, loaded.path.parent, node)
                await resources.enter_async_context(background(meter.run()))
            board = open_board(choice, loaded.scenario.board, meter)
        resources.callback(board.close)
        yield board


def is_unknown(power: PowerReading, loaded: LoadedInstallation | BoardChoice) -> bool:
    """Whether a power follows from figures that nobody has given."""
    return (
        isinstance(loaded, BoardChoice)
        and power.source is Source.MODELLED
        and power.model == _MODEL_OF_UNKNOWN
    )
