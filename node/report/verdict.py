"""The verdict of a run: each requirement of the scenario against the metric it names. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from node.config.scenario import Requirement

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class Verdict(Struct, frozen=True):
    """One requirement and how the run met it."""

    metric: str
    operator: str
    value: float
    actual: float | None
    """None where the run has no such metric: the requirement is then not met."""
    passed: bool


def evaluate(requirements: Iterable[Requirement], metrics: Mapping[str, float]) -> list[Verdict]:
    """Judge each requirement, in order. A metric that is missing or not a number fails."""
    return [_judge(requirement, metrics.get(requirement.metric)) for requirement in requirements]


def _judge(requirement: Requirement, actual: float | None) -> Verdict:
    passed = actual is not None and _COMPARE[requirement.operator](actual, requirement.value)
    return Verdict(requirement.metric, requirement.operator, requirement.value, actual, passed)
