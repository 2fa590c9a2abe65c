import math

import pytest

from groundlink.channel import Carried, Channel, Direction, Release, Timing
from groundlink.impairments import Config
from groundlink.impairments.latency import LatencyConfig
from groundlink.impairments.loss import LossConfig
from groundlink.impairments.outage import OutageConfig
from groundlink.profile import Profile

LOS_S = 110.0


def direction(rate_bps: float = 8000.0, delay_s: float = 0.25, *impairments: Config) -> Direction:
    """Open from 10 s to 110 s; 1000 bytes a second unless said otherwise."""
    return Direction(
        Profile.constant(rate_bps, 10.0, LOS_S),
        Profile.constant(delay_s, 10.0, LOS_S),
        LOS_S,
        Timing(buffer_s=0.5, slice_s=0.125),
        impairments,
    )


def test_bytes_arrive_after_serialising_and_delay() -> None:
    assert direction().offer(b"x" * 100, 20.0) == [Release(20.35, b"x" * 100)]


def test_a_chunk_is_released_in_slices() -> None:
    releases = direction().offer(b"a" * 125 + b"b" * 125 + b"c" * 50, 20.0)
    assert releases == [
        Release(20.375, b"a" * 125),
        Release(20.5, b"b" * 125),
        Release(20.55, b"c" * 50),
    ]


def test_offers_share_one_serialiser() -> None:
    link = direction()
    link.offer(b"x" * 125, 20.0)
    assert link.offer(b"y" * 125, 20.0)[0].release_s == 20.5


def test_a_mark_follows_the_bytes_before_it() -> None:
    link = direction()
    link.offer(b"x" * 125, 20.0)
    assert link.mark_s(20.0) == 20.375
    assert link.mark_s(30.0) == 30.25


def test_capacity_is_the_integral_of_the_rate() -> None:
    assert direction().capacity_bytes() == 100_000
    assert direction(8000.0, 0.25, OutageConfig(((20.0, 30.0),))).capacity_bytes() == 90_000


def test_an_empty_buffer_has_room_for_its_time() -> None:
    assert direction().ready_s(20.0) == 20.0
    assert direction().room_bytes(20.0) == 500


def test_room_comes_back_when_half_of_the_buffer_is_empty() -> None:
    link = direction()
    link.offer(b"x" * 500, 20.0)
    assert link.room_bytes(20.0) == 0
    assert link.ready_s(20.0) == 20.25
    assert link.room_bytes(20.25) == 250
    assert link.ready_s(20.375) == 20.375
    assert link.room_bytes(20.375) == 375


def test_room_is_at_least_a_byte_on_the_slowest_link() -> None:
    link = direction(4.0)
    assert link.room_bytes(20.0) == 1
    link.offer(b"x", 20.0)
    assert link.ready_s(20.0) == 21.75
    assert link.room_bytes(21.7) == 0
    assert link.room_bytes(21.75) == 1


def test_nothing_is_asked_for_before_the_window_opens() -> None:
    assert direction().ready_s(0.0) == pytest.approx(9.5, abs=1e-6)
    assert direction().room_bytes(0.0) == 0


def test_nothing_is_asked_for_after_the_last_byte() -> None:
    assert direction().ready_s(109.9995) == math.inf
    assert direction().room_bytes(109.9995) == 0
    assert direction().ready_s(120.0) == math.inf


def test_an_outage_delays_and_loses_nothing() -> None:
    link = direction(8000.0, 0.25, OutageConfig(((20.0, 30.0),)))
    releases = link.offer(b"x" * 250, 19.875)
    assert [len(release.data) for release in releases] == [125, 1, 124]
    assert [release.release_s for release in releases] == [20.25, 30.251, 30.375]
    assert link.room_bytes(25.0) == 0
    assert link.ready_s(25.0) == pytest.approx(30.125 - 0.25, abs=1e-6)


def test_loss_slows_and_keeps_order() -> None:
    clean = direction(8000.0, 0.25).offer(b"x" * 1000, 20.0)
    lossy = direction(8000.0, 0.25, LossConfig(0.5, "seed", 10)).offer(b"x" * 1000, 20.0)
    assert lossy[-1].release_s > clean[-1].release_s + 0.5
    assert [release.release_s for release in lossy] == sorted(
        release.release_s for release in lossy
    )


def test_extra_latency_adds_up() -> None:
    extra = LatencyConfig(Profile.constant(0.5, 0.0, 200.0))
    assert direction(8000.0, 0.25, extra).offer(b"x" * 125, 20.0)[0].release_s == 20.875


def test_carried_counts_what_has_arrived() -> None:
    link = direction()
    link.offer(b"x" * 250, 20.0)
    assert link.carried_bytes(20.374) == 0
    assert link.carried_bytes(20.375) == 125
    assert link.under_way_bytes(20.375) == 125
    assert link.carried_bytes(99.0) == 250
    assert link.under_way_bytes(99.0) == 0


def test_what_arrives_after_los_never_arrives() -> None:
    link = direction()
    releases = link.offer(b"x" * 125, 109.75)
    assert releases == [Release(math.inf, b"x" * 125)]
    assert link.carried_bytes(500.0) == 0
    assert link.under_way_bytes(500.0) == 125


def test_what_is_offered_after_the_last_byte_is_lost_together() -> None:
    link = direction()
    assert link.offer(b"x" * 5000, 111.0) == [Release(math.inf, b"x" * 5000)]


def test_closing_says_what_was_carried_and_lost() -> None:
    uplink, downlink = direction(), direction(80_000.0)
    uplink.offer(b"x" * 300, 109.5)
    downlink.offer(b"y" * 400, 50.0)
    assert Channel(uplink, downlink).close(LOS_S) == (
        Carried(100_000, 250, 50),
        Carried(1_000_000, 400, 0),
    )
