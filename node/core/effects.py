"""What the core wants done. The shell carries these out, in order, and reports back by events."""

from __future__ import annotations

from msgspec import Struct

from node.icd import (
    Ack,
    EventReport,
    Hello,
    Housekeeping,
    InferenceReport,
    JobSpec,
    Manifest,
    Pull,
    Receipt,
    Span,
)


class Effect(Struct, frozen=True, tag=True):
    """Base of all effects."""


class Restore(Effect, frozen=True):
    """Read the store; answer with ``Restored``."""


class StoreManifest(Effect, frozen=True):
    """Put an offered job on disk; answer with ``ManifestStored``."""

    manifest: Manifest
    state: str
    reason: str


class StoreJobState(Effect, frozen=True):
    """Put a job's new state on disk, then send the acknowledgement if the link is up."""

    ack: Ack


class SendAck(Effect, frozen=True):
    """Tell the ground a job's state, which is on disk already, if the link is up."""

    ack: Ack


class StartJob(Effect, frozen=True):
    """Run one inference; answer with ``JobFinished`` or ``JobFailed``."""

    job: JobSpec
    input_id: str
    thread_count: int


class AbortJob(Effect, frozen=True):
    """Stop the running inference: terminate, then kill."""

    job_id: str
    reason: str


class StoreResult(Effect, frozen=True):
    """Put the finished job's result on disk; answer with ``ResultStored``."""

    job: JobSpec
    report: InferenceReport


class ReleaseResult(Effect, frozen=True):
    """The ground holds the result: mark it delivered; answer with ``ResultReleased``."""

    job_id: str
    object_id: str


class OpenLink(Effect, frozen=True):
    """A contact begins: connect, and keep trying until ``CloseLink``."""

    station: str
    los_s: float


class CloseLink(Effect, frozen=True):
    """The contact ends: say goodbye and disconnect."""


class SendHello(Effect, frozen=True):
    """First message of the session."""

    hello: Hello


class SendManifest(Effect, frozen=True):
    """Offer a result to the ground."""

    manifest: Manifest


class SendChunk(Effect, frozen=True):
    """Read these bytes from disk and send them."""

    object_id: str
    span: Span


class SendPull(Effect, frozen=True):
    """Ask the ground for pieces of an uplink object."""

    pull: Pull


class SendReceipt(Effect, frozen=True):
    """Tell the ground what we hold of an uplink object."""

    receipt: Receipt


class PowerOff(Effect, frozen=True):
    """A real power loss: SIGKILL the worker, drop the socket without goodbye, forget RAM."""


class PowerOn(Effect, frozen=True):
    """Power is back: start the worker, then ``Restore`` follows."""


class ApplyPowerMode(Effect, frozen=True):
    """The operating mode allows at most this much board power."""

    power_ceiling_w: float | None


class LimitActivity(Effect, frozen=True):
    """The power ceiling leaves the run that goes on this share of the worker's time."""

    ratio: float
    """Of every core; 1 lifts the limit."""


class LimitClock(Effect, frozen=True):
    """The board's firmware would allow this clock at the die temperature that is emulated."""

    ratio: float
    """Of the full clock; 1 lifts the limit."""


class KillWorker(Effect, frozen=True):
    """A fault of the scenario: the worker dies here and now."""


class Publish(Effect, frozen=True):
    """Send telemetry if the link is up; otherwise it is gone."""

    message: Housekeeping | EventReport
