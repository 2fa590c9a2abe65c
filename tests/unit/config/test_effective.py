from __future__ import annotations

from pathlib import Path

import pytest

from node._compat import tomllib
from node.config.convert import convert
from node.config.effective import effective
from node.config.load import load_scenario
from node.config.scenario import Scenario

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.mark.parametrize("name", ["demo.toml", "brownout.toml"])
def test_what_is_shown_is_what_was_loaded(name: str) -> None:
    scenario = load_scenario(SCENARIOS / name)

    shown = effective(scenario)

    assert convert(tomllib.loads(shown), Scenario).value == scenario
    assert "priority = 3" in shown  # a default that the file does not mention
