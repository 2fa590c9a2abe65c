"""Copies of the captured boards in ``tests/boards`` that a test may write to."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

from node.board.sysfs import SysFs

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
