from __future__ import annotations

from itertools import pairwise
from math import inf, log10, nan, radians, sin
from typing import Any

import pytest

from node.errors import PhysicsError
from node.physics.linkbudget import (
    ChannelBudget,
    atmosphere_db,
    carrier_to_noise_density_dbhz,
    doppler_hz,
    free_space_path_loss_db,
    modcod,
    one_way_light_time_s,
    rate_bps,
)
from node.physics.modcods import CCSDS, DVB_S2, Modcod


def channel(**change: Any) -> ChannelBudget:
    figures: dict[str, Any] = {
        "frequency_ghz": 8.2,
        "eirp_dbw": 18.0,
        "receiver_g_over_t_db_per_k": 28.0,
        "losses_db": 3.0,
        "zenith_atmosphere_db": 0.4,
        "bandwidth_hz": 50e6,
        "rolloff_ratio": 0.25,
        "margin_db": 3.0,
        "max_rate_bps": 1e9,
    }
    return ChannelBudget(**{**figures, **change})


def test_path_loss_rises_six_decibels_by_the_double() -> None:
    near, far = free_space_path_loss_db(1000.0, 2.2), free_space_path_loss_db(2000.0, 2.2)
    assert far - near == pytest.approx(6.0206, abs=1e-4)
    assert free_space_path_loss_db(1000.0, 4.4) == pytest.approx(far)


def test_atmosphere_thickens_towards_the_horizon_and_stops_at_five_degrees() -> None:
    link = channel()
    assert atmosphere_db(link, 90.0) == pytest.approx(0.4)
    assert atmosphere_db(link, 30.0) == pytest.approx(0.8)
    assert atmosphere_db(link, 1.0) == atmosphere_db(link, 5.0)
    assert atmosphere_db(link, 5.0) == pytest.approx(0.4 / sin(radians(5.0)))


def test_budget_is_the_sum_of_its_parts() -> None:
    expected = 18.0 - free_space_path_loss_db(900.0, 8.2) - 3.0 - 0.8 + 28.0 + 228.5992
    assert carrier_to_noise_density_dbhz(channel(), 900.0, 30.0) == pytest.approx(expected)


@pytest.mark.parametrize(("coding", "table"), [("dvb-s2", DVB_S2), ("ccsds", CCSDS)])
def test_choice_is_the_most_efficient_that_closes(coding: str, table: tuple[Modcod, ...]) -> None:
    link = channel(coding=coding)
    for range_km in (400.0, 700.0, 1100.0, 1700.0, 2600.0, 4000.0, 6000.0, 12_000.0):
        density_dbhz = carrier_to_noise_density_dbhz(link, range_km, 20.0)
        esn0_db = density_dbhz - 10.0 * log10(40e6) - link.margin_db
        closing = [m for m in table if m.threshold_db <= esn0_db]
        best = max(closing, key=lambda m: m.efficiency_bit_per_symbol, default=None)
        assert modcod(link, range_km, 20.0) == best


def test_sixteen_apsk_beats_a_costlier_eight_psk() -> None:
    # 8PSK 5/6 needs 9.35 dB for 2.48 bit; 16APSK 2/3 gives 2.64 for 8.97 dB.
    link = channel()
    found = {modcod(link, 10 ** (d / 1000.0), 90.0) for d in range(2000, 4500)}
    names = {m.name for m in found if isinstance(m, Modcod)}
    assert "16APSK 2/3" in names
    assert "8PSK 5/6" not in names
    assert None in found


def test_fixed_mode_closes_or_does_not() -> None:
    link = channel(coding="CCSDS_TM_RS255223_I5_CONV7-12_QPSK")
    rates = [rate_bps(link, 100.0 * k, 30.0) for k in range(3, 200)]
    assert set(rates) == {0.0, 0.87451 * 40e6}
    assert rates == sorted(rates, reverse=True)
    last_km = 100.0 * (3 + rates.index(0.0))
    near_db = carrier_to_noise_density_dbhz(link, last_km - 100.0, 30.0)
    far_db = carrier_to_noise_density_dbhz(link, last_km, 30.0)
    # Es/N0 of 2.337 dB + 10 log10(0.87451), the margin and the symbol rate above it.
    needed_db = 1.7546 + 3.0 + 10.0 * log10(40e6)
    assert far_db < needed_db <= near_db


def test_coding_is_dvb_s2_unless_said_otherwise() -> None:
    assert channel() == channel(coding="dvb-s2")
    assert channel() != channel(coding="ccsds")
    with pytest.raises(PhysicsError, match="coding: there is no 'dvbs2'"):
        channel(coding="dvbs2")


def test_rate_falls_with_range_and_ends_at_zero() -> None:
    link = channel()
    rates = [rate_bps(link, 100.0 * k, 30.0) for k in range(3, 400)]
    assert all(a >= b for a, b in pairwise(rates))
    assert rates[-1] == 0.0
    assert modcod(link, 1e6, 30.0) is None
    assert rates[0] == pytest.approx(4.453027 * 40e6)


def test_modem_limits_the_rate() -> None:
    assert rate_bps(channel(max_rate_bps=1e6), 500.0, 60.0) == 1e6


def test_light_and_doppler() -> None:
    assert one_way_light_time_s(550.0) == pytest.approx(1.8346e-3, abs=1e-6)
    assert doppler_hz(-7.0, 8.2) == pytest.approx(191_466.0, abs=1.0)
    assert doppler_hz(7.0, 8.2) == pytest.approx(-191_466.0, abs=1.0)


@pytest.mark.parametrize("range_km", [0.0, -1.0, nan])
def test_range_without_length_is_refused(range_km: float) -> None:
    with pytest.raises(PhysicsError, match="range_km"):
        rate_bps(channel(), range_km, 30.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequency_ghz", 0.0),
        ("bandwidth_hz", nan),
        ("max_rate_bps", 0.0),
        ("losses_db", -1.0),
        ("zenith_atmosphere_db", -0.1),
        ("rolloff_ratio", -0.1),
        ("eirp_dbw", inf),
        ("receiver_g_over_t_db_per_k", nan),
        ("margin_db", nan),
    ],
)
def test_channel_figures_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(PhysicsError, match=name):
        channel(**{name: value})
