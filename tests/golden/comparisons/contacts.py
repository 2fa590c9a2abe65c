"""Passes over ground stations, and what the stations see during them."""

from __future__ import annotations

from collections import defaultdict

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, orbit, station

from node.physics.linkbudget import doppler_hz
from node.physics.passes import find_passes, look_at

PASSES = "passes.csv"
SAMPLES = "doppler_samples.csv"
PLACES = "stations.json"
SPAN_S = 3 * 86_400.0
NOTE = "our UT1 is UTC"

Rows = list[dict[str, str]]


def turn_deg(azimuth_deg: float, reference_deg: float) -> float:
    """How far apart two azimuths are: across north, 0 and 360 degrees are the same."""
    return (azimuth_deg - reference_deg + 180.0) % 360.0 - 180.0


def passes() -> list[Comparison]:
    """Three days of every orbit over every station, at masks of 5 and 10 degrees."""
    expected: dict[tuple[str, str, float], Rows] = defaultdict(list)
    for row in load_csv(PASSES):
        expected[row["orbit"], row["station"], float(row["mask_deg"])].append(row)
    edges_s, highest_s, highest_deg, azimuths_deg, ranges_km = [], [], [], [], []
    found_count = 0
    for (name, place, mask_deg), rows in expected.items():
        satellite = orbit(name)
        epoch = satellite.epoch_utc_s
        found = [
            one
            for one in find_passes(satellite, [station(place, mask_deg)], epoch, epoch + SPAN_S)
            # The reference leaves out the passes that the window cuts.
            if one.aos_utc_s > epoch and one.los_utc_s < epoch + SPAN_S
        ]
        found_count += len(found)
        if len(found) != len(rows):
            # Which pass belongs to which row cannot be told: the number says what is wrong.
            continue
        for one, row in zip(found, rows, strict=True):
            edges_s.append(one.aos_utc_s - epoch - float(row["aos_s"]))
            edges_s.append(one.los_utc_s - epoch - float(row["los_s"]))
            highest_s.append(one.tca_utc_s - epoch - float(row["tca_s"]))
            highest_deg.append(one.max_elevation_deg - float(row["max_el_deg"]))
            at_aos = look_at(one.station, satellite, one.aos_utc_s)
            azimuths_deg.append(turn_deg(at_aos.azimuth_deg, float(row["az_aos_deg"])))
            ranges_km.append(at_aos.range_km - float(row["range_aos_km"]))
    number = sum(len(rows) for rows in expected.values())
    worst = f"worst of {number} passes"
    source = f"{PASSES}, {PLACES}"
    return [
        Comparison("passes in three days", "", found_count, number, 0.0, "absolute", source),
        worst_of(f"AOS and LOS, {worst}", "s", edges_s, 0.25, source, NOTE),
        worst_of(f"time of the greatest elevation, {worst}", "s", highest_s, 0.25, source, NOTE),
        worst_of(f"greatest elevation, {worst}", "deg", highest_deg, 0.02, source, NOTE),
        worst_of(f"azimuth at AOS, {worst}", "deg", azimuths_deg, 0.05, source, NOTE),
        worst_of(f"slant range at AOS, {worst}", "km", ranges_km, 2.0, source, NOTE),
    ]


def samples() -> list[Comparison]:
    """Every 30 s of the highest pass over each station."""
    errors: dict[str, list[float]] = {key: [] for key in ("az", "el", "range", "rate", "shift")}
    for row in load_csv(SAMPLES):
        satellite = orbit(row["orbit"])
        place = station(row["station"], 5.0)
        view = look_at(place, satellite, satellite.epoch_utc_s + float(row["sec"]))
        errors["az"].append(turn_deg(view.azimuth_deg, float(row["az_deg"])))
        errors["el"].append(view.elevation_deg - float(row["el_deg"]))
        errors["range"].append(view.range_km - float(row["range_km"]))
        errors["rate"].append((view.range_rate_km_s - float(row["range_rate_kms"])) * 1000.0)
        shift_hz = doppler_hz(view.range_rate_km_s, 8.2)
        errors["shift"].append(shift_hz - float(row["doppler_8p2GHz_hz"]))
    rows = f"worst of {len(errors['az'])} samples"
    return [
        worst_of(f"azimuth, {rows}", "deg", errors["az"], 0.02, SAMPLES, NOTE),
        worst_of(f"elevation, {rows}", "deg", errors["el"], 0.01, SAMPLES, NOTE),
        worst_of(f"slant range, {rows}", "km", errors["range"], 0.2, SAMPLES, NOTE),
        worst_of(f"range rate, {rows}", "m/s", errors["rate"], 2.0, SAMPLES, NOTE),
        worst_of(f"Doppler shift at 8.2 GHz, {rows}", "Hz", errors["shift"], 55.0, SAMPLES, NOTE),
    ]
