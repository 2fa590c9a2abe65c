"""Rules across the tables of the spacecraft: array, battery, thermal network, modes.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from node.config import wording
from node.config.finding import Finding
from node.config.scenario import GroundStation, ModelFigures
from node.config.section import Vector
from node.config.spacecraft import ArrayPanel, Battery, BoardFigures, Modes, Thermal

_UNIT_TOLERANCE = 1e-3

_BELOW = (
    ("off_below_soc", "boot_above_soc"),
    ("off_below_soc", "safe_below_soc"),
    ("safe_below_soc", "reduced_above_soc"),
    ("safe_below_soc", "reduced_below_soc"),
    ("reduced_below_soc", "nominal_above_soc"),
    ("nominal_below_board_c", "reduced_above_board_c"),
    ("reduced_below_board_c", "safe_above_board_c"),
    ("reduced_above_board_c", "safe_above_board_c"),
)
"""Pairs of ``modes`` of which the first must be strictly below the second."""

_NOT_ABOVE = (
    ("reduced_above_soc", "nominal_above_soc"),
    ("nominal_below_board_c", "reduced_below_board_c"),
)
"""Pairs that may be equal: leaving SAFE must not skip over REDUCED."""


def mode_thresholds_are_ordered(modes: Modes) -> Iterator[Finding]:
    """Hysteresis pairs do not cross, and a graver mode has the graver threshold."""
    for low, high in _BELOW:
        if not getattr(modes, low) < getattr(modes, high):
            yield _order(modes, low, high, "below")
    for low, high in _NOT_ABOVE:
        if getattr(modes, low) > getattr(modes, high):
            yield _order(modes, low, high, "at most")


def ceiling_is_above_idle(modes: Modes, board: BoardFigures) -> Iterator[Finding]:
    """Pacing inferences cannot bring the board below its idle draw."""
    if modes.reduced_power_ceiling_w < board.idle_w:
        yield Finding(
            "$.modes.reduced_power_ceiling_w",
            f"{modes.reduced_power_ceiling_w:g} W is less than board.idle_w ({board.idle_w:g} W), "
            "so that no inference runs in REDUCED",
            warning=True,
        )


def board_draws_more_when_active(board: BoardFigures) -> Iterator[Finding]:
    """An inference does not lower the draw."""
    if board.active_w < board.idle_w:
        yield Finding(
            "$.board.active_w",
            f"must be at least board.idle_w ({board.idle_w:g}), got {board.active_w:g}",
        )


def ocv_table_rises(battery: Battery) -> Iterator[Finding]:
    """The open-circuit-voltage table is a rising function on the whole of 0 to 1."""
    soc, volts = battery.cell_ocv_soc, battery.cell_ocv_v
    if len(soc) != len(volts):
        yield Finding(
            "$.battery.cell_ocv_v",
            f"has {len(volts)} entries, but cell_ocv_soc has {len(soc)}",
        )
    if soc[0] != 0:
        yield Finding("$.battery.cell_ocv_soc[0]", f"must begin at 0, got {soc[0]:g}")
    if soc[-1] != 1:
        last = len(soc) - 1
        yield Finding(f"$.battery.cell_ocv_soc[{last}]", f"must end at 1, got {soc[-1]:g}")
    for name, column in (("cell_ocv_soc", soc), ("cell_ocv_v", volts)):
        for index, (before, after) in enumerate(pairwise(column), start=1):
            if after <= before:
                yield Finding(
                    f"$.battery.{name}[{index}]",
                    f"must rise: {after:g} does not exceed the entry before, {before:g}",
                )


def battery_voltages_fit(battery: Battery) -> Iterator[Finding]:
    """The cell can be charged full, and the empty cell at rest holds the bus."""
    full_v, empty_v = battery.cell_ocv_v[-1], battery.cell_ocv_v[0]
    if battery.cell_max_v < full_v:
        yield Finding(
            "$.battery.cell_max_v",
            f"must be at least the last entry of cell_ocv_v ({full_v:g}), "
            f"got {battery.cell_max_v:g}",
        )
    if battery.min_bus_v >= battery.series * empty_v:
        yield Finding(
            "$.battery.min_bus_v",
            f"must be below the empty battery at rest, series * cell_ocv_v[0] "
            f"({battery.series * empty_v:g}), got {battery.min_bus_v:g}",
        )


def panel_names_are_unique(array: list[ArrayPanel]) -> Iterator[Finding]:
    """Panels have names of their own."""
    return repeated_names("array", [panel.name for panel in array])


def station_names_are_unique(ground_station: list[GroundStation]) -> Iterator[Finding]:
    """Stations have names of their own."""
    return repeated_names("ground_station", [station.name for station in ground_station])


def thermal_names_are_unique(thermal: Thermal) -> Iterator[Finding]:
    """Thermal nodes have names of their own."""
    return repeated_names("thermal.node", [node.name for node in thermal.node])


def model_names_are_unique(model: list[ModelFigures]) -> Iterator[Finding]:
    """Models have names of their own."""
    return repeated_names("model", [figures.name for figures in model])


def thermal_references_exist(thermal: Thermal) -> Iterator[Finding]:
    """Everything thermal hangs on nodes that exist."""
    known = [node.name for node in thermal.node]
    references = [
        ("thermal.board_node", thermal.board_node),
        ("thermal.bus_node", thermal.bus_node),
    ]
    for index, link in enumerate(thermal.link):
        references += [
            (f"thermal.link[{index}].between[{end}]", name) for end, name in enumerate(link.between)
        ]
        if link.between[0] == link.between[1]:
            yield Finding(
                f"$.thermal.link[{index}].between", "must join two different thermal nodes"
            )
    references += [
        (f"thermal.surface[{index}].node", surface.node)
        for index, surface in enumerate(thermal.surface)
    ]
    references += [
        (f"thermal.heater[{index}].node", heater.node)
        for index, heater in enumerate(thermal.heater)
    ]
    for path, name in references:
        yield from unknown_reference(path, name, known, "thermal node")


def battery_node_exists(battery: Battery, thermal: Thermal) -> Iterator[Finding]:
    """The battery's temperature is that of a node that exists."""
    known = [node.name for node in thermal.node]
    return unknown_reference("battery.thermal_node", battery.thermal_node, known, "thermal node")


def panels_are_mounted(array: list[ArrayPanel]) -> Iterator[Finding]:
    """Normals and axes are unit vectors; a panel that turns about an axis has one."""
    for index, panel in enumerate(array):
        path = f"$.array[{index}]"
        yield from _not_unit(f"{path}.normal_body", panel.normal_body)
        if panel.axis_body is not None:
            yield from _not_unit(f"{path}.axis_body", panel.axis_body)
        elif panel.mounting == "one_axis":
            yield Finding(f"{path}.axis_body", 'required with mounting = "one_axis"')


def surfaces_face_somewhere(thermal: Thermal) -> Iterator[Finding]:
    """A fixed surface has a unit normal."""
    for index, surface in enumerate(thermal.surface):
        path = f"$.thermal.surface[{index}].normal_body"
        if surface.normal_body is not None:
            yield from _not_unit(path, surface.normal_body)
        elif surface.facing == "fixed":
            yield Finding(path, 'required with facing = "fixed"')


def heaters_have_hysteresis(thermal: Thermal) -> Iterator[Finding]:
    """A heater goes on at a lower temperature than it goes off."""
    for index, heater in enumerate(thermal.heater):
        if not heater.on_below_c < heater.off_above_c:
            yield Finding(
                f"$.thermal.heater[{index}].on_below_c",
                f"must be below off_above_c ({heater.off_above_c:g}), got {heater.on_below_c:g}",
            )


def unknown_reference(path: str, name: str, known: Iterable[str], noun: str) -> Iterator[Finding]:
    """Yield a finding where ``name`` is none of ``known``."""
    names = list(known)
    if name not in names:
        hint = wording.did_you_mean(name, names)
        yield Finding(f"$.{path}", f"there is no {noun} {wording.quoted(name)}{hint}")


def repeated_names(path: str, names: list[str]) -> Iterator[Finding]:
    """Yield a finding for each name in the list at ``path`` that is taken already."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            yield Finding(
                f"$.{path}[{index}].name",
                f"{wording.quoted(name)} is the name of {path}[{first[name]}] already",
            )


def _order(modes: Modes, low: str, high: str, relation: str) -> Finding:
    limit, got = getattr(modes, high), getattr(modes, low)
    return Finding(f"$.modes.{low}", f"must be {relation} {high} ({limit:g}), got {got:g}")


def _not_unit(path: str, vector: Vector) -> Iterator[Finding]:
    length = math.hypot(*vector)
    if abs(length - 1) > _UNIT_TOLERANCE:
        yield Finding(path, f"must be a unit vector, its length is {length:.4g}")


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    mode_thresholds_are_ordered,
    ceiling_is_above_idle,
    board_draws_more_when_active,
    ocv_table_rises,
    battery_voltages_fit,
    panel_names_are_unique,
    station_names_are_unique,
    thermal_names_are_unique,
    model_names_are_unique,
    thermal_references_exist,
    battery_node_exists,
    panels_are_mounted,
    surfaces_face_somewhere,
    heaters_have_hysteresis,
)
