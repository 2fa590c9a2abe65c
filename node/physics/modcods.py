"""Modulation and coding: what a symbol carries, and how much signal it needs.

DVB-S2: thresholds of quasi-error-free reception, ETSI EN 302 307-1 V1.4.1, table 13.

CCSDS: the codes of 131.0-B with BPSK and QPSK, at a bit error rate of 1e-5. Reed-Solomon (255, 223)
by depth of interleaving I with the convolutional code (7, 1/2); turbo codes of 1784 bits by their
rate; and no code at all. Their thresholds are stated as Eb/N0 and turned into

    Es/N0 = Eb/N0 + 10 log10(bits per symbol)

Limits: additive white noise and an ideal receiver, as in these tables; what a modem loses belongs
into the losses or the margin of the link budget.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import log10
from typing import NamedTuple

from node.errors import PhysicsError


class Modcod(NamedTuple):
    """One modulation and coding."""

    name: str
    efficiency_bit_per_symbol: float
    threshold_db: float
    """Lowest Es/N0 at which it is received."""


DVB_S2 = tuple(
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


def _ccsds(name: str, efficiency_bit_per_symbol: float, ebn0_db: float) -> Modcod:
    threshold_db = ebn0_db + 10.0 * log10(efficiency_bit_per_symbol)
    return Modcod(name, efficiency_bit_per_symbol, threshold_db)


CCSDS = tuple(
    _ccsds(*row)
    for row in (
        ("CCSDS_TM_RS255223_I1_CONV7-12_BPSK", 0.437255, 2.806),
        ("CCSDS_TM_RS255223_I1_CONV7-12_QPSK", 0.874510, 2.806),
        ("CCSDS_TM_RS255223_I2_CONV7-12_BPSK", 0.437255, 2.518),
        ("CCSDS_TM_RS255223_I2_CONV7-12_QPSK", 0.874510, 2.518),
        ("CCSDS_TM_RS255223_I3_CONV7-12_BPSK", 0.437255, 2.402),
        ("CCSDS_TM_RS255223_I3_CONV7-12_QPSK", 0.874510, 2.402),
        ("CCSDS_TM_RS255223_I4_CONV7-12_BPSK", 0.437255, 2.350),
        ("CCSDS_TM_RS255223_I4_CONV7-12_QPSK", 0.874510, 2.350),
        ("CCSDS_TM_RS255223_I5_CONV7-12_BPSK", 0.437255, 2.337),
        ("CCSDS_TM_RS255223_I5_CONV7-12_QPSK", 0.874510, 2.337),
        ("CCSDS_TM_TURBO1784-12_BPSK", 0.498881, 1.416),
        ("CCSDS_TM_TURBO1784-12_QPSK", 0.997763, 1.416),
        ("CCSDS_TM_TURBO1784-13_BPSK", 0.332588, 0.779),
        ("CCSDS_TM_TURBO1784-13_QPSK", 0.665175, 0.779),
        ("CCSDS_TM_TURBO1784-14_BPSK", 0.249441, 0.568),
        ("CCSDS_TM_TURBO1784-14_QPSK", 0.498881, 0.568),
        ("CCSDS_TM_TURBO1784-16_BPSK", 0.166294, 0.267),
        ("CCSDS_TM_TURBO1784-16_QPSK", 0.332588, 0.267),
        ("UNCODED_BPSK", 1.0, 9.588),
        ("UNCODED_QPSK", 2.0, 9.588),
    )
)

_TABLES = {"dvb-s2": DVB_S2, "ccsds": CCSDS}
_MODES = {mode.name: mode for table in _TABLES.values() for mode in table}

CODINGS = (*_TABLES, *_MODES)
"""What a channel can be coded by: a table, of which the best that closes is used at each instant,
or the name of one mode, which is then fixed."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Modes worth using, in order of threshold and of efficiency."""

    rungs: tuple[Modcod, ...]
    thresholds_db: tuple[float, ...]

    def best(self, snr_db: float) -> Modcod | None:
        """The most efficient mode with its threshold at or below an Es/N0, None if none has."""
        rung = bisect_right(self.thresholds_db, snr_db)
        return self.rungs[rung - 1] if rung else None


def ladder(coding: str) -> Ladder:
    """The modes of one of `CODINGS`, less those that another beats at a lower threshold.

    Raises:
        PhysicsError: there is no such coding.
    """
    if coding in _MODES:
        return _ladder((_MODES[coding],))
    if coding not in _TABLES:
        raise PhysicsError(f"coding: there is no {coding!r}")
    kept: list[Modcod] = []
    for candidate in sorted(_TABLES[coding], key=lambda mode: mode.threshold_db):
        if not kept or candidate.efficiency_bit_per_symbol > kept[-1].efficiency_bit_per_symbol:
            kept.append(candidate)
    return _ladder(tuple(kept))


def _ladder(rungs: tuple[Modcod, ...]) -> Ladder:
    return Ladder(rungs, tuple(mode.threshold_db for mode in rungs))
