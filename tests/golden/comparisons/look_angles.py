"""Where a ground station sees the node, and its Doppler shift."""

from __future__ import annotations

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_csv, orbit, station

from node.physics.linkbudget import doppler_hz
from node.physics.passes import look_at

SOURCE = "doppler_samples.csv"
NOTE = "our UT1 is UTC"


def samples() -> list[Comparison]:
    """Every 30 s of the highest pass over each station."""
    errors: dict[str, list[float]] = {key: [] for key in ("az", "el", "range", "rate", "shift")}
    for row in load_csv(SOURCE):
        satellite = orbit(row["orbit"])
        place = station(row["station"], 5.0)
        view = look_at(place, satellite, satellite.epoch_utc_s + float(row["sec"]))
        # Across north, 0 and 360 degrees are the same.
        turn_deg = (view.azimuth_deg - float(row["az_deg"]) + 180.0) % 360.0 - 180.0
        errors["az"].append(turn_deg)
        errors["el"].append(view.elevation_deg - float(row["el_deg"]))
        errors["range"].append(view.range_km - float(row["range_km"]))
        errors["rate"].append((view.range_rate_km_s - float(row["range_rate_kms"])) * 1000.0)
        shift_hz = doppler_hz(view.range_rate_km_s, 8.2)
        errors["shift"].append(shift_hz - float(row["doppler_8p2GHz_hz"]))
    rows = f"worst of {len(errors['az'])} samples"
    return [
        worst_of(f"azimuth, {rows}", "deg", errors["az"], 0.02, SOURCE, NOTE),
        worst_of(f"elevation, {rows}", "deg", errors["el"], 0.01, SOURCE, NOTE),
        worst_of(f"slant range, {rows}", "km", errors["range"], 0.2, SOURCE, NOTE),
        worst_of(f"range rate, {rows}", "m/s", errors["rate"], 2.0, SOURCE, NOTE),
        worst_of(f"Doppler shift at 8.2 GHz, {rows}", "Hz", errors["shift"], 55.0, SOURCE, NOTE),
    ]
