"""Whatever comes over the socket, limits only go down, and all come back."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_limits import MemoryBoard, jetson_files, x86_files

from node.limits import protocol
from node.limits.session import Peer, Session

VERBS = ("describe", "cap_cpu", "cap_gpu", "cap_emc", "cap_package_power", "release", "heartbeat")
BOARD = {**jetson_files(), **x86_files()}
NUMBERS = st.one_of(
    st.integers(-(1 << 70), 1 << 70),
    st.sampled_from([400_000, 1_400_000, 1_400_001, 300_000_000, 665_600_000, 20_000_000]),
    st.integers(1, 2_000_000),
)
SCALARS = st.one_of(
    NUMBERS,
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["all", "cpu", "gpu", "../../etc/passwd", "/sys/devices"]),
)
OBJECTS = st.fixed_dictionaries(
    {"verb": st.one_of(st.sampled_from(VERBS), st.text(max_size=10))},
    optional={
        name: st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
        for name in ("v", "khz", "hz", "microwatts", "policy", "knob", "path")
    },
)
REQUESTS = st.one_of(
    st.builds(protocol.CapCpu, st.integers(1, 2_500_000), st.sampled_from(["all", 0, 4, 9])),
    st.builds(protocol.CapGpu, st.integers(1, 1_500_000_000)),
    st.builds(protocol.CapEmc, st.integers(1, 4_000_000_000)),
    st.builds(protocol.CapPackagePower, st.integers(1, 100_000_000)),
    st.builds(protocol.Release, st.sampled_from(["all", "cpu", "gpu", "emc", "package_power"])),
    st.just(protocol.Heartbeat()),
    st.just(protocol.Describe()),
)
LINES = st.one_of(
    st.binary(max_size=200),
    OBJECTS.map(lambda each: json.dumps(each).encode()),
    OBJECTS.map(lambda each: json.dumps(each).encode()[:-2]),
    REQUESTS.map(lambda each: protocol.encode(each)[:-1]),
)
STEPS = st.lists(st.tuples(st.integers(1, 2), LINES, st.floats(0.0, 6.0)), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_lines_at_any_times_only_lower_and_all_is_restored(
    steps: list[tuple[int, bytes, float]],
) -> None:
    board = MemoryBoard(BOARD)
    session = Session(board.limits)
    now_s = 0.0
    for connection, line, wait_s in steps:
        now_s += wait_s
        answer = session.answer(Peer(connection, 1, 1), line, now_s)
        assert protocol.decode_answer(protocol.encode(answer)) == answer
        for path, text in board.found.items():
            if text.isdigit():
                assert int(board.files.files[path]) <= int(text), path
            else:
                assert board.files.files[path] == text
        assert bool(board.limits.held) == (session.expires_s is not None)
        assert {entry.file for entry in board.journal.entries} == {
            path for path, text in board.found.items() if board.files.files[path] != text
        }
    session.stop()
    assert board.as_found
    assert board.journal.entries == []


@settings(max_examples=100, deadline=None)
@given(st.lists(REQUESTS, min_size=1, max_size=10))
def test_a_successor_restores_what_a_killed_helper_has_left(
    requests: list[protocol.Request],
) -> None:
    board = MemoryBoard(BOARD)
    session = Session(board.limits)
    for request in requests:
        session.answer(Peer(1, 1, 1), protocol.encode(request), 0.0)
    assert all(each.restored for each in board.restart().recover())
    assert board.as_found
    assert board.journal.entries == []


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 50))
def test_lines_are_the_same_however_the_stream_is_cut(lines: list[bytes], size: int) -> None:
    whole = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in whole)
    buffer = protocol.LineBuffer()
    got = [
        line
        for start in range(0, len(stream), size)
        for line in buffer.feed(stream[start : start + size])
    ]
    assert got == whole
