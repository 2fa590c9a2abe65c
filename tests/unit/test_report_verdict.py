from __future__ import annotations

import math
from typing import Any

import pytest

from node.config.scenario import Requirement
from node.report.verdict import evaluate


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        (">=", False, True, True),
        (">", False, False, True),
    ],
)
def test_every_operator_judges(operator: Any, below: bool, equal: bool, above: bool) -> None:
    requirement = Requirement("boots", operator, 2.0)
    verdicts = [evaluate([requirement], {"boots": actual})[0] for actual in (1.0, 2.0, 3.0)]
    assert [verdict.passed for verdict in verdicts] == [below, equal, above]
    assert [verdict.actual for verdict in verdicts] == [1.0, 2.0, 3.0]


def test_a_missing_metric_fails() -> None:
    (verdict,) = evaluate([Requirement("contacts", ">=", 0.0)], {"boots": 1.0})
    assert not verdict.passed
    assert verdict.actual is None


@pytest.mark.parametrize("operator", ["<", "<=", "==", ">=", ">"])
def test_not_a_number_fails(operator: Any) -> None:
    (verdict,) = evaluate([Requirement("contacts", operator, 0.0)], {"contacts": math.nan})
    assert not verdict.passed


def test_verdicts_keep_the_order_of_the_requirements() -> None:
    requirements = [Requirement(name, ">=", 0.0) for name in ("b", "a", "c")]
    assert [verdict.metric for verdict in evaluate(requirements, {})] == ["b", "a", "c"]
