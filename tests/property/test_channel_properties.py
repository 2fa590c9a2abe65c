"""Whatever is offered, whenever, to whatever link: bytes, order, rate and window hold."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from groundlink.channel import Direction, Release, Timing
from groundlink.impairments.loss import LossConfig
from groundlink.impairments.outage import OutageConfig
from groundlink.profile import Profile

Values = list[float]
Blackouts = tuple[tuple[float, float], ...]
Steps = list[tuple[float, int]]

AOS_S = 100.0
LOS_S = 160.0
SLICE_S = 0.05
BUFFER_S = 0.2

rates = st.lists(st.floats(0.0, 1e5), min_size=2, max_size=8)
spans = st.lists(
    st.tuples(st.floats(90.0, 170.0), st.floats(0.0, 20.0)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=3,
).map(tuple)
offers = st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 5000)), min_size=1, max_size=30)


def profile(values: Values) -> Profile:
    step = (LOS_S - AOS_S) / (len(values) - 1)
    times = [AOS_S + index * step for index in range(len(values) - 1)]
    return Profile.through([*times, LOS_S], values)


def make(
    values: Values, blackouts: Blackouts, loss_ratio: float = 0.0, delay_s: float = 0.25
) -> Direction:
    return Direction(
        profile(values),
        Profile.constant(delay_s, AOS_S, LOS_S),
        LOS_S,
        Timing(BUFFER_S, SLICE_S),
        (OutageConfig(blackouts), LossConfig(loss_ratio, "seed", 200)),
    )


def run(direction: Direction, steps: Steps) -> tuple[bytes, list[Release]]:
    """Offer numbered bytes; return what was offered and every release."""
    now = AOS_S - 2.0
    offered = b""
    releases: list[Release] = []
    for wait_s, size in steps:
        now += wait_s
        chunk = bytes((len(offered) + index) % 251 for index in range(size))
        offered += chunk
        releases += direction.offer(chunk, now)
    return offered, releases


@settings(deadline=None)
@given(rates, spans, offers, st.floats(0.0, 0.6))
def test_bytes_and_order_are_conserved(
    values: Values, blackouts: Blackouts, steps: Steps, loss_ratio: float
) -> None:
    direction = make(values, blackouts, loss_ratio)
    offered, releases = run(direction, steps)
    assert b"".join(release.data for release in releases) == offered
    times = [release.release_s for release in releases]
    assert times == sorted(times)
    arrived = sum(len(one.data) for one in releases if math.isfinite(one.release_s))
    assert direction.carried_bytes(LOS_S) == arrived
    assert direction.under_way_bytes(LOS_S) == len(offered) - arrived


@settings(deadline=None)
@given(rates, spans, offers, st.floats(0.0, 0.6))
def test_nothing_arrives_outside_the_window(
    values: Values, blackouts: Blackouts, steps: Steps, loss_ratio: float
) -> None:
    _, releases = run(make(values, blackouts, loss_ratio), steps)
    for release in releases:
        assert AOS_S < release.release_s <= LOS_S or release.release_s == math.inf


@settings(deadline=None)
@given(rates, spans, offers, st.tuples(st.floats(90.0, 170.0), st.floats(0.0, 60.0)))
def test_the_rate_is_never_exceeded(
    values: Values, blackouts: Blackouts, steps: Steps, interval_s: tuple[float, float]
) -> None:
    delay_s = 0.25
    from_s, span_s = interval_s
    # No loss: a retried frame holds back those behind it, and they arrive together after it.
    direction = make(values, blackouts, 0.0, delay_s)
    _, releases = run(direction, steps)
    inside = [r for r in releases if from_s < r.release_s <= from_s + span_s]
    bits = 8 * sum(len(release.data) for release in inside)
    allowed = direction.rate_bps.integral(from_s - delay_s, from_s + span_s - delay_s)
    first = 8 * len(inside[0].data) if inside else 0  # may have begun before the interval
    assert bits <= allowed + first + 1e-3


@settings(deadline=None)
@given(rates, spans, offers, st.floats(0.0, 0.6))
def test_a_window_never_carries_more_than_its_capacity(
    values: Values, blackouts: Blackouts, steps: Steps, loss_ratio: float
) -> None:
    direction = make(values, blackouts, loss_ratio)
    run(direction, steps)
    assert direction.carried_bytes(LOS_S) <= direction.capacity_bytes()


@settings(deadline=None)
@given(rates, spans, st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60))
def test_a_sender_that_asks_for_room_never_overfills(
    values: Values, blackouts: Blackouts, waits_s: list[float]
) -> None:
    direction = make(values, blackouts)
    now = AOS_S - 1.0
    for wait_s in waits_s:
        now = direction.ready_s(now + wait_s)
        if math.isinf(now):
            break
        room = direction.room_bytes(now)
        assert room >= 1
        last_s = direction.offer(b"x" * room, now)[-1].release_s
        # A single byte is taken even where the link needs longer for it.
        assert room == 1 or last_s == math.inf or last_s - 0.25 <= now + BUFFER_S + 1e-6


@settings(deadline=None)
@given(rates, spans, st.floats(90.0, 170.0), st.floats(0.0, 1e6))
def test_reach_inverts_the_integral(
    values: Values, blackouts: Blackouts, start_s: float, amount: float
) -> None:
    rate_bps = profile(values)
    for blackout in blackouts:
        rate_bps = rate_bps.without(*blackout)
    end_s = rate_bps.reach(start_s, amount)
    if math.isinf(end_s):
        assert rate_bps.integral(start_s, math.inf) <= amount + 1e-3
    else:
        assert abs(rate_bps.integral(start_s, end_s) - amount) <= 1e-3
