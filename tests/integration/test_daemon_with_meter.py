"""The daemon takes its board's power from the meter beside the board, and says so."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from link_rig import free_port
from rig import REPOSITORY, scenario

from node.config.effective import effective
from node.config.installation import (
    BoardChoice,
    FileMeterChoice,
    HttpServer,
    Inference,
    Installation,
)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "scenario.toml").write_text(effective(scenario("demo")))
    installation = Installation(
        schema=1,
        node="sat-1",
        scenario="scenario.toml",
        board=BoardChoice("generic", meter=FileMeterChoice(path="watts", scope="wall")),
        inference=Inference(executor="simulated"),
        http=HttpServer(port=free_port()),
    )
    (tmp_path / "node.toml").write_text(effective(installation))
    with subprocess.Popen(
        [sys.executable, "-m", "node", "run", "--config", str(tmp_path / "node.toml")],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield tmp_path
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def power(folder: Path) -> dict[str, Any] | None:
    """The power balance of the node's snapshot, once it serves one."""
    try:
        port = int((folder / "state/http.port").read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
            status = msgspec.json.decode(answer.read())
    except (OSError, ValueError):
        return None
    return dict(status["snapshot"]["power"])


def test_power_is_the_meter_s_while_it_speaks(daemon: Path) -> None:
    found: dict[str, Any] | None = None
    until_s = time.monotonic() + 60.0
    while time.monotonic() < until_s:
        # As a meter's program should: whole, at once.
        (daemon / "watts.new").write_text('{"power_w": 7.25}\n')
        (daemon / "watts.new").replace(daemon / "watts")
        found = power(daemon)
        if found is not None and found["board_scope"] == "wall":
            break
        time.sleep(0.2)
    assert found is not None
    assert (found["board_source"], found["board_scope"]) == ("measured", "wall")
    assert found["board_w"] == pytest.approx(7.25)
    while time.monotonic() < until_s:
        found = power(daemon)
        assert found is not None
        if not found["board_scope"]:
            break
        time.sleep(0.2)
    # Silent: no reading, and a model stands in for the emulation, labelled so.
    assert (found["board_source"], found["board_scope"]) == ("modelled", "")
