"""A board's own figures, laid over those of a scenario: the same mission on another board.

A profile is a file of its own (TOML), so that one scenario can be flown with each board that is
looked at and one board with each scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from node.config.finding import Finding
from node.config.scenario import ModelFigures, Name, PositiveSeconds, Scenario, Section, Watts


class OperatingPoint(Section, frozen=True):
    """One model at one setting of the board."""

    model: Name
    threads: Annotated[int, Meta(ge=1, le=1024)]
    clock_ratio: Annotated[float, Meta(gt=0, le=1)]
    """Of the board's full clock."""
    duration_s: PositiveSeconds
    """Of one inference, decoding and encoding included."""
    active_w: Watts
    """Mean power of the board while it runs, idle draw included."""
    result_bytes: Annotated[int, Meta(ge=1, le=1 << 32)] | None = None
    """Without it the scenario's figure holds."""


class BoardProfile(Section, frozen=True):
    """One profile file."""

    schema: Annotated[int, Meta(ge=1, le=1)]
    board: Annotated[str, Meta(min_length=1, max_length=100)]
    """What it is, for people."""
    source: Literal["measured", "published", "assumed"]
    text: Annotated[str, Meta(min_length=1, max_length=500)]
    """Who measured or published this, and how; why it is assumed."""
    idle_w: Watts
    active_w: Watts
    """With all cores busy: the most that a model draws, and what one without a point here does."""
    point: Annotated[list[OperatingPoint], Meta(max_length=1024)] = field(default_factory=list)
    """Of several for a model, the fastest at the highest clock is flown."""


def powers_are_ordered(
    idle_w: float, active_w: float, point: list[OperatingPoint]
) -> Iterator[Finding]:
    """An inference does not lower the draw, and none draws more than all cores busy."""
    if active_w < idle_w:
        yield Finding("$.active_w", f"must be at least idle_w ({idle_w:g}), got {active_w:g}")
        return
    for index, each in enumerate(point):
        if not idle_w <= each.active_w <= active_w:
            yield Finding(
                f"$.point[{index}].active_w",
                f"must be from idle_w ({idle_w:g}) to active_w ({active_w:g}), "
                f"got {each.active_w:g}",
            )


def points_differ(point: list[OperatingPoint]) -> Iterator[Finding]:
    """A model has one set of figures at a setting."""
    seen: set[tuple[str, int, float]] = set()
    for index, each in enumerate(point):
        setting = (each.model, each.threads, each.clock_ratio)
        if setting in seen:
            yield Finding(
                f"$.point[{index}]",
                f"{each.model} with {each.threads} threads at clock_ratio {each.clock_ratio:g} "
                "stands here twice",
            )
        seen.add(setting)


PROFILE_RULES: tuple[Callable[..., Iterator[Finding]], ...] = (powers_are_ordered, points_differ)


def overlay(scenario: Scenario, profile: BoardProfile) -> Scenario:
    """Give a scenario the figures of a profile; what the profile does not say stays."""
    replace = msgspec.structs.replace
    board = replace(scenario.board, idle_w=profile.idle_w, active_w=profile.active_w)
    models = [_on_board(model, _point_of(model.name, profile)) for model in scenario.model]
    return replace(scenario, board=board, model=models)


def origin(path: str, scenario: Scenario, profile: BoardProfile) -> str:
    """Return the key of the profile that a key of the overlaid scenario comes from.

    Args:
        path: as in a finding, ``$.model[0].duration_s``.
        scenario: that was laid under.
        profile: that was laid over.
    """
    for index, model in enumerate(scenario.model):
        point = _point_of(model.name, profile)
        if point is not None and path.startswith(f"$.model[{index}]."):
            return f"$.point[{profile.point.index(point)}].{path.rpartition('.')[2]}"
    return "$.active_w" if path == "$.board.active_w" else "$.idle_w"


def _point_of(model: str, profile: BoardProfile) -> OperatingPoint | None:
    """Return the point that is flown."""
    points = [each for each in profile.point if each.model == model]
    return min(points, key=lambda each: (-each.clock_ratio, each.duration_s), default=None)


def _on_board(model: ModelFigures, point: OperatingPoint | None) -> ModelFigures:
    if point is None:
        return msgspec.structs.replace(model, active_w=None)
    size = model.result_bytes if point.result_bytes is None else point.result_bytes
    return msgspec.structs.replace(
        model, duration_s=point.duration_s, active_w=point.active_w, result_bytes=size
    )
