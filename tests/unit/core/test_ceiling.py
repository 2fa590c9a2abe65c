"""The loop that holds the board's mean power, on a plant of figures."""

from __future__ import annotations

import pytest
from plant import Plant, Sensor

from node.core.ceiling import LEAST_SHARE, Ceiling, Look

CEILING_W, IDLE_W, ACTIVE_W = 8.0, 4.5, 15.0
TOO_MUCH_W = 1.1 * CEILING_W
AT_REST = Look(0.0, 0.0, 0.0, None, long_run=False, paced=False, hold=False)


def ceiling(
    ceiling_w: float = CEILING_W, idle_w: float = IDLE_W, active_w: float = ACTIVE_W
) -> Ceiling:
    return Ceiling(ceiling_w, idle_w, active_w, 1.0)


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(Plant(), id="as configured"),
        pytest.param(Plant(span_w=21.0), id="twice the slope"),
        pytest.param(Plant(span_w=31.5), id="three times the slope"),
        pytest.param(Plant(span_w=5.25), id="half the slope"),
        pytest.param(Plant(idle_w=6.5), id="idle higher"),
        pytest.param(Plant(idle_w=2.5), id="idle lower"),
        pytest.param(Plant(sensor=Sensor(noise_ratio=0.05)), id="five percent of noise"),
        pytest.param(Plant(span_w=21.0, sensor=Sensor(quantum_w=0.5)), id="coarse steps"),
        pytest.param(Plant(span_w=21.0, sensor=Sensor(average_s=0.01)), id="a quick sensor"),
        pytest.param(Plant(tick_s=10.0), id="a tick of ten seconds"),
    ],
)
def test_the_mean_keeps_to_the_ceiling_and_settles(plant: Plant) -> None:
    loop = ceiling()
    plant.fly(loop, 90.0)
    assert plant.mean_w(0.0, 90.0) == pytest.approx(CEILING_W, rel=0.03)
    assert plant.mean_w(60.0, 90.0) == pytest.approx(CEILING_W, rel=0.02)
    assert plant.longest_above_s(TOO_MUCH_W) <= 2.0
    # No limit cycle: at the end no step takes the power further away than its noise does.
    noise = max(0.025, 2.0 * plant.sensor.noise_ratio)
    assert max(plant.true_w[6000:]) <= (1.0 + noise) * CEILING_W
    assert min(plant.true_w[6000:]) >= (1.0 - noise) * CEILING_W
    assert not loop.unmet


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(Plant(span_w=21.0, wanted=lambda now: float(now % 10.0 < 3.0)), id="runs"),
        pytest.param(Plant(wanted=lambda now: 1.0 if now % 20.0 < 10.0 else 0.1), id="one run"),
    ],
)
def test_a_burst_is_caught(plant: Plant) -> None:
    plant.fly(ceiling(), 120.0)
    assert plant.longest_above_s(TOO_MUCH_W) <= 2.0
    assert plant.mean_w(0.0, 120.0) < CEILING_W


def test_figures_that_are_all_wrong() -> None:
    plant = Plant(idle_w=2.0, span_w=30.0)
    plant.fly(ceiling(idle_w=7.5), 120.0)
    assert plant.mean_w(60.0, 120.0) == pytest.approx(CEILING_W, rel=0.03)
    assert plant.longest_above_s(TOO_MUCH_W) <= 2.0


def test_an_idle_draw_above_the_ceiling_is_a_fact_after_half_a_minute() -> None:
    loop, plant = ceiling(), Plant(idle_w=9.0)
    plant.fly(loop, 31.0)
    assert not loop.unmet
    plant = Plant(idle_w=9.0)
    plant.fly(loop, 40.0)
    assert loop.unmet
    assert loop.share == LEAST_SHARE
    assert not loop.fits
    assert 60.0 < loop.unmet_s < 71.0


def test_without_a_reading_nothing_moves() -> None:
    loop, plant = ceiling(), Plant(span_w=21.0, lost=lambda now: 20.0 < now < 60.0)
    plant.fly(loop, 90.0)
    held = plant.shares[2500:6000]
    assert min(held) == max(held)
    assert plant.mean_w(20.0, 90.0) == pytest.approx(CEILING_W, rel=0.03)


def test_a_stale_reading_is_none() -> None:
    loop = ceiling()
    loop.engage(0.0, 0.0)
    for second in range(1, 40):
        loop.observe(AT_REST._replace(now=float(second), energy_j=20.0 * second, reading_age_s=5.1))
    assert (loop.unmet_s, loop.mean_w) == (0.0, CEILING_W)


def test_nothing_is_raised_while_the_board_protects_itself() -> None:
    loop = ceiling()
    plant = Plant(idle_w=2.5, hold=lambda now: now < 30.0)
    plant.fly(loop, 60.0)
    first = plant.shares[0]
    assert set(plant.shares[:3000]) == {first}
    assert plant.mean_w(45.0, 60.0) == pytest.approx(CEILING_W, rel=0.03)
    # It may be lowered all the same.
    loop = ceiling()
    plant = Plant(idle_w=6.5, hold=lambda _now: True)
    plant.fly(loop, 60.0)
    assert plant.mean_w(5.0, 60.0) <= 1.01 * CEILING_W


def paced(loop: Ceiling, seconds: int, *, idle_w: float, hold: bool = False) -> float:
    """Pace runs of one second with 10 W above idle by the loop's headroom; return the mean power.

    A run's joules are told as those above the configured idle draw, as the daemon does.
    """
    loop.engage(0.0, 0.0)
    energy_j, level_j, began_s = 0.0, 0.0, None
    for second in range(seconds):
        now = float(second)
        loop.observe(Look(now, energy_j, 0.0, began_s, long_run=False, paced=True, hold=hold))
        level_j = min(level_j + loop.headroom_w, 40.0)
        run_j = 10.0 + idle_w - IDLE_W
        began_s = now if level_j >= run_j else None
        if began_s is not None:
            level_j -= run_j
        energy_j += idle_w + 10.0 * (began_s is not None)
    return energy_j / seconds


@pytest.mark.parametrize("idle_w", [3.0, 4.5, 6.0, 7.0])
def test_pacing_finds_another_idle_draw(idle_w: float) -> None:
    loop = ceiling()
    paced(loop, 300, idle_w=idle_w)
    assert paced(loop, 600, idle_w=idle_w) == pytest.approx(CEILING_W, rel=0.03)


def test_pacing_is_not_raised_while_the_board_protects_itself() -> None:
    loop = ceiling()
    mean_w = paced(loop, 300, idle_w=3.0, hold=True)
    assert loop.headroom_w == CEILING_W - IDLE_W
    assert mean_w < 7.5


def test_a_configured_idle_draw_above_the_ceiling_is_found_to_be_wrong() -> None:
    loop = ceiling(idle_w=9.0)
    assert (loop.headroom_w, loop.share) == (0.0, LEAST_SHARE)
    assert paced(loop, 900, idle_w=4.5) > 6.0
    assert 0.0 < loop.headroom_w < CEILING_W


def test_a_board_that_never_waits_gains_no_headroom() -> None:
    loop = ceiling()
    loop.engage(0.0, 0.0)
    for second in range(1, 200):
        loop.observe(AT_REST._replace(now=float(second), energy_j=4.5 * second))
    assert loop.headroom_w == CEILING_W - IDLE_W
    assert loop.next_s is None


def test_released_it_only_watches() -> None:
    loop = ceiling()
    loop.run_begins(0.0, 0.43)
    assert loop.next_s is None
    loop.engage(0.0, 0.0)
    loop.run_begins(0.0, None)
    assert loop.next_s == 0.2
    loop.release()
    assert loop.next_s is None
    for second in range(1, 100):
        loop.observe(AT_REST._replace(now=float(second), energy_j=20.0 * second))
    assert loop.mean_w == pytest.approx(20.0, abs=0.1)
    assert not loop.fits
    assert (loop.unmet, loop.unmet_s) == (False, 0.0)


def test_an_instant_counts_once() -> None:
    loop = ceiling()
    loop.observe(AT_REST._replace(now=1.0, energy_j=100.0))
    loop.observe(AT_REST._replace(now=1.0, energy_j=100.0))
    assert loop.mean_w == 0.0


def test_it_looks_as_soon_as_it_may() -> None:
    loop = ceiling()
    loop.engage(0.0, 0.0)
    running = AT_REST._replace(run_began_s=0.0, long_run=True, reading_age_s=0.43)
    loop.run_begins(0.0, 0.43)
    assert loop.next_s == 0.86
    loop.observe(running._replace(now=0.5, energy_j=3.0))
    assert loop.next_s == 0.86
    loop.observe(running._replace(now=0.86, energy_j=6.0))
    assert loop.next_s == pytest.approx(1.36)
    loop.observe(running._replace(now=0.9, energy_j=6.5))
    assert loop.next_s == pytest.approx(1.36)
    # Another run begins without having been told of: from anew.
    loop.observe(running._replace(now=1.0, energy_j=7.0, run_began_s=0.9))
    assert loop.next_s == pytest.approx(1.86)
