"""A mask of 5 degrees in the east and 10 in the west, beside the passes over either alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from physics_reference import load_csv, orbit, station

from node.physics.passes import find_passes

SPAN_S = 3 * 86_400.0
EAST_LOW = ((0.0, 5.0), (179.99, 5.0), (180.0, 10.0), (359.99, 10.0))
PASSES = load_csv("passes.csv")
PLACES = sorted({(row["orbit"], row["station"]) for row in PASSES})


def side(row: dict[str, str], edge: str) -> str:
    return "east" if float(row[f"az_{edge}_deg"]) < 180.0 else "west"


@pytest.mark.parametrize(("name", "place"), PLACES, ids="-".join)
def test_each_edge_is_that_of_the_mask_on_its_side(name: str, place: str) -> None:
    satellite = orbit(name)
    epoch = satellite.epoch_utc_s
    masked = replace(station(place, 0.0), horizon_mask=EAST_LOW)
    found = find_passes(satellite, [masked], epoch, epoch + SPAN_S)
    rows = [row for row in PASSES if (row["orbit"], row["station"]) == (name, place)]
    high = {round(float(row["tca_s"])): row for row in rows if row["mask_deg"] == "10"}
    low = {round(float(row["tca_s"])): row for row in rows if row["mask_deg"] == "5"}
    compared = 0
    for tca_s in low.keys() & high.keys():
        inside = [one for one in found if abs(one.tca_utc_s - epoch - tca_s) < 400.0]
        for edge in ("aos", "los"):
            # Where the side changes between the two masks, the wall itself is the edge.
            if side(low[tca_s], edge) != side(high[tca_s], edge):
                continue
            row = low[tca_s] if side(low[tca_s], edge) == "east" else high[tca_s]
            edges_s = [getattr(one, f"{edge}_utc_s") - epoch for one in inside]
            assert float(row[f"{edge}_s"]) == pytest.approx(
                min(edges_s) if edge == "aos" else max(edges_s), abs=0.25
            )
            compared += 1
    assert compared > 8
