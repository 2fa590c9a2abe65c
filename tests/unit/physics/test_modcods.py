from __future__ import annotations

from itertools import pairwise
from math import log10

import pytest

from node.errors import PhysicsError
from node.physics.modcods import CCSDS, CODINGS, DVB_S2, Modcod, ladder


def test_every_table_and_every_mode_is_a_coding() -> None:
    names = [mode.name for mode in (*DVB_S2, *CCSDS)]
    assert ("dvb-s2", "ccsds", *names) == CODINGS
    assert len(set(CODINGS)) == len(CODINGS) == 50


def test_thresholds_of_ccsds_are_for_a_symbol() -> None:
    modes = {mode.name: mode for mode in CCSDS}
    uncoded = modes["UNCODED_BPSK"]
    # One bit a symbol: Eb is Es.
    assert uncoded.threshold_db == pytest.approx(9.588)
    # Twice the bits at the same Eb/N0 need twice the energy by symbol.
    doubled_db = modes["UNCODED_QPSK"].threshold_db - uncoded.threshold_db
    assert doubled_db == pytest.approx(10.0 * log10(2.0))
    assert modes["CCSDS_TM_TURBO1784-16_BPSK"].threshold_db == pytest.approx(-7.524, abs=1e-3)


@pytest.mark.parametrize(("coding", "table"), [("dvb-s2", DVB_S2), ("ccsds", CCSDS)])
def test_ladder_is_the_best_of_its_table_at_every_level(
    coding: str, table: tuple[Modcod, ...]
) -> None:
    modes = ladder(coding)
    for before, after in pairwise(modes.rungs):
        assert before.threshold_db < after.threshold_db
        assert before.efficiency_bit_per_symbol < after.efficiency_bit_per_symbol
    for tenths in range(-100, 200):
        closing = [mode for mode in table if mode.threshold_db <= tenths / 10.0]
        best = max((mode.efficiency_bit_per_symbol for mode in closing), default=None)
        found = modes.best(tenths / 10.0)
        assert (None if found is None else found.efficiency_bit_per_symbol) == best


def test_turbo_codes_leave_little_to_the_others() -> None:
    names = [mode.name for mode in ladder("ccsds").rungs]
    assert names == [
        "CCSDS_TM_TURBO1784-16_BPSK",
        "CCSDS_TM_TURBO1784-14_BPSK",
        "CCSDS_TM_TURBO1784-16_QPSK",
        "CCSDS_TM_TURBO1784-14_QPSK",
        "CCSDS_TM_TURBO1784-13_QPSK",
        "CCSDS_TM_TURBO1784-12_QPSK",
        "UNCODED_BPSK",
        "UNCODED_QPSK",
    ]


def test_one_mode_is_a_ladder_of_one_rung() -> None:
    for mode in (*DVB_S2, *CCSDS):
        modes = ladder(mode.name)
        assert modes.best(mode.threshold_db) == mode
        assert modes.best(mode.threshold_db - 1e-9) is None
        assert modes.best(100.0) == mode


@pytest.mark.parametrize("coding", ["", "DVB-S2", "QPSK"])
def test_what_is_no_coding_is_refused(coding: str) -> None:
    with pytest.raises(PhysicsError, match="coding: there is no"):
        ladder(coding)
