"""What the daemon and its inference worker say to each other over their socket pairs.

A frame is a length (four bytes, big endian) and a MessagePack message. Tensors do not travel
here but in the two arenas of shared memory. There are two channels: ``control`` carries the work,
``stop`` carries ``Terminate`` alone, so that the worker can run on the thread that received the
work while another thread waits for the order to stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from node.errors import MessageError
from node.inference.model_folder import ModelFolder

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 1 << 20


class Load(Struct, frozen=True, tag=True):
    """First message to the worker: make these models ready on exactly these providers."""

    models: list[ModelFolder]
    providers: list[str]
    provider_options: dict[str, dict[str, str]]
    thread_count: int


class Run(Struct, frozen=True, tag=True):
    """Run one inference over the first ``input_bytes`` of the input arena."""

    run_id: int
    model: str
    input_bytes: int
    thread_count: int


class Terminate(Struct, frozen=True, tag=True):
    """Stop this run, or do not begin it."""

    run_id: int


class Ready(Struct, frozen=True, tag=True):
    """Every model is warm."""

    runtime_version: str
    providers: dict[str, str]
    """What each model really runs on."""


class Refused(Struct, frozen=True, tag=True):
    """The worker cannot do its work; it ends after this."""

    kind: Literal["model", "provider", "worker"]
    message: str


class Done(Struct, frozen=True, tag=True):
    """A run ended well; its result is the first ``result_bytes`` of the output arena."""

    run_id: int
    result_bytes: int
    provider: str
    duration_s: float
    inference_s: float
    cpu_s: float


class Failed(Struct, frozen=True, tag=True):
    """A run ended badly; the worker lives on."""

    run_id: int
    message: str
    provider: str
    duration_s: float
    inference_s: float
    cpu_s: float


ToWorker = Load | Run
FromWorker = Ready | Refused | Done | Failed
Message = TypeVar("Message")
_encoder = msgspec.msgpack.Encoder()
to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
to_switch = msgspec.msgpack.Decoder(Terminate)
"""Decoders of the three directions."""


def frame(message: Struct) -> bytes:
    """Encode one message with its length before it."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class FrameReader(Generic[Message]):
    """Cuts a stream of bytes into messages of one union."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Message]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield every message that is whole now.

        Raises:
            MessageError: the stream is not what the other end should send.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(buffer[:LENGTH_BYTES], "big")
            if end > LENGTH_BYTES + MAX_FRAME_BYTES:
                raise MessageError(
                    f"frame of {end - LENGTH_BYTES} bytes, at most {MAX_FRAME_BYTES}"
                )
            if len(buffer) < end:
                return
            body = bytes(buffer[LENGTH_BYTES:end])
            del buffer[:end]
            try:
                message = self._decoder.decode(body)
            except msgspec.MsgspecError as error:
                raise MessageError(f"malformed message: {error}") from error
            yield message
