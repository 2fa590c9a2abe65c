from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node._compat import tomllib
from node.config.build import build_spacecraft
from node.config.convert import convert
from node.config.load import load_scenario
from node.config.rules import SCENARIO_RULES, apply_rules
from node.config.scenario import Scenario
from node.physics.ageing import Ageing

DEMO = Path(__file__).parents[3] / "scenarios" / "demo.toml"
FRONT = {
    "node": "wing",
    "area_m2": 0.12,
    "emissivity_ratio": 0.85,
    "absorptance_ratio": 0.9,
    "space_view_ratio": 1.0,
    "facing": "panel",
    "panel": "wing",
}


def warm(
    panel: dict[str, Any] | None = None, fronts: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Give the demo's wing a node and a front of its own; ``...`` deletes a key of the panel."""
    data = tomllib.loads(DEMO.read_text())
    wing = data["array"][0]
    del wing["cell_temperature_c"]
    wing.update({"thermal_node": "wing", **(panel or {})})
    data["array"] = [{key: value for key, value in wing.items() if value is not ...}]
    thermal = data["thermal"]
    thermal["node"].append({"name": "wing", "capacity_j_per_k": 300, "initial_c": 20})
    thermal["surface"] = [FRONT] if fronts is None else fronts
    return data


def findings(data: dict[str, Any]) -> dict[str, str]:
    converted = convert(data, Scenario)
    assert converted.findings == []
    found = apply_rules(SCENARIO_RULES, converted.tables)
    return {finding.path[2:]: finding.message for finding in found}


def test_a_panel_with_a_front_of_its_own_breaks_no_rule() -> None:
    assert findings(warm()) == {}
    assert (
        findings(warm({"mounting": "one_axis", "axis_body": [0, 1, 0], "axis_limit_deg": 60})) == {}
    )


@pytest.mark.parametrize(
    ("panel", "front", "path", "words"),
    [
        ({"thermal_node": ...}, None, "array[0].cell_temperature_c", "or give thermal_node"),
        ({"cell_temperature_c": 60}, {}, "array[0].thermal_node", "not both"),
        (
            {"thermal_node": "wnig"},
            {"node": "wnig"},
            "array[0].thermal_node",
            "did you mean 'wing'",
        ),
        ({"axis_limit_deg": 60}, {}, "array[0].axis_limit_deg", 'not "fixed"'),
        ({}, None, "array[0].thermal_node", 'facing = "panel" and panel = "wing"'),
        ({}, {"facing": "sun"}, "thermal.surface[0].panel", 'not with "sun"'),
        ({}, {"panel": "wnig"}, "thermal.surface[0].panel", "did you mean 'wing'"),
        (
            {"thermal_node": ..., "cell_temperature_c": 60},
            {},
            "thermal.surface[0].panel",
            'give it thermal_node = "wing" instead',
        ),
        ({}, {"node": "board"}, "thermal.surface[0].node", 'thermal_node of "wing", "wing"'),
        ({}, {"area_m2": 0.2}, "thermal.surface[0].area_m2", "(0.12), got 0.2"),
        ({}, {"absorptance_ratio": 0.3}, "thermal.surface[0].absorptance_ratio", "(0.441), got"),
    ],
)
def test_a_broken_rule(
    panel: dict[str, Any], front: dict[str, Any] | None, path: str, words: str
) -> None:
    found = findings(warm(panel, [] if front is None else [{**FRONT, **front}]))

    assert words in found[path]


def test_a_front_names_its_panel() -> None:
    front = {key: value for key, value in FRONT.items() if key != "panel"}
    found = findings(warm(fronts=[front]))
    assert found["thermal.surface[0].panel"] == 'required with facing = "panel"'


def test_a_panel_has_one_front() -> None:
    found = findings(warm(fronts=[FRONT, FRONT]))
    assert found == {
        "thermal.surface[1].panel": 'thermal.surface[0] is the front of "wing" already'
    }


def test_what_is_built_of_it() -> None:
    data = warm(
        {
            "mounting": "one_axis",
            "axis_body": [0, 1, 0],
            "axis_limit_deg": 60,
            "max_incidence_deg": 85,
        }
    )
    data["battery"]["ageing"] = {
        "calendar_fade_per_root_year_ratio": 0.02,
        "cycle_fade_per_full_cycle_ratio": 4e-5,
    }
    scenario = convert(data, Scenario).value
    assert scenario is not None
    craft = build_spacecraft(scenario)
    (panel,) = craft.panels
    (front,) = craft.thermal.surfaces
    assert front.panel is panel
    assert (panel.cell_temperature_c, panel.thermal_node) == (None, "wing")
    assert (panel.axis_limit_deg, panel.max_incidence_deg) == (60.0, 85.0)
    assert craft.ageing == Ageing(0.02, 4e-5)
    assert build_spacecraft(load_scenario(DEMO)).ageing is None
