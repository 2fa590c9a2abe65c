"""One figure of ours beside the same figure of a reference.

The modules of this folder compute comparisons, one module per family of references;
``families.py`` lists them. The golden tests assert that they pass and
``docs/generate_fidelity.py`` writes them down; nothing else computes them. Import them as
``from comparisons.comparison import Comparison``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Literal


@dataclass(frozen=True)
class Comparison:
    """A figure, its reference and how far apart the two may lie.

    Attributes:
        what: The quantity in words; for the worst of many rows "worst ... over 852 passes", with
            the worst error as ``ours`` and 0 as ``reference``.
        unit: Unit of both figures; "" for a pure number.
        ours: What the product computes.
        reference: What the reference says.
        tolerance: The largest error that passes: in ``unit`` where absolute, else a ratio of the
            reference.
        kind: How the error is taken.
        source: The file of ``tests/golden/reference`` or the tool that the reference comes from.
        note: What a reader should know, as a difference of the models.
    """

    what: str
    unit: str
    ours: float
    reference: float
    tolerance: float
    kind: Literal["absolute", "relative"]
    source: str
    note: str = ""

    @property
    def error(self) -> float:
        """Distance of the two figures, as ``kind`` says; infinite as a ratio of 0."""
        distance = abs(self.ours - self.reference)
        if self.kind == "absolute" or distance == 0.0:
            return distance
        # Of zero, NaN stays NaN and everything else is infinitely far.
        return distance / abs(self.reference) if self.reference else distance * inf

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN never is."""
        return self.error <= self.tolerance


def worst_of(
    what: str,
    unit: str,
    errors: Iterable[float],
    tolerance: float,
    source: str,
    note: str = "",
) -> Comparison:
    """One comparison for many rows: the largest error beside 0; NaN if one of them is NaN.

    Raises:
        ValueError: There are no rows, so that nothing was compared.
    """
    sizes = [abs(error) for error in errors]
    if not sizes:
        raise ValueError(f"{what}: nothing to compare")
    # max() would pass a NaN over, depending on where it stands.
    worst = nan if any(isnan(size) for size in sizes) else max(sizes)
    return Comparison(what, unit, worst, 0.0, tolerance, "absolute", source, note)
