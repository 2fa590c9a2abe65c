"""Computes with Skyfield what the request on standard input asks for; prints JSON.

Runs in an environment of its own (``skyfield.txt``) and imports nothing of the product. Offline:
the ephemeris DE421 comes with skyfield-data, the leap seconds and UT1 with Skyfield.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

import numpy as np
from sgp4.api import WGS72, Satrec
from skyfield.api import EarthSatellite, Loader, wgs84
from skyfield.constants import ERAD
from skyfield.framelib import itrs
from skyfield.positionlib import Geocentric
from skyfield.searchlib import find_discrete
from skyfield.sgp4lib import TEME
from skyfield.units import Distance
from skyfield_data import get_skyfield_data_path

PACKAGES = ("skyfield", "skyfield-data", "sgp4", "jplephem", "numpy")
SGP4_EPOCH_JD = 2433281.5
DAY_S = 86_400.0
EDGE_DAY = 1e-3 / DAY_S
# Far enough to either side of the point nearest to the Earth's centre for a parabola through the
# heights: the oblateness moves the lowest point by up to 40 km.
REACH_KM = 60.0


class Sky:
    """Skyfield's time scale and ephemeris."""

    def __init__(self) -> None:
        load = Loader(get_skyfield_data_path(), verbose=False)
        self.scale = load.timescale(builtin=True)
        ephemeris = load("de421.bsp")
        self.ephemeris, self.earth, self.sun = ephemeris, ephemeris["earth"], ephemeris["sun"]

    def times(self, start_utc: list[float], seconds: Any) -> Any:
        """Skyfield's times at ``seconds`` after a calendar date in UTC."""
        year, month, day, hour, minute, second = start_utc
        return self.scale.utc(
            int(year), int(month), int(day), int(hour), int(minute), second + np.asarray(seconds)
        )

    def sun_at(self, times: Any) -> Any:
        """Apparent geocentric Sun."""
        return self.earth.at(times).observe(self.sun).apparent()


def satellite_of(orbit: dict[str, Any], sky: Sky) -> EarthSatellite:
    """Skyfield's satellite from a two-line element set or from mean elements."""
    if "line1" in orbit:
        return EarthSatellite(orbit["line1"], orbit["line2"], ts=sky.scale)
    record = Satrec()
    record.sgp4init(
        WGS72,
        "i",
        1,
        orbit["epoch_jd"] - SGP4_EPOCH_JD + orbit["epoch_jd_fraction"],
        orbit["bstar"],
        0.0,
        0.0,
        orbit["eccentricity"],
        orbit["argument_of_perigee_rad"],
        orbit["inclination_rad"],
        orbit["mean_anomaly_rad"],
        orbit["kozai_mean_motion_rad_per_min"],
        orbit["raan_rad"],
    )
    return EarthSatellite.from_satrec(record, sky.scale)


def sunlit_height_km(satellite: EarthSatellite, sky: Sky, times: Any) -> Any:
    """Height over WGS84 of the line from the satellite to the Sun's centre where it is lowest.

    Infinite while the Sun stands on the satellite's side of the Earth.
    """
    position = satellite.at(times).position.km
    towards = sky.sun_at(times).position.km - position
    towards /= np.linalg.norm(towards, axis=0)
    nearest_km = -np.sum(position * towards, axis=0)

    def height(along_km: Any) -> Any:
        point = Distance(km=position + along_km * towards)
        return wgs84.height_of(Geocentric(point.au, t=times)).km

    lowest_km = nearest_km
    for reach_km in (REACH_KM, 0.1 * REACH_KM):
        below, here, above = (height(lowest_km + k * reach_km) for k in (-1.0, 0.0, 1.0))
        lowest_km = lowest_km + 0.5 * reach_km * (below - above) / (below - 2.0 * here + above)
    return np.where(nearest_km > 0.0, height(lowest_km), np.inf)


def edges(sky: Sky, start_utc: list[float], span_s: float, test: Any, step_s: float) -> Any:
    """Seconds and new value of every change of ``test`` in the span."""
    test.step_days = step_s / DAY_S
    begin, end = sky.times(start_utc, 0.0), sky.times(start_utc, span_s)
    at, values = find_discrete(begin, end, test, epsilon=EDGE_DAY)
    return [
        [(moment - begin) * DAY_S, bool(value)] for moment, value in zip(at, values, strict=True)
    ]


def elevation_mask_deg(station: dict[str, Any], azimuth_deg: Any) -> Any:
    """The station's mask, a line through (azimuth, elevation) points that closes at north."""
    points = sorted(station["horizon_mask"])
    if not points:
        return station["min_elevation_deg"]
    azimuths, elevations = zip(*points, strict=True)
    around = np.interp(azimuth_deg, azimuths, elevations, period=360.0)
    return np.maximum(around, station["min_elevation_deg"])


def day_of(orbit: dict[str, Any], sky: Sky) -> dict[str, Any]:
    """Everything about one orbit."""
    satellite = satellite_of(orbit, sky)
    start_utc, span_s, step_s = orbit["start_utc"], orbit["span_s"], orbit["step_s"]
    times = sky.times(start_utc, np.arange(0.0, span_s + 0.5 * step_s, step_s))
    place, sun = satellite.at(times), sky.sun_at(times)

    def sunlit(at: Any) -> Any:
        return sunlit_height_km(satellite, sky, at) > 0.0

    passes = {}
    for station in orbit["stations"]:
        site = wgs84.latlon(
            station["latitude_deg"], station["longitude_deg"], elevation_m=station["altitude_m"]
        )
        view = satellite - site

        def visible(at: Any, view: Any = view, station: dict[str, Any] = station) -> Any:
            elevation, azimuth, _ = view.at(at).altaz()
            return elevation.degrees >= elevation_mask_deg(station, azimuth.degrees)

        passes[station["name"]] = edges(sky, start_utc, span_s, visible, 10.0)
    return {
        "r_itrs_km": place.frame_xyz(itrs).km.T.tolist(),
        "r_teme_km": place.frame_xyz(TEME).km.T.tolist(),
        "sun_teme_km": sun.frame_xyz(TEME).km.T.tolist(),
        "sun_distance_au": sun.distance().au.tolist(),
        "sphere_lit_count": int(np.sum(place.is_sunlit(sky.ephemeris))),
        "sunlit_edges": edges(sky, start_utc, span_s, sunlit, 60.0),
        "pass_edges": passes,
    }


def main() -> int:
    """Answer the request."""
    request = json.load(sys.stdin)
    sky = Sky()
    answer = {
        "versions": {name: version(name) for name in PACKAGES},
        "constants": {"earth_radius_km": ERAD / 1000.0},
        "orbits": {orbit["name"]: day_of(orbit, sky) for orbit in request["orbits"]},
    }
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
