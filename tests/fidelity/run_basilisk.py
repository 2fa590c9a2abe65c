"""Flies with Basilisk what the request on standard input asks for; prints JSON.

Runs in an environment of its own (``basilisk.txt``) and imports nothing of the product. Positions
come from SGP4 and the Sun from the request, both given to Basilisk as messages, so that it fetches
no SPICE kernels.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

import numpy as np
from Basilisk.architecture import astroConstants, messaging
from Basilisk.simulation import eclipse, simpleBattery, simplePowerSink, simpleSolarPanel
from Basilisk.utilities import RigidBodyKinematics, SimulationBaseClass, macros
from sgp4.api import WGS72, Satrec

PACKAGES = ("bsk", "sgp4", "numpy")
SGP4_EPOCH_JD = 2433281.5
POSIX_EPOCH_JD = 2440587.5
DAY_S = 86_400.0
JOULE_PER_WH = 3600.0


def record_of(orbit: dict[str, Any]) -> Satrec:
    """SGP4's record from a two-line element set or from mean elements."""
    if "line1" in orbit:
        return Satrec.twoline2rv(orbit["line1"], orbit["line2"], WGS72)
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
    return record


def unit(vector: Any) -> Any:
    """The vector at length one."""
    return vector / np.linalg.norm(vector)


def body_axes(attitude: str, r_km: Any, v_km_s: Any, sun_km: Any) -> Any:
    """The body's axes as rows: z to Sun or Earth's centre, y against the orbit normal."""
    z = unit(sun_km - r_km) if attitude == "sun" else -unit(r_km)
    y = -np.cross(r_km, v_km_s)
    y = unit(y - np.dot(y, z) * z)
    return np.array([np.cross(y, z), y, z])


def planet(name: str, position_km: Any) -> Any:
    """Basilisk's message of a planet's place."""
    message = messaging.SpicePlanetStateMsgPayload()
    message.PlanetName = name
    message.PositionVector = (np.asarray(position_km) * 1000.0).tolist()
    return message


class Flight:
    """Eclipse, panels, load and battery of one case, wired together."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.simulation = SimulationBaseClass.SimBaseClass()
        process = self.simulation.CreateNewProcess("process")
        self.step_ns = macros.sec2nano(case["step_s"])
        process.addTask(self.simulation.CreateNewTask("task", self.step_ns))
        self.state, self.sun, self.earth = (
            messaging.SCStatesMsg(),
            messaging.SpicePlanetStateMsg(),
            messaging.SpicePlanetStateMsg(),
        )
        self.shadow = eclipse.Eclipse()
        self.shadow.sunInMsg.subscribeTo(self.sun)
        self.shadow.addPlanetToModel(self.earth)
        self.shadow.addSpacecraftToModel(self.state)
        self.panels = [self.panel(**panel) for panel in case["panels"]]
        self.sink = simplePowerSink.SimplePowerSink()
        self.sink.nodePowerOut = -case["load_w"]
        self.battery = simpleBattery.SimpleBattery()
        self.battery.storageCapacity = case["capacity_wh"] * JOULE_PER_WH
        self.battery.storedCharge_Init = case["initial_wh"] * JOULE_PER_WH
        for node in (*self.panels, self.sink):
            self.battery.addPowerNodeToModel(node.nodePowerOutMsg)
        for model in (self.shadow, *self.panels, self.sink, self.battery):
            self.simulation.AddModelToTask("task", model)

    def panel(self, normal_body: list[float], area_m2: float, efficiency_ratio: float) -> Any:
        """A solar panel in the shadow's light."""
        panel = simpleSolarPanel.SimpleSolarPanel()
        panel.setPanelParameters(normal_body, area_m2, efficiency_ratio)
        panel.stateInMsg.subscribeTo(self.state)
        panel.sunInMsg.subscribeTo(self.sun)
        panel.sunEclipseInMsg.subscribeTo(self.shadow.eclipseOutMsgs[0])
        return panel

    def write(self, time_ns: int, r_km: Any, v_km_s: Any, sun_km: Any) -> None:
        """Say where everything is."""
        axes = body_axes(self.case["attitude"], r_km, v_km_s, sun_km)
        state = messaging.SCStatesMsgPayload()
        state.r_BN_N = (r_km * 1000.0).tolist()
        state.v_BN_N = (v_km_s * 1000.0).tolist()
        state.sigma_BN = RigidBodyKinematics.C2MRP(axes).tolist()
        self.state.write(state, time_ns)
        self.sun.write(planet("sun", sun_km), time_ns)
        self.earth.write(planet("earth", [0.0, 0.0, 0.0]), time_ns)

    def fly(self) -> dict[str, Any]:
        """Step through the span, its end included."""
        case = self.case
        record, start_jd = record_of(case["orbit"]), case["start_utc_s"] / DAY_S + POSIX_EPOCH_JD
        epoch_min = (record.jdsatepoch - start_jd + record.jdsatepochF) * 1440.0
        count = round(case["span_s"] / case["step_s"]) + 1
        seconds = np.arange(count) * case["step_s"]
        given_s, given_km = np.array(case["sun_s"]), np.array(case["sun_teme_km"])
        suns_km = np.stack([np.interp(seconds, given_s, axis) for axis in given_km.T], axis=1)
        lit, power_w, stored_wh = np.empty(count), np.empty(count), np.empty(count)
        self.simulation.InitializeSimulation()
        for index in range(count):
            code, r_km, v_km_s = record.sgp4_tsince(seconds[index] / 60.0 - epoch_min)
            if code:
                raise ValueError(f"{case['name']}: SGP4 error {code}")
            self.write(index * self.step_ns, np.array(r_km), np.array(v_km_s), suns_km[index])
            self.simulation.ConfigureStopTime(index * self.step_ns)
            self.simulation.ExecuteSimulation()
            # By its old name: the payload of the module's own binding has no other.
            lit[index] = self.shadow.eclipseOutMsgs[0].read().shadowFactor
            power_w[index] = sum(node.nodePowerOutMsg.read().netPower for node in self.panels)
            stored_wh[index] = self.battery.batPowerOutMsg.read().storageLevel / JOULE_PER_WH
        return {
            "lit_ratio": float(lit.mean()),
            "array_energy_wh": float(power_w[:-1].sum() * case["step_s"] / JOULE_PER_WH),
            "array_peak_w": float(power_w.max()),
            "battery_min_wh": float(stored_wh.min()),
            "battery_end_wh": float(stored_wh[-1]),
        }


def main() -> int:
    """Answer the request."""
    request = json.load(sys.stdin)
    answer = {
        "versions": {name: version(name) for name in PACKAGES},
        "constants": {
            "earth_radius_km": astroConstants.REQ_EARTH,
            "sun_radius_km": astroConstants.REQ_SUN,
            "solar_flux_w_per_m2": astroConstants.SOLAR_FLUX_EARTH,
            "au_km": astroConstants.AU,
        },
        "cases": {case["name"]: Flight(case).fly() for case in request["cases"]},
    }
    # Basilisk writes notes of its own to standard output.
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
