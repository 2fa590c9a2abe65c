"""From geometry to bits per second: free-space link budget and DVB-S2 adaptive coding.

    C/N0 = EIRP - FSPL - losses - atmosphere + G/T - k,    Es/N0 = C/N0 - 10 log10(symbol rate)

The symbol rate fills the bandwidth, B / (1 + roll-off). The modulation and coding with the highest
efficiency whose threshold lies below Es/N0 less the margin is used; its rate is efficiency times
symbol rate. Thresholds are those of quasi-error-free reception, ETSI EN 302 307-1 V1.4.1, table 13.
Limits: additive white noise, no interference, no rain statistics beyond the zenith loss given.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from math import log10, radians, sin
from typing import NamedTuple

from node.errors import PhysicsError
from node.physics.checks import require, require_positive

SPEED_OF_LIGHT_KM_S = 299_792.458

_BOLTZMANN_DBW_PER_K_HZ = -228.5991672
_FSPL_AT_1_KM_1_GHZ_DB = 92.44778322188337
# Below this the plane-parallel atmosphere of 1 / sin(elevation) is no longer a fair model.
_MIN_ATMOSPHERE_SINE = sin(radians(5.0))


class Modcod(NamedTuple):
    """One modulation and coding of DVB-S2."""

    name: str
    efficiency_bit_per_symbol: float
    threshold_db: float
    """Lowest Es/N0 for quasi-error-free reception."""


MODCODS = tuple(
    Modcod(*row)
    for row in (
        ("QPSK 1/4", 0.490243, -2.35),
        ("QPSK 1/3", 0.656448, -1.24),
        ("QPSK 2/5", 0.789412, -0.30),
        ("QPSK 1/2", 0.988858, 1.00),
        ("QPSK 3/5", 1.188304, 2.23),
        ("QPSK 2/3", 1.322253, 3.10),
        ("QPSK 3/4", 1.487473, 4.03),
        ("QPSK 4/5", 1.587196, 4.68),
        ("QPSK 5/6", 1.654663, 5.18),
        ("QPSK 8/9", 1.766451, 6.20),
        ("QPSK 9/10", 1.788612, 6.42),
        ("8PSK 3/5", 1.779991, 5.50),
        ("8PSK 2/3", 1.980636, 6.62),
        ("8PSK 3/4", 2.228124, 7.91),
        ("8PSK 5/6", 2.478562, 9.35),
        ("8PSK 8/9", 2.646012, 10.69),
        ("8PSK 9/10", 2.679207, 10.98),
        ("16APSK 2/3", 2.637201, 8.97),
        ("16APSK 3/4", 2.966728, 10.21),
        ("16APSK 4/5", 3.165623, 11.03),
        ("16APSK 5/6", 3.300184, 11.61),
        ("16APSK 8/9", 3.523143, 12.89),
        ("16APSK 9/10", 3.567342, 13.13),
        ("32APSK 3/4", 3.703295, 12.73),
        ("32APSK 4/5", 3.951571, 13.64),
        ("32APSK 5/6", 4.119540, 14.28),
        ("32APSK 8/9", 4.397854, 15.69),
        ("32APSK 9/10", 4.453027, 16.05),
    )
)


def _worth_using() -> tuple[Modcod, ...]:
    """Those that no other beats at a lower threshold, in order of threshold and efficiency."""
    kept: list[Modcod] = []
    for candidate in sorted(MODCODS, key=lambda m: m.threshold_db):
        if not kept or candidate.efficiency_bit_per_symbol > kept[-1].efficiency_bit_per_symbol:
            kept.append(candidate)
    return tuple(kept)


_LADDER = _worth_using()
_THRESHOLDS_DB = tuple(m.threshold_db for m in _LADDER)


@dataclass(frozen=True, slots=True)
class ChannelBudget:
    """One direction of the link."""

    frequency_ghz: float
    eirp_dbw: float
    receiver_g_over_t_db_per_k: float
    losses_db: float
    """Pointing, polarisation and implementation."""
    zenith_atmosphere_db: float
    bandwidth_hz: float
    rolloff_ratio: float
    margin_db: float
    max_rate_bps: float
    symbol_rate_bd: float = field(init=False, repr=False, compare=False)
    snr_at_1_km_db: float = field(init=False, repr=False, compare=False)
    """Es/N0 less margin at 1 km without atmosphere: everything that does not change in a pass."""

    def __post_init__(self) -> None:
        for name in ("frequency_ghz", "bandwidth_hz", "max_rate_bps"):
            require_positive(name, getattr(self, name))
        for name in ("losses_db", "zenith_atmosphere_db", "rolloff_ratio"):
            require(name, getattr(self, name), 0.0)
        for name in ("eirp_dbw", "receiver_g_over_t_db_per_k", "margin_db"):
            require(name, getattr(self, name))
        symbol_rate_bd = self.bandwidth_hz / (1.0 + self.rolloff_ratio)
        snr_db = (
            self.eirp_dbw
            + self.receiver_g_over_t_db_per_k
            - self.losses_db
            - self.margin_db
            - _BOLTZMANN_DBW_PER_K_HZ
            - free_space_path_loss_db(1.0, self.frequency_ghz)
            - 10.0 * log10(symbol_rate_bd)
        )
        object.__setattr__(self, "symbol_rate_bd", symbol_rate_bd)
        object.__setattr__(self, "snr_at_1_km_db", snr_db)


def free_space_path_loss_db(range_km: float, frequency_ghz: float) -> float:
    """Loss between isotropic antennas, 20 log10(4 pi d f / c) (ITU-R P.525)."""
    return _FSPL_AT_1_KM_1_GHZ_DB + 20.0 * log10(range_km * frequency_ghz)


def atmosphere_db(channel: ChannelBudget, elevation_deg: float) -> float:
    """Zenith loss over the sine of the elevation, as at 5 degrees below that."""
    return channel.zenith_atmosphere_db / max(sin(radians(elevation_deg)), _MIN_ATMOSPHERE_SINE)


def carrier_to_noise_density_dbhz(
    channel: ChannelBudget, range_km: float, elevation_deg: float
) -> float:
    """C/N0 at the receiver, without the margin."""
    return (
        channel.eirp_dbw
        - free_space_path_loss_db(range_km, channel.frequency_ghz)
        - channel.losses_db
        - atmosphere_db(channel, elevation_deg)
        + channel.receiver_g_over_t_db_per_k
        - _BOLTZMANN_DBW_PER_K_HZ
    )


def modcod(channel: ChannelBudget, range_km: float, elevation_deg: float) -> Modcod | None:
    """The most efficient modulation and coding that closes with the margin, None if none does."""
    if not range_km > 0.0:
        raise PhysicsError(f"range_km: expected a number above 0, got {range_km}")
    usable_db = (
        channel.snr_at_1_km_db - 20.0 * log10(range_km) - atmosphere_db(channel, elevation_deg)
    )
    rung = bisect_right(_THRESHOLDS_DB, usable_db)
    return _LADDER[rung - 1] if rung else None


def rate_bps(channel: ChannelBudget, range_km: float, elevation_deg: float) -> float:
    """Bits per second that the channel carries; 0 when no modulation and coding closes."""
    chosen = modcod(channel, range_km, elevation_deg)
    if chosen is None:
        return 0.0
    return min(channel.max_rate_bps, chosen.efficiency_bit_per_symbol * channel.symbol_rate_bd)


def one_way_light_time_s(range_km: float) -> float:
    """How long a signal travels."""
    return range_km / SPEED_OF_LIGHT_KM_S


def doppler_hz(range_rate_km_s: float, frequency_ghz: float) -> float:
    """Received less sent frequency, first order in v/c; positive while the node comes nearer."""
    return -range_rate_km_s / SPEED_OF_LIGHT_KM_S * frequency_ghz * 1e9
