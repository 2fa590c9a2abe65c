"""This board: node name, clock, broker, board family, model folder, state folder.

Plumbing has defaults. Relative paths resolve against the folder of the file. Secrets are never
in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from node.config.providers import ProviderOptions
from node.config.section import Section, Watts
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


class _Meter(Section, frozen=True):
    """What every meter beside the board has."""

    scope: Literal["module", "board", "wall"]
    """What it covers: the module alone, the board with its carrier, or the supply at the wall."""
    key: Annotated[str, Meta(min_length=1, max_length=128)] = "power_w"
    """Where the watts stand: key of a JSON object (dots lead within), or column of a table."""
    max_age_s: Annotated[float, Meta(ge=0.5, le=5)] = 3.0
    """A record that is older is no data."""


class FileMeterChoice(_Meter, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """A power meter beside the board, whose program writes a file.

    A number of watts, a JSON object, or a line for each record. The meter then tells the board's
    power, and the board's own sensors their rails alone.
    """

    path: Annotated[str, Meta(min_length=1)]


class MqttMeterChoice(_Meter, frozen=True, kw_only=True, tag_field="kind", tag="mqtt"):
    """A power meter beside the board, which reports to a broker of the laboratory.

    Numbers of watts or JSON objects. The broker is not the node's radio.
    """

    host: str
    topic: Annotated[str, Meta(min_length=1, max_length=256)]
    port: Port = 1883
    username: str | None = None
    password_file: str | None = None


AnyMeter = FileMeterChoice | MqttMeterChoice


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
    profile: str | None = None
    """Board profile (TOML) of a simulated board: its powers, and the durations and powers of its
    models, stand in place of the scenario's. ``orbitnode bench`` writes one."""
    total_rails: Annotated[list[RailName], Meta(min_length=1, max_length=16)] | None = None
    """Measured supplies whose sum is the board's power, for a carrier whose rails are not known.
    None: what the family knows."""
    meter: AnyMeter | None = None
    """A power meter beside the board. It then tells the board's power, and the board's own sensors
    its rails alone. None: what the family knows."""
    gpus: Annotated[list[Annotated[int, Meta(ge=0, le=63)]], Meta(min_length=1)] | None = None
    """Which GPUs of family ``nvidia-gpu`` are the node's, as ``nvidia-smi`` counts. None: all."""
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
    stop_grace_s: Annotated[float, Meta(ge=0.01, le=10)] = 0.1
    """After a request to terminate, SIGKILL follows this much later. Give it more where an operator
    of a model takes longer: a worker that is killed has to load its models again."""
    max_model_bytes: Annotated[int, Meta(ge=1, le=1 << 34)] = 1 << 30


class Enforcement(Section, frozen=True):
    """How the worker is held back where a power ceiling or the emulated clock demand it."""

    means: Annotated[list[Literal["quota", "clock"]], Meta(max_length=2)] = field(
        default_factory=lambda: ["quota", "clock"]
    )
    """Beside pacing, which is always there. ``quota``: the worker's share of CPU time, by a control
    group or, where none can be had, by stopping it for milliseconds. ``clock``: caps by
    ``orbitnode-governor``. What lacks, and what would mend it, is in the log."""
    helper_socket: str = "/run/orbitnode-governor.sock"
    """Where ``orbitnode-governor`` listens."""
    die_limit_c: Annotated[float, Meta(ge=30, le=150)] | None = None
    """Nothing is raised while the processor's hottest place is within 5 K of it. None: the trips of
    the kernel's thermal zones alone."""
    board_sensor: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Temperature of the board beside the processor, by the name that its metric has. The emulated
    die is then as much hotter than the emulated board as the real one is. None: by
    ``board.throttle.die_offset_k_per_w`` of the scenario."""


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
    enforcement: Enforcement = field(default_factory=Enforcement)
    store: StoreLimits = StoreLimits()
    http: HttpServer = HttpServer()
