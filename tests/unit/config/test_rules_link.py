"""Rules about horizon masks and codings, and what is built of them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from node._compat import tomllib
from node.config.build import build_channels, build_stations
from node.config.convert import convert
from node.config.rules import SCENARIO_RULES, apply_rules
from node.config.scenario import Scenario
from node.physics.modcods import CCSDS

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"
PAGE = (ROOT / "docs" / "orbit-and-link.md").read_text(encoding="utf-8")
MASK = [[0, 5], [90.5, 12], [180, 7.5]]


def demo() -> dict[str, Any]:
    return tomllib.loads((SCENARIOS / "demo.toml").read_text())


def findings(data: dict[str, Any]) -> dict[str, str]:
    converted = convert(data, Scenario)
    assert converted.findings == []
    found = apply_rules(SCENARIO_RULES, converted.tables)
    return {each.path[2:]: each.message for each in found}


def test_mask_reaches_the_station() -> None:
    data = demo()
    data["ground_station"][1]["horizon_mask"] = MASK
    assert findings(data) == {}
    scenario = convert(data, Scenario).value
    assert scenario is not None
    first, second, *_ = build_stations(scenario)
    assert first.horizon is None
    assert second.horizon_mask == ((0, 5), (90.5, 12), (180, 7.5))
    assert second.horizon is not None
    assert second.horizon.elevation_deg(90.5) == 12.0


@pytest.mark.parametrize(
    ("mask", "entry", "words"),
    [
        ([[10, 5], [10, 6]], 1, "10 does not exceed the azimuth before, 10"),
        ([[0, 5], [200, 5], [100.5, 5], [300, 5]], 2, "100.5 does not exceed"),
    ],
)
def test_azimuths_of_a_mask_rise(mask: list[list[float]], entry: int, words: str) -> None:
    data = demo()
    data["ground_station"][2]["horizon_mask"] = mask
    found = findings(data)
    assert list(found) == [f"ground_station[2].horizon_mask[{entry}][0]"]
    assert words in found[f"ground_station[2].horizon_mask[{entry}][0]"]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ([[360, 5]], "below 360"),
        ([[-1, 5]], "from 0"),
        ([[10, 90]], "below 90"),
        ([[10]], "a list of 2"),
    ],
)
def test_points_of_a_mask_have_bounds(mask: list[list[float]], words: str) -> None:
    data = demo()
    data["ground_station"][0]["horizon_mask"] = mask
    (found,) = convert(data, Scenario).findings
    assert found.path.startswith("$.ground_station[0].horizon_mask[0]")
    assert words in found.message


def test_codings_reach_the_channels() -> None:
    data = demo()
    data["radio"]["uplink"]["coding"] = "ccsds"
    assert findings(data) == {}
    scenario = convert(data, Scenario).value
    assert scenario is not None
    uplink, downlink = build_channels(scenario)
    assert (uplink.coding, downlink.coding) == ("ccsds", "dvb-s2")
    assert uplink.modes != downlink.modes


@pytest.mark.parametrize(
    ("coding", "words"),
    [
        ("dvbs2", "there is no coding \"dvbs2\"; did you mean 'dvb-s2'?"),
        ("CCSDS", 'there is no coding "CCSDS"; write "dvb-s2", "ccsds" or the name of a mode'),
        (
            "CCSDS_TM_TURBO1784-1/2_QPSK",
            "did you mean 'CCSDS_TM_TURBO1784-12_QPSK'?",
        ),
        ("QPSK 9:10", "did you mean 'QPSK 9/10'?"),
    ],
)
def test_codings_exist(coding: str, words: str) -> None:
    for channel in ("uplink", "downlink"):
        data = demo()
        data["radio"][channel]["coding"] = coding
        found = findings(data)
        assert list(found) == [f"radio.{channel}.coding"]
        assert words in found[f"radio.{channel}.coding"]


def test_examples_of_the_page_break_no_rule() -> None:
    examples = [tomllib.loads(text) for text in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)]
    orbit, stations, neighbours = examples
    data = demo() | orbit | neighbours
    data["mission"]["epoch"] = datetime(2024, 5, 7, tzinfo=timezone.utc)
    data["ground_station"][0] |= stations["ground_station"][0]
    assert findings(data) == {}


def test_page_has_every_ccsds_mode() -> None:
    names = [name for name in re.findall(r"\| `(\w[\w-]*)` \|", PAGE) if name.isupper()]
    assert [f"{name}_{kind}" for name in names for kind in ("BPSK", "QPSK")] == [
        mode.name for mode in CCSDS
    ]
