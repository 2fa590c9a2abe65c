"""Cross-checks: what each key alone cannot show to be wrong.

A rule is a small function that names the top-level tables it needs as its parameters. It runs
where those tables are right by themselves, whatever is wrong elsewhere in the file, so that one
look at a file finds everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from typing import Any

from node.config import (
    rules_array,
    rules_board,
    rules_link,
    rules_mission,
    rules_orbit,
    rules_provenance,
    rules_providers,
    rules_radiation,
    rules_spacecraft,
)
from node.config.finding import Finding
from node.config.installation import BoardChoice, Clock, Inference
from node.config.rules_mission import REQUIREMENT_METRICS

__all__ = ["INSTALLATION_RULES", "REQUIREMENT_METRICS", "SCENARIO_RULES", "Rule", "apply_rules"]

Rule = Callable[..., Iterator[Finding]]


def rate_belongs_to_scaled(clock: Clock) -> Iterator[Finding]:
    """Only a scaled clock has a rate."""
    if clock.mode != "scaled" and clock.rate != 1:
        yield Finding(
            "$.clock.rate",
            f'must be 1 with mode = "{clock.mode}", got {clock.rate:g}; '
            'only mode = "scaled" has a rate',
        )


def freerun_simulates_board(clock: Clock, board: BoardChoice) -> Iterator[Finding]:
    """A real sensor cannot be read faster than time passes."""
    if clock.mode == "freerun" and board.family != "simulated":
        yield Finding(
            "$.board.family",
            f'must be "simulated" with clock.mode = "freerun", got "{board.family}"',
        )


def freerun_simulates_executor(clock: Clock, inference: Inference) -> Iterator[Finding]:
    """A real inference cannot run faster than time passes."""
    if clock.mode == "freerun" and inference.executor != "simulated":
        yield Finding(
            "$.inference.executor",
            f'must be "simulated" with clock.mode = "freerun", got "{inference.executor}"',
        )


def board_overrides_are_ordered(board: BoardChoice) -> Iterator[Finding]:
    """An inference does not lower the draw."""
    if board.idle_w is not None and board.active_w is not None and board.active_w < board.idle_w:
        yield Finding(
            "$.board.active_w",
            f"must be at least idle_w ({board.idle_w:g}), got {board.active_w:g}",
        )


def a_profile_stands_alone(board: BoardChoice) -> Iterator[Finding]:
    """A profile is about a board that is not there, and has both powers."""
    if board.profile is None:
        return
    if board.family != "simulated":
        yield Finding("$.board.profile", f'needs family = "simulated", got "{board.family}"')
    for key in ("idle_w", "active_w"):
        if getattr(board, key) is not None:
            yield Finding(f"$.board.{key}", "stands in the profile too; write one of them")


def named_rails_can_be_there(board: BoardChoice) -> Iterator[Finding]:
    """A board without monitor chips has no rails to add up."""
    if board.total_rails is not None and board.family in ("simulated", "nvidia-gpu"):
        yield Finding(
            "$.board.total_rails", f'a board of family = "{board.family}" has no measured rails'
        )


def gpus_belong_to_their_family(board: BoardChoice) -> Iterator[Finding]:
    """Only a board of GPUs has them to choose from."""
    if board.gpus is None:
        return
    if board.family != "nvidia-gpu":
        yield Finding("$.board.gpus", f'needs family = "nvidia-gpu", and not "{board.family}"')
    if len(set(board.gpus)) < len(board.gpus):
        yield Finding("$.board.gpus", "names one GPU twice")


def a_meter_has_a_board_to_measure(board: BoardChoice) -> Iterator[Finding]:
    """What a simulated board draws, no meter sees."""
    if board.meter is not None and board.family == "simulated":
        yield Finding("$.board.meter", 'a board of family = "simulated" has nothing to measure')


SCENARIO_RULES: tuple[Rule, ...] = (
    *rules_link.RULES,
    *rules_mission.RULES,
    *rules_orbit.RULES,
    *rules_spacecraft.RULES,
    *rules_array.RULES,
    *rules_board.RULES,
    *rules_radiation.RULES,
    *rules_provenance.RULES,
)
INSTALLATION_RULES: tuple[Rule, ...] = (
    rate_belongs_to_scaled,
    freerun_simulates_board,
    freerun_simulates_executor,
    board_overrides_are_ordered,
    *rules_providers.RULES,
    a_profile_stands_alone,
    named_rails_can_be_there,
    gpus_belong_to_their_family,
    a_meter_has_a_board_to_measure,
)


def apply_rules(rules: tuple[Rule, ...], tables: Mapping[str, Any]) -> Iterator[Finding]:
    """Run every rule whose tables are all there.

    Args:
        rules: ``SCENARIO_RULES`` or ``INSTALLATION_RULES``.
        tables: top-level values by name, without those that are wrong by themselves.
    """
    offered = {**tables, "tables": tables}
    for rule in rules:
        needed = list(signature(rule).parameters)
        if all(name in offered for name in needed):
            yield from rule(*(offered[name] for name in needed))
