"""One figure of ours beside the same figure of a reference.

The modules of this folder compute comparisons, one module per family of references; the golden
tests assert that they pass and ``docs/generate_fidelity.py`` writes them down. Nothing else computes
them. Import them as ``from comparisons.comparison import Comparison``.
"""

from __future__ import annotations

from dataclasses import dataclass
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
        """Distance of the two figures, as ``kind`` says; infinite where a ratio of 0 is asked for."""
        distance = abs(self.ours - self.reference)
        if self.kind == "absolute" or distance == 0.0:
            return distance
        return distance / abs(self.reference) if self.reference else float("inf")

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN never is."""
        return self.error <= self.tolerance
