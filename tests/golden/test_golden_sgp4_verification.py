"""What the verification set of AIAA 2006-6753 holds besides states: see ``comparisons/``."""

from __future__ import annotations

import pytest
from comparisons.sgp4_verification import MALFORMED, read_elements, read_spans, read_states

from node.errors import PhysicsError, PropagationError
from node.physics.orbit import Orbit

ELEMENTS = read_elements()
SPANS = read_spans()
ERRORS = {
    "22312": (494.2028672, 1),
    "28350": (1560.0, 1),
    "28872": (55.0, 6),
    "29141": (440.0, 6),
    "20413": (1_844_345.0, 6),
}
"""Where the set's output ends before its span does: minutes after epoch, and SGP4's error there."""


def test_set_is_the_whole_set() -> None:
    assert len(ELEMENTS) > 25
    assert ELEMENTS.keys() - MALFORMED <= {number for number, rows in read_states().items() if rows}


@pytest.mark.parametrize("number", sorted(MALFORMED))
def test_wrong_checksums_of_the_set_are_refused(number: str) -> None:
    with pytest.raises(PhysicsError, match="checksum"):
        Orbit.from_tle(*ELEMENTS[number])


@pytest.mark.parametrize("number", sorted(ELEMENTS.keys() - MALFORMED))
def test_errors_of_the_set_come_where_its_output_ends(number: str) -> None:
    orbit = Orbit.from_tle(*ELEMENTS[number])
    minutes, last, step = SPANS[number]
    ended = None
    while minutes <= last and ended is None:
        try:
            orbit.state(orbit.epoch_utc_s + minutes * 60.0)
        except PropagationError as error:
            ended = (minutes, error.code)
        minutes += step

    assert ended == ERRORS.get(number)
    if ended is not None:
        assert read_states()[number][-1][0] < ended[0]


def test_error_of_the_set_behind_a_wrong_checksum_is_refused() -> None:
    mended = [
        line[:68] + str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)
        for line in ELEMENTS["33334"]
    ]
    with pytest.raises(PropagationError) as caught:
        Orbit.from_tle(*mended)
    assert caught.value.code == 3
