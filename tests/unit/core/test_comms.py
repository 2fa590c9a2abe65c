from __future__ import annotations

from spacecraft import SVALBARD, offer, only, result_of

from node.core import effects
from node.core.comms import Comms
from node.core.contacts import Contact
from node.core.effects import Effect
from node.icd import Held, Hello, Pull, Receipt

CONTACT = Contact(SVALBARD, 100.0, 400.0, 700.0, 60.0, 115.0)
NEXT = Contact(SVALBARD, 700.0, 800.0, 900.0, 20.0, 715.0)
RATE_BPS = 32_000.0
RESULT = result_of(offer("a"), 2500)


def comms(rate: float = 1.0) -> Comms:
    made = Comms("test-1", rate)
    made.follow_plan(CONTACT, allowed=True)
    return made


def pump(
    node: Comms, now: float, up_bps: float = RATE_BPS, down_bps: float = RATE_BPS
) -> list[Effect]:
    return list(node.pump(now, up_bps, down_bps))


def hello(*held: Held, boot_id: str = "ground-1") -> Hello:
    return Hello(boot_id, 0.0, list(held))


def test_the_radio_follows_the_plan() -> None:
    node = Comms("test-1", 1.0)
    assert node.follow_plan(None, allowed=True) == []
    assert node.follow_plan(CONTACT, allowed=False) == []
    assert node.follow_plan(CONTACT, allowed=True) == [effects.OpenLink("svalbard", 700.0)]
    assert node.contact is CONTACT
    assert node.follow_plan(CONTACT, allowed=True) == []
    assert node.follow_plan(NEXT, allowed=True) == [
        effects.CloseLink(),
        effects.OpenLink("svalbard", 900.0),
    ]
    assert node.follow_plan(NEXT, allowed=False) == [effects.CloseLink()]
    assert node.contact is None


def test_a_session_begins_with_hellos() -> None:
    node = comms()
    node.uplink.add(offer("b"), [(0, 100)])
    node.downlink.add(RESULT)
    [said] = only(effects.SendHello, node.link_came_up(120.0))
    assert said.hello == Hello(
        "test-1",
        120.0,
        [Held(offer("b").object_id, [(0, 100)]), Held(RESULT.object_id, [])],
    )
    assert node.link_up
    assert node.sessions == 1
    assert not node.session_open
    assert pump(node, 120.0) == []
    assert node.hello_received(hello(), 121.0) == []
    assert node.session_open
    assert pump(node, 121.0) != []


def test_a_hello_without_answer_is_said_again() -> None:
    node = comms(rate=10.0)
    node.link_came_up(120.0)
    assert node.next_deadline() == 170.0
    assert pump(node, 169.9) == []
    assert len(only(effects.SendHello, pump(node, 170.0))) == 1
    assert node.next_deadline() == 220.0
    node.hello_received(hello(), 180.0)
    assert node.next_deadline() is None


def test_a_ground_that_restarts_hears_our_hello_again() -> None:
    node = comms()
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    assert node.hello_received(hello(), 122.0) == []
    assert len(only(effects.SendHello, node.hello_received(hello(boot_id="ground-2"), 123.0))) == 1
    assert node.hello_received(hello(boot_id="ground-2"), 124.0) == []


def test_news_of_before_a_power_loss_begins_nothing() -> None:
    node = Comms("test-2", 1.0)
    assert node.link_came_up(5.0) == []
    assert node.hello_received(hello(), 5.0) == []
    assert (node.link_up, node.sessions, node.session_open) == (False, 0, False)
    assert pump(node, 6.0) == []
    assert node.next_deadline() is None


def test_a_result_is_pushed_from_where_the_ground_is() -> None:
    node = comms()
    node.downlink.add(RESULT)
    node.link_came_up(120.0)
    node.hello_received(hello(Held(RESULT.object_id, [(0, 1000)])), 121.0)
    assert pump(node, 121.0) == [
        effects.SendManifest(RESULT),
        effects.SendChunk(RESULT.object_id, (1000, 2000)),
        effects.SendChunk(RESULT.object_id, (2000, 2500)),
    ]
    receipt = Receipt(RESULT.object_id, [(0, 2000)], complete=False)
    assert node.receipt_received(receipt, 122.0) == []
    assert node.downlink.open_bytes == 500
    whole = Receipt(RESULT.object_id, [], complete=True, jobs=["a"])
    assert node.receipt_received(whole, 123.0) == [RESULT]
    assert node.receipt_received(whole, 124.0) == []


def test_a_ground_that_lost_its_disk_gets_everything_again() -> None:
    node = comms()
    node.downlink.add(RESULT)
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    pump(node, 121.0)
    node.receipt_received(Receipt(RESULT.object_id, [(0, 2000)], complete=False), 122.0)
    node.hello_received(hello(boot_id="ground-2"), 123.0)
    assert node.downlink.open_bytes == 2500
    assert pump(node, 123.0)[:2] == [
        effects.SendManifest(RESULT),
        effects.SendChunk(RESULT.object_id, (0, 1000)),
    ]


def test_an_empty_result_is_announced_alone() -> None:
    node, empty = comms(), result_of(offer("a"), 0)
    node.downlink.add(empty)
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    assert pump(node, 121.0) == [effects.SendManifest(empty)]


def test_an_input_is_pulled() -> None:
    node, job = comms(), offer("b", 1500)
    node.uplink.add(job)
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    assert pump(node, 121.0) == [
        effects.SendPull(Pull(job.object_id, [(0, 1000)])),
        effects.SendPull(Pull(job.object_id, [(1000, 1500)])),
    ]
    assert node.next_deadline() == 141.0
    assert pump(node, 140.9) == []
    assert len(only(effects.SendPull, pump(node, 141.0))) == 2


def test_an_input_that_is_held_whole_asks_for_nothing() -> None:
    node = comms()
    node.uplink.add(offer("b", 10), [(0, 10)])
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    assert pump(node, 121.0) == []


def test_nothing_moves_at_no_rate_and_no_deadline_is_left_behind() -> None:
    node = comms()
    node.uplink.add(offer("b"))
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    assert pump(node, 121.0, 0.0) == []
    pump(node, 122.0)
    assert node.next_deadline() == 142.0
    assert pump(node, 142.0, 0.0) == []
    assert node.next_deadline() is None


def test_a_session_that_ends_stops_everything() -> None:
    node = comms()
    node.downlink.add(RESULT)
    node.link_came_up(120.0)
    node.hello_received(hello(), 121.0)
    pump(node, 121.0)
    node.link_went_down()
    assert node.next_deadline() is None
    assert pump(node, 130.0) == []
    assert not node.session_open
    node.link_came_up(140.0)
    assert node.sessions == 2
    assert pump(node, 140.0) == []
