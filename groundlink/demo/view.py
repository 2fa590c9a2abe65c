"""The live picture of a run in the terminal; fits 80 columns by 24 rows. Pure: draws values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from node.core.jobs import ENDED_BADLY
from node.core.modes import OperatingMode
from node.core.snapshot import NodeSnapshot
from node.report.axes import clock, duration, number, quantity
from node.report.run import DELIVERED, LOST, JobRecord, RunEvent
from node.report.timeline import ECLIPSE_BELOW_ILLUMINATION

EVENT_ROWS = 6
_BAR_CELLS = 24
_ENDED_BADLY = {LOST, *(state.value for state in ENDED_BADLY)}
_MODE_STYLES = {
    OperatingMode.NOMINAL: "bold green",
    OperatingMode.REDUCED: "bold yellow",
    OperatingMode.SAFE: "bold red",
    OperatingMode.OFF: "bold white on red",
    OperatingMode.BOOT: "bold blue",
}
_EVENT_STYLES = {
    "mode": "yellow",
    "fault": "red",
    "job-delivered": "green",
    "link-up": "cyan",
    "eclipse": "blue",
    "sunrise": "yellow",
}


@dataclass
class Picture:
    """All that the view shows."""

    scenario: str
    node: str
    rate: float
    duration_s: float
    mission_s: float = 0.0
    ready: dict[str, bool] = field(default_factory=dict)
    """Processes and whether each is up; shown until mission time zero."""
    snapshot: NodeSnapshot | None = None
    jobs: Sequence[JobRecord] = ()
    events: Sequence[RunEvent] = ()


def draw(picture: Picture) -> Panel:
    """Draw one frame."""
    rows = Table.grid(padding=(0, 2, 0, 0), expand=True)
    rows.add_column(style="dim", width=8, no_wrap=True)
    rows.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    rows.add_row("Mission", _mission(picture))
    if picture.snapshot is None:
        rows.add_row("Starting", _starting(picture))
    else:
        _add_node_rows(rows, picture.snapshot)
    rows.add_row("Results", _results(picture))
    title = Text.assemble(
        ("orbitnode", "bold"), "  ", picture.scenario, "  ", (picture.node, "dim")
    )
    events = _events(picture.events)
    return Panel(Group(rows, Rule(style="dim"), events), title=title, border_style="dim")


def bar(share: float, style: str, cells: int = _BAR_CELLS) -> Text:
    """Draw a bar, 0 to 1."""
    full = round(min(max(share, 0.0), 1.0) * cells)
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"))


def _add_node_rows(rows: Table, snapshot: NodeSnapshot) -> None:
    rows.add_row("Mode", _mode(snapshot))
    rows.add_row("Orbit", _orbit(snapshot))
    rows.add_row("Battery", _battery(snapshot))
    rows.add_row("Power", _power(snapshot))
    rows.add_row("Heat", _heat(snapshot))
    rows.add_row("Link", _link(snapshot))
    rows.add_row("Next", _next_pass(snapshot))
    rows.add_row("Jobs", _jobs(snapshot))


def _mission(picture: Picture) -> Text:
    share = picture.mission_s / picture.duration_s
    return Text.assemble(
        bar(share, "cyan"),
        f"  T{clock(picture.mission_s)} of {clock(picture.duration_s)[1:]}",
        (f"  x{number(picture.rate)}", "dim"),
    )


def _starting(picture: Picture) -> Text:
    text = Text()
    for name, ready in picture.ready.items():
        text.append("● " if ready else "○ ", "green" if ready else "dim")
        text.append(f"{name}  ")
    return text


def _mode(snapshot: NodeSnapshot) -> Text:
    since = duration(max(0.0, snapshot.mission_s - snapshot.mode_since_s))
    return Text.assemble(
        (snapshot.mode.value.upper(), _MODE_STYLES[snapshot.mode]),
        f"  for {since}",
        (f"  {snapshot.mode_cause}", "dim"),
    )


def _orbit(snapshot: NodeSnapshot) -> Text:
    orbit = snapshot.orbit
    dark = orbit.illumination < ECLIPSE_BELOW_ILLUMINATION
    coming = orbit.next_sunrise_s if dark else orbit.next_sunset_s
    word = "sunrise" if dark else "eclipse"
    edge = "" if coming is None else f"  {word} in {clock(coming - snapshot.mission_s)[1:]}"
    north, east = orbit.latitude_deg, orbit.longitude_deg
    place = (
        f"  {abs(north):.1f}{'N' if north >= 0 else 'S'} {abs(east):.1f}{'E' if east >= 0 else 'W'}"
    )
    return Text.assemble(
        ("● ECLIPSE", "bold blue") if dark else ("● SUN", "bold yellow"),
        edge,
        (f"{place} {orbit.altitude_km:.0f} km", "dim"),
    )


def _battery(snapshot: NodeSnapshot) -> Text:
    power = snapshot.power
    charge = power.state_of_charge
    style = "green" if charge >= 0.5 else "yellow" if charge >= 0.3 else "red"  # noqa: PLR2004 - a colour only
    return Text.assemble(
        bar(charge, style),
        (f"  {charge:.3f}", f"bold {style}"),
        f"  {power.battery_w:+.1f} W",
        (f"  {power.bus_v:.2f} V  {power.capacity_wh:.3g} Wh", "dim"),
    )


def _power(snapshot: NodeSnapshot) -> Text:
    power = snapshot.power
    return Text.assemble(
        f"solar {power.solar_w:.1f} W   load {power.load_w:.1f} W   board {power.board_w:.1f} W ",
        (power.board_source.value, "dim"),
    )


def _heat(snapshot: NodeSnapshot) -> Text:
    parts = [f"{name} {value:.1f} °C" for name, value in snapshot.temperatures_c.items()]
    parts += [f"({s.sensor} {s.temperature_c:.1f} °C)" for s in snapshot.sensors]
    return Text("   ".join(parts))


def _link(snapshot: NodeSnapshot) -> Text:
    link = snapshot.link
    if link.station is None:
        return Text("no station in view", "dim")
    place = f"  {link.station}"
    if link.elevation_deg is not None and link.range_km is not None:
        place += f" {link.elevation_deg:.0f}° {link.range_km:.0f} km"
    rates = f"  ↓ {quantity(link.downlink_bps, 'bit/s')}  ↑ {quantity(link.uplink_bps, 'bit/s')}"
    return Text.assemble(("UP", "bold green") if link.up else ("DOWN", "red"), place, rates)


def _next_pass(snapshot: NodeSnapshot) -> Text:
    coming = snapshot.link.next_pass
    if coming is None:
        return Text("no pass ahead", "dim")
    aos_wait_s = coming.aos_s - snapshot.mission_s
    wait_s = coming.los_s - snapshot.mission_s if aos_wait_s <= 0 else aos_wait_s
    word = "LOS" if aos_wait_s <= 0 else "AOS"
    details = f"{duration(coming.los_s - coming.aos_s)}, {coming.max_elevation_deg:.0f}° at most"
    return Text.assemble(f"{word} {coming.station} in {clock(wait_s)[1:]}", (f"  {details}", "dim"))


def _jobs(snapshot: NodeSnapshot) -> Text:
    jobs, link = snapshot.jobs, snapshot.link
    counts = [f"{count} {state}" for state, count in jobs.by_state.items() if count]
    text = Text(", ".join(counts) if counts else "none on board")
    if jobs.deferral_reason is not None:
        text.append(f"   waits: {jobs.deferral_reason}", "yellow")
    if link.uplink_queue_bytes or link.downlink_queue_bytes:
        up, down = quantity(link.uplink_queue_bytes, "B"), quantity(link.downlink_queue_bytes, "B")
        text.append(f"   ↑ {up} ↓ {down} to go", "dim")
    return text


def _results(picture: Picture) -> Text:
    count = len(picture.jobs)
    if not count:
        return Text("no job submitted yet", "dim")
    done = sum(job.state == DELIVERED for job in picture.jobs)
    lost = sum(job.state in _ENDED_BADLY for job in picture.jobs)
    text = Text.assemble(bar(done / count, "green"), f"  {done} of {count} delivered")
    if lost:
        text.append(f"  {lost} ended badly", "red")
    return text


def _events(events: Sequence[RunEvent]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    shown = list(events)[-EVENT_ROWS:]
    for event in shown:
        style = _EVENT_STYLES.get(event.code, "")
        table.add_row(f"T{clock(event.mission_s)}", Text(event.code, style), Text(event.text))
    for _ in range(EVENT_ROWS - len(shown)):
        table.add_row("", "", "")
    return table
