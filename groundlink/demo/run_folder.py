"""The folder of one run: where each file lies, and the installation that makes it so.

``docs/run-folder.md`` describes it for people.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from node.errors import ConfigError, Problem


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    root: Path

    @property
    def installation(self) -> Path:
        """The node's installation file."""
        return self.root / "node.toml"

    @property
    def scenario(self) -> Path:
        """The scenario, as it was flown."""
        return self.root / "scenario.toml"

    @property
    def anchor(self) -> Path:
        """The clock that all processes share."""
        return self.root / "clock.json"

    @property
    def models(self) -> Path:
        """Models that the node may run."""
        return self.root / "models"

    @property
    def tiles(self) -> Path:
        """Inputs of the jobs, ``<job>.npz``."""
        return self.root / "tiles"

    @property
    def results(self) -> Path:
        """Delivered results, ``<job>.npz``."""
        return self.root / "results"

    @property
    def ground_state(self) -> Path:
        """State of the ground daemon."""
        return self.root / "ground"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.root / "logs"


@dataclass(frozen=True)
class Plumbing:
    """What differs between two runs of one scenario."""

    node: str
    rate: float
    board: str
    executor: str
    relay_port: int
    http_port: int


def create(runs: Path, name: str, scenario: Path) -> RunFolder:
    """Make the folder of a new run, with the scenario in it.

    Raises:
        ConfigError: a run of this name is there already, or the folder cannot be made.
    """
    folder = RunFolder(runs / name)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder.root.mkdir()
        for path in (folder.models, folder.tiles, folder.results, folder.logs):
            path.mkdir()
        shutil.copyfile(scenario, folder.scenario)
    except FileExistsError as error:
        problem = Problem(str(folder.root), None, "", "is there already; give another --name")
        raise ConfigError([problem]) from error
    except OSError as error:
        problem = Problem(str(folder.root), None, "", f"cannot be made: {error.strerror}")
        raise ConfigError([problem]) from error
    return folder


def write_installation(folder: RunFolder, plumbing: Plumbing) -> None:
    """Write the node's installation file; its paths are relative to the run folder."""
    mode = "realtime" if plumbing.rate == 1 else "scaled"
    quoted = json.dumps  # TOML's basic strings are JSON's
    text = f"""\
schema = 1
node = {quoted(plumbing.node)}
scenario = "{folder.scenario.name}"

[board]
family = {quoted(plumbing.board)}

[clock]
mode = "{mode}"
rate = {float(plumbing.rate)}
anchor = "{folder.anchor.name}"

[broker]
host = "127.0.0.1"
port = {plumbing.relay_port}

[inference]
executor = {quoted(plumbing.executor)}
models = "{folder.models.name}"

[store]
path = "node"

[http]
host = "127.0.0.1"
port = {plumbing.http_port}
"""
    folder.installation.write_text(text, encoding="utf-8")


def default_name(scenario: str) -> str:
    """Name a run by its scenario and the wall clock, to the second, in UTC."""
    return f"{scenario}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
