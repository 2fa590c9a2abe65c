from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import msgspec
import pytest
from spacecraft import spacecraft

from node.core.upsets import Upsets, UpsetState
from node.physics.draws import hazard_to_event
from node.physics.exposure_track import ExposureTrack
from node.physics.frames import ecef_from_geodetic
from node.physics.radiation import Exposure, RadiationSpec, exposure

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


class Places(ExposureTrack):
    """At one place, or at another from some instant on."""

    def __init__(self, spec: RadiationSpec, leaves_utc_s: float) -> None:
        super().__init__(spec, spacecraft().orbit)
        self._leaves_utc_s = leaves_utc_s

    def _here(self, utc_s: float) -> Exposure:
        place = ANOMALY if utc_s < self._leaves_utc_s else ELSEWHERE
        # The drift of the anomaly would make the rates of one place unequal.
        return exposure(self._spec, place, UTC_S)


def made(
    start: UpsetState | None = None,
    *,
    utc_s: float = UTC_S,
    leaves_utc_s: float = inf,
    **changes: Any,
) -> Upsets:
    spec = replace(SPEC, **changes)
    return Upsets(spec, Places(spec, leaves_utc_s), start or UpsetState(), utc_s)


class Clock:
    """Lets time pass."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    @property
    def utc_s(self) -> float:
        return UTC_S + self._elapsed_s

    def pass_by(
        self, upsets: Upsets, step_s: float, steps: int = 1, *, powered: bool = True
    ) -> None:
        for _ in range(steps):
            self._elapsed_s += step_s
            upsets.advance(self.utc_s, powered=powered)


def stay(upsets: Upsets, step_s: float, steps: int = 1) -> None:
    Clock().pass_by(upsets, step_s, steps)


def test_the_beginning_is_seen_at_once() -> None:
    upsets = made()
    assert upsets.exposure == exposure(SPEC, ANOMALY, UTC_S)
    assert upsets.exposure.proton_flux_per_cm2_s > 1000.0
    assert upsets.in_anomaly
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


def test_a_step_is_charged_what_is_expected_along_it() -> None:
    # 10 s in the anomaly, 10 s on the way out of it, 10 s elsewhere.
    upsets = made(device_proton_cross_section_cm2=1e-9, leaves_utc_s=UTC_S + 20.0)
    stay(upsets, 30.0)
    spec = replace(SPEC, device_proton_cross_section_cm2=1e-9)
    inside, outside = (exposure(spec, place, UTC_S) for place in (ANOMALY, ELSEWHERE))
    assert upsets.exposure == outside
    assert not upsets.in_anomaly
    expected = 15.0 * (inside.device_interrupts_per_s + outside.device_interrupts_per_s)
    assert upsets.expected_interrupts == pytest.approx(expected, rel=1e-9)
    expected = 15.0 * (inside.memory_upsets_per_s + outside.memory_upsets_per_s)
    assert upsets.expected_memory_upsets == pytest.approx(expected, rel=1e-9)
    left = upsets.state().device_hazard
    assert left is not None
    assert hazard_to_event(7, 2, 0) - left == pytest.approx(upsets.expected_interrupts, rel=1e-6)


def test_without_power_nothing_is_upset() -> None:
    upsets = made(leaves_utc_s=UTC_S + 10.0)
    before = upsets.state()
    clock = Clock()
    clock.pass_by(upsets, 1e6, powered=False)
    assert upsets.state() == before
    assert (upsets.expected_memory_upsets, upsets.expected_interrupts) == (0.0, 0.0)
    assert upsets.exposure == exposure(SPEC, ELSEWHERE, UTC_S)
    # And what was missed is not made up for.
    clock.pass_by(upsets, 1.0)
    assert upsets.expected_interrupts == upsets.exposure.device_interrupts_per_s


@pytest.mark.parametrize(("ratio", "corrected"), [(1.0, True), (0.0, False)])
def test_correction_mends_all_or_nothing(ratio: float, corrected: bool) -> None:
    upsets = made(corrected_ratio=ratio)
    stay(upsets, 1000.0)
    assert upsets.memory_upsets > 100
    assert upsets.corrected == (upsets.memory_upsets if corrected else 0)


def test_a_restart_goes_on_as_if_nothing_had_been() -> None:
    through, broken, clock = made(), made(), Clock()
    stay(through, 7.0, 200)
    clock.pass_by(broken, 7.0, 90)
    saved = msgspec.convert(msgspec.to_builtins(broken.state()), UpsetState)
    again = made(saved, utc_s=clock.utc_s)
    assert not again.has_news, "what was reported before is not reported again"
    clock.pass_by(again, 7.0, 110)
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
    upsets, clock = made(), Clock()
    clock.pass_by(upsets, 600.0)
    assert upsets.has_news
    assert upsets.take_news() == (upsets.uncorrected, upsets.interrupts)
    assert not upsets.has_news
    assert upsets.take_news() == (0, 0)
    before = (upsets.uncorrected, upsets.interrupts)
    clock.pass_by(upsets, 600.0)
    news = upsets.take_news()
    assert news == (upsets.uncorrected - before[0], upsets.interrupts - before[1])
    assert min(news) > 0
