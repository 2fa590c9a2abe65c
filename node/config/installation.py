"""This board: node name, clock, broker, board family, model folder, state folder.

Plumbing has defaults. Relative paths resolve against the folder of the file. Secrets are never
in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from node.config.providers import ProviderOptions
from node.config.scenario import Section, Watts
from node.icd import NodeName

Port = Annotated[int, Meta(ge=1, le=65535)]
RailName = Annotated[str, Meta(min_length=1, max_length=64)]
PortOrAny = Annotated[int, Meta(ge=0, le=65535)]


class Clock(Section, frozen=True):
    """How mission time runs."""

    mode: Literal["realtime", "scaled", "freerun"] = "realtime"
    rate: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """Mission seconds a real second; 1 unless ``mode`` is ``scaled``."""
    anchor: str | None = None
    """File that the processes of one host share: the monotonic instant of mission time zero.

    None: ``clock.json`` in the state folder.
    """
    restart: Literal["resume", "reset"] = "resume"


class BoardChoice(Section, frozen=True):
    """Which board this is. Found by what its files say, never guessed, never fallen back from."""

    family: Literal["auto", "generic", "jetson", "raspberry-pi", "nvidia-gpu", "simulated"]
    """``auto`` takes the family that the device tree or the release files name, and ``generic``
    where none does; the log says what was found, and in which file. ``docs/boards.md`` has what is
    measured on each."""
    idle_w: Watts | None = None
    """Power at rest. None: the scenario's ``board.idle_w``."""
    active_w: Watts | None = None
    """Power with all cores busy, for a modelled figure. None: the scenario's ``board.active_w``."""
    total_rails: Annotated[list[RailName], Meta(min_length=1, max_length=16)] | None = None
    """Measured supplies whose sum is the board's power, for a carrier whose rails are not known.
    None: what the family knows."""
    root: str = "/"
    """Where ``sys``, ``proc`` and ``etc`` are looked for; a captured tree in tests."""


class Broker(Section, frozen=True):
    """How the radio reaches its broker: the relay's address."""

    host: str = "127.0.0.1"
    port: Port = 1884
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 20
    username: str | None = None
    password_file: str | None = None


class Inference(Section, frozen=True):
    """The worker."""

    executor: Literal["onnx", "simulated"] = "onnx"
    models: str = "models"
    """Folder whose subfolders are models (``model.onnx`` and ``model.toml``)."""
    providers: Annotated[list[str], Meta(min_length=1, max_length=8)] = field(
        default_factory=lambda: ["CPUExecutionProvider"]
    )
    """Execution providers of ONNX Runtime, exactly these and in this order. One that is missing
    stops the start, and so does a model of which nothing runs on the first."""
    provider_options: ProviderOptions = ProviderOptions()
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Threads of one inference in NOMINAL; 0 is every core that this process may use."""
    stop_grace_s: Annotated[float, Meta(ge=0.01, le=10)] = 0.25
    """After a request to terminate, SIGKILL follows this much later."""
    max_model_bytes: Annotated[int, Meta(ge=1, le=1 << 34)] = 1 << 30


class StoreLimits(Section, frozen=True):
    """The state folder."""

    path: str = "state"
    max_bytes: Annotated[int, Meta(ge=1 << 20, le=1 << 44)] = 8 << 30
    max_object_bytes: Annotated[int, Meta(ge=1, le=1 << 32)] = 256 << 20
    max_jobs: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000


class HttpServer(Section, frozen=True):
    """Metrics and status."""

    host: str = "127.0.0.1"
    port: PortOrAny = 9464
    """0 takes any free port and writes it to ``http.port`` in the state folder."""


class Installation(Section, frozen=True):
    """One installation file."""

    schema: Annotated[int, Meta(ge=1, le=1)]
    node: NodeName
    scenario: str
    """Path of the scenario file."""
    board: BoardChoice
    clock: Clock = Clock()
    broker: Broker = Broker()
    inference: Inference = field(default_factory=Inference)
    store: StoreLimits = StoreLimits()
    http: HttpServer = HttpServer()
