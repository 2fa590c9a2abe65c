from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import icd
from node.errors import MessageError
from node.icd import (
    Ack,
    Chunk,
    EventReport,
    Held,
    Hello,
    Housekeeping,
    InferenceReport,
    JobSpec,
    LinkLedger,
    LinkWindow,
    Manifest,
    NodeState,
    Priority,
    Pull,
    Receipt,
)

OBJECT = "0123456789abcdef" * 4
REPORT = InferenceReport("m", OBJECT, "CPU", 1.5, 1.25, 9.0, "measured", 10.0, 11.5)
JOB = JobSpec("job-1", "m", Priority.URGENT, 900.0, 12.5)
MESSAGES: list[tuple[str, icd.Message]] = [
    (icd.TC_XFER, Manifest(OBJECT, 1000, JOB)),
    (icd.TC_XFER, Chunk(OBJECT, 512, 0xFFFF_FFFF, bytes(range(256)))),
    (icd.TC_XFER, Receipt(OBJECT, [(0, 10), (20, 30)], complete=False)),
    (icd.TC_XFER, Hello("ground-1", -5.0, [Held(OBJECT, [(0, 10)])])),
    (icd.TM_XFER, Manifest(OBJECT, 0, JOB, REPORT)),
    (icd.TM_XFER, Chunk(OBJECT, 0, 0, b"")),
    (icd.TM_XFER, Receipt(OBJECT, [], complete=True, jobs=["job-1"])),
    (icd.TM_XFER, Pull(OBJECT, [(0, 10)])),
    (icd.TM_XFER, Hello("node-1", 7.0, [])),
    (icd.TM_ACK, Ack("job-1", "deferred", 5.0, "energy", 90.0)),
    (icd.TM_HK, Housekeeping(1.0, "safe", 0.5, 1.0, 9.0, 8.0, {"board": 20.5}, {"queued": 1}, 3)),
    (icd.TM_EVENT, EventReport(1.0, "info", "mode", "boot to safe")),
    (icd.TM_STATE, NodeState("node-1", online=True, version="0.1")),
    (icd.LINK_WINDOW, LinkWindow(1.0, True, "svalbard", 0.0, 9.0, 1e6, 2e6, 900.0)),
    (icd.LINK_LEDGER, LinkLedger("svalbard", 0.0, 9.0, 10, 20, 5, 6)),
]
KINDS = {type(message) for _, message in MESSAGES}
SUFFIXES = sorted({suffix for suffix, _ in MESSAGES})


def name(value: Any) -> str:
    return type(value).__name__ if isinstance(value, msgspec.Struct) else str(value)


@pytest.mark.parametrize("name", ["", "a" * 65, "a/b", "a b", "a\n"])
def test_a_name_is_short_and_of_plain_characters(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"job_id": name, "model": "clouds"}, icd.JobSpec)


@pytest.mark.parametrize(("suffix", "message"), MESSAGES, ids=name)
def test_round_trip(suffix: str, message: icd.Message) -> None:
    payload = icd.encode(message)
    assert icd.decode(suffix, payload) == message
    # Chunks are MessagePack; people can read the rest.
    assert isinstance(message, Chunk) != (payload[:1] == b"{")


def test_every_message_is_carried_by_a_topic() -> None:
    assert set(get_args(icd.Message)) == KINDS
    assert set(icd._TYPES) == set(SUFFIXES)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_kind_that_a_topic_does_not_carry_is_refused(suffix: str) -> None:
    carried = {type(message) for own, message in MESSAGES if own == suffix}
    assert carried
    for _, message in MESSAGES:
        if type(message) not in carried:
            with pytest.raises(MessageError, match="must not arrive on"):
                icd.decode(suffix, icd.encode(message))


@pytest.mark.parametrize(("suffix", "message"), MESSAGES, ids=name)
@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(suffix: str, message: icd.Message, version: Any) -> None:
    raw = msgspec.to_builtins(message, builtin_types=(bytes,))
    raw["v"] = version
    packed = msgspec.msgpack.encode(raw) if isinstance(message, Chunk) else json.dumps(raw).encode()
    with pytest.raises(MessageError, match="malformed"):
        icd.decode(suffix, packed)


def test_a_message_of_any_size_is_not_read() -> None:
    largest = Chunk(OBJECT, 0, 0, bytes(icd.MAX_CHUNK_BYTES))
    assert icd.decode(icd.TC_XFER, icd.encode(largest)) == largest
    envelope = len(icd.encode(Chunk(OBJECT, 0, 0, bytes(100_000)))) - 100_000
    exact = icd.encode(Chunk(OBJECT, 0, 0, bytes(icd.MAX_MESSAGE_BYTES - envelope)))
    assert len(exact) == icd.MAX_MESSAGE_BYTES
    assert isinstance(icd.decode(icd.TC_XFER, exact), Chunk)
    with pytest.raises(MessageError, match="300001 bytes"):
        icd.decode(icd.TC_XFER, exact + b"\0")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xff",
        b'{"type": "manifest"}',
        b'{"type": "nothing", "v": 1}',
        b'{"type": 3}',
        b'{"type": "pull", "object_id": "\xff", "spans": []}',
        b'{"a":' * 5000,
    ],
)
def test_malformed(payload: bytes) -> None:
    with pytest.raises(MessageError, match="malformed"):
        icd.decode(icd.TM_XFER, payload)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("object_id", "0" * 63),
        ("object_id", "G" * 64),
        ("object_id", "../" * 21 + "x"),
        ("size_bytes", -1),
        ("size_bytes", (1 << 32) + 1),
        ("size_bytes", 1.5),
        ("size_bytes", 10**400),
        ("unheard", 1),
        ("job", {"job_id": "a/b", "model": "m"}),
        ("job", {"job_id": "a" * 65, "model": "m"}),
        ("job", {"job_id": "a", "model": "m", "priority": 5}),
        ("job", {"job_id": "a", "model": "m", "root": True}),
    ],
)
def test_values_out_of_their_range_are_refused(field: str, value: Any) -> None:
    raw = {**msgspec.to_builtins(MESSAGES[0][1]), field: value}
    with pytest.raises(MessageError, match="malformed"):
        icd.decode(icd.TC_XFER, json.dumps(raw).encode())


def test_a_pull_asks_for_a_bounded_number_of_pieces() -> None:
    spans = [(at, at + 1) for at in range(0, 130, 2)]
    assert icd.decode(icd.TM_XFER, icd.encode(Pull(OBJECT, spans[:64]))) == Pull(OBJECT, spans[:64])
    with pytest.raises(MessageError):
        icd.decode(icd.TM_XFER, icd.encode(Pull(OBJECT, spans)))


def test_topics() -> None:
    assert icd.topic("sat-1", icd.TC_XFER) == "orbitnode/v1/sat-1/tc/xfer"
    for suffix in SUFFIXES:
        assert icd.split_topic(icd.topic("sat-1", suffix)) == ("sat-1", suffix)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "orbitnode",
        "orbitnode/v2/sat-1/tc/xfer",
        "other/v1/sat-1/tc/xfer",
        "orbitnode/v1/sat-1/tc",
        "orbitnode/v1/sat-1/tc/xfer/more",
        "orbitnode/v1/sat-1/x" * 100,
    ],
)
def test_topics_of_others(topic: str) -> None:
    with pytest.raises(MessageError, match="not a topic of this system"):
        icd.split_topic(topic)


def test_a_suffix_that_carries_nothing() -> None:
    with pytest.raises(MessageError, match="no messages are expected"):
        icd.decode("tc/unheard", b"{}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)


def attempt(suffix: str, payload: bytes) -> None:
    try:
        message = icd.decode(suffix, payload)
    except MessageError:
        return
    assert type(message) in KINDS
    assert icd.decode(suffix, icd.encode(message)) == message


@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(suffix: str, payload: bytes) -> None:
    attempt(suffix, payload)
    attempt(suffix, b"{" + payload)


@given(st.sampled_from(MESSAGES), st.data())
def test_any_damage_is_refused_or_harmless(
    sample: tuple[str, icd.Message], data: st.DataObject
) -> None:
    suffix, message = sample
    payload = bytearray(icd.encode(message))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    attempt(suffix, bytes(payload))


@given(st.sampled_from(MESSAGES), st.data())
def test_any_value_in_any_field_is_refused_or_fits(
    sample: tuple[str, icd.Message], data: st.DataObject
) -> None:
    suffix, message = sample
    raw = msgspec.to_builtins(message, builtin_types=(bytes,))
    raw[data.draw(st.sampled_from(sorted(raw)))] = data.draw(json_values)
    if isinstance(message, Chunk):
        try:
            payload = msgspec.msgpack.encode(raw)
        except (OverflowError, UnicodeEncodeError):
            return
    else:
        payload = json.dumps(raw).encode()
    attempt(suffix, payload)
