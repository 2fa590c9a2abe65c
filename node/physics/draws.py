"""Random events that a seed fixes: the same on every machine, restartable from two numbers.

The generator is counter-based: splitmix64 (Steele, Lea and Flood, OOPSLA 2014) at draw ``number``
of ``stream``. Nothing is kept between draws but how many there were, so that a saved state is a
count and streams never disturb each other.

A Poisson process of changing rate is run by its hazard, the integral of the rate: between two
events it is exponentially distributed with mean 1 (time-rescaling theorem; Cox and Lewis, 1966).
One draw says how much hazard the next event takes, a step takes off what it brings, and an event
happens whenever nothing is left. The events so fall where they fall however time is cut into steps.
"""

from __future__ import annotations

from math import log

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def splitmix64(seed: int, number: int) -> int:
    """The output ``number``, counted from 0, of the generator with this seed; 64 bits."""
    z = (seed + (number + 1) * _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def uniform(seed: int, stream: int, number: int) -> float:
    """A draw from the open interval (0, 1)."""
    # 52 bits and a half: both ends stay out and every value is exact.
    return ((splitmix64(splitmix64(seed, stream), number) >> 12) + 0.5) / (1 << 52)


def hazard_to_event(seed: int, stream: int, number: int) -> float:
    """How much hazard passes before event ``number`` after the one before it; its mean is 1."""
    return -log(uniform(seed, stream, number))


def run_down(left: float, hazard: float, seed: int, stream: int, number: int) -> tuple[int, float]:
    """Let ``hazard`` pass; return how many events happen and the hazard left to the next.

    Args:
        left: hazard to the next event, event ``number``.
        hazard: rate times duration of the step, not negative.
        seed: of the generator.
        stream: of this process.
        number: how many events there have been.
    """
    left -= hazard
    events = 0
    while left <= 0.0:
        events += 1
        left += hazard_to_event(seed, stream, number + events)
    return events, left
