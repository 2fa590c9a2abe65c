"""The ticks of a flight in columns, until a bin of the series or an orbit ends.

A tick only appends a row; what is wanted of it is summed up by the column when the stretch is over.
Sums are exact before they are rounded, so that they are the same on every version of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum, inf
from operator import mul

from node.forecast.model import Spread
from node.report.timeline import ECLIPSE_BELOW_ILLUMINATION

Row = tuple[float, float, tuple[float, ...], float, float]
"""Seconds of the step, and at its end: charge, temperatures, lit part of the Sun, clock's ratio."""


@dataclass(slots=True)
class Extent:
    """Lowest, highest and mean over time."""

    minimum: float = inf
    maximum: float = -inf
    product: float = 0.0
    """Sum of value times seconds."""

    @classmethod
    def of(cls, values: Sequence[float], steps_s: Sequence[float]) -> Extent:
        """Make that of steps, each of which ended at its value."""
        return cls(min(values), max(values), fsum(map(mul, values, steps_s)))

    def merge(self, other: Extent) -> None:
        """Take in what came after."""
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.product += other.product

    def spread(self, duration_s: float) -> Spread:
        """Return what was seen in ``duration_s``."""
        return Spread(self.minimum, self.product / duration_s, self.maximum)


@dataclass(slots=True)
class Stretch:
    """What a number of ticks come to."""

    charge: Extent = field(default_factory=Extent)
    temperatures: tuple[Extent, ...] = ()
    """By thermal node."""
    clock: Extent = field(default_factory=Extent)
    lit_s: float = 0.0
    """Seconds of full sunlight that the light comes to."""
    eclipse_s: float = 0.0
    contact_s: float = 0.0

    @classmethod
    def of(cls, rows: Sequence[Row], contact_s: float) -> Stretch:
        """Sum up rows, of which there is one at least."""
        steps_s, charges, temperatures_c, lights, clocks = zip(*rows, strict=True)
        return cls(
            Extent.of(charges, steps_s),
            tuple(Extent.of(column, steps_s) for column in zip(*temperatures_c, strict=True)),
            Extent.of(clocks, steps_s),
            fsum(map(mul, lights, steps_s)),
            fsum(
                step_s
                for step_s, lit in zip(steps_s, lights, strict=True)
                if lit < ECLIPSE_BELOW_ILLUMINATION
            ),
            contact_s,
        )

    def merge(self, other: Stretch) -> None:
        """Take in what came after."""
        self.charge.merge(other.charge)
        if not self.temperatures:
            self.temperatures = tuple(Extent() for _ in other.temperatures)
        for mine, its in zip(self.temperatures, other.temperatures, strict=True):
            mine.merge(its)
        self.clock.merge(other.clock)
        self.lit_s += other.lit_s
        self.eclipse_s += other.eclipse_s
        self.contact_s += other.contact_s
