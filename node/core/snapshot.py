"""One frozen, consistent picture of the node. Metrics, housekeeping, status and reports read it."""

from __future__ import annotations

from msgspec import Struct

from node.core.events import Hardware, Source
from node.core.modes import OperatingMode


class OrbitSnapshot(Struct, frozen=True):
    """Where the node is and how it is lit."""

    latitude_deg: float
    longitude_deg: float
    altitude_km: float
    illumination: float
    """0 in the umbra to 1 in full sunlight."""
    beta_angle_deg: float
    period_s: float
    next_sunrise_s: float | None
    next_sunset_s: float | None


class PowerSnapshot(Struct, frozen=True):
    """The power balance of the last tick."""

    solar_w: float
    """What the array can deliver to the bus, after MPPT and harness: the sum of ``load_w``,
    ``battery_w`` and ``curtailed_w``."""
    load_w: float
    """Drawn from the bus by everything."""
    board_w: float
    """The board's mean power over the last tick, in mission time."""
    board_source: Source
    bus_v: float
    battery_w: float
    """Into the battery at its terminals; negative while it discharges."""
    battery_loss_w: float
    """Of ``battery_w``, what becomes heat; the rest is stored."""
    curtailed_w: float
    """Of ``solar_w``, what neither loads nor battery take; it stays in the array as heat."""
    state_of_charge: float
    capacity_wh: float
    solar_generated_j: float
    load_consumed_j: float
    board_consumed_j: float
    solar_curtailed_j: float
    battery_lost_j: float
    brown_outs: int
    board_scope: str = ""
    """What the board's reading covers; empty where there is no reading."""
    board_model: str = ""
    """Which model gave the reading, where it is modelled."""
    board_error_ratio: float | None = None
    """How far that model is from what was measured; None where nobody has told."""
    board_age_s: float | None = None
    """Real seconds, at most, since the interval of the reading ended."""


class SensorSnapshot(Struct, frozen=True):
    """A physical sensor of the real board."""

    sensor: str
    temperature_c: float
    source: Source
    age_s: float


class ClockSnapshot(Struct, frozen=True):
    """The clock that the board's firmware would allow at the emulated temperature."""

    allowed_mhz: float
    full_mhz: float
    ratio: float
    """Of the two."""
    die_c: float
    throttled_s: float
    """Time below the full clock since mission time zero."""
    offset_source: Source = Source.MODELLED
    """Whether the die's temperature over the board's is that of the real board."""


class EnforcementSnapshot(Struct, frozen=True):
    """What is held back on the board, as the core orders it."""

    ceiling_w: float | None
    """Of the board's mean power; None where the mode has none."""
    mean_w: float
    """Of the board, over about the last ten real seconds."""
    headroom_w: float
    """What inferences may draw above idle under the ceiling."""
    share: float
    """Of the worker's time, for the run that goes on; 1 where it has all."""
    unmet: bool
    """The board draws more than the ceiling, with nothing left to lower."""
    unmet_s: float
    """Mission seconds above the ceiling since the daemon started."""
    protected: str | None
    """Why nothing is raised now."""


class RadiationSnapshot(Struct, frozen=True):
    """Energetic particles at this place, and the upsets that they are modelled to have caused."""

    proton_flux_per_cm2_s: float
    """Trapped protons above 30 MeV."""
    in_saa: bool
    """In the South Atlantic Anomaly: the proton flux is above 10 cm-2 s-1."""
    cutoff_rigidity_gv: float
    """Cosmic rays below it do not come in."""
    memory_upsets_per_s: float
    """Expected here while the board has power."""
    corrected: int
    """Memory upsets since mission time zero that error correction has mended."""
    uncorrected: int
    """Memory upsets that it could not mend."""
    interrupts: int
    """Functional interrupts of the device; the worker died of each."""


class PassSnapshot(Struct, frozen=True):
    """One pass over a ground station."""

    station: str
    aos_s: float
    tca_s: float
    los_s: float
    max_elevation_deg: float


class LinkSnapshot(Struct, frozen=True):
    """The radio link as the node sees it."""

    up: bool
    station: str | None
    """Station of the pass that is going on, whether the link is up or not."""
    elevation_deg: float | None
    range_km: float | None
    uplink_bps: float
    downlink_bps: float
    next_pass: PassSnapshot | None
    sessions: int
    uplink_queue_bytes: int
    """Of job inputs announced and not yet held."""
    downlink_queue_bytes: int
    """Of results not yet acknowledged by the ground."""
    payload_up_bytes: int
    payload_down_bytes: int


class RunningJob(Struct, frozen=True):
    """The inference that is going on."""

    job_id: str
    model: str
    started_s: float


class JobsSnapshot(Struct, frozen=True):
    """Jobs by state, and what the governor last said."""

    by_state: dict[str, int]
    """Every state of ``JobState`` is a key."""
    running: RunningJob | None
    deferral_reason: str | None
    deferral_until_s: float | None
    decisions: dict[str, int]
    """Counts by ``admit``, ``defer:<reason>``, ``reject:<reason>``; every possible key is there."""
    inferences: dict[str, int]
    """Counts by ``<model>|ok``, ``<model>|failed``, ``<model>|aborted``."""
    inference_energy_j: dict[str, float]
    """Joules above idle by model."""


class NodeSnapshot(Struct, frozen=True):
    """Everything at one instant of mission time."""

    mission_s: float
    utc_s: float
    """POSIX seconds of the emulated UTC instant."""
    rate: float
    mode: OperatingMode
    mode_since_s: float
    mode_cause: str
    orbit: OrbitSnapshot
    power: PowerSnapshot
    temperatures_c: dict[str, float]
    """Emulated, by thermal node."""
    sensors: tuple[SensorSnapshot, ...]
    """Physical, of the real board."""
    cpu_utilisation_ratio: float | None
    link: LinkSnapshot
    jobs: JobsSnapshot
    faults_active: tuple[str, ...]
    ticks: int
    tick_slips: int
    boots: int
    radiation: RadiationSnapshot | None = None
    """None where the scenario has no radiation."""
    clock: ClockSnapshot | None = None
    """None where the scenario has no throttle."""
    hardware: Hardware | None = None
    """What the chips of the real board say; None where there are none."""
    enforcement: EnforcementSnapshot | None = None
    """None in pictures from before there was any."""
