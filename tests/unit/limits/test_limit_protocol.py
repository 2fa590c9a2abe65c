from __future__ import annotations

import pytest

from node.errors import MessageError
from node.limits import protocol


@pytest.mark.parametrize(
    "request_",
    [
        protocol.Describe(),
        protocol.CapCpu(1_200_000),
        protocol.CapCpu(1_200_000, 4),
        protocol.CapGpu(600_000_000),
        protocol.CapEmc(2_133_000_000),
        protocol.CapPackagePower(15_000_000),
        protocol.Release(),
        protocol.Release("cpu", 0),
        protocol.Heartbeat(),
    ],
)
def test_a_request_comes_back_as_it_went(request_: protocol.Request) -> None:
    line = protocol.encode(request_)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode_request(line[:-1]) == request_


@pytest.mark.parametrize(
    "answer",
    [
        protocol.Described(
            [protocol.KnobState("cpu:0", "cpu", "kHz", 1, 2, 1, [1, 2], True)], ["gpu: why"], 10.0
        ),
        protocol.Capped([protocol.Outcome("cpu:0", 5, 4, 4, "note")]),
        protocol.Released([protocol.Restoration("sys/x", 5, None, False, "note")]),
        protocol.Alive(["cpu:0"]),
        protocol.Refused("busy", "text", "pid 1, uid 0"),
    ],
)
def test_an_answer_comes_back_as_it_went(answer: protocol.Answer) -> None:
    assert protocol.decode_answer(protocol.encode(answer)[:-1]) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"describe"',
        b'{"verb":"describe"',
        b'{"verb":"reboot"}',
        b'{"verb":"describe","path":"/etc/passwd"}',
        b'{"verb":"describe","v":0}',
        b'{"verb":"describe","v":2}',
        b'{"verb":"cap_cpu"}',
        b'{"verb":"cap_cpu","khz":0}',
        b'{"verb":"cap_cpu","khz":-1}',
        b'{"verb":"cap_cpu","khz":1.5}',
        b'{"verb":"cap_cpu","khz":1e6}',
        b'{"verb":"cap_cpu","khz":NaN}',
        b'{"verb":"cap_cpu","khz":Infinity}',
        b'{"verb":"cap_cpu","khz":1e999}',
        b'{"verb":"cap_cpu","khz":true}',
        b'{"verb":"cap_cpu","khz":null}',
        b'{"verb":"cap_cpu","khz":"1000000"}',
        b'{"verb":"cap_cpu","khz":"../../etc/passwd"}',
        b'{"verb":"cap_cpu","khz":[1000000]}',
        b'{"verb":"cap_cpu","khz":99999999999999999999999999}',
        b'{"verb":"cap_cpu","khz":1000000,"policy":-1}',
        b'{"verb":"cap_cpu","khz":1000000,"policy":65536}',
        b'{"verb":"cap_cpu","khz":1000000,"policy":"0"}',
        b'{"verb":"cap_cpu","khz":1000000,"policy":"../policy0"}',
        b'{"verb":"cap_gpu","khz":1}',
        b'{"verb":"release","knob":"sys/kernel"}',
        b'{"verb":"release","knob":["cpu"]}',
        b'{"verb":"\xff"}',
        b"\x00\x01\x02\xfe\xff",
        b"[" * 1000,
        b'{"verb":' * 100,
    ],
)
def test_whatever_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(MessageError):
        protocol.decode_request(line)


@pytest.mark.parametrize("line", [b"", b"{}", b'{"answer":"x"}', b'{"answer":"alive"}', b"\xff"])
def test_whatever_is_no_answer_is_refused(line: bytes) -> None:
    with pytest.raises(MessageError):
        protocol.decode_answer(line)


def test_lines_are_cut_wherever_the_stream_was() -> None:
    buffer = protocol.LineBuffer()
    assert buffer.feed(b"on") == []
    assert buffer.feed(b"e\ntwo\n\nthr") == [b"one", b"two", b""]
    assert buffer.feed(b"ee\n") == [b"three"]


def test_a_line_may_be_as_long_as_any_request_and_no_longer() -> None:
    most = b"x" * protocol.MAX_REQUEST_BYTES
    assert protocol.LineBuffer().feed(most + b"\n") == [most]
    with pytest.raises(MessageError):
        protocol.LineBuffer().feed(most + b"x\n")
    # Neither does one that never ends fill the memory.
    endless = protocol.LineBuffer()
    endless.feed(most)
    with pytest.raises(MessageError):
        endless.feed(b"x")
