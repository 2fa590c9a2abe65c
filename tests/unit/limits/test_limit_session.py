from __future__ import annotations

import pytest
from memory_limits import MemoryBoard, jetson_files

from node.limits import protocol
from node.limits.session import LEASE_S, Peer, Session

ONE, TWO = Peer(1, 100, 1000), Peer(2, 200, 1000)
CAP = protocol.encode(protocol.CapCpu(400_000))
BEAT = protocol.encode(protocol.Heartbeat())


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard(jetson_files())


@pytest.fixture
def session(board: MemoryBoard) -> Session:
    return Session(board.limits)


def refusal(answer: protocol.Answer) -> str:
    assert isinstance(answer, protocol.Refused), answer
    return answer.code


def test_each_verb_is_answered_in_its_kind(session: Session, board: MemoryBoard) -> None:
    for request, kind in (
        (protocol.Describe(), protocol.Described),
        (protocol.CapCpu(400_000, 0), protocol.Capped),
        (protocol.CapCpu(400_000), protocol.Capped),
        (protocol.CapGpu(300_000_000), protocol.Capped),
        (protocol.CapEmc(665_600_000), protocol.Capped),
        (protocol.Heartbeat(), protocol.Alive),
        (protocol.Release("cpu", 0), protocol.Released),
        (protocol.Release("gpu"), protocol.Released),
        (protocol.Release(), protocol.Released),
    ):
        assert isinstance(session.answer(ONE, protocol.encode(request), 0.0), kind), request
    assert board.as_found
    assert refusal(session.answer(ONE, protocol.encode(protocol.CapPackagePower(1)), 0.0)) == (
        "unknown_knob"
    )


def test_a_second_client_is_refused_with_the_holder_named(
    session: Session, board: MemoryBoard
) -> None:
    session.answer(ONE, CAP, 0.0)
    for request in (protocol.CapGpu(300_000_000), protocol.Release(), protocol.Heartbeat()):
        answer = session.answer(TWO, protocol.encode(request), 1.0)
        assert refusal(answer) == "busy"
        assert isinstance(answer, protocol.Refused)
        assert answer.holder == "pid 100, uid 1000"
    described = session.answer(TWO, protocol.encode(protocol.Describe()), 1.0)
    assert isinstance(described, protocol.Described)
    assert described.holder == "pid 100, uid 1000"
    session.gone(TWO)
    assert board.limits.held == ["cpu:0", "cpu:4"]
    session.gone(ONE)
    assert board.as_found
    assert isinstance(session.answer(TWO, CAP, 2.0), protocol.Capped)


def test_a_silent_holder_loses_the_lease_after_ten_seconds(
    session: Session, board: MemoryBoard
) -> None:
    assert LEASE_S == 10.0
    session.answer(ONE, CAP, 0.0)
    session.answer(ONE, BEAT, 5.0)
    assert session.expires_s == 15.0
    session.expire(14.999)
    assert board.limits.held == ["cpu:0", "cpu:4"]
    session.expire(15.0)
    assert board.as_found
    assert session.expires_s is None
    assert refusal(session.answer(ONE, BEAT, 15.1)) == "no_lease"


def test_a_heartbeat_that_comes_too_late_is_told_so(session: Session, board: MemoryBoard) -> None:
    session.answer(ONE, CAP, 0.0)
    assert refusal(session.answer(ONE, BEAT, 10.0)) == "no_lease"
    assert board.as_found


def test_only_the_holder_keeps_the_lease_and_only_by_what_can_be_read(session: Session) -> None:
    session.answer(ONE, CAP, 0.0)
    session.answer(TWO, BEAT, 5.0)
    session.answer(TWO, protocol.encode(protocol.Describe()), 5.0)
    assert refusal(session.answer(ONE, b"\xff\x00garbage", 6.0)) == "malformed"
    assert session.expires_s == 10.0
    session.answer(ONE, protocol.encode(protocol.Describe()), 7.0)
    assert session.expires_s == 17.0


def test_a_lease_is_taken_by_the_first_cap_and_ends_with_the_last(session: Session) -> None:
    assert refusal(session.answer(ONE, BEAT, 0.0)) == "no_lease"
    assert refusal(session.answer(ONE, protocol.encode(protocol.CapGpu(1 << 53)), 0.0)) == (
        "above_baseline"
    )
    assert session.expires_s is None
    session.answer(ONE, CAP, 0.0)
    session.answer(ONE, protocol.encode(protocol.Release("cpu", 4)), 0.0)
    assert session.expires_s == LEASE_S
    session.answer(ONE, protocol.encode(protocol.CapCpu(1_400_000, 0)), 0.0)
    assert session.expires_s is None
    assert isinstance(session.answer(TWO, CAP, 0.0), protocol.Capped)


def test_a_release_by_one_who_holds_nothing_restores_nothing(session: Session) -> None:
    answer = session.answer(ONE, protocol.encode(protocol.Release()), 0.0)
    assert answer == protocol.Released([])


def test_stopping_restores(session: Session, board: MemoryBoard) -> None:
    session.answer(ONE, CAP, 0.0)
    session.stop()
    assert board.as_found
    assert session.expires_s is None
