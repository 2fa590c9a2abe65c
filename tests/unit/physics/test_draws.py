from __future__ import annotations

from math import log

import pytest

from node.physics import draws
from node.physics.draws import hazard_to_event, run_down, splitmix64, uniform


def test_the_generator_is_splitmix64() -> None:
    # Published with the generator: the first outputs of seeds 0 and 1234567.
    assert splitmix64(0, 0) == 0xE220A8397B1DCDAF
    assert [splitmix64(1234567, n) for n in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize(("bits", "expected"), [(0, 0.5 / 2**52), (2**64 - 1, 1.0 - 0.5 / 2**52)])
def test_neither_end_is_drawn(bits: int, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "splitmix64", lambda _seed, _number: bits)
    assert uniform(1, 0, 0) == expected
    assert 0.0 < expected < 1.0
    assert hazard_to_event(1, 0, 0) == -log(expected) > 0.0


def test_streams_and_seeds_are_apart() -> None:
    found = {uniform(seed, stream, 7) for seed in range(20) for stream in range(3)}
    assert len(found) == 60


def test_a_step_takes_off_what_it_brings() -> None:
    assert run_down(0.75, 0.25, 1, 0, 0) == (0, 0.5)
    assert run_down(0.75, 0.0, 1, 0, 0) == (0, 0.75)


def test_every_event_of_a_long_step_is_counted() -> None:
    first, second, third = (hazard_to_event(9, 2, n) for n in (4, 5, 6))
    events, left = run_down(first, first + 0.5 * second, 9, 2, 4)
    assert (events, left) == (1, pytest.approx(0.5 * second))
    events, left = run_down(first, first + second + 0.25 * third, 9, 2, 4)
    assert (events, left) == (2, pytest.approx(0.75 * third))
