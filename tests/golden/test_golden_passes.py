from __future__ import annotations

from collections import defaultdict

import pytest
from physics_reference import load_csv, orbit, station

from node.physics.passes import find_passes, look_at

SPAN_S = 3 * 86_400.0

PASSES: dict[tuple[str, str, float], list[dict[str, str]]] = defaultdict(list)
for _row in load_csv("passes.csv"):
    PASSES[_row["orbit"], _row["station"], float(_row["mask_deg"])].append(_row)


@pytest.mark.parametrize("key", PASSES, ids=lambda key: "-".join(map(str, key)))
def test_passes_agree_with_skyfield(key: tuple[str, str, float]) -> None:
    name, place, mask_deg = key
    satellite = orbit(name)
    epoch = satellite.epoch_utc_s
    found = [
        one
        for one in find_passes(satellite, [station(place, mask_deg)], epoch, epoch + SPAN_S)
        # The reference leaves out the passes that the window cuts.
        if one.aos_utc_s > epoch and one.los_utc_s < epoch + SPAN_S
    ]
    assert len(found) == len(PASSES[key])
    for one, row in zip(found, PASSES[key], strict=True):
        assert one.aos_utc_s - epoch == pytest.approx(float(row["aos_s"]), abs=0.25)
        assert one.los_utc_s - epoch == pytest.approx(float(row["los_s"]), abs=0.25)
        assert one.tca_utc_s - epoch == pytest.approx(float(row["tca_s"]), abs=0.25)
        assert one.max_elevation_deg == pytest.approx(float(row["max_el_deg"]), abs=0.02)
        at_aos = look_at(one.station, satellite, one.aos_utc_s)
        assert at_aos.azimuth_deg == pytest.approx(float(row["az_aos_deg"]), abs=0.05)
        assert at_aos.range_km == pytest.approx(float(row["range_aos_km"]), abs=2.0)
