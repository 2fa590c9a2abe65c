"""What ``orbitnode ephemeris`` lists, against Skyfield and CSPICE."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec
import pytest
from listed_scenario import demo
from physics_reference import ELEMENTS, load_csv, load_json

from node.config.scenario import GroundStation, Scenario, TleOrbit
from node.ephemeris.events import find_events
from node.ephemeris.rows import Ephemeris
from node.span import Span

DAY_S = 86_400.0
LOOKS = load_csv("doppler_samples.csv")
PASSES = load_csv("passes.csv")
ECLIPSES = {case["name"]: case for case in load_json("eclipse_events.json")["cases"]}


def ephemeris(orbit: str, mask_deg: float) -> Ephemeris:
    """Fly reference elements over all reference stations, from their epoch on."""
    elements = ELEMENTS[orbit]
    base = demo(orbit=TleOrbit(elements["line1"], elements["line2"]))
    scenario: Scenario = msgspec.structs.replace(
        base,
        mission=msgspec.structs.replace(
            base.mission,
            epoch=datetime.fromisoformat(elements["epoch_utc"].replace("Z", "+00:00")).astimezone(
                timezone.utc
            ),
        ),
        ground_station=[
            GroundStation(name, place["lat_deg"], place["lon_deg"], place["alt_m"], mask_deg, 0.0)
            for name, place in load_json("stations.json").items()
        ],
        radio=msgspec.structs.replace(
            base.radio, downlink=msgspec.structs.replace(base.radio.downlink, frequency_ghz=8.2)
        ),
    )
    return Ephemeris(scenario, [station.name for station in scenario.ground_station])


@pytest.mark.parametrize("orbit", sorted({row["orbit"] for row in LOOKS}))
def test_rows_agree_with_skyfield(orbit: str) -> None:
    computed = ephemeris(orbit, 5.0)
    samples = [row for row in LOOKS if row["orbit"] == orbit]
    for sample in samples:
        view = computed.at(float(sample["sec"])).stations[sample["station"]]
        assert view.azimuth_deg == pytest.approx(float(sample["az_deg"]), abs=0.02)
        assert view.elevation_deg == pytest.approx(float(sample["el_deg"]), abs=0.01)
        assert view.range_km == pytest.approx(float(sample["range_km"]), abs=0.2)
        assert view.range_rate_km_s == pytest.approx(float(sample["range_rate_kms"]), abs=2e-3)
        assert view.downlink_doppler_hz == pytest.approx(
            float(sample["doppler_8p2GHz_hz"]), abs=55.0
        )
        assert view.visible is (float(sample["el_deg"]) >= 5.0)


@pytest.mark.parametrize(
    ("orbit", "mask_deg"), sorted({(row["orbit"], float(row["mask_deg"])) for row in PASSES})
)
def test_pass_events_agree_with_skyfield(orbit: str, mask_deg: float) -> None:
    found = find_events(ephemeris(orbit, mask_deg), Span(0.0, 3 * DAY_S))
    for name in {row["station"] for row in PASSES}:
        expected = [
            (kind, float(row[f"{kind}_s"]))
            for row in PASSES
            if (row["orbit"], row["station"], float(row["mask_deg"])) == (orbit, name, mask_deg)
            for kind in ("aos", "tca", "los")
        ]
        listed = [(each.kind, each.mission_s) for each in found if each.station == name]
        # The reference leaves out the passes that the window cuts.
        kinds = [kind for kind, _ in listed]
        if "aos" in kinds and "los" in kinds:
            listed = listed[kinds.index("aos") : len(kinds) - kinds[::-1].index("los")]
        assert [kind for kind, _ in listed] == [kind for kind, _ in expected]
        for (_, found_s), (_, expected_s) in zip(listed, expected, strict=True):
            assert found_s == pytest.approx(expected_s, abs=0.25)


@pytest.mark.parametrize("orbit", sorted(ECLIPSES))
def test_eclipse_events_agree_with_spice(orbit: str) -> None:
    truth = ECLIPSES[orbit]["ellipsoid_cspice_s"]
    expected = sorted(
        (edge_s, f"{shadow}_{side}")
        for key, shadow in (("umbra_intervals", "umbra"), ("any_eclipse_intervals", "penumbra"))
        for interval in truth[key]
        for edge_s, side in zip(interval, ("entry", "exit"), strict=True)
        if 0.0 < edge_s < DAY_S
    )
    computed = ephemeris(orbit, 5.0)
    found = [each for each in find_events(computed, Span(0.0, DAY_S)) if each.station is None]
    assert [each.kind for each in found] == [kind for _, kind in expected]
    for event, (edge_s, kind) in zip(found, expected, strict=True):
        assert event.mission_s == pytest.approx(edge_s, abs=0.5)
        before, after = (
            computed.at(event.mission_s + side_s).illumination_ratio for side_s in (-1.0, 1.0)
        )
        assert before > after if kind.endswith("entry") else before < after
