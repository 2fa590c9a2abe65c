"""Every comparison with a reference passes; what is compared stands in ``comparisons/``."""

from __future__ import annotations

import pytest
from comparisons.families import FAMILIES, Compare

CASES = {
    f"{family}-{compare.__name__}": compare
    for family, functions in FAMILIES.items()
    for compare in functions
}


# One test for each function, computed when it runs: a comparison as a parameter would have to be
# computed whenever pytest collects.
@pytest.mark.parametrize("compare", CASES.values(), ids=CASES)
def test_ours_agrees_with_the_reference(compare: Compare) -> None:
    comparisons = compare()

    assert comparisons
    failed = [comparison for comparison in comparisons if not comparison.passed]
    assert not failed, "\n".join(
        f"{one.what}: {one.ours} {one.unit}, {one.source} says {one.reference}, "
        f"error {one.error}, tolerance {one.tolerance}"
        for one in failed
    )
