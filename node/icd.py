"""The interface control document: every message between node, relay and ground, and its topic.

Messages for people are JSON (``mosquitto_sub`` shows them); chunks are MessagePack. Both carry
``v``, the version of this document; a message of another version is refused. All ``*_s`` times
are mission seconds unless the name says otherwise. Pure: no I/O.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, TypeVar, Union

import msgspec
from msgspec import Meta, Struct

from node.errors import MessageError

VERSION = 1
MAX_MESSAGE_BYTES = 300_000
"""Above this no message is decoded; the largest chunk (256 KiB) and its envelope fit."""
MAX_CHUNK_BYTES = 256 * 1024
MAX_OBJECT_BYTES = 1 << 32

# \Z, since $ also takes a line end after the name.
NAME_PATTERN = r"^[A-Za-z0-9_.-]{1,64}\Z"
NODE_NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}\Z"

Version = Annotated[int, Meta(ge=VERSION, le=VERSION)]
JobId = Annotated[str, Meta(pattern=NAME_PATTERN)]
NodeName = Annotated[str, Meta(pattern=NODE_NAME_PATTERN)]
ObjectId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256 of the object's bytes, in hexadecimal."""
ModelName = Annotated[str, Meta(pattern=NAME_PATTERN)]
Size = Annotated[int, Meta(ge=0, le=MAX_OBJECT_BYTES)]
Span = tuple[Size, Size]
"""A half-open range of bytes: start, stop."""
ShortText = Annotated[str, Meta(max_length=512)]


class Priority(IntEnum):
    """Strict classes of traffic; a lower number goes first, chunk by chunk."""

    COMMAND = 0
    HOUSEKEEPING = 1
    URGENT = 2
    NORMAL = 3
    BULK = 4


class JobSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What the submitter wants: one model run over one input object."""

    job_id: JobId
    model: ModelName
    priority: Priority = Priority.NORMAL
    deadline_s: float | None = None
    submitted_s: float = 0.0
    """When the ground took custody of the job."""


class InferenceReport(Struct, frozen=True, forbid_unknown_fields=True):
    """How one inference was done; travels with its result."""

    model: ModelName
    model_sha256: ObjectId
    provider: ShortText
    duration_s: float
    """Wall seconds of the run on the board, decode and encode included."""
    inference_s: float
    """Wall seconds inside ``session.run`` alone."""
    energy_j: float
    """Joules that the board drew during the run, above its idle draw."""
    energy_source: ShortText
    """``measured``, ``modelled`` or ``replayed``."""
    started_s: float
    finished_s: float


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, tag="manifest"):
    """Names an object before its bytes travel. Uplink: a job's input. Downlink: a job's result."""

    object_id: ObjectId
    size_bytes: Size
    job: JobSpec
    report: InferenceReport | None = None
    """Present on results only."""
    v: Version = VERSION


class Chunk(Struct, frozen=True, forbid_unknown_fields=True, tag="chunk"):
    """A piece of an object; writing the same piece twice is harmless."""

    object_id: ObjectId
    offset: Size
    crc32: int
    data: bytes
    v: Version = VERSION


class Receipt(Struct, frozen=True, forbid_unknown_fields=True, tag="receipt"):
    """What the receiver of an object holds on disk."""

    object_id: ObjectId
    held: list[Span]
    complete: bool
    """True once the whole object is on disk and its SHA-256 is right: the sender may let go."""
    jobs: list[JobId] = []
    """With ``complete`` on a result: the jobs whose result the receiver has down as these bytes."""
    v: Version = VERSION


class Pull(Struct, frozen=True, forbid_unknown_fields=True, tag="pull"):
    """The node asks the ground for pieces of an uplink object."""

    object_id: ObjectId
    spans: Annotated[list[Span], Meta(max_length=64)]
    v: Version = VERSION


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """An object that is partly there, and which part."""

    object_id: ObjectId
    held: list[Span]


class Hello(Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """First message of either end at AOS: who I am and what I hold of open objects."""

    boot_id: ShortText
    mission_s: float
    open: list[Held]
    v: Version = VERSION


class Ack(Struct, frozen=True, forbid_unknown_fields=True, tag="ack"):
    """The node reports a job's state, after that state is on disk."""

    job_id: JobId
    state: ShortText
    mission_s: float
    reason: ShortText = ""
    until_s: float | None = None
    v: Version = VERSION


class Housekeeping(Struct, frozen=True, forbid_unknown_fields=True, tag="housekeeping"):
    """The node's state of health, sent while the link is up."""

    mission_s: float
    mode: ShortText
    state_of_charge: float
    illumination: float
    solar_w: float
    load_w: float
    temperatures_c: dict[str, float]
    jobs: dict[str, int]
    sequence: int
    v: Version = VERSION


class EventReport(Struct, frozen=True, forbid_unknown_fields=True, tag="event"):
    """Something that happened on board and that operators want to know."""

    mission_s: float
    severity: ShortText
    code: ShortText
    text: ShortText
    v: Version = VERSION


class NodeState(Struct, frozen=True, forbid_unknown_fields=True, tag="state"):
    """Birth (``online``) and, as the will, death of the node's session. Retained."""

    boot_id: ShortText
    online: bool
    version: ShortText = ""
    v: Version = VERSION


class LinkWindow(Struct, frozen=True, forbid_unknown_fields=True, tag="window"):
    """The relay's word on the link, retained, at each change."""

    mission_s: float
    up: bool
    station: ShortText
    aos_s: float
    los_s: float
    uplink_bps: float
    downlink_bps: float
    range_km: float
    v: Version = VERSION


class LinkLedger(Struct, frozen=True, forbid_unknown_fields=True, tag="ledger"):
    """What one pass could carry and what it carried; bytes of TCP payload."""

    station: ShortText
    aos_s: float
    los_s: float
    uplink_capacity_bytes: int
    downlink_capacity_bytes: int
    uplink_bytes: int
    downlink_bytes: int
    v: Version = VERSION


Message = Union[  # noqa: UP007 - msgspec reads the union at run time, on 3.10 too
    Manifest,
    Chunk,
    Receipt,
    Pull,
    Hello,
    Ack,
    Housekeeping,
    EventReport,
    NodeState,
    LinkWindow,
    LinkLedger,
]

# Topic suffixes below orbitnode/v1/<node>/. ``tc`` goes up, ``tm`` comes down, ``link`` is the
# relay's. The tag inside the message says which kind it is; the topic says who may write it.
TC_XFER = "tc/xfer"
TM_XFER = "tm/xfer"
TM_ACK = "tm/ack"
TM_HK = "tm/hk"
TM_EVENT = "tm/event"
TM_STATE = "tm/state"
LINK_WINDOW = "link/window"
LINK_LEDGER = "link/ledger"

_TYPES: dict[str, tuple[type[Struct], ...]] = {
    TC_XFER: (Manifest, Chunk, Receipt, Hello),
    TM_XFER: (Manifest, Chunk, Receipt, Pull, Hello),
    TM_ACK: (Ack,),
    TM_HK: (Housekeeping,),
    TM_EVENT: (EventReport,),
    TM_STATE: (NodeState,),
    LINK_WINDOW: (LinkWindow,),
    LINK_LEDGER: (LinkLedger,),
}
_json_encoder = msgspec.json.Encoder()
_msgpack_encoder = msgspec.msgpack.Encoder()
_json_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Message)
_msgpack_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Message)

AnyMessage = TypeVar("AnyMessage", bound=Struct)


def topic(node_name: str, suffix: str) -> str:
    """Full MQTT topic of ``suffix`` for one node; ``+`` as the name matches every node."""
    return f"orbitnode/v1/{node_name}/{suffix}"


def split_topic(full_topic: str) -> tuple[str, str]:
    """Split a full topic into node name and suffix.

    Raises:
        MessageError: the topic is not one of ours.
    """
    match full_topic.split("/", 3):
        case ["orbitnode", "v1", node_name, suffix] if suffix in _TYPES:
            return node_name, suffix
    raise MessageError(f"not a topic of this system: {full_topic[:128]!r}")


def encode(message: Struct) -> bytes:
    """Encode a message: MessagePack for chunks, JSON for all others."""
    if isinstance(message, Chunk):
        return _msgpack_encoder.encode(message)
    return _json_encoder.encode(message)


def decode(suffix: str, payload: bytes) -> Message:
    """Decode and validate what arrived on a topic.

    Raises:
        MessageError: unknown topic, oversize, malformed, other version, or a kind that this
            topic must not carry.
    """
    allowed = _TYPES.get(suffix)
    if allowed is None:
        raise MessageError(f"no messages are expected on {suffix[:128]!r}")
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(f"message of {len(payload)} bytes; at most {MAX_MESSAGE_BYTES} are read")
    decoder = _json_decoder if payload[:1] == b"{" else _msgpack_decoder
    try:
        message: Message = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"malformed message on {suffix}: {error}") from error
    if type(message) not in allowed:
        raise MessageError(f"a {type(message).__name__} must not arrive on {suffix}")
    return message
