import math

import pytest

from groundlink.impairments import REGISTRY, Frame, Impairment, in_order
from groundlink.impairments.latency import LatencyConfig
from groundlink.impairments.loss import LossConfig
from groundlink.impairments.outage import OutageConfig
from groundlink.impairments.rate import RateConfig
from groundlink.profile import Profile

KILOBIT = Profile.constant(1000.0, 0.0, 100.0)


def frame(size_bytes: int = 125, ready_s: float = 0.0, retries: int = 0) -> Frame:
    return Frame(size_bytes, size_bytes * 8.0, ready_s, retries)


def test_registry_is_the_path() -> None:
    assert list(REGISTRY) == ["outage", "loss", "rate", "latency"]


def test_in_order_sorts_along_the_path() -> None:
    latency, rate, outage = LatencyConfig(KILOBIT), RateConfig(KILOBIT), OutageConfig(())
    assert in_order((latency, rate, outage)) == [outage, rate, latency]


def test_in_order_names_what_it_does_not_know() -> None:
    class Gremlin:
        name = "gremlin"

        def start(self) -> Impairment:
            raise AssertionError

    with pytest.raises(ValueError, match="no impairment is called 'gremlin'"):
        in_order((Gremlin(),))


def test_rate_serialises_on_a_virtual_clock() -> None:
    rate = RateConfig(KILOBIT).start()
    assert rate.apply(frame(), 10.0).ready_s == 11.0
    assert rate.apply(frame(), 10.2).ready_s == 12.0
    assert rate.apply(frame(), 20.0).ready_s == 21.0
    assert rate.free_s == 21.0


def test_rate_follows_the_pass() -> None:
    rate = RateConfig(Profile.through([0.0, 10.0], [0.0, 2000.0])).start()
    assert rate.apply(frame(1250), 0.0).ready_s == 10.0


def test_rate_holds_a_frame_that_no_longer_fits_for_ever() -> None:
    rate = RateConfig(KILOBIT).start()
    assert rate.apply(frame(), 99.5).ready_s == math.inf
    assert rate.apply(frame(1), 99.5).ready_s == math.inf


def test_rate_takes_the_shaped_profile() -> None:
    rate = RateConfig(KILOBIT).start()
    half = Profile.constant(500.0, 0.0, 100.0)
    assert rate.shape(half) is half
    assert rate.apply(frame(), 0.0).ready_s == 2.0


def test_latency_adds_the_delay_of_the_moment() -> None:
    latency = LatencyConfig(Profile.through([0.0, 10.0], [0.25, 0.5])).start()
    assert latency.apply(frame(ready_s=0.0), 0.0).ready_s == 0.25
    assert latency.apply(frame(ready_s=10.0), 0.0).ready_s == 10.5


def test_latency_charges_a_round_trip_for_each_retry() -> None:
    latency = LatencyConfig(Profile.constant(0.125, 0.0, 10.0)).start()
    assert latency.apply(frame(ready_s=1.0, retries=2), 0.0).ready_s == 1.625


def test_latency_keeps_order_behind_a_retried_frame() -> None:
    latency = LatencyConfig(Profile.constant(0.5, 0.0, 10.0)).start()
    assert latency.apply(frame(ready_s=1.0, retries=1), 0.0).ready_s == 2.5
    assert latency.apply(frame(ready_s=1.25), 0.0).ready_s == 2.5
    assert latency.apply(frame(ready_s=3.0), 0.0).ready_s == 3.5


def test_latency_leaves_what_never_comes() -> None:
    latency = LatencyConfig(Profile.constant(0.5, 0.0, 10.0)).start()
    assert latency.apply(frame(ready_s=math.inf), 0.0).ready_s == math.inf
    assert latency.apply(frame(ready_s=1.0), 0.0).ready_s == 1.5


def test_latency_and_loss_leave_the_rate() -> None:
    assert LatencyConfig(KILOBIT).start().shape(KILOBIT) is KILOBIT
    assert LossConfig(0.5, "s").start().shape(KILOBIT) is KILOBIT


def test_outage_takes_its_spans_out_of_the_rate() -> None:
    outage = OutageConfig(((10.0, 20.0), (90.0, 200.0))).start()
    shaped = outage.shape(KILOBIT)
    assert shaped.integral(0.0, 100.0) == 80_000.0
    assert shaped.value(15.0) == 0.0
    assert outage.apply(frame(), 15.0) == frame()


def test_loss_without_probability_changes_nothing() -> None:
    loss = LossConfig(0.0, "seed").start()
    assert loss.apply(frame(10_000), 0.0) == frame(10_000)


def test_loss_charges_retransmissions() -> None:
    loss = LossConfig(0.6, "pinned", frame_bytes=100).start()
    outcome = [loss.apply(frame(200), 0.0) for _ in range(4)]
    again = LossConfig(0.6, "pinned", frame_bytes=100).start()
    assert [again.apply(frame(200), 0.0) for _ in range(4)] == outcome
    assert all(one.size_bytes == 200 for one in outcome)
    for one in outcome:
        assert one.air_bits >= 1600.0
        assert (one.air_bits == 1600.0) == (one.retries == 0)
        assert one.air_bits <= 1600.0 * (1 + one.retries)
    assert any(one.retries for one in outcome)


def test_loss_sends_each_frame_one_over_one_less_ratio_times() -> None:
    loss = LossConfig(0.2, "long run", frame_bytes=100).start()
    air_bits = sum(loss.apply(frame(10_000), 0.0).air_bits for _ in range(200))
    assert air_bits / (200 * 80_000.0) == pytest.approx(1 / 0.8, rel=0.02)


def test_loss_of_nothing_is_nothing() -> None:
    assert LossConfig(0.9, "seed").start().apply(frame(0), 0.0) == frame(0)


@pytest.mark.parametrize("ratio", [-0.1, 1.0, math.nan])
def test_loss_refuses_a_ratio_that_never_arrives(ratio: float) -> None:
    with pytest.raises(ValueError, match="loss ratio"):
        LossConfig(ratio, "seed")


def test_loss_refuses_an_empty_frame() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        LossConfig(0.1, "seed", frame_bytes=0)
