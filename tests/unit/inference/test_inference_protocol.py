from __future__ import annotations

import pytest

from node.errors import MessageError
from node.inference.protocol import (
    MAX_FRAME_BYTES,
    Done,
    Failed,
    FrameReader,
    Ready,
    Refused,
    Run,
    Terminate,
    frame,
    from_worker,
    to_switch,
    to_worker,
)

FROM_WORKER = [
    Ready("1.23.2", {"echo": "CPUExecutionProvider"}),
    Refused("provider", "no such provider"),
    Done(7, 100, "CPUExecutionProvider", 0.2, 0.1, 0.3),
    Failed(8, "wrong shape", "", 0.2, 0.0, 0.3),
]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_frames_survive_any_fragmentation(size: int) -> None:
    stream = b"".join(frame(message) for message in FROM_WORKER)
    reader = FrameReader(from_worker)
    found = [
        message
        for start in range(0, len(stream), size)
        for message in reader.feed(stream[start : start + size])
    ]
    assert found == FROM_WORKER


def test_each_direction_has_its_own_messages() -> None:
    run = frame(Run(1, "echo", 10, 2))
    assert list(FrameReader(to_worker).feed(run)) == [Run(1, "echo", 10, 2)]
    assert list(FrameReader(to_switch).feed(frame(Terminate(4)))) == [Terminate(4)]
    with pytest.raises(MessageError, match="malformed"):
        list(FrameReader(from_worker).feed(run))


def test_a_monstrous_frame_is_refused_before_it_is_awaited() -> None:
    with pytest.raises(MessageError, match="at most"):
        list(FrameReader(from_worker).feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big")))


def test_garbage_is_refused() -> None:
    with pytest.raises(MessageError, match="malformed"):
        list(FrameReader(from_worker).feed(b"\0\0\0\1\xc1"))
