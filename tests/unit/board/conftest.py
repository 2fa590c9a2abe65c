from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from node.board.sysfs import SysFs

BOARDS = Path(__file__).parents[2] / "boards"


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


@pytest.fixture
def board_tree(tmp_path: Path) -> Callable[[str], BoardTree]:
    def copy(name: str) -> BoardTree:
        root = tmp_path / name
        shutil.copytree(BOARDS / name, root)
        for folder in (root / "sys/class").iterdir():
            for entry in folder.iterdir():
                if entry.is_file() and (target := entry.read_text()).startswith("../"):
                    entry.unlink()
                    entry.symlink_to(target)
        return BoardTree(root)

    return copy
