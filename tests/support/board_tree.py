"""Copies of the captured boards in ``tests/boards`` that a test may write to."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from node.board.composed import ComposedBoard
from node.board.factory import open_tree
from node.board.mailbox import Mailbox
from node.board.sysfs import SysFs
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.core.events import Hardware, Readings
from node.errors import SensorError

BOARDS = Path(__file__).parents[1] / "boards"
NAMES = tuple(sorted(path.name for path in BOARDS.iterdir() if path.is_dir()))


class BoardTree:
    """A writable copy of a captured board."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.expected = json.loads((root / "expected.json").read_text())
        listed = json.loads((root / "faults.json").read_text())
        self.faults = {path: getattr(errno, name) for path, name in listed["faults"].items()}
        self.protected = [path for path, mode in listed["modes"].items() if mode == "0o400"]

    def open(self, *, unprivileged: bool = False, faults: dict[str, int] | None = None) -> SysFs:
        denied = dict.fromkeys(self.protected, errno.EACCES) if unprivileged else {}
        return SysFs(self.root, {**self.faults, **denied, **(faults or {})})

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)


def copy_board(name: str, folder: Path) -> BoardTree:
    """Copy one board into ``folder``, its links made links again."""
    root = folder / name
    shutil.copytree(BOARDS / name, root)
    waiting = {path: text for path in root.rglob("*") if (text := _target(path))}
    # The target of one link may lie behind another, so go on until no more come true.
    while found := [path for path, text in waiting.items() if (path.parent / text).exists()]:
        for path in found:
            path.unlink()
            path.symlink_to(waiting.pop(path))
    return BoardTree(root)


def _target(path: Path) -> str:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 200:
        return ""
    text = path.read_bytes()
    return "" if b"\n" in text or b"\0" in text else text.decode()


class CapturedMailbox:
    """Answers as the firmware of the captured board did."""

    def __init__(self, sysfs: SysFs) -> None:
        self.error: SensorError | None = None
        self.closed = False
        self._path = sysfs.root / "pmic_read_adc.txt"

    def ask(self, command: str) -> str:
        assert command == "pmic_read_adc"
        if self.error is not None:
            raise self.error
        return self._path.read_text()

    def close(self) -> None:
        self.closed = True


def open_tree_board(
    sysfs: SysFs,
    family: str = "auto",
    *,
    idle_w: float = 5.0,
    active_w: float = 25.0,
    total_rails: list[str] | None = None,
    mailbox: Callable[[SysFs], Mailbox] = CapturedMailbox,
) -> ComposedBoard:
    """Open a board whose intervals begin at 100 s."""
    choice = msgspec.convert({"family": family, "total_rails": total_rails}, BoardChoice)
    figures = BoardFigures(idle_w, active_w)
    return open_tree(sysfs, choice, figures, clock=lambda: 100.0, mailbox=mailbox)


def temperatures(readings: Readings) -> dict[str, float]:
    return {reading.sensor: reading.temperature_c for reading in readings.temperatures}


def hardware(readings: Readings) -> Hardware:
    assert readings.hardware is not None
    return readings.hardware


def rails_w(readings: Readings) -> dict[str, float]:
    rails = hardware(readings).rails
    return {each.rail: each.power_w for each in rails if each.power_w is not None}


def failing(board: ComposedBoard) -> set[str]:
    return {entry.name for entry in board.sensor_health() if not entry.ok}
