from spacecraft import offer, result_of

from node.icd import Held, Hello, Pull, Receipt
from node.transfer.responder import MAX_SPAN_BYTES, Responder

A, B = offer("a", 1000), offer("b", 600_000)
RESULT = result_of(A)


def hello(*object_ids: str) -> Hello:
    return Hello("node-1", 5.0, [Held(object_id, []) for object_id in object_ids])


def test_offers_wait_for_the_hello() -> None:
    responder = Responder("ground-1")
    assert responder.offer(A) == []
    assert not responder.online
    answers = responder.handle_hello(hello(), 7.0)
    assert answers == [Hello("ground-1", 7.0, []), A]
    assert responder.online
    assert responder.offer(B) == [B]
    responder.handle_lost()
    assert not responder.online
    assert responder.offer(offer("c")) == []
    assert responder.handle_hello(hello(), 9.0)[1:] == [A, B, offer("c")]


def test_the_hello_says_what_is_held_of_what_the_node_has_open() -> None:
    responder = Responder("ground-1")
    other = result_of(B)
    responder.restore_incoming(RESULT, [(0, 500)])
    responder.restore_incoming(other, [(0, 7)])
    [answer] = responder.handle_hello(hello(RESULT.object_id, "f" * 64), 7.0)
    assert answer == Hello("ground-1", 7.0, [Held(RESULT.object_id, [(0, 500)])])


def test_a_job_that_ended_is_announced_no_more() -> None:
    responder = Responder("ground-1")
    responder.offer(A)
    responder.job_ended("a")
    responder.job_ended("never heard of")
    assert responder.handle_hello(hello(), 1.0)[1:] == []
    assert responder.handle_pull(Pull(A.object_id, [(0, 10)])) == []


def test_shared_bytes_are_served_until_the_last_job_has_ended() -> None:
    responder = Responder("ground-1")
    first, second = offer("one", content="x"), offer("two", content="x")
    responder.offer(first)
    responder.offer(second)
    pull = Pull(first.object_id, [(0, 10)])
    responder.job_ended("one")
    assert responder.handle_pull(pull) == [(first.object_id, (0, 10))]
    responder.job_ended("two")
    assert responder.handle_pull(pull) == []


def test_pulls_are_cut_to_the_object_and_to_messages() -> None:
    responder = Responder("ground-1")
    responder.offer(A)
    responder.offer(B)
    assert responder.handle_pull(Pull(A.object_id, [(10, 20), (900, 5000), (1000, 2000)])) == [
        (A.object_id, (10, 20)),
        (A.object_id, (900, 1000)),
    ]
    assert responder.handle_pull(Pull(B.object_id, [(0, 600_000)])) == [
        (B.object_id, (0, MAX_SPAN_BYTES)),
        (B.object_id, (MAX_SPAN_BYTES, 2 * MAX_SPAN_BYTES)),
        (B.object_id, (2 * MAX_SPAN_BYTES, 600_000)),
    ]
    assert responder.handle_pull(Pull("f" * 64, [(0, 1)])) == []


def test_receipts_of_a_result() -> None:
    responder = Responder("ground-1")
    assert responder.incoming(RESULT.object_id) is None
    assert responder.handle_manifest(RESULT) == Receipt(RESULT.object_id, [], complete=False)
    assert responder.incoming(RESULT.object_id) == RESULT
    held = [(0, 100), (200, 300)]
    part = responder.chunk_stored(RESULT.object_id, held, complete=False)
    assert part == Receipt(RESULT.object_id, held, complete=False)
    # Offered again in the next session: what is held is said, not forgotten.
    assert responder.handle_manifest(RESULT).held == held
    # A disk that lost something is believed.
    responder.chunk_stored(RESULT.object_id, [(0, 50)], complete=False)
    assert responder.handle_manifest(RESULT).held == [(0, 50)]
    whole = responder.chunk_stored(RESULT.object_id, [(0, 2000)], complete=True)
    assert whole == Receipt(RESULT.object_id, [(0, 2000)], complete=True)
    assert responder.incoming(RESULT.object_id) is None


def test_bytes_of_an_object_that_nobody_announced_leave_no_trace() -> None:
    responder = Responder("ground-1")
    receipt = responder.chunk_stored("f" * 64, [(0, 5)], complete=False)
    assert receipt == Receipt("f" * 64, [(0, 5)], complete=False)
    assert responder.incoming("f" * 64) is None
