"""What the daemon and ``orbitnode-governor`` say to each other.

One JSON object a line, one answer to each request, in order, over an ``AF_UNIX`` stream. Requests
name a verb, numbers and nothing else: no path, no command, no text that the helper would act upon.
Pure: no I/O.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

import msgspec
from msgspec import Meta, Struct

from node.errors import MessageError

VERSION = 1
MAX_REQUEST_BYTES = 1024
"""Above this a line is no request; the longest one has about a hundred."""
MAX_ANSWER_BYTES = 1 << 20
"""The description of a server with a policy for each of a thousand cores fits."""

Version = Annotated[int, Meta(ge=VERSION, le=VERSION)]
Limit = Annotated[int, Meta(ge=1, le=1 << 53)]
Policy = Union[Annotated[int, Meta(ge=0, le=65_535)], Literal["all"]]  # noqa: UP007 - read by msgspec at run time, on 3.10 too
Kind = Literal["cpu", "gpu", "emc", "package_power"]
Code = Literal[
    "malformed",  # not a request of this version; the connection goes on
    "too_long",  # a line above MAX_REQUEST_BYTES; the connection is closed
    "too_many",  # as many clients as are served at a time; the connection is closed
    "forbidden",  # the peer's user is not allowed; the connection is closed
    "busy",  # another client holds the lease
    "no_lease",  # nothing is held by this client: never taken, expired, or released
    "unknown_knob",  # this board has no such knob
    "above_baseline",  # limits are only lowered
    "throttled",  # the kernel is cooling: its limit cannot be told from the one to be restored
    "journal",  # the baseline could not be put on disk, so nothing was written
    "write_failed",  # the kernel refused; the knob is as it was found
]


class _Request(Struct, frozen=True, forbid_unknown_fields=True, tag_field="verb"):
    """Any request."""


class Describe(_Request, frozen=True, tag="describe"):
    """Which knobs are there, and where they stand; needs no lease."""

    v: Version = VERSION


class CapCpu(_Request, frozen=True, tag="cap_cpu"):
    """Let the cores of one cpufreq policy, or of all, run no faster."""

    khz: Limit
    policy: Policy = "all"
    v: Version = VERSION


class CapGpu(_Request, frozen=True, tag="cap_gpu"):
    """Let the GPU run no faster."""

    hz: Limit
    v: Version = VERSION


class CapEmc(_Request, frozen=True, tag="cap_emc"):
    """Let the memory controller run no faster."""

    hz: Limit
    v: Version = VERSION


class CapPackagePower(_Request, frozen=True, tag="cap_package_power"):
    """Let each processor package draw no more."""

    microwatts: Limit
    v: Version = VERSION


class Release(_Request, frozen=True, tag="release"):
    """Restore one kind of knob, or all."""

    knob: Union[Kind, Literal["all"]] = "all"  # noqa: UP007 - read by msgspec at run time, on 3.10 too
    policy: Policy = "all"
    """Which cpufreq policy, where ``knob`` is ``cpu``."""
    v: Version = VERSION


class Heartbeat(_Request, frozen=True, tag="heartbeat"):
    """Keep the lease."""

    v: Version = VERSION


Request = Union[Describe, CapCpu, CapGpu, CapEmc, CapPackagePower, Release, Heartbeat]  # noqa: UP007 - read by msgspec at run time, on 3.10 too


class KnobState(Struct, frozen=True, forbid_unknown_fields=True):
    """One knob of this board."""

    knob: str
    """``cpu:0``, ``gpu``, ``emc``, ``package-0``."""
    kind: Kind
    unit: Literal["kHz", "Hz", "uW"]
    current: int
    """What the kernel says now."""
    baseline: int
    """What it was found at: the most that a cap may be, and what is restored."""
    floor: int
    """The least that is written."""
    steps: list[int]
    """What a cap snaps down to, ascending; empty where any number in the range will do."""
    capped: bool
    note: str = ""


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a cap on one knob."""

    knob: str
    asked: int
    written: int | None
    """None: left as it is, and ``note`` says why."""
    read_back: int | None
    note: str = ""


class Restoration(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one file that had been lowered."""

    file: str
    baseline: int
    found: int | None
    """What it held before it was to be restored; None: it is not there any more."""
    restored: bool
    note: str = ""


class _Answer(Struct, frozen=True, forbid_unknown_fields=True, tag_field="answer"):
    """Any answer."""


class Described(_Answer, frozen=True, tag="described"):
    """To ``describe``."""

    knobs: list[KnobState]
    left_out: list[str]
    """What looks like a knob and cannot be used, and why."""
    lease_s: float
    """A lease ends this long after its holder's last request."""
    holder: str = ""
    """Who holds the lease; empty: nobody."""
    v: Version = VERSION


class Capped(_Answer, frozen=True, tag="capped"):
    """To a cap of which at least one knob took notice."""

    outcomes: list[Outcome]
    v: Version = VERSION


class Released(_Answer, frozen=True, tag="released"):
    """To ``release``."""

    restorations: list[Restoration]
    v: Version = VERSION


class Alive(_Answer, frozen=True, tag="alive"):
    """To ``heartbeat``."""

    held: list[str]
    """The knobs that are capped."""
    v: Version = VERSION


class Refused(_Answer, frozen=True, tag="refused"):
    """To a request that was not granted."""

    code: Code
    text: str
    holder: str = ""
    """Who holds the lease, where that is the reason."""
    v: Version = VERSION


Answer = Union[Described, Capped, Released, Alive, Refused]  # noqa: UP007 - read by msgspec at run time, on 3.10 too

_encoder = msgspec.json.Encoder()
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """Write a message as one line."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request from one line.

    Raises:
        MessageError: it is none of this version.
    """
    try:
        return _requests.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from error


def decode_answer(line: bytes) -> Answer:
    """Read an answer from one line.

    Raises:
        MessageError: it is none of this version.
    """
    try:
        return _answers.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from error


class LineBuffer:
    """Cuts a stream into lines of bounded length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived and return the lines that are whole now, without their ends.

        Raises:
            MessageError: a line, whole or not, is longer than any request.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, (*lines, self._rest))) > MAX_REQUEST_BYTES:
            raise MessageError(f"a line above {MAX_REQUEST_BYTES} bytes")
        return lines
