"""The verification set of AIAA 2006-6753 (it ships inside sgp4) through our own door."""

from __future__ import annotations

from importlib.resources import files

from comparisons.comparison import Comparison, worst_of

from node.physics.orbit import Orbit

SET = files("sgp4")
MALFORMED = {"33333", "33334", "33335"}
SOURCE = "SGP4-VER.TLE, tcppver.out (sgp4)"


def _lines() -> list[tuple[str, str]]:
    text = SET.joinpath("SGP4-VER.TLE").read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line[:2] in {"1 ", "2 "}]
    return list(zip(lines[::2], lines[1::2], strict=True))


def read_elements() -> dict[str, tuple[str, str]]:
    """Both lines of every element set, by satellite number."""
    return {one[2:7].strip(): (one[:69], two[:69]) for one, two in _lines()}


def read_spans() -> dict[str, tuple[float, float, float]]:
    """First and last minute after epoch and the step between, by satellite number."""
    spans = {}
    for one, two in _lines():
        first, last, step = map(float, two[69:].split())
        spans[one[2:7].strip()] = (first, last, step)
    return spans


def read_states() -> dict[str, list[list[float]]]:
    """Minutes since epoch, position and velocity: the rows of every satellite."""
    states: dict[str, list[list[float]]] = {}
    number = ""
    for line in SET.joinpath("tcppver.out").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields[1:] == ["xx"]:
            number = fields[0].zfill(5)
        else:
            states.setdefault(number, []).append([float(field) for field in fields[:7]])
    return states


def states() -> list[Comparison]:
    """Every state of every well-formed element set."""
    published = read_states()
    elements = read_elements()
    positions, velocities = [], []
    for number in sorted(elements.keys() - MALFORMED):
        orbit = Orbit.from_tle(*elements[number])
        for minutes, *expected in published[number]:
            r_teme_km, v_teme_km_s = orbit.state(orbit.epoch_utc_s + minutes * 60.0)
            positions += [a - b for a, b in zip(r_teme_km, expected[:3], strict=True)]
            velocities += [a - b for a, b in zip(v_teme_km_s, expected[3:], strict=True)]
    rows = f"worst coordinate of {len(positions) // 3} states"
    note = "a time in POSIX seconds is good to 0.2 microseconds, at up to 10 km/s"
    return [
        worst_of(f"TEME position, {rows}", "km", positions, 4e-6, SOURCE, note),
        worst_of(f"TEME velocity, {rows}", "km/s", velocities, 1e-8, SOURCE),
    ]
