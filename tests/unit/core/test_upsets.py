from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from node.core.upsets import Upsets, UpsetState
from node.physics.draws import hazard_to_event
from node.physics.frames import ecef_from_geodetic
from node.physics.radiation import RadiationSpec, exposure

UTC_S = 1_748_291_040.0
ANOMALY = ecef_from_geodetic(-35.0, -60.0, 550.0)
ELSEWHERE = ecef_from_geodetic(45.0, 100.0, 550.0)
SPEC = RadiationSpec(
    memory_bits=1e10,
    memory_proton_cross_section_cm2_per_bit=1e-14,
    memory_cosmic_ray_upsets_per_bit_day=1e-9,
    corrected_ratio=0.75,
    device_proton_cross_section_cm2=1e-5,
    device_cosmic_ray_interrupts_per_day=1.0,
    flux_ratio=1.0,
    seed=7,
)


def made(start: UpsetState | None = None, **changes: float) -> Upsets:
    return Upsets(replace(SPEC, **changes), start or UpsetState(), ANOMALY, UTC_S)


def stay(upsets: Upsets, step_s: float, steps: int = 1, *, powered: bool = True) -> None:
    for _ in range(steps):
        upsets.advance(ANOMALY, UTC_S, step_s, powered=powered)


def test_the_beginning_is_seen_at_once() -> None:
    upsets = made()
    assert upsets.exposure == exposure(SPEC, ANOMALY, UTC_S)
    assert upsets.exposure.proton_flux_per_cm2_s > 1000.0
    assert (upsets.corrected, upsets.uncorrected, upsets.interrupts) == (0, 0, 0)


def test_upsets_come_as_often_as_the_rates_say() -> None:
    upsets = made()
    stay(upsets, 10.0, 10_000)
    expected = upsets.exposure.memory_upsets_per_s * 1e5
    assert upsets.memory_upsets == pytest.approx(expected, abs=4.0 * expected**0.5)
    assert upsets.corrected == pytest.approx(
        0.75 * upsets.memory_upsets, abs=4.0 * (0.1875 * expected) ** 0.5
    )
    assert upsets.corrected + upsets.uncorrected == upsets.memory_upsets > 10_000
    expected = upsets.exposure.device_interrupts_per_s * 1e5
    assert upsets.interrupts == pytest.approx(expected, abs=4.0 * expected**0.5)
    assert upsets.interrupts > 1000


def test_one_long_step_counts_what_many_short_ones_do() -> None:
    long, short = made(), made()
    stay(long, 3600.0)
    stay(short, 0.1, 36_000)
    assert long.memory_upsets > 500
    assert short.state() == UpsetState(
        corrected=long.corrected,
        uncorrected=long.uncorrected,
        interrupts=long.interrupts,
        memory_hazard=pytest.approx(long.state().memory_hazard, abs=1e-7),
        device_hazard=pytest.approx(long.state().device_hazard, abs=1e-7),
    )


def test_a_step_is_charged_the_mean_of_its_ends() -> None:
    upsets = made(device_proton_cross_section_cm2=1e-9)
    upsets.advance(ELSEWHERE, UTC_S + 1.0, 1.0, powered=True)
    spec = replace(SPEC, device_proton_cross_section_cm2=1e-9)
    ends = (exposure(spec, ANOMALY, UTC_S), exposure(spec, ELSEWHERE, UTC_S + 1.0))
    assert upsets.exposure == ends[1]
    left = upsets.state().device_hazard
    assert left is not None
    mean_per_s = 0.5 * sum(end.device_interrupts_per_s for end in ends)
    assert hazard_to_event(7, 2, 0) - left == pytest.approx(mean_per_s, rel=1e-6)


def test_without_power_nothing_is_upset() -> None:
    upsets = made()
    before = upsets.state()
    upsets.advance(ELSEWHERE, UTC_S, 1e6, powered=False)
    assert upsets.state() == before
    assert upsets.exposure == exposure(SPEC, ELSEWHERE, UTC_S)


@pytest.mark.parametrize(("ratio", "corrected"), [(1.0, True), (0.0, False)])
def test_correction_mends_all_or_nothing(ratio: float, corrected: bool) -> None:
    upsets = made(corrected_ratio=ratio)
    stay(upsets, 1000.0)
    assert upsets.memory_upsets > 100
    assert upsets.corrected == (upsets.memory_upsets if corrected else 0)


def test_a_restart_goes_on_as_if_nothing_had_been() -> None:
    through, broken = made(), made()
    stay(through, 7.0, 200)
    stay(broken, 7.0, 90)
    saved = msgspec.convert(msgspec.to_builtins(broken.state()), UpsetState)
    again = made(saved)
    assert again.take_news() == (0, 0), "what was reported before is not reported again"
    stay(again, 7.0, 110)
    assert again.state() == through.state()
    assert again.interrupts > 5


def test_seeds_differ() -> None:
    counts = []
    for seed in range(5):
        upsets = made(seed=seed)
        stay(upsets, 3600.0)
        counts.append((upsets.corrected, upsets.uncorrected, upsets.interrupts))
    assert len(set(counts)) == 5


def test_news_are_told_once() -> None:
    upsets = made()
    stay(upsets, 600.0)
    assert upsets.take_news() == (upsets.uncorrected, upsets.interrupts)
    assert upsets.take_news() == (0, 0)
    before = (upsets.uncorrected, upsets.interrupts)
    stay(upsets, 600.0)
    news = upsets.take_news()
    assert news == (upsets.uncorrected - before[0], upsets.interrupts - before[1])
    assert min(news) > 0
