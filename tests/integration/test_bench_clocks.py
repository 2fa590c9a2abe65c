"""Clock caps of ``orbitnode bench``: a real helper over a captured board."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import model_factory
import pytest
from board_tree import copy_board
from governor_process import Governor

ROOT = Path(__file__).parents[2]


@pytest.fixture
def governor(tmp_path: Path) -> Iterator[Governor]:
    made = Governor(copy_board("raspberry-pi-4", tmp_path), tmp_path)
    yield made
    made.close()


def bench(model: Path, governor: Governor, clocks: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "node", "bench", model, "--threads", "1", "--clock", clocks),
            *("--duration", "0.6", "--idle", "0.6", "--warm-up", "0.1", "--json"),
            *("--idle-w", "4", "--active-w", "12", "--governor", governor.socket_path),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


def test_a_clock_cap_is_held_and_put_back(tmp_path: Path, governor: Governor) -> None:
    governor.start()
    done = bench(model_factory.tiny_cnn(tmp_path), governor, "1,0.6")
    assert done.returncode == 0, done.stderr
    full, capped = (point["cap"]["clock_ratio"] for point in json.loads(done.stdout)["points"])
    assert full == 1.0
    # 0.6 of 1800 MHz, snapped down to a step of the board.
    assert capped == pytest.approx(1000 / 1800)
    governor.wait_for(lambda: governor.as_found)
