"""The outcome of a forecast, as values: text, JSON and the HTML page are made of nothing else.

Everything here is modelled. Energies are watt-hours on the spacecraft's bus, times mission seconds
from the epoch, states of charge and ratios 0 to 1. ``docs/forecast.md`` says how each is found.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from node.config.scenario import Provenance
from node.report.verdict import Verdict


class Spread(Struct, frozen=True):
    """Lowest, mean over time, highest."""

    minimum: float
    mean: float
    maximum: float


class Quantiles(Struct, frozen=True):
    """A figure over many jobs; all zero where ``count`` is."""

    count: int
    mean: float
    median: float
    p95: float
    """95 of 100 are at or below this."""


class Flight(Struct, frozen=True, kw_only=True):
    """What was flown."""

    scenario: str
    epoch_utc: str
    """ISO 8601 with a ``Z``."""
    duration_s: float
    step_s: float
    step_reason: str
    """Why this step is short enough, in words."""
    period_s: float
    """Of one orbit."""
    orbits: float
    """Flown, with the part of the last one."""
    workload_repeats: int
    """How many times the workload of the scenario was flown; see ``workload_text``."""
    workload_text: str
    """What was made of the workload, in words."""
    board: str
    """Name of the board: of the profile, or ``scenario``."""
    board_source: Literal["scenario", "measured", "modelled", "published", "assumed"]
    """Where the board's figures come from."""
    profile: str | None
    """File name of the profile that was laid over the scenario."""
    idle_w: float
    active_w: float
    """The scenario's figure for models that have none of their own."""


class Energy(Struct, frozen=True, kw_only=True):
    """One balance: generated = consumed + curtailed + into the battery, less what it gives."""

    generated_wh: float
    """What the array could deliver to the bus, after MPPT and harness; the curtailed part too."""
    consumed_wh: float
    """Drawn from the bus by everything."""
    board_wh: float
    """The board alone, before its converter's loss; part of ``consumed_wh``."""
    converter_loss_wh: float
    """Of the board's converter; part of ``consumed_wh``."""
    battery_loss_wh: float
    """Resistance of the pack, and charge that it does not give back."""
    curtailed_wh: float
    """Sunlight that neither loads nor battery could take."""


class EnergyBudget(Struct, frozen=True, kw_only=True):
    """Energy of the flight and of its mean orbit."""

    total: Energy
    per_orbit: Energy
    """Mean of the whole orbits; the total scaled to one orbit where there is no whole one."""
    margin_ratio: float
    """Generated over what was consumed and lost in the battery, less one; negative: it drains."""


class BatteryBudget(Struct, frozen=True, kw_only=True):
    """State of charge."""

    capacity_wh: float
    state_of_charge: Spread
    initial_state_of_charge: float
    end_state_of_charge: float
    mean_depth_of_discharge: float
    """Mean over the orbits of the largest fall of the state of charge in each."""
    max_depth_of_discharge: float
    brown_outs: int


class Ageing(Struct, frozen=True, kw_only=True):
    """How the battery fades at this use, by rainflow counting of the state of charge."""

    full_cycles_per_day: float
    """Equivalent full cycles."""
    cycles_per_day: float
    """Counted cycles of any depth of 1 % and above, half ones as a half."""
    mean_cycle_depth: float
    fade_first_year_ratio: float
    """Capacity lost in the first year from now, calendar and cycling together."""
    calendar_share_ratio: float
    """Part of that first year's fade that is calendar ageing."""
    years_to_80_percent: float | None
    """Until 80 % of the rated capacity is left; None: beyond a hundred years."""


class NodeTemperature(Struct, frozen=True):
    """One thermal node of the scenario."""

    node: str
    temperature_c: Spread
    is_board: bool


class ModeTime(Struct, frozen=True):
    """Time in one operating mode."""

    mode: str
    time_s: float
    ratio: float
    """Of the flight."""
    entries: int
    """How many times it was entered, the beginning included."""


class StationContact(Struct, frozen=True, kw_only=True):
    """What one ground station gives."""

    station: str
    contacts: int
    contacts_per_day: float
    minutes_per_day: float
    """From AOS to LOS, passes that another station has already are left out or cut."""
    mean_minutes: float
    max_gap_s: float
    """Longest time from one LOS to the next AOS of this station, ends of the flight included."""
    uplink_capacity_bytes: int
    downlink_capacity_bytes: int
    up_bytes: int
    down_bytes: int


class Direction(Struct, frozen=True, kw_only=True):
    """One direction of the link over the flight; payload bytes, without headers."""

    bytes_total: int
    """Carried and confirmed."""
    bytes_per_day: float
    capacity_bytes: int
    """What all contacts could carry: the link budget's rate over their open time."""
    capacity_bytes_per_day: float
    demanded_bytes: int
    """What the submitted jobs ask to carry: their inputs up, the results of all of them down."""
    busy_s: float
    """Time on the air, headers and protocol included."""
    open_s: float
    """Time that the contacts were open for data."""


class LinkBudget(Struct, frozen=True, kw_only=True):
    """Contacts and what they carry."""

    contacts: int
    contacts_per_day: float
    minutes_per_day: float
    max_gap_s: float
    """Longest time without any contact."""
    uplink: Direction
    downlink: Direction
    stations: list[StationContact]


class JobBudget(Struct, frozen=True, kw_only=True):
    """Jobs by what became of them."""

    submitted: int
    delivered: int
    rejected: int
    expired: int
    failed: int
    open_on_ground: int
    """Input not yet whole on board at the end."""
    open_on_board: int
    """Waiting for its run, or running, at the end."""
    open_results: int
    """Result on board, not yet on the ground, at the end."""
    lost: int
    """Taken on board, and at the end known to neither side."""
    submitted_per_day: float
    delivered_per_day: float


class ModelCost(Struct, frozen=True, kw_only=True):
    """What one inference of a model costs; means over the runs that ended well."""

    model: str
    runs: int
    aborted: int
    failed: int
    duration_s: float
    gross_j: float
    """The board's energy while it ran."""
    net_j: float
    """Above the idle draw."""
    bus_j: float
    """Gross, with the loss of the board's converter."""


class LatencyPart(Struct, frozen=True):
    """One part of the way from submission to result; per job the parts add up to the whole."""

    part: str
    """``wait_for_uplink``, ``uplink``, ``queue``, ``inference``, ``wait_for_downlink``,
    ``downlink``, ``light_time`` or ``backhaul``; for the data centre ``upload``, ``fibre``,
    ``inference`` or ``download``."""
    text: str
    """What it is, in words."""
    seconds: Quantiles


class TerrestrialLatency(Struct, frozen=True, kw_only=True):
    """The same jobs in a data centre on the ground, over fibre, without waiting for anything."""

    distance_km: float
    route_ratio: float
    access_rate_bps: float
    inference_duration_ratio: float
    time_to_result_s: Quantiles
    parts: list[LatencyPart]
    median_ratio: float
    """Median in orbit over median on the ground."""


class Latency(Struct, frozen=True, kw_only=True):
    """From submission to result, over the delivered jobs."""

    time_to_result_s: Quantiles
    parts: list[LatencyPart]
    terrestrial: TerrestrialLatency | None


class Constraint(Struct, frozen=True, kw_only=True):
    """How much of one resource the workload asks for."""

    name: Literal["uplink", "downlink", "compute", "energy", "heat", "deadline"]
    utilisation_ratio: float | None
    """Asked for over what there is; above 1 it cannot be had. None: it does not apply."""
    binds: bool
    text: str
    """What the figure is made of, in words and numbers."""


class Bottleneck(Struct, frozen=True):
    """The constraint that stops more work first."""

    name: str | None
    """The one that binds; None where nothing does."""
    nearest: str
    """The one with the highest use, whether it binds or not."""
    text: str
    """``downlink`` or ``nothing binds; nearest is downlink at 62 %``."""


class Throttling(Struct, frozen=True, kw_only=True):
    """What heat does to the board's clock."""

    throttled_s: float
    """Time with the clock below its full speed."""
    throttled_ratio: float
    clock_ratio: Spread
    """Of full speed, over the whole flight."""
    running_clock_ratio: float
    """Mean while an inference ran."""


class RadiationBudget(Struct, frozen=True, kw_only=True):
    """Expected counts of single-event effects."""

    upsets_per_day: float
    """In memory, before correction."""
    uncorrected_upsets_per_day: float
    interrupts_per_day: float
    """Functional interrupts: the worker dies."""
    anomaly_time_ratio: float
    """Part of the time inside the South Atlantic Anomaly."""


class OrbitRow(Struct, frozen=True, kw_only=True):
    """One orbit, counted in periods from mission time zero."""

    number: int
    start_s: float
    stop_s: float
    whole: bool
    """False for the last one where the flight ends within it."""
    energy: Energy
    min_state_of_charge: float
    end_state_of_charge: float
    depth_of_discharge: float
    """Largest fall of the state of charge."""
    eclipse_s: float
    contact_s: float
    max_board_c: float


class PassRow(Struct, frozen=True, kw_only=True):
    """One contact with a station."""

    station: str
    aos_s: float
    tca_s: float
    los_s: float
    max_elevation_deg: float
    linked_s: float
    """How long the session stood."""
    uplink_capacity_bytes: int
    downlink_capacity_bytes: int
    up_bytes: int
    down_bytes: int


class Series(Struct, frozen=True, kw_only=True):
    """The flight for plots: equally long bins, at most 1500; every list has an entry for each.

    Means are over the bin's time. A bin can be longer than an orbit: then the extremes tell more.
    """

    bin_s: float
    time_s: list[float]
    """End of each bin."""
    state_of_charge: list[float]
    """Mean."""
    min_state_of_charge: list[float]
    max_state_of_charge: list[float]
    solar_w: list[float]
    load_w: list[float]
    board_w: list[float]
    temperatures_c: dict[str, list[float]]
    """Mean, by thermal node."""
    max_board_c: list[float]
    mode: list[str]
    """The least capable mode within the bin: off, boot, safe, reduced, nominal."""
    lit_ratio: list[float]
    """Mean part of the Sun's disc that is seen."""
    contact_ratio: list[float]
    """Part of the bin within a contact, AOS to LOS."""
    uplink_queue_bytes: list[int]
    """Inputs submitted that are not whole on board, at the end of the bin."""
    downlink_queue_bytes: list[int]
    """Results on board that the ground does not have, at the end of the bin."""
    clock_ratio: list[float] | None
    """Mean clock of the board over full speed; None where the board does not throttle."""


class Forecast(Struct, frozen=True, kw_only=True):
    """Everything that a forecast says."""

    schema: int = 1
    flight: Flight
    energy: EnergyBudget
    battery: BatteryBudget
    ageing: Ageing | None
    """None where the scenario has no ``battery.ageing``."""
    temperatures: list[NodeTemperature]
    modes: list[ModeTime]
    """Every mode that was entered, the longest first."""
    link: LinkBudget
    jobs: JobBudget
    decisions: dict[str, int]
    """Of the governor: ``admit``, ``defer:<reason>``, ``reject:<reason>``, those that occurred."""
    inference: list[ModelCost]
    latency: Latency
    constraints: list[Constraint]
    """All six, the highest use first."""
    bottleneck: Bottleneck
    throttling: Throttling | None
    """None where the scenario has no ``board.throttle``."""
    radiation: RadiationBudget | None
    """None where the scenario has no ``radiation``."""
    metrics: dict[str, float]
    """By the names that a ``[[requirement]]`` uses."""
    verdicts: list[Verdict]
    not_judged: list[str]
    """Requirements that a forecast cannot judge, each with the reason."""
    passed: bool
    assumptions: list[Provenance]
    """Where the scenario says that its figures come from, the assumed ones first."""
    orbits: list[OrbitRow]
    passes: list[PassRow]
    series: Series
