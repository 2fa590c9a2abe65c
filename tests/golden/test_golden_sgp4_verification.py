"""The verification set of AIAA 2006-6753 (it ships inside sgp4) through our own door."""

from __future__ import annotations

from importlib.resources import files

import pytest

from node.errors import PhysicsError
from node.physics.orbit import Orbit

SET = files("sgp4")
MALFORMED = {"33333", "33334", "33335"}


def read_elements() -> dict[str, tuple[str, str]]:
    text = SET.joinpath("SGP4-VER.TLE").read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line[:2] in {"1 ", "2 "}]
    return {
        one[2:7].strip(): (one[:69], two[:69])
        for one, two in zip(lines[::2], lines[1::2], strict=True)
    }


def read_states() -> dict[str, list[list[float]]]:
    states: dict[str, list[list[float]]] = {}
    number = ""
    for line in SET.joinpath("tcppver.out").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields[1:] == ["xx"]:
            number = fields[0].zfill(5)
        else:
            states.setdefault(number, []).append([float(field) for field in fields[:7]])
    return states


ELEMENTS = read_elements()
STATES = read_states()


def test_set_is_the_whole_set() -> None:
    assert len(ELEMENTS) > 25


@pytest.mark.parametrize("number", sorted(ELEMENTS.keys() - MALFORMED))
def test_states_of_the_verification_set(number: str) -> None:
    orbit = Orbit.from_tle(*ELEMENTS[number])
    assert STATES[number]
    for minutes, *expected in STATES[number]:
        r_teme_km, v_teme_km_s = orbit.state(orbit.epoch_utc_s + minutes * 60.0)
        # A time in POSIX seconds is good to 0.2 microseconds, at up to 10 km/s.
        assert r_teme_km == pytest.approx(expected[:3], abs=4e-6)
        assert v_teme_km_s == pytest.approx(expected[3:], abs=1e-8)


@pytest.mark.parametrize("number", sorted(MALFORMED))
def test_wrong_checksums_of_the_set_are_refused(number: str) -> None:
    with pytest.raises(PhysicsError, match="checksum"):
        Orbit.from_tle(*ELEMENTS[number])
