"""From geometry to bits per second: free-space link budget and adaptive coding.

    C/N0 = EIRP - FSPL - losses - atmosphere + G/T - k,    Es/N0 = C/N0 - 10 log10(symbol rate)

The symbol rate fills the bandwidth, B / (1 + roll-off). Of the channel's modes (see
`node.physics.modcods`) the one with the highest efficiency whose threshold lies below Es/N0 less
the margin is used; its rate is efficiency times symbol rate. Limits: additive white noise, no
interference, no rain statistics beyond the zenith loss given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10, radians, sin

from node.errors import PhysicsError
from node.physics.checks import require, require_positive
from node.physics.modcods import Ladder, Modcod, ladder

SPEED_OF_LIGHT_KM_S = 299_792.458

_BOLTZMANN_DBW_PER_K_HZ = -228.5991672
_FSPL_AT_1_KM_1_GHZ_DB = 92.44778322188337
# Below this the plane-parallel atmosphere of 1 / sin(elevation) is no longer a fair model.
_MIN_ATMOSPHERE_SINE = sin(radians(5.0))


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
    coding: str = "dvb-s2"
    """One of `node.physics.modcods.CODINGS`."""
    symbol_rate_bd: float = field(init=False, repr=False, compare=False)
    snr_at_1_km_db: float = field(init=False, repr=False, compare=False)
    """Es/N0 less margin at 1 km without atmosphere: everything that does not change in a pass."""
    modes: Ladder = field(init=False, repr=False, compare=False)

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
        object.__setattr__(self, "modes", ladder(self.coding))


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
    return channel.modes.best(usable_db)


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
