from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from board_tree import BoardTree, copy_board


@pytest.fixture
def board_tree(tmp_path: Path) -> Callable[[str], BoardTree]:
    return lambda name: copy_board(name, tmp_path)
