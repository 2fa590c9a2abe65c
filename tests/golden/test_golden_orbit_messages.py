"""The same elements as two lines and as an orbit message, through the whole way of each."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from math import dist

import pytest
from comparisons.sgp4_verification import MALFORMED, read_elements
from physics_reference import ELEMENTS as REFERENCE
from sgp4 import omm
from sgp4.api import Satrec

from node.config.omm import read_message
from node.errors import PropagationError
from node.physics.orbit import Orbit

SETS = {name: (entry["line1"], entry["line2"]) for name, entry in REFERENCE.items()} | {
    number: lines for number, lines in read_elements().items() if number not in MALFORMED
}


def message(line1: str, line2: str) -> dict[str, str]:
    """The columns of two lines as CelesTrak would write them as a message."""
    year = int(line1[18:20])
    microseconds = Decimal(line1[20:32].strip()) * 86_400_000_000
    epoch = datetime(year + (1900 if year >= 57 else 2000), 1, 1) + timedelta(  # noqa: DTZ001
        days=-1, microseconds=int(microseconds)
    )
    mantissa, exponent = line1[53:59], line1[59:61]
    return {
        "OBJECT_ID": "1998-067A",
        "EPOCH": epoch.isoformat(timespec="microseconds"),
        "MEAN_MOTION": line2[52:63].strip(),
        "ECCENTRICITY": "." + line2[26:33].replace(" ", "0"),
        "INCLINATION": line2[8:16].strip(),
        "RA_OF_ASC_NODE": line2[17:25].strip(),
        "ARG_OF_PERICENTER": line2[34:42].strip(),
        "MEAN_ANOMALY": line2[43:51].strip(),
        "CLASSIFICATION_TYPE": "U",
        "EPHEMERIS_TYPE": "0",
        "NORAD_CAT_ID": line1[2:7].strip(),
        "ELEMENT_SET_NO": "0",
        "REV_AT_EPOCH": "0",
        "BSTAR": f"{mantissa[0].strip()}.{mantissa[1:].strip()}e{exponent.replace(' ', '+')}",
        "MEAN_MOTION_DOT": "0",
        "MEAN_MOTION_DDOT": "0",
    }


@pytest.mark.parametrize("name", SETS)
def test_a_message_flies_as_its_two_lines(name: str) -> None:
    fields = message(*SETS[name])
    two_lines = Orbit.from_tle(*SETS[name])
    reading = read_message(json.dumps([fields]))
    assert reading.problems == []
    assert reading.elements is not None
    made = Orbit.from_omm(reading.elements)
    assert made.epoch_utc_s == two_lines.epoch_utc_s
    assert made.period_s == pytest.approx(two_lines.period_s, rel=1e-12)
    other = Satrec()
    omm.initialize(other, fields)
    for hours in range(0, 14 * 24, 7):
        utc_s = two_lines.epoch_utc_s + hours * 3600.0
        code, other_r_km, _ = other.sgp4_tsince((utc_s - two_lines.epoch_utc_s) / 60.0)
        if code:  # some of the verification set decay or fail on purpose
            for orbit in (two_lines, made):
                with pytest.raises(PropagationError):
                    orbit.state(utc_s)
            break
        r_km, v_km_s = two_lines.state(utc_s)
        found_r_km, found_v_km_s = made.state(utc_s)
        assert dist(found_r_km, r_km) < 1e-7
        assert dist(found_v_km_s, v_km_s) < 1e-9
        # sgp4 keeps the epoch of lines to 40 microseconds and that of messages to one: it matters
        # to the pull of the Moon on two of the set, whose orbits reach far out.
        assert dist(found_r_km, other_r_km) < 1e-5
