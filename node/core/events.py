"""What can happen to the node. The shell turns sockets, files and processes into these."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from node.icd import Hello, InferenceReport, Manifest, Receipt, Span


class Source(str, Enum):
    """Where a figure comes from. Travels with every reading into metrics and receipts."""

    MEASURED = "measured"
    MODELLED = "modelled"
    REPLAYED = "replayed"


class PowerReading(Struct, frozen=True, omit_defaults=True):
    """Power of the board over the interval that ended ``age_s`` ago, or less."""

    power_w: float
    energy_j: float
    """Cumulative joules since the reader started; differences give any interval's energy."""
    wall_s: float
    """Monotonic wall time at which ``energy_j`` was true."""
    age_s: float
    source: Source
    scope: str
    """What the figure covers, see ``docs/boards.md``: ``package``, ``rails``, ``module``,
    ``carrier``, ``board`` or ``wall``."""
    model: str = ""
    """Where it is modelled, which model."""
    error_ratio: float | None = None
    """Published error of that model; None where none is published."""


class TemperatureReading(Struct, frozen=True):
    """One temperature sensor."""

    sensor: str
    temperature_c: float
    age_s: float
    source: Source


class RailReading(Struct, frozen=True, omit_defaults=True):
    """One supply of the board, or one domain of its processor, as measured there."""

    rail: str
    power_w: float | None = None
    voltage_v: float | None = None


class ClockReading(Struct, frozen=True, omit_defaults=True):
    """One clock as the kernel reports it."""

    clock: str
    frequency_hz: float | None = None
    limit_hz: float | None = None
    """What it is capped to now."""


class FanReading(Struct, frozen=True, omit_defaults=True):
    """One fan."""

    fan: str
    speed_rpm: float | None = None
    duty_ratio: float | None = None


class ThrottleReading(Struct, frozen=True, omit_defaults=True):
    """One reason for which the board's own firmware slows it down."""

    reason: str
    active: bool | None = None
    since_boot: bool | None = None
    """It has been so at some time since the board was switched on."""
    events: int | None = None
    """Times since the board was opened."""


class Hardware(Struct, frozen=True, omit_defaults=True):
    """What the board's own chips say beside power and temperature."""

    rails: tuple[RailReading, ...] = ()
    clocks: tuple[ClockReading, ...] = ()
    gpu_utilisation_ratio: float | None = None
    fans: tuple[FanReading, ...] = ()
    throttles: tuple[ThrottleReading, ...] = ()
    power_mode: str | None = None
    die_c: float | None = None
    """The hottest place of the processor."""
    power_limit_w: float | None = None
    """What the board's own firmware holds its power to, all GPUs together."""


class Readings(Struct, frozen=True):
    """Everything that the board reported for one tick. An absent sensor is absent, not zero."""

    power: PowerReading | None = None
    temperatures: tuple[TemperatureReading, ...] = ()
    cpu_utilisation_ratio: float | None = None
    hardware: Hardware | None = None
    """None where the board shows nothing of the kind."""


class Event(Struct, frozen=True, tag=True):
    """Base of all events."""


class Tick(Event, frozen=True):
    """Time has come; advance the emulation to ``now``."""

    readings: Readings


class StoredJob(Struct, frozen=True):
    """A job as found on disk."""

    manifest: Manifest
    state: str
    result: Manifest | None
    """Once the job is ``stored``."""
    held: tuple[Span, ...]
    """What is on our disk of the job's input."""


class Restored(Event, frozen=True):
    """The store was read after boot: every job that has not ended, in order of arrival."""

    jobs: tuple[StoredJob, ...]


class ManifestReceived(Event, frozen=True):
    """The ground offers a job."""

    manifest: Manifest


class ManifestStored(Event, frozen=True):
    """The offered job is on disk (or was there already), with what is held of its input."""

    manifest: Manifest
    state: str
    held: tuple[Span, ...]
    known: bool
    """True where the job was on disk before: the stored state is repeated, nothing is redone."""
    reason: str = ""
    """Why it is in this state, as it stands on disk."""


class ChunkStored(Event, frozen=True):
    """Bytes of an uplink object are on disk."""

    object_id: str
    span: Span
    complete: bool
    """True where the object is whole and its hash is right."""


class ObjectRefused(Event, frozen=True):
    """The object came in whole but its hash is wrong, or the disk would not take it."""

    object_id: str
    reason: str


class JobStarted(Event, frozen=True):
    """The worker has the job; before, it may have had to start."""

    job_id: str


class JobFinished(Event, frozen=True):
    """An inference ended well."""

    job_id: str
    report: InferenceReport


class JobFailed(Event, frozen=True):
    """An inference ended badly: an error, an abort or a dead worker."""

    job_id: str
    reason: str
    aborted: bool
    """True where we stopped it: the job may run again."""
    stop_latency_s: float | None
    """Wall seconds from the decision to stop to the proof that it stopped."""
    energy_j: float
    worker_killed: bool


class ResultStored(Event, frozen=True):
    """A result is on disk: custody is ours until the ground's final receipt."""

    result: Manifest


class ResultReleased(Event, frozen=True):
    """The final receipt is on disk, so the result is delivered."""

    job_id: str


class LinkUp(Event, frozen=True):
    """The MQTT session stands."""


class LinkDown(Event, frozen=True):
    """The MQTT session is gone."""

    reason: str


class HelloReceived(Event, frozen=True):
    """The ground says what it holds."""

    hello: Hello


class ReceiptReceived(Event, frozen=True):
    """The ground says what it holds of one object."""

    receipt: Receipt


class Telecommand(Event, frozen=True):
    """An order from the ground, already verified."""

    name: str
    argument: str


class FaultInjected(Event, frozen=True):
    """A fault of the scenario strikes."""

    fault: str
    value: float
