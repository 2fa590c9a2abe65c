"""Rules of the solar array: where its cells' temperature comes from, and the fronts of its panels.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from node.config import wording
from node.config.finding import Finding
from node.config.rules_spacecraft import unknown_reference
from node.config.spacecraft import ArrayPanel, Thermal, ThermalSurface

_AREA_TOLERANCE = 1e-6
_ALL_THE_WAY_DEG = 180.0
_ABOVE_ABSOLUTE_ZERO_K = 28.0 + 273.15
"""Of the temperature at which efficiency is given."""


def cells_have_one_temperature(array: list[ArrayPanel]) -> Iterator[Finding]:
    """Cells are held at a temperature or have that of a thermal node."""
    for index, panel in enumerate(array):
        path = f"$.array[{index}]"
        if panel.cell_temperature_c is None and panel.thermal_node is None:
            yield Finding(f"{path}.cell_temperature_c", "required; or give thermal_node")
        elif panel.cell_temperature_c is not None and panel.thermal_node is not None:
            yield Finding(
                f"{path}.thermal_node", "give either this or cell_temperature_c, not both"
            )


def limits_belong_to_one_axis(array: list[ArrayPanel]) -> Iterator[Finding]:
    """Only a panel that turns about an axis stops somewhere."""
    for index, panel in enumerate(array):
        if panel.mounting != "one_axis" and panel.axis_limit_deg != _ALL_THE_WAY_DEG:
            yield Finding(
                f"$.array[{index}].axis_limit_deg",
                f'only mounting = "one_axis" has a limit, not "{panel.mounting}"',
            )


def warm_panels_have_fronts(array: list[ArrayPanel], thermal: Thermal) -> Iterator[Finding]:
    """A panel on a thermal node is heated there, by one surface of its own."""
    nodes = [node.name for node in thermal.node]
    for index, panel in enumerate(array):
        if panel.thermal_node is None:
            continue
        path = f"array[{index}].thermal_node"
        yield from unknown_reference(path, panel.thermal_node, nodes, "thermal node")
        fronts = [
            f"thermal.surface[{number}]"
            for number, surface in enumerate(thermal.surface)
            if surface.facing == "panel" and surface.panel == panel.name
        ]
        if not fronts:
            yield Finding(
                f"$.{path}",
                "nothing heats the cells: give a thermal.surface with "
                f'facing = "panel" and panel = {wording.quoted(panel.name)}',
            )
        for again in fronts[1:]:
            yield Finding(
                f"$.{again}.panel",
                f"{fronts[0]} is the front of {wording.quoted(panel.name)} already",
            )


def fronts_belong_to_panels(array: list[ArrayPanel], thermal: Thermal) -> Iterator[Finding]:
    """A surface that is the front of a panel fits that panel."""
    panels = {panel.name: panel for panel in array}
    for index, surface in enumerate(thermal.surface):
        path = f"$.thermal.surface[{index}]"
        if surface.panel is None:
            if surface.facing == "panel":
                yield Finding(f"{path}.panel", 'required with facing = "panel"')
        elif surface.facing != "panel":
            yield Finding(
                f"{path}.panel", f'goes with facing = "panel", not with "{surface.facing}"'
            )
        elif surface.panel not in panels:
            yield from unknown_reference(f"{path[2:]}.panel", surface.panel, panels, "array panel")
        else:
            yield from _misfits(path, surface, panels[surface.panel])


def _misfits(path: str, surface: ThermalSurface, panel: ArrayPanel) -> Iterator[Finding]:
    if panel.thermal_node is None:
        yield Finding(
            f"{path}.panel",
            f"the cells of {wording.quoted(panel.name)} are held at cell_temperature_c; "
            f"give it thermal_node = {wording.quoted(surface.node)} instead",
        )
    elif surface.node != panel.thermal_node:
        yield Finding(
            f"{path}.node",
            f"must be the thermal_node of {wording.quoted(panel.name)}, "
            f"{wording.quoted(panel.thermal_node)}",
        )
    if abs(surface.area_m2 - panel.area_m2) > _AREA_TOLERANCE * panel.area_m2:
        yield Finding(
            f"{path}.area_m2",
            f"must be the area of {wording.quoted(panel.name)} ({panel.area_m2:g}), "
            f"got {surface.area_m2:g}",
        )
    coldest = max(1.0, 1.0 - panel.temperature_coefficient_per_k * _ABOVE_ABSOLUTE_ZERO_K)
    most = panel.packing_ratio * panel.cell_efficiency_ratio * coldest
    if surface.absorptance_ratio < most:
        yield Finding(
            f"{path}.absorptance_ratio",
            f"must be at least what the coldest cells of {wording.quoted(panel.name)} turn into "
            f"power ({most:.3g}), got {surface.absorptance_ratio:g}",
        )


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    cells_have_one_temperature,
    limits_belong_to_one_axis,
    warm_panels_have_fronts,
    fronts_belong_to_panels,
)
