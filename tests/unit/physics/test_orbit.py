from __future__ import annotations

from math import acos, atan2, degrees, dist, hypot, nan

import pytest

from node.errors import PhysicsError, PropagationError
from node.physics.orbit import EARTH_RADIUS_KM, MeanElements, Orbit
from node.physics.sun import sun_teme
from node.physics.vectors import Vector, cross, unit

ISS_1 = "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995"
ISS_2 = "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123"
EPOCH = 1_742_472_000.0  # 2025-03-20 12:00 UTC


def normal_of(orbit: Orbit, utc_s: float) -> Vector:
    return unit(cross(*orbit.state(utc_s)))


def node_rad(orbit: Orbit, utc_s: float) -> float:
    hx, hy, _ = normal_of(orbit, utc_s)
    return atan2(hx, -hy)


def test_tle_with_trailing_blanks_is_read() -> None:
    orbit = Orbit.from_tle(ISS_1 + " ", ISS_2 + "\n")
    assert orbit.period_s == pytest.approx(92.8 * 60, abs=20)
    assert hypot(*orbit.state(orbit.epoch_utc_s)[0]) == pytest.approx(6798, abs=15)


@pytest.mark.parametrize(
    ("line1", "line2", "message"),
    [
        (ISS_1[:68], ISS_2, "TLE line 1: expected 69 characters, got 68"),
        (ISS_1, ISS_2 + "1", "TLE line 2: expected 69 characters, got 70"),
        (ISS_2, ISS_1, "TLE line 1: a column does not hold"),
        (ISS_1[:-1] + "4", ISS_2, "TLE line 1: checksum is 5, the line says 4"),
        (ISS_1, ISS_2.replace("51.6393", "51.6394"), "TLE line 2: checksum is 4"),
        (ISS_1.replace("25544U", "25553U"), ISS_2, "line 1 is of satellite 25553, line 2 of 25544"),
        ("1 é" + ISS_1[3:], ISS_2, "TLE line 1: a column"),
        # A letter in the epoch, with a checksum that is right.
        (ISS_1.replace("24127.8", "24X27.8")[:-1] + "4", ISS_2, "TLE line 1: a column"),
        (ISS_1, ISS_2.replace("51.6393", "51,6393"), "TLE line 2: a column"),
    ],
)
def test_malformed_tle_says_what_is_wrong(line1: str, line2: str, message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        Orbit.from_tle(line1, line2)


def summed(line: str) -> str:
    """The line with the checksum that belongs to it."""
    return line[:68] + str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


@pytest.mark.parametrize("day", ["24000.99999999", "24367.00000000", "23366.00000000"])
def test_epoch_on_a_day_that_no_year_has_is_refused(day: str) -> None:
    with pytest.raises(PhysicsError, match=f"the year has no day {day[2:]}"):
        Orbit.from_tle(summed(ISS_1.replace("24127.82853009", day)), ISS_2)


@pytest.mark.parametrize("day", ["24001.00000000", "24366.99999999", "23365.99999999"])
def test_epoch_may_be_on_the_first_and_the_last_day(day: str) -> None:
    orbit = Orbit.from_tle(summed(ISS_1.replace("24127.82853009", day)), ISS_2)
    new_year_utc_s = 1_704_067_200.0 - (day[1] == "3") * 365 * 86_400.0
    day_of_year = (orbit.epoch_utc_s - new_year_utc_s) / 86_400.0 + 1.0
    assert day_of_year == pytest.approx(float(day[2:]), abs=1e-8)


def test_elements_without_mean_motion_are_refused() -> None:
    with pytest.raises(PropagationError) as caught:
        Orbit.from_tle(ISS_1, summed(ISS_2.replace("15.50957674", "00.00000000")))
    assert caught.value.code == 2


def test_sun_synchronous_node_follows_the_mean_sun() -> None:
    orbit = Orbit.from_sso(550.0, 22.5, 0.0005, 0.0, EPOCH)
    year_s = 365.2421897 * 86_400
    turned_deg = degrees(node_rad(orbit, EPOCH + year_s / 4) - node_rad(orbit, EPOCH)) % 360
    assert turned_deg == pytest.approx(90.0, abs=0.5)
    assert degrees(acos(normal_of(orbit, EPOCH)[2])) == pytest.approx(97.593, abs=0.01)


@pytest.mark.parametrize("ltan_h", [0.0, 6.0, 10.5, 18.0, 22.5])
def test_local_time_of_the_node_is_kept(ltan_h: float) -> None:
    orbit = Orbit.from_sso(600.0, ltan_h, 0.001, 0.0, EPOCH)
    (sx, sy, _), _ = sun_teme(EPOCH)
    hours = (degrees(node_rad(orbit, EPOCH) - atan2(sy, sx)) / 15.0 + 12.0) % 24.0
    # Mean and apparent solar time are up to 17 minutes apart; 7.5 on this day.
    assert abs((hours - ltan_h + 12.0) % 24.0 - 12.0) < 0.15


@pytest.mark.parametrize("eccentricity", [0.0, 0.0005, 0.02])
@pytest.mark.parametrize("angle_deg", [-90.0, 0.0, 45.0, 180.0, 300.0])
def test_argument_of_latitude_places_the_node(eccentricity: float, angle_deg: float) -> None:
    orbit = Orbit.from_sso(700.0, 6.0, eccentricity, angle_deg, EPOCH)
    r_teme_km, _ = orbit.state(EPOCH)
    normal = normal_of(orbit, EPOCH)
    ascending = unit((-normal[1], normal[0], 0.0))
    along = sum(a * b for a, b in zip(r_teme_km, ascending, strict=True))
    across = sum(a * b for a, b in zip(r_teme_km, cross(normal, ascending), strict=True))
    found_deg = degrees(atan2(across, along))
    # Short-period terms of J2 are worth a tenth of a degree.
    assert abs((found_deg - angle_deg + 180.0) % 360.0 - 180.0) < 0.15


def test_keplerian_orbit_has_its_shape() -> None:
    orbit = Orbit.from_keplerian(1000.0, 0.05, 51.6, 40.0, 0.0, 0.0, EPOCH)
    perigee_km = hypot(*orbit.state(EPOCH)[0])
    assert perigee_km == pytest.approx((EARTH_RADIUS_KM + 1000.0) * 0.95, abs=10.0)
    assert degrees(acos(normal_of(orbit, EPOCH)[2])) == pytest.approx(51.6, abs=0.05)
    assert degrees(node_rad(orbit, EPOCH)) == pytest.approx(40.0, abs=0.05)
    apogee_km = hypot(*orbit.state(EPOCH + orbit.period_s / 2)[0])
    assert apogee_km == pytest.approx((EARTH_RADIUS_KM + 1000.0) * 1.05, abs=15.0)


def test_period_is_from_node_to_node() -> None:
    orbit = Orbit.from_keplerian(550.0, 0.001, 51.6, 40.0, 90.0, 270.0, EPOCH)
    heights = [orbit.state(EPOCH + k * orbit.period_s)[0][2] for k in range(15)]
    # Ten kilometres of height over the equator are 1.7 s; a Keplerian period drifts by 50 s.
    assert max(map(abs, heights)) < 40.0


def test_geostationary_orbit_enters_deep_space() -> None:
    orbit = Orbit.from_keplerian(35_786.0, 0.0001, 0.1, 0.0, 0.0, 0.0, EPOCH)
    assert orbit.period_s == pytest.approx(86_164, abs=150)
    first, _ = orbit.state(EPOCH)
    later, _ = orbit.state(EPOCH + 86_164.1)
    assert dist(first, later) < 100.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"altitude_km": nan}, "altitude_km"),
        ({"altitude_km": -1.0}, "altitude_km"),
        ({"eccentricity": 1.0}, "eccentricity"),
        ({"inclination_deg": 181.0}, "inclination_deg"),
        ({"raan_deg": nan}, "raan_deg"),
        ({"argument_of_perigee_deg": nan}, "argument_of_perigee_deg"),
        ({"mean_anomaly_deg": nan}, "mean_anomaly_deg"),
        ({"epoch_utc_s": nan}, "epoch_utc_s"),
    ],
)
def test_keplerian_figures_are_refused_by_name(change: dict[str, float], message: str) -> None:
    figures = {
        "altitude_km": 550.0,
        "eccentricity": 0.001,
        "inclination_deg": 51.6,
        "raan_deg": 0.0,
        "argument_of_perigee_deg": 0.0,
        "mean_anomaly_deg": 0.0,
        "epoch_utc_s": EPOCH,
    }
    with pytest.raises(PhysicsError, match=message):
        Orbit.from_keplerian(**{**figures, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"altitude_km": nan}, "altitude_km"),
        ({"altitude_km": 6000.0}, "no Sun-synchronous orbit at 6000"),
        ({"ltan_h": 25.0}, "ltan_h"),
        ({"eccentricity": -0.1}, "eccentricity"),
        ({"argument_of_latitude_deg": nan}, "argument_of_latitude_deg"),
        ({"epoch_utc_s": nan}, "epoch_utc_s"),
    ],
)
def test_sun_synchronous_figures_are_refused_by_name(
    change: dict[str, float], message: str
) -> None:
    figures = {
        "altitude_km": 550.0,
        "ltan_h": 10.5,
        "eccentricity": 0.001,
        "argument_of_latitude_deg": 0.0,
        "epoch_utc_s": EPOCH,
    }
    with pytest.raises(PhysicsError, match=message):
        Orbit.from_sso(**{**figures, **change})


ISS_ELEMENTS = MeanElements(
    epoch_utc_s=1_715_025_184.999776,
    mean_motion_rev_per_day=15.50957674,
    eccentricity=0.000358,
    inclination_deg=51.6393,
    raan_deg=160.4574,
    argument_of_perigee_deg=140.6673,
    mean_anomaly_deg=205.725,
    bstar_per_earth_radius=0.27310e-3,
)


def test_message_and_two_lines_of_one_satellite_are_one_orbit() -> None:
    message, two_lines = Orbit.from_omm(ISS_ELEMENTS), Orbit.from_tle(ISS_1, ISS_2)
    assert message.epoch_utc_s == two_lines.epoch_utc_s
    assert message.period_s == pytest.approx(two_lines.period_s, rel=1e-12)
    for days in range(15):
        utc_s = two_lines.epoch_utc_s + days * 86_400.0
        assert dist(message.state(utc_s)[0], two_lines.state(utc_s)[0]) < 1e-8
    # The drag is felt: without it the satellite is kilometres behind after a day.
    without = Orbit.from_omm(ISS_ELEMENTS._replace(bstar_per_earth_radius=0.0))
    utc_s = two_lines.epoch_utc_s + 86_400.0
    assert dist(without.state(utc_s)[0], two_lines.state(utc_s)[0]) > 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch_utc_s": nan}, "epoch_utc_s"),
        ({"mean_motion_rev_per_day": 0.0}, "mean_motion_rev_per_day"),
        ({"eccentricity": 1.0}, "eccentricity"),
        ({"inclination_deg": -1.0}, "inclination_deg"),
        ({"raan_deg": nan}, "raan_deg"),
        ({"argument_of_perigee_deg": nan}, "argument_of_perigee_deg"),
        ({"mean_anomaly_deg": nan}, "mean_anomaly_deg"),
        ({"bstar_per_earth_radius": nan}, "bstar_per_earth_radius"),
    ],
)
def test_message_figures_are_refused_by_name(change: dict[str, float], message: str) -> None:
    with pytest.raises(PhysicsError, match=message):
        Orbit.from_omm(ISS_ELEMENTS._replace(**change))


def test_message_of_a_decayed_satellite_is_refused() -> None:
    with pytest.raises(PropagationError) as caught:
        Orbit.from_omm(ISS_ELEMENTS._replace(mean_motion_rev_per_day=17.9))
    assert caught.value.code == 6


def test_perigee_under_the_ground_is_refused() -> None:
    with pytest.raises(PropagationError) as caught:
        Orbit.from_keplerian(300.0, 0.3, 51.6, 0.0, 0.0, 0.0, EPOCH)
    assert caught.value.code == 6
    assert "decayed" in str(caught.value)


def test_decay_carries_the_code_of_sgp4() -> None:
    orbit = Orbit.from_tle(ISS_1, ISS_2)
    with pytest.raises(PropagationError) as caught:
        orbit.state(orbit.epoch_utc_s + 10 * 365 * 86_400)
    assert caught.value.code in {1, 6}


def test_not_a_number_is_no_time() -> None:
    orbit = Orbit.from_sso(550.0, 10.5, 0.001, 0.0, EPOCH)
    with pytest.raises(PropagationError, match="no state at nan s"):
        orbit.state(nan)
