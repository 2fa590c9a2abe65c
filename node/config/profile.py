"""A board's own figures, laid over those of a scenario: the same mission on another board.

A profile is a file of its own (TOML), so that one scenario can be flown with each board that is
looked at and one board with each scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from node.config.finding import Finding
from node.config.scenario import ModelFigures, Scenario
from node.config.section import Name, PositiveSeconds, Section, Watts

_JOULES_AGREE = 1e-3
"""Of ``gross_j``: the figures of a file are rounded."""
Joules = Annotated[float, Meta(ge=0, le=1e9)]
ShortText = Annotated[str, Meta(min_length=1, max_length=100)]


class OperatingPoint(Section, frozen=True):
    """One model at one setting of the board."""

    model: Name
    threads: Annotated[int, Meta(ge=1, le=1024)]
    clock_ratio: Annotated[float, Meta(gt=0, le=1)]
    """Of the board's full clock."""
    duration_s: PositiveSeconds
    """Mean of one inference, decoding and encoding included."""
    active_w: Watts
    """Mean power of the board while it runs, idle draw included."""
    result_bytes: Annotated[int, Meta(ge=1, le=1 << 32)] | None = None
    """Without it the scenario's figure holds."""
    duty_ratio: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Part of the time in which inferences ran; the rest was pauses between them."""
    cpu_share_ratio: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of every core's time that the worker was left."""
    provider: ShortText | None = None
    """Execution provider that ran it; with a comma between where more than one did."""
    gross_j: Joules | None = None
    """Of one inference, idle draw included: ``active_w`` times ``duration_s``."""
    net_j: Joules | None = None
    """Of one inference, above idle: ``active_w`` less ``idle_w``, times ``duration_s``."""
    spread_ratio: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    """Half of the 95 % interval of ``gross_j`` by the scatter of the measurement's windows, over
    ``gross_j``. What a meter or a model is wrong by as a whole is not in it."""
    p50_s: PositiveSeconds | None = None
    p95_s: PositiveSeconds | None = None
    p99_s: PositiveSeconds | None = None
    """Quantiles of the durations, by nearest rank."""


class PowerOrigin(Section, frozen=True):
    """Where the watts of a measurement come from."""

    source: Literal["measured", "modelled"]
    scope: ShortText
    """What they cover, see ``docs/boards.md``."""
    model: ShortText | None = None
    """Which model, where they are modelled."""
    error_ratio: Annotated[float, Meta(ge=0, le=10)] | None = None
    """What the model may be wrong by, where that is published."""
    sample_s: PositiveSeconds | None = None
    """Time between two readings."""


class BoardProfile(Section, frozen=True):
    """One profile file."""

    schema: Annotated[int, Meta(ge=1, le=1)]
    board: Annotated[str, Meta(min_length=1, max_length=100)]
    """What it is, for people."""
    source: Literal["measured", "modelled", "published", "assumed"]
    """``modelled``: durations were measured, powers come from a model."""
    text: Annotated[str, Meta(min_length=1, max_length=500)]
    """Who measured or published this, and how; why it is assumed."""
    idle_w: Watts
    active_w: Watts
    """With all cores busy: the most that a model draws, and what one without a point here does."""
    point: Annotated[list[OperatingPoint], Meta(max_length=1024)] = field(default_factory=list)
    """Of several for a model, the one at the highest clock is flown; of these the one with the
    largest share of the cores and the fewest pauses, of these the fastest."""
    power: PowerOrigin | None = None
    measured_at: datetime | None = None
    """UTC."""
    software: Annotated[list[ShortText], Meta(max_length=32)] = field(default_factory=list)
    """Names and versions of what ran."""


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
    seen: set[tuple[object, ...]] = set()
    for index, each in enumerate(point):
        setting = (
            *(each.model, each.provider, each.threads),
            *(each.clock_ratio, each.cpu_share_ratio, each.duty_ratio),
        )
        if setting in seen:
            yield Finding(
                f"$.point[{index}]",
                f"{each.model} with {each.threads} threads at clock_ratio {each.clock_ratio:g} "
                "stands here twice",
            )
        seen.add(setting)


def joules_agree(idle_w: float, point: list[OperatingPoint]) -> Iterator[Finding]:
    """Joules are what follows from powers and duration."""
    for index, each in enumerate(point):
        gross_j = each.active_w * each.duration_s
        net_j = (each.active_w - idle_w) * each.duration_s
        for key, written_j, follows_j in (
            ("gross_j", each.gross_j, gross_j),
            ("net_j", each.net_j, net_j),
        ):
            if written_j is not None and abs(written_j - follows_j) > _JOULES_AGREE * gross_j:
                yield Finding(
                    f"$.point[{index}].{key}",
                    f"must be {follows_j:.6g} by active_w, idle_w and duration_s, "
                    f"got {written_j:g}",
                )


def quantiles_are_ordered(point: list[OperatingPoint]) -> Iterator[Finding]:
    """A higher quantile is no shorter."""
    for index, each in enumerate(point):
        named = [("p50_s", each.p50_s), ("p95_s", each.p95_s), ("p99_s", each.p99_s)]
        given = [(key, value) for key, value in named if value is not None]
        for (lower, lower_s), (key, value_s) in pairwise(given):
            if value_s < lower_s:
                yield Finding(
                    f"$.point[{index}].{key}",
                    f"must be at least {lower} ({lower_s:g}), got {value_s:g}",
                )


def models_have_names(power: PowerOrigin | None) -> Iterator[Finding]:
    """A model has a name, a measurement has no model."""
    if power is None:
        return
    if power.source == "modelled" and power.model is None:
        yield Finding("$.power.model", 'required with source = "modelled"')
    if power.source == "measured" and (power.model, power.error_ratio) != (None, None):
        key = "error_ratio" if power.model is None else "model"
        yield Finding(f"$.power.{key}", 'has no meaning with source = "measured"')


def measured_at_is_utc(measured_at: datetime | None) -> Iterator[Finding]:
    """A time without a zone is no instant."""
    if measured_at is not None and measured_at.utcoffset() != timedelta(0):
        yield Finding("$.measured_at", "must be UTC, for example 2026-01-31T12:00:00Z")


PROFILE_RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    powers_are_ordered,
    points_differ,
    joules_agree,
    quantiles_are_ordered,
    models_have_names,
    measured_at_is_utc,
)


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
    return min(
        points,
        key=lambda each: (
            *(-each.clock_ratio, -each.cpu_share_ratio, -each.duty_ratio),
            each.duration_s,
        ),
        default=None,
    )


def _on_board(model: ModelFigures, point: OperatingPoint | None) -> ModelFigures:
    if point is None:
        return msgspec.structs.replace(model, active_w=None)
    size = model.result_bytes if point.result_bytes is None else point.result_bytes
    return msgspec.structs.replace(
        model, duration_s=point.duration_s, active_w=point.active_w, result_bytes=size
    )
