"""A figure of the benchmark, and how figures are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct


class Figure(Struct, frozen=True):
    """One figure against its goal."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["higher", "lower"] = "higher"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal


def as_json(figure: Figure) -> dict[str, object]:
    """What goes into the file."""
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "goal": figure.goal,
        "better": figure.better,
        "met": figure.met,
        "note": figure.note,
    }


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out for people."""
    lines = [f"{'figure':44} {'value':>12} {'goal':>12}  unit"]
    for figure in figures:
        sign = ">=" if figure.better == "higher" else "<="
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
        mark = {True: "ok", False: "MISSED", None: ""}[figure.met]
        lines.append(f"{figure.name:44} {figure.value:12.5g} {goal:>12}  {figure.unit}  {mark}")
        if figure.note:
            lines.append(f"    {figure.note}")
    return "\n".join(lines)
