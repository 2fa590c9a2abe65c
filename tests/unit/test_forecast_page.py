from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from node.config.load import load_scenario
from node.config.scenario import Provenance
from node.forecast.model import (
    Ageing,
    Forecast,
    LatencyPart,
    Quantiles,
    RadiationBudget,
    Spread,
    TerrestrialLatency,
    Throttling,
)
from node.forecast.page import render, write_page
from node.forecast.run import fly

DEMO = Path(__file__).parents[2] / "scenarios" / "demo.toml"
HOUR = Quantiles(count=9, mean=3600.0, median=3500.0, p95=4000.0)


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    return fly(load_scenario(DEMO))


def changed(forecast: Forecast, **changes: object) -> Forecast:
    return msgspec.structs.replace(forecast, **changes)


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>"))


def rows(text: str) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in parsed(text).iter("tr")]


def titles(text: str) -> list[str | None]:
    return [svg.get("aria-label") for svg in parsed(text).iter("svg")]


def test_the_page_asks_nothing_of_the_network(forecast: Forecast) -> None:
    text = render(forecast)
    assert not re.search(r"""https?://|(?:src|href)\s*=|@import|url\(""", text)


def test_names_are_escaped(forecast: Forecast) -> None:
    flight = msgspec.structs.replace(forecast.flight, scenario="<b>&")
    text = render(changed(forecast, flight=flight))
    assert "Forecast: <b>&" in "".join(parsed(text).itertext())


def test_every_constraint_stands_with_its_use(forecast: Forecast) -> None:
    text = "".join(parsed(render(forecast)).itertext())
    for constraint in forecast.constraints:
        assert constraint.name + (
            "does not apply"
            if constraint.utilisation_ratio is None
            else f"{constraint.utilisation_ratio * 100:.3g} %"
        ) in text.replace("\n", "")


def test_a_constraint_that_binds_is_marked_and_fills_its_bar(forecast: Forecast) -> None:
    first = msgspec.structs.replace(forecast.constraints[0], utilisation_ratio=1.7, binds=True)
    text = render(changed(forecast, constraints=[first, *forecast.constraints[1:]]))
    assert '<i class="binds" style="width:100.0%"></i>' in text
    assert 'class="binds"' not in render(forecast)


def test_latency_is_split_beside_the_data_centre(forecast: Forecast) -> None:
    ground = TerrestrialLatency(
        distance_km=2000.0,
        route_ratio=1.5,
        access_rate_bps=1e9,
        inference_duration_ratio=0.25,
        time_to_result_s=HOUR,
        parts=[LatencyPart("fibre", "light in the fibre", HOUR)],
        median_ratio=42.0,
    )
    latency = msgspec.structs.replace(forecast.latency, terrestrial=ground)
    text = render(changed(forecast, latency=latency))
    names = [row[0] for row in rows(text)]
    for part in forecast.latency.parts:
        assert part.part.replace("_", " ") in names
    assert "data centre: fibre" in names
    assert "42 times as long" in text


def test_a_flight_that_delivers_nothing_says_so(forecast: Forecast) -> None:
    nothing = msgspec.structs.replace(
        forecast.latency, time_to_result_s=Quantiles(count=0, mean=0.0, median=0.0, p95=0.0)
    )
    assert "No result came down" in render(changed(forecast, latency=nothing))


def test_a_short_flight_shades_eclipses_and_passes(forecast: Forecast) -> None:
    text = render(forecast)
    assert text.count('<rect class="eclipse"') > 0
    assert text.count('<rect class="pass"') > 0
    assert "Eclipse and contact by orbit" not in titles(text)


def test_a_long_flight_counts_eclipses_by_orbit_instead(forecast: Forecast) -> None:
    series = msgspec.structs.replace(forecast.series, bin_s=1728.0)
    text = render(changed(forecast, series=series))
    assert '<rect class="eclipse"' not in text
    assert "Eclipse and contact by orbit" in titles(text)
    assert "too long to shade" in text


def test_optional_parts_appear_where_the_scenario_has_them(forecast: Forecast) -> None:
    plain = render(changed(forecast, ageing=None, throttling=None, radiation=None))
    assert "Wear and limits" not in plain
    assert "Board clock" not in titles(plain)
    count = len(forecast.series.time_s)
    full = render(
        changed(
            forecast,
            series=msgspec.structs.replace(forecast.series, clock_ratio=[0.9] * count),
            ageing=Ageing(
                full_cycles_per_day=3.0,
                cycles_per_day=15.0,
                mean_cycle_depth=0.2,
                fade_first_year_ratio=0.031,
                calendar_share_ratio=0.5,
                years_to_80_percent=None,
            ),
            throttling=Throttling(
                throttled_s=10.0,
                throttled_ratio=0.123,
                clock_ratio=Spread(0.5, 0.9, 1.0),
                running_clock_ratio=0.8,
            ),
            radiation=RadiationBudget(
                upsets_per_day=0.16,
                uncorrected_upsets_per_day=0.01,
                interrupts_per_day=0.002,
                anomaly_time_ratio=0.05,
            ),
        )
    )
    cells = {row[0]: row[1] for row in rows(full) if len(row) == 2}
    assert cells["battery: years until 80 % of its rated capacity"] == "more than 100"
    assert cells["battery: capacity lost in a year"] == "3.1 %"
    assert cells["clock: time below full speed"] == "12.3 %"
    assert cells["radiation: memory upsets a day"] == "0.16"
    assert "Board clock" in titles(full)


def test_assumptions_stand_with_their_source(forecast: Forecast) -> None:
    entry = Provenance(of=["battery.cell_ocv_v"], kind="data_sheet", text="a sheet")
    assert ["data sheet", "battery.cell_ocv_v", "a sheet"] in rows(
        render(changed(forecast, assumptions=[entry]))
    )
    assert "does not say where" in render(changed(forecast, assumptions=[]))


def test_long_tables_are_cut_and_say_so(forecast: Forecast) -> None:
    text = render(changed(forecast, passes=forecast.passes[:1] * 200))
    assert "The first 120 of 200 passes." in text


def test_energy_of_the_mean_orbit_and_the_flight(forecast: Forecast) -> None:
    row = next(row for row in rows(render(forecast)) if row[0] == "generated by the array")
    assert row[1] == f"{forecast.energy.per_orbit.generated_wh:.4g} Wh"
    assert row[2] == f"{forecast.energy.total.generated_wh:.4g} Wh"


def test_the_page_is_written(forecast: Forecast, tmp_path: Path) -> None:
    write_page(forecast, tmp_path / "forecast.html")
    assert (tmp_path / "forecast.html").read_text(encoding="utf-8") == render(forecast)
