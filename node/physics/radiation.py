"""What energetic particles do on board: upset rates by position.

Two populations at solar minimum, both isotropic:

    memory upsets/s     = F N [s_m J_p + c_m / 86400 g(R_c) w]
    device interrupts/s = F   [s_d J_p + c_d / 86400 g(R_c) w]

F is ``flux_ratio``, N the bits, J_p the trapped protons above 30 MeV (`node.physics.proton_map`),
s the proton cross-sections as a step at that energy. c are the upsets a day that cosmic rays cause
outside the magnetosphere; g is the part of their flux above the geomagnetic cut-off rigidity R_c,
w the part of the sky that the Earth leaves free:

    L = (r / 6371.2 km) / cos^2(l),  R_c = 14.9 GV / L^2,  w = (1 + sqrt(1 - (a / r)^2)) / 2

with l the latitude in the Earth's dipole, tilted as in IGRF-14 (IAGA, 2024) for 2025.0, and the
vertical cut-off of Stoermer (1955) as in Smart and Shea (Adv. Space Res. 36, 2005). g: integral
proton flux of the local interstellar spectrum of Vos and Potgieter (ApJ 815, 2015), force-field
modulated with a potential of 0.45 GV (quiet Sun) or 0.9 GV (active Sun), linear between nodes and
between the two potentials, each relative to no cut-off.

Assumptions: quiet magnetosphere, vertical cut-off for all directions, one shielding that the
cross-sections and rates already hold, heavy ions distributed over rigidity as protons are. Limits:
AP8 is good to a factor of 2; the centred dipole errs by tens of per cent in R_c, most near the
anomaly; cross-sections from the open literature are orders of magnitude (1e-14 cm2 a bit for SRAM,
1e-18 for LPDDR5): replace them by those of the part. Solar activity and storms enter by
``flux_ratio`` alone, which moves both populations alike: solar particle events have their own
spectrum, reach only high latitudes, and are not modelled. No total dose, no latch-up.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from math import fsum, radians, sin, sqrt
from typing import NamedTuple

from node.errors import PhysicsError
from node.physics.checks import require
from node.physics.frames import EQUATORIAL_RADIUS_KM, geodetic_from_ecef
from node.physics.proton_map import (
    NORTH_DEG,
    PEAK_FLUX_PER_CM2_S,
    SOUTH_DEG,
    proton_flux_per_cm2_s,
)
from node.physics.vectors import Vector

SAA_FLUX_PER_CM2_S = 10.0
"""Inside the South Atlantic Anomaly the proton flux is above this."""
QUIET_SUN_GV = 0.45
ACTIVE_SUN_GV = 0.9

# Geocentric latitude is never further from the equator than geodetic: what lies outside these sines
# lies outside the map, and its geodetic latitude need not be found.
_SOUTH_SINE, _NORTH_SINE = sin(radians(SOUTH_DEG)), sin(radians(NORTH_DEG))
_SECONDS_PER_DAY = 86400.0
_STOERMER_GV = 14.9
_GEOMAGNETIC_RADIUS_KM = 6371.2
# First-degree Gauss coefficients g11, h11, g10 of IGRF-14 for 2025.0, in nT.
_DIPOLE_NT = (-1410.3, 4545.5, -29350.0)
_STRENGTH_NT = sqrt(fsum(part * part for part in _DIPOLE_NT))
_AXIS_ECEF = tuple(-part / _STRENGTH_NT for part in _DIPOLE_NT)
"""To the geomagnetic pole of the north, 80.8 N 72.8 W."""

# Rigidity in GV, part of the flux above it for a potential of 0.45 GV and of 0.9 GV.
_ABOVE_CUTOFF = (
    (0.0, 1.0, 1.0),
    (0.5, 0.97, 0.987),
    (1.0, 0.8093, 0.898),
    (1.5, 0.6202, 0.7618),
    (2.0, 0.4726, 0.6314),
    (3.0, 0.2915, 0.4375),
    (4.0, 0.1962, 0.3165),
    (5.0, 0.141, 0.2388),
    (6.0, 0.1064, 0.1866),
    (8.0, 0.0672, 0.1233),
    (10.0, 0.0465, 0.0879),
    (12.0, 0.0342, 0.066),
    (14.9, 0.0237, 0.0466),
)
_RIGIDITIES_GV = tuple(row[0] for row in _ABOVE_CUTOFF)

_MAX_UPSETS_PER_S = 1000.0
"""Upsets are drawn one by one; what is hit more often than this does not work at all."""


@dataclass(frozen=True, slots=True)
class RadiationSpec:
    """What is hit, how easily, and by how much of the particles of solar minimum."""

    memory_bits: float
    memory_proton_cross_section_cm2_per_bit: float
    memory_cosmic_ray_upsets_per_bit_day: float
    """Outside the magnetosphere."""
    corrected_ratio: float
    """Part of the memory upsets that error correction mends."""
    device_proton_cross_section_cm2: float
    device_cosmic_ray_interrupts_per_day: float
    """Outside the magnetosphere."""
    flux_ratio: float
    """Of both populations against solar minimum."""
    solar_modulation_gv: float = QUIET_SUN_GV
    """Shapes the spectrum of the cosmic rays; how many they are is ``flux_ratio``."""
    seed: int = 0
    """Of the draws that turn rates into upsets."""
    memory_proton_cm2: float = field(init=False, repr=False, compare=False)
    memory_cosmic_ray_per_s: float = field(init=False, repr=False, compare=False)
    device_cosmic_ray_per_s: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "memory_bits",
            "memory_proton_cross_section_cm2_per_bit",
            "memory_cosmic_ray_upsets_per_bit_day",
            "device_proton_cross_section_cm2",
            "device_cosmic_ray_interrupts_per_day",
            "flux_ratio",
        ):
            require(name, getattr(self, name), 0.0)
        require("corrected_ratio", self.corrected_ratio, 0.0, 1.0)
        require("solar_modulation_gv", self.solar_modulation_gv, QUIET_SUN_GV, ACTIVE_SUN_GV)
        memory_cm2 = self.memory_bits * self.memory_proton_cross_section_cm2_per_bit
        memory_per_s = (
            self.flux_ratio
            * self.memory_bits
            * self.memory_cosmic_ray_upsets_per_bit_day
            / _SECONDS_PER_DAY
        )
        device_per_s = (
            self.flux_ratio * self.device_cosmic_ray_interrupts_per_day / _SECONDS_PER_DAY
        )
        peak_flux = self.flux_ratio * PEAK_FLUX_PER_CM2_S
        for name, most_per_s in (
            ("memory", peak_flux * memory_cm2 + memory_per_s),
            ("device", peak_flux * self.device_proton_cross_section_cm2 + device_per_s),
        ):
            if most_per_s > _MAX_UPSETS_PER_S:
                raise PhysicsError(
                    f"{name}: expected at most {_MAX_UPSETS_PER_S:g} upsets a second at the worst "
                    f"place, got {most_per_s:.3g}"
                )
        object.__setattr__(self, "memory_proton_cm2", memory_cm2)
        object.__setattr__(self, "memory_cosmic_ray_per_s", memory_per_s)
        object.__setattr__(self, "device_cosmic_ray_per_s", device_per_s)


class Exposure(NamedTuple):
    """What reaches the spacecraft at one place, and what it does."""

    proton_flux_per_cm2_s: float
    """Trapped protons above 30 MeV."""
    cutoff_rigidity_gv: float
    memory_upsets_per_s: float
    device_interrupts_per_s: float


def l_shell(r_ecef_km: Vector) -> float:
    """McIlwain's L in a dipole: Earth radii to its field line's top; infinite on the axis."""
    x, y, z = r_ecef_km
    squared_km2 = x * x + y * y + z * z
    along_km = x * _AXIS_ECEF[0] + y * _AXIS_ECEF[1] + z * _AXIS_ECEF[2]
    across_km2 = squared_km2 - along_km * along_km
    if across_km2 <= 0.0:
        return float("inf")
    return squared_km2 * sqrt(squared_km2) / (across_km2 * _GEOMAGNETIC_RADIUS_KM)


def cutoff_rigidity_gv(r_ecef_km: Vector) -> float:
    """Rigidity below which no cosmic ray comes in from the zenith; 0 on the dipole's axis."""
    shell = l_shell(r_ecef_km)
    return _STOERMER_GV / (shell * shell)


def above_cutoff_ratio(rigidity_gv: float, solar_modulation_gv: float = QUIET_SUN_GV) -> float:
    """Part of the cosmic-ray flux with at least this rigidity, which is not negative.

    Args:
        rigidity_gv: above the last node, 14.9 GV, its part is held.
        solar_modulation_gv: potential of the modulation, ``QUIET_SUN_GV`` to ``ACTIVE_SUN_GV``.
    """
    i = min(bisect_right(_RIGIDITIES_GV, rigidity_gv), len(_RIGIDITIES_GV) - 1)
    low_gv, low_quiet, low_active = _ABOVE_CUTOFF[i - 1]
    high_gv, high_quiet, high_active = _ABOVE_CUTOFF[i]
    t = min(1.0, (rigidity_gv - low_gv) / (high_gv - low_gv))
    active = (solar_modulation_gv - QUIET_SUN_GV) / (ACTIVE_SUN_GV - QUIET_SUN_GV)
    low = low_quiet + active * (low_active - low_quiet)
    high = high_quiet + active * (high_active - high_quiet)
    return low * (1.0 - t) + high * t


def free_sky_ratio(radius_km: float) -> float:
    """Part of the sky that the Earth does not cover, seen from this far off its centre."""
    sine = min(1.0, EQUATORIAL_RADIUS_KM / radius_km)
    return 0.5 * (1.0 + sqrt(1.0 - sine * sine))


def exposure(spec: RadiationSpec, r_ecef_km: Vector, utc_s: float) -> Exposure:
    """Find what particles do to ``spec`` at a place.

    Args:
        spec: what is hit.
        r_ecef_km: position in the rotating frame.
        utc_s: POSIX seconds; the anomaly drifts.
    """
    x, y, z = r_ecef_km
    radius_km = sqrt(x * x + y * y + z * z)
    protons_per_cm2_s = 0.0
    if _SOUTH_SINE * radius_km <= z <= _NORTH_SINE * radius_km:
        place = geodetic_from_ecef(r_ecef_km)
        protons_per_cm2_s = spec.flux_ratio * proton_flux_per_cm2_s(*place, utc_s)
    rigidity_gv = cutoff_rigidity_gv(r_ecef_km)
    cosmic_rays = above_cutoff_ratio(rigidity_gv, spec.solar_modulation_gv) * free_sky_ratio(
        radius_km
    )
    return Exposure(
        protons_per_cm2_s,
        rigidity_gv,
        spec.memory_proton_cm2 * protons_per_cm2_s + spec.memory_cosmic_ray_per_s * cosmic_rays,
        spec.device_proton_cross_section_cm2 * protons_per_cm2_s
        + spec.device_cosmic_ray_per_s * cosmic_rays,
    )
