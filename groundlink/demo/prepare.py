"""Makes everything that a run needs before its first process starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from groundlink.demo import run_folder
from groundlink.demo.assets import MODEL, SCENE, Say, cache_folder, fetch
from groundlink.demo.model import take_own_model, write_demo_model
from groundlink.demo.processes import free_ports
from groundlink.demo.run_folder import Plumbing, RunFolder
from groundlink.demo.tiles import cut, read_fetched_scene, read_own_scene, save
from node.config.load import LoadedInstallation, load_installation, load_scenario
from node.config.scenario import Scenario
from node.errors import AssetError
from node.inference.model_folder import ModelFolder

NODE_NAME = "demo"
ONNX = "onnx"
_SIMULATED_INPUT = "input"
"""Name of the array in a tile that no network will read."""


@dataclass(frozen=True)
class DemoOptions:
    """What the user asked for."""

    scenario: Path
    rate: float = 60.0
    model: Path | None = None
    """The user's own model folder; None fetches the demo's."""
    scene: Path | None = None
    """The user's own scene; None fetches the demo's."""
    name: str | None = None
    """Name of the run folder; None makes one of the scenario and the time."""
    runs: Path = Path("runs")
    cache: Path = field(default_factory=cache_folder)
    executor: str = ONNX
    board: str = "generic"
    lead_s: float = 10.0
    """Wall seconds from the start of the daemons to mission time zero."""


@dataclass(frozen=True)
class Ports:
    """TCP ports of 127.0.0.1 that the run's servers take."""

    broker: int
    relay: int
    ground: int
    node: int


@dataclass(frozen=True)
class Prepared:
    """A run folder with all that a run needs."""

    options: DemoOptions
    folder: RunFolder
    loaded: LoadedInstallation
    model: ModelFolder | None
    """None where the executor is simulated."""
    tiles: dict[str, Path]
    """Input of each job, by job id."""
    ports: Ports

    @property
    def scenario(self) -> Scenario:
        """What flies."""
        return self.loaded.scenario

    @property
    def model_name(self) -> str:
        """The model that the jobs ask for: the first of the scenario."""
        return self.scenario.model[0].name


def prepare(options: DemoOptions, say: Say) -> Prepared:
    """Fetch what is missing and make the run folder; nothing is started.

    Raises:
        ConfigError: the scenario is wrong or the run folder cannot be made.
        AssetError: model or scene cannot be had or used.
    """
    scenario = load_scenario(options.scenario)
    real = options.executor == ONNX
    if real and find_spec("onnxruntime") is None:
        raise AssetError(
            "the demo needs ONNX Runtime: install orbitnode[cpu], or give --executor simulated"
        )
    # Fetched before the folder is made: a run that cannot start leaves nothing behind.
    onnx_path = fetch(MODEL, options.cache, say) if real and options.model is None else None
    if options.scene is None:
        scene = read_fetched_scene(fetch(SCENE, options.cache, say))
    else:
        scene = read_own_scene(options.scene)
    name = options.name or run_folder.default_name(scenario.mission.name)
    folder = run_folder.create(options.runs, name, options.scenario)
    model_name = scenario.model[0].name
    model = None
    if onnx_path is not None:
        model = write_demo_model(onnx_path, folder.models, model_name)
    elif real and options.model is not None:
        model = take_own_model(options.model, folder.models, model_name)
    input_name = _SIMULATED_INPUT if model is None else model.card.input.name
    ports = Ports(*free_ports(4))
    plumbing = Plumbing(
        node=NODE_NAME,
        rate=options.rate,
        board=options.board,
        executor=options.executor,
        relay_port=ports.relay,
        http_port=ports.node,
    )
    run_folder.write_installation(folder, plumbing)
    return Prepared(
        options=options,
        folder=folder,
        loaded=load_installation(folder.installation),
        model=model,
        tiles={tile.name: save(tile, folder.tiles, input_name) for tile in cut(scene)},
        ports=ports,
    )
