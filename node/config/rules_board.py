"""Rules across the board's figures: its powers, its clock, the models that it runs.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from node.config import wording
from node.config.build import build_throttle
from node.config.finding import Finding
from node.config.scenario import ModelFigures, Requirement
from node.config.spacecraft import BoardFigures

THROTTLE_METRICS = frozenset({"min_clock_mhz", "time_throttled_s"})
"""What a run can tell of a board with a throttle alone."""


def models_draw_what_the_board_can(
    board: BoardFigures, model: list[ModelFigures]
) -> Iterator[Finding]:
    """A model draws no less than the board at rest and no more than the board at work."""
    for index, figures in enumerate(model):
        watts = figures.active_w
        if watts is not None and not board.idle_w <= watts <= board.active_w:
            yield Finding(
                f"$.model[{index}].active_w",
                f"must be from board.idle_w ({board.idle_w:g}) to board.active_w "
                f"({board.active_w:g}), got {watts:g}",
            )


def clock_falls_with_heat(board: BoardFigures) -> Iterator[Finding]:
    """The lowest clock is not above the full one, and the clock settles instead of swinging."""
    throttle = board.throttle
    if throttle is None:
        return
    if throttle.min_clock_mhz > throttle.clock_mhz:
        yield Finding(
            "$.board.throttle.min_clock_mhz",
            f"must be at most clock_mhz ({throttle.clock_mhz:g}), got {throttle.min_clock_mhz:g}",
        )
    gain = build_throttle(throttle).loop_gain(board.active_w - board.idle_w)
    if gain >= 1.0:
        yield Finding(
            "$.board.throttle.slope_mhz_per_k",
            "the clock would swing: slope_mhz_per_k / clock_mhz * die_offset_k_per_w * "
            f"power_exponent * (active_w - idle_w) must be below 1, is {gain:.3g}",
        )


def requirements_on_the_clock_have_one(
    requirement: list[Requirement], board: BoardFigures
) -> Iterator[Finding]:
    """A board without a throttle has no clock to be judged."""
    for index, line in enumerate(requirement):
        if line.metric in THROTTLE_METRICS and board.throttle is None:
            yield Finding(
                f"$.requirement[{index}].metric",
                f"{wording.quoted(line.metric)} needs [board.throttle]",
            )


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    models_draw_what_the_board_can,
    clock_falls_with_heat,
    requirements_on_the_clock_have_one,
)
