"""What the verification set of AIAA 2006-6753 holds besides states: see ``comparisons/``."""

from __future__ import annotations

import pytest
from comparisons.sgp4_verification import MALFORMED, read_elements, read_states

from node.errors import PhysicsError
from node.physics.orbit import Orbit

ELEMENTS = read_elements()


def test_set_is_the_whole_set() -> None:
    assert len(ELEMENTS) > 25
    assert ELEMENTS.keys() - MALFORMED <= {number for number, rows in read_states().items() if rows}


@pytest.mark.parametrize("number", sorted(MALFORMED))
def test_wrong_checksums_of_the_set_are_refused(number: str) -> None:
    with pytest.raises(PhysicsError, match="checksum"):
        Orbit.from_tle(*ELEMENTS[number])
