from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacecraft import offer

from node.icd import MAX_CHUNK_BYTES, Span
from node.transfer.flow import Flow, Piece, chunk_bytes, window_chunks

RATE_BPS = 32_000.0
"""A chunk of 1000 bytes; two on their way while the round trip is not known."""


def pull() -> Flow:
    return Flow(20.0, announces=False)


def push() -> Flow:
    return Flow(20.0, announces=True)


def drain(flow: Flow, now: float = 0.0, rate_bps: float = RATE_BPS) -> list[Piece]:
    pieces = []
    while (piece := flow.next_piece(now, rate_bps)) is not None:
        pieces.append(piece)
    return pieces


def spans(pieces: list[Piece]) -> list[Span | None]:
    return [piece.span for piece in pieces]


@pytest.mark.parametrize(
    ("rate_bps", "size"),
    [(1.0, 512), (16_384, 512), (16_416, 513), (32_000, 1000), (1e9, MAX_CHUNK_BYTES)],
)
def test_a_chunk_is_a_quarter_of_a_second(rate_bps: float, size: int) -> None:
    assert chunk_bytes(rate_bps) == size


@pytest.mark.parametrize(
    ("round_trip_s", "chunks"), [(0.0, 2), (0.125, 3), (0.2, 4), (0.25, 4), (1.0, 10), (60.0, 16)]
)
def test_the_window_is_twice_the_bandwidth_delay_product(round_trip_s: float, chunks: int) -> None:
    assert window_chunks(RATE_BPS, round_trip_s, 1000) == chunks


def test_pieces_follow_each_other_within_the_window() -> None:
    flow, job = pull(), offer("a", 2500)
    flow.add(job)
    assert job.object_id in flow
    assert flow.open_bytes == 2500
    first, second = drain(flow)
    assert first == Piece(job.object_id, None, (0, 1000))
    assert second.span == (1000, 2000)
    flow.confirm(job.object_id, [(0, 1000)], 1.0)
    assert spans(drain(flow, 1.0)) == [(2000, 2500)]
    assert (flow.open_bytes, flow.confirmed_bytes) == (1500, 1000)
    assert flow.open_objects() == [(job.object_id, ((0, 1000),))]


def test_the_round_trip_widens_the_window() -> None:
    flow, job = pull(), offer("a", 100_000)
    flow.add(job)
    drain(flow)
    flow.confirm(job.object_id, [(0, 1000)], 0.5)
    # 0.5 s at 32 kbit/s is two chunks: a window of six, one still on its way.
    assert len(drain(flow, 0.5)) == 5
    # A later sample moves the mean by a quarter: 0.5 -> 0.75 s, a window of eight.
    flow.confirm(job.object_id, [(1000, 2000)], 1.5)
    assert len(drain(flow, 1.5)) == 3


def test_nothing_moves_at_no_rate() -> None:
    flow = pull()
    assert flow.next_piece(0.0, RATE_BPS) is None
    flow.add(offer("a"))
    assert flow.next_piece(0.0, 0.0) is None
    assert flow.next_deadline() is None


def test_classes_come_first_then_deadlines_then_sizes() -> None:
    flow = pull()
    for name, size_bytes, priority, deadline_s in [
        ("big", 900, 3, None),
        ("small", 800, 3, None),
        ("due", 700, 3, 50.0),
        ("sooner", 900, 3, 40.0),
        ("urgent", 999, 2, None),
        ("bulk", 1, 4, 1.0),
    ]:
        flow.add(offer(name, size_bytes, priority=priority, deadline_s=deadline_s))
    names = {
        offer(name).object_id: name for name in ["big", "small", "due", "sooner", "urgent", "bulk"]
    }
    order = []
    while (piece := flow.next_piece(0.0, RATE_BPS)) is not None:
        order.append(names[piece.object_id])
        assert flow.complete(piece.object_id, [names[piece.object_id]])
    assert order == ["urgent", "sooner", "due", "small", "big", "bulk"]


def test_a_higher_class_overtakes_between_two_pieces() -> None:
    flow = pull()
    flow.add(offer("bulk", 50_000, priority=4))
    assert flow.next_piece(0.0, RATE_BPS) is not None
    urgent = offer("urgent", priority=2)
    flow.add(urgent)
    piece = flow.next_piece(0.1, RATE_BPS)
    assert piece is not None
    assert piece.object_id == urgent.object_id


def test_shared_bytes_travel_in_the_class_of_the_most_urgent_job() -> None:
    flow = pull()
    flow.add(offer("other", priority=3))
    flow.add(offer("slow", content="x", priority=4))
    shared = offer("fast", content="x", priority=2)
    flow.add(shared)
    piece = flow.next_piece(0.0, RATE_BPS)
    assert piece is not None
    assert piece.object_id == shared.object_id


def test_a_lost_piece_is_sent_again() -> None:
    flow, job = pull(), offer("a", 2000)
    flow.add(job)
    assert len(drain(flow, 5.0)) == 2
    assert flow.next_deadline() == 25.0
    assert drain(flow, 24.99) == []
    assert spans(drain(flow, 25.0)) == [(0, 1000), (1000, 2000)]
    assert flow.next_deadline() == 45.0


@given(st.floats(0, 1e7), st.floats(0.1, 1e4))
def test_at_its_deadline_a_piece_is_always_given_up(sent_s: float, retry_s: float) -> None:
    flow = Flow(retry_s, announces=False)
    flow.add(offer("a", 10))
    assert flow.next_piece(sent_s, RATE_BPS) is not None
    deadline_s = flow.next_deadline()
    assert deadline_s is not None
    assert flow.next_piece(deadline_s, 0.0) is None
    # Also without a rate, or whoever waits for the deadline would wait no time at all for ever.
    assert flow.next_deadline() is None


def test_a_session_that_ends_takes_what_is_on_its_way_but_not_what_arrived() -> None:
    flow, job = pull(), offer("a", 5000)
    flow.add(job)
    drain(flow)
    flow.confirm(job.object_id, [(0, 1000)], 0.5)
    flow.session_ended()
    assert flow.next_deadline() is None
    piece = flow.next_piece(100.0, RATE_BPS)
    assert piece is not None
    assert piece.span == (1000, 2000)


def test_a_transfer_resumes_from_what_is_on_disk() -> None:
    flow, job = pull(), offer("a", 3000)
    flow.add(job, [(0, 1500), (2000, 9999)])
    assert flow.open_bytes == 500
    assert spans(drain(flow)) == [(1500, 2000)]
    assert flow.confirmed_bytes == 0


def test_a_receipt_never_shrinks_what_is_known() -> None:
    flow, job = push(), offer("a", 3000)
    flow.add(job)
    drain(flow)
    flow.confirm(job.object_id, [(0, 2000)], 1.0)
    flow.confirm(job.object_id, [(0, 1000)], 2.0)
    assert flow.open_objects() == [(job.object_id, ((0, 2000),))]
    assert flow.confirmed_bytes == 2000
    # Nor does one go beyond the object.
    flow.confirm(job.object_id, [(2000, 10**9)], 3.0)
    assert (flow.open_bytes, flow.confirmed_bytes) == (0, 3000)
    flow.confirm("f" * 64, [(0, 5)], 4.0)
    assert flow.confirmed_bytes == 3000


def test_a_hello_may_shrink_what_is_known() -> None:
    flow, job = push(), offer("a", 3000)
    flow.add(job)
    drain(flow)
    flow.confirm(job.object_id, [(0, 2000)], 1.0)
    flow.replace_held(job.object_id, [(0, 500), (2900, 10**9)])
    assert flow.open_bytes == 2400
    assert spans(drain(flow, 2.0))[0] == (500, 1500)
    flow.replace_held("f" * 64, [(0, 5)])
    assert len(flow.open_objects()) == 1


def test_an_announcement_goes_with_the_first_bytes() -> None:
    flow, job = push(), offer("a", 2000)
    flow.add(job)
    assert drain(flow) == [
        Piece(job.object_id, job, (0, 1000)),
        Piece(job.object_id, None, (1000, 2000)),
    ]
    flow.session_ended()
    piece = flow.next_piece(1.0, RATE_BPS)
    assert piece == Piece(job.object_id, job, (0, 1000))


def test_an_empty_object_is_announced_once_a_session() -> None:
    flow, job = push(), offer("a", 0)
    flow.add(job)
    assert drain(flow) == [Piece(job.object_id, job, None)]
    assert drain(flow, 1.0) == []
    flow.session_ended()
    assert drain(flow, 2.0) == [Piece(job.object_id, job, None)]
    assert flow.complete(job.object_id, [job.job.job_id]) == [job]
    assert job.object_id not in flow


def test_an_empty_input_asks_for_nothing() -> None:
    flow, job = pull(), offer("a", 0)
    flow.add(job)
    assert drain(flow) == []
    assert flow.open_bytes == 0


def test_the_final_receipt_closes_the_object() -> None:
    flow, job = push(), offer("a", 3000)
    flow.add(job)
    drain(flow)
    assert flow.complete(job.object_id, [job.job.job_id]) == [job]
    assert job.object_id not in flow
    assert flow.confirmed_bytes == 3000
    assert flow.complete(job.object_id, [job.job.job_id]) == []
    assert flow.next_deadline() is None
    # A receipt without a time is no sample of the round trip.
    assert flow._round_trip_s == 0.0


def test_jobs_with_the_same_bytes_are_all_announced_and_all_completed() -> None:
    flow = push()
    first, second = offer("one", content="x"), offer("two", content="x")
    flow.add(first)
    flow.add(second)
    flow.add(second)
    pieces = drain(flow)
    assert [piece.announce for piece in pieces] == [first, second]
    assert spans(pieces) == [(0, 1000), None]
    assert flow.complete(first.object_id, ["one", "two"]) == [first, second]
    assert flow.open_objects() == []


def test_a_job_whose_announcement_got_lost_is_announced_again() -> None:
    flow = push()
    first, second = offer("one", content="x"), offer("two", content="x")
    flow.add(first)
    flow.add(second)
    assert len(drain(flow)) == 2
    # The peer has noted the first job alone.
    assert flow.complete(first.object_id, ["one"]) == [first]
    assert drain(flow, 1.0) == [Piece(first.object_id, second, None)]
    assert flow.complete(first.object_id, ["two"]) == [second]
    assert first.object_id not in flow


def test_a_job_that_the_peer_has_not_heard_of_stays_open() -> None:
    flow = push()
    first, second = offer("one", content="x"), offer("two", content="x")
    flow.add(first)
    assert len(drain(flow)) == 1
    flow.add(second)
    assert flow.complete(first.object_id, ["one"]) == [first]
    assert flow.open_objects() == [(first.object_id, ((0, 1000),))]
    # The bytes are there already: the announcement alone is owed.
    assert drain(flow, 1.0) == [Piece(first.object_id, second, None)]
    assert flow.complete(first.object_id, ["two"]) == [second]
    assert flow.confirmed_bytes == 1000


def test_an_object_that_will_not_be_transferred() -> None:
    flow, job = pull(), offer("a")
    flow.add(job)
    flow.remove(job.object_id)
    flow.remove(job.object_id)
    assert job.object_id not in flow
    assert drain(flow) == []


@given(
    st.integers(0, 20_000),
    st.lists(
        st.tuples(
            st.sampled_from(["arrive", "lose", "break", "forget", "wait"]), st.floats(0.1, 30)
        ),
        max_size=60,
    ),
)
def test_any_loss_is_made_good(size_bytes: int, happenings: list[tuple[str, float]]) -> None:
    flow, job = push(), offer("a", size_bytes)
    flow.add(job)
    now = 0.0
    disk: set[int] = set()
    announced = False
    for what, wait_s in [*happenings, *[("break", 1.0)], *[("arrive", 1.0)] * 60]:
        pieces = drain(flow, now)
        assert len(pieces) <= 17
        now += wait_s
        if what == "break":
            flow.session_ended()
            announced = False
        elif what == "forget":
            kept = [(at, at + 700) for at in range(700, size_bytes, 1400)]
            whole = [span for span in kept if disk.issuperset(range(*span))]
            disk = {at for span in whole for at in range(*span)}
            flow.replace_held(job.object_id, whole)
        elif what == "arrive":
            for piece in pieces:
                announced = announced or piece.announce is not None
                start, stop = piece.span or (0, 0)
                disk |= set(range(start, stop))
                if piece.span is not None:
                    flow.confirm(job.object_id, [piece.span], now)
    assert announced
    assert disk == set(range(size_bytes))
    assert flow.open_bytes == 0
    assert flow.complete(job.object_id, [job.job.job_id]) == [job]
