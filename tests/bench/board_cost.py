"""What one reading of a board costs, on the trees of ``tests/boards`` as plain files."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from pathlib import Path

from board_tree import NAMES, copy_board, open_tree_board
from figures import Figure

from node.board.composed import ComposedBoard
from node.board.sysfs import SysFs

GOAL_READ_CPU_MS = 2.0
_READS = 200
_ROUNDS = 5


def read_ms(board: ComposedBoard, wall_s: float) -> float:
    """CPU milliseconds of one reading, the mean over a round.

    Readings come once a second and the search for changed devices every ten: both are in.
    """
    begun_s = time.process_time()
    for number in range(_READS):
        board.read(wall_s + number)
    return (time.process_time() - begun_s) / _READS * 1e3


def measure(_scenario: Path, *, quick: bool) -> tuple[list[Figure], dict[str, object]]:
    """Measure every board tree; the figure is the dearest one's."""
    found: dict[str, dict[str, float]] = {}
    logging.getLogger("node.board").setLevel(logging.ERROR)
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            tree = copy_board(name, Path(folder))
            begun_s = time.process_time()
            board = open_tree_board(SysFs(tree.root))
            open_ms = (time.process_time() - begun_s) * 1e3
            rounds = [
                read_ms(board, 101.0 + number * _READS) for number in range(2 if quick else _ROUNDS)
            ]
            board.close()
        found[name] = {
            "open_ms": open_ms,
            "read_ms": min(rounds),
            "read_median_ms": statistics.median(rounds),
        }
    dearest = max(found, key=lambda name: found[name]["read_ms"])
    figure = Figure(
        "board, CPU of one reading",
        found[dearest]["read_ms"],
        "ms",
        GOAL_READ_CPU_MS,
        "lower",
        f"on {dearest}, the dearest of {len(found)}; opening takes "
        f"{found[dearest]['open_ms']:.1f} ms",
    )
    return [figure], dict(found)
