from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node._compat import tomllib
from node.config.convert import convert
from node.config.rules import SCENARIO_RULES, apply_rules
from node.config.scenario import Scenario

DEMO = Path(__file__).parents[3] / "scenarios" / "demo.toml"


def findings(*paths: str, **changes: Any) -> dict[str, str]:
    data = tomllib.loads(DEMO.read_text())
    data.pop("terrestrial", None)
    data |= changes
    data["provenance"] = [{"of": list(paths), "kind": "assumed", "text": "A design."}]
    tables = convert(data, Scenario).tables
    return {
        each.path: each.message
        for each in apply_rules(SCENARIO_RULES, tables)
        if each.path.startswith("$.provenance")
    }


def test_tables_keys_and_lists_of_tables_can_be_spoken_of() -> None:
    paths = ("battery", "battery.cell_ocv_v", "orbit.altitude_km", "radio.uplink.eirp_dbw")
    assert findings(*paths, "attitude", "array.area_m2", "thermal.node.initial_c", "model") == {}
    assert findings("workload", "fault", workload=[]) == {}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("batery", "there is no key \"batery\"; did you mean 'battery'?"),
        ("battery.cell_ocv", "there is no key \"battery.cell_ocv\"; did you mean 'cell_ocv_v'?"),
        ("array.area", "there is no key \"array.area\"; did you mean 'area_m2'?"),
        ("battery.cell_max_v.low", 'there is no key "battery.cell_max_v.low"'),
        ("orbit.inclination_deg", 'there is no key "orbit.inclination_deg"'),
        ("terrestrial", '"terrestrial" is not given in this scenario'),
        ("board.throttle.clock_mhz", '"board.throttle" is not given in this scenario'),
        ("neighbour.orbit", '"neighbour" is not given in this scenario'),
    ],
)
def test_a_path_that_leads_nowhere(path: str, words: str) -> None:
    assert findings("power", path) == {"$.provenance[0].of[1]": words}


def test_what_is_wrong_by_itself_is_not_followed() -> None:
    assert findings("power.bus_load_w", "power.nonsense", power={"bus_load_w": -1}) == {}
