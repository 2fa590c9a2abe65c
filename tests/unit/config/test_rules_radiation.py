from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node.config.finding import Finding
from node.config.rules import SCENARIO_RULES
from node.config.rules_mission import RUN_METRICS
from node.config.rules_radiation import (
    RULES,
    UPSET_METRICS,
    proton_map_reaches_orbit,
    requirements_on_upsets_have_radiation,
)
from node.config.scenario import AnyOrbit, KeplerianOrbit, Requirement, SsoOrbit, TleOrbit
from node.config.spacecraft import Radiation

ISS = (
    "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995",
    "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123",
)
RADIATION = Radiation(6.9e10, 1e-18, 1e-12, 0.9, 1e-10, 1e-4, 1.0)


def test_the_rules_are_applied() -> None:
    assert set(RULES) <= set(SCENARIO_RULES)
    assert UPSET_METRICS < RUN_METRICS


def test_a_requirement_on_upsets_needs_radiation() -> None:
    lines = [
        Requirement("boots", "==", 1.0),
        Requirement("upsets", "<", 3.0),
        Requirement("interrupts", "==", 0.0),
    ]
    assert list(requirements_on_upsets_have_radiation(lines, RADIATION)) == []
    assert list(requirements_on_upsets_have_radiation(lines, None)) == [
        Finding("$.requirement[1].metric", '"upsets" needs [radiation]'),
        Finding("$.requirement[2].metric", '"interrupts" needs [radiation]'),
    ]


@pytest.mark.parametrize(
    ("orbit", "apogee"),
    [
        (SsoOrbit(550.0, 6.0, 0.001, 0.0), None),
        (SsoOrbit(820.0, 6.0, 0.0, 0.0), None),
        (SsoOrbit(900.0, 6.0, 0.001, 0.0), "907 km"),
        (KeplerianOrbit(700.0, 0.03, 51.6, 0.0, 0.0, 0.0), "912 km"),
        (TleOrbit("1", "2"), None),
        (TleOrbit(*ISS), None),
        # 565 km by 1360 km.
        (TleOrbit(ISS[0], ISS[1][:26] + "0540000 140.6673 205.7250 13.80957674452127"), "1360 km"),
    ],
)
def test_an_orbit_above_the_map_is_warned_of(orbit: AnyOrbit, apogee: str | None) -> None:
    assert list(proton_map_reaches_orbit(None, orbit)) == []
    found = list(proton_map_reaches_orbit(RADIATION, orbit))
    assert [each.warning for each in found] == [True] * (apogee is not None)
    assert all("ends at 800 km" in each.message for each in found)
    assert all(apogee is not None and apogee in each.message for each in found)


@pytest.mark.parametrize("modulation_gv", [0.44, 0.91])
def test_the_sun_is_no_quieter_and_no_wilder_than_the_table(modulation_gv: float) -> None:
    values: dict[str, Any] = msgspec.to_builtins(RADIATION)
    assert msgspec.convert(values, Radiation) == RADIATION
    with pytest.raises(msgspec.ValidationError, match="solar_modulation_gv"):
        msgspec.convert({**values, "solar_modulation_gv": modulation_gv}, Radiation)
