"""Writes a forecast as one HTML file that needs nothing but itself. Pure but for the writing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from node import __version__
from node.forecast.model import (
    Energy,
    Forecast,
    LatencyPart,
    LinkBudget,
    OrbitRow,
    PassRow,
    Quantiles,
)
from node.forecast.panels import draw, is_shaded
from node.report.axes import clock, duration, number, quantity, time_unit
from node.report.document import LEGEND, document, pill, requirements, table, tiles
from node.report.panels import COLOURS

_MAX_ROWS = 120
"""Of a table by orbit or by pass; a longer one is cut, and says so."""
_FULL = 1.0


def write_page(forecast: Forecast, path: Path) -> None:
    """Write the page.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(render(forecast), encoding="utf-8")


def render(forecast: Forecast) -> str:
    """Render the whole document."""
    flight = forecast.flight
    panels, cursor = draw(forecast)
    body = [
        f"<header><h1>Forecast: {escape(flight.scenario)}</h1>{pill(forecast.passed)}</header>",
        f'<p class="lead">{escape(_lead(forecast))}</p>',
        tiles(_figures(forecast)),
        "<h2>What limits it</h2>",
        f"<p>{escape(_sentence(forecast.bottleneck.text))}</p>",
        _constraints(forecast),
        requirements(forecast.verdicts, forecast.not_judged),
        "<h2>From submission to result</h2>",
        _latency(forecast),
        "<h2>The flight</h2>",
        f'<p class="note">{escape(_time_note(forecast))}</p>',
        LEGEND if is_shaded(forecast) else "",
        panels,
        "<h2>Power and heat</h2>",
        _energy(forecast),
        _temperatures(forecast),
        _wear(forecast),
        "<h2>Contacts</h2>",
        _stations(forecast.link),
        _passes(forecast.passes),
        "<h2>Work</h2>",
        _work(forecast),
        "<h2>Orbit by orbit</h2>",
        _orbits(forecast.orbits),
        "<h2>What this rests on</h2>",
        _assumptions(forecast),
        f"<footer>{escape(_footer(forecast))}</footer>",
    ]
    return document(f"Forecast: {flight.scenario}", "\n".join(body), cursor)


def _lead(forecast: Forecast) -> str:
    flight = forecast.flight
    return (
        f"{duration(flight.duration_s)} of mission from {flight.epoch_utc}, "
        f"{number(flight.orbits, 3)} orbits of {duration(flight.period_s)}; board {flight.board} "
        f"({flight.board_source}: {number(flight.idle_w)} W at rest, {number(flight.active_w)} W "
        f"at work). Workload {flight.workload_text.rstrip('.')}. Every figure here is computed by "
        "the models of orbit, power, heat and link; nothing was measured in this forecast."
    )


def _figures(forecast: Forecast) -> list[tuple[str, str]]:
    battery, link, latency = forecast.battery, forecast.link, forecast.latency
    boards = [item for item in forecast.temperatures if item.is_board]
    figures = [
        (forecast.bottleneck.name or "none", "constraint that binds"),
        (number(forecast.jobs.delivered_per_day, 3), "jobs delivered a day"),
    ]
    if latency.time_to_result_s.count:
        median = duration(latency.time_to_result_s.median)
        figures.append((median, "from submission to result, median"))
    figures += [
        (_percent(forecast.energy.margin_ratio), "more energy than is used"),
        (number(battery.state_of_charge.minimum, 3), "lowest state of charge"),
        (_percent(battery.mean_depth_of_discharge), "depth of discharge, mean orbit"),
    ]
    figures += [
        (f"{number(item.temperature_c.maximum, 3)} °C", "highest board temperature")
        for item in boards
    ]
    figures += [
        (f"{number(link.minutes_per_day, 3)} min", "of contact a day"),
        (quantity(link.downlink.bytes_per_day, "B"), "of results come down a day"),
        (
            f"{quantity(link.downlink.capacity_bytes_per_day, 'B')}",
            "could come down a day",
        ),
    ]
    return figures


def _constraints(forecast: Forecast) -> str:
    rows = []
    for constraint in forecast.constraints:
        ratio = constraint.utilisation_ratio
        if ratio is None:
            track, value = "", "does not apply"
        else:
            style = ' class="binds"' if constraint.binds else ""
            width = min(max(ratio, 0.0), _FULL) * 100.0
            track, value = f'<i{style} style="width:{width:.1f}%"></i>', _percent(ratio)
        rows.append(
            f'<span>{escape(constraint.name)}</span><div class="track">{track}</div>'
            f"<b>{escape(value)}</b><small>{escape(constraint.text)}</small>"
        )
    return f'<div class="card use">{"".join(rows)}</div>'


def _latency(forecast: Forecast) -> str:
    latency, ground = forecast.latency, forecast.latency.terrestrial
    if not latency.time_to_result_s.count:
        return '<p class="note">No result came down in this flight.</p>'
    parts = [
        (
            f"<p>In orbit, the mean of {number(latency.time_to_result_s.count)} delivered jobs: "
            f"{escape(duration(latency.time_to_result_s.mean))}.</p>"
        ),
        _shares(latency.parts),
    ]
    rows = [_latency_row(_name(part), part.text, part.seconds) for part in latency.parts]
    rows.append(_latency_row("all of it", "in orbit", latency.time_to_result_s))
    if ground is not None:
        parts += [
            (
                "<p>The same jobs in a data centre over fibre, "
                f"{number(ground.distance_km)} km away: "
                f"{escape(duration(ground.time_to_result_s.mean))}; orbit takes "
                f"{number(ground.median_ratio, 3)} times as long at the median.</p>"
            ),
            _shares(ground.parts),
        ]
        rows += [
            _latency_row(f"data centre: {_name(part)}", part.text, part.seconds)
            for part in ground.parts
        ]
        rows.append(_latency_row("all of it", "in the data centre", ground.time_to_result_s))
    head = ("Part", "What it is", "Median", "95 of 100 within", "Mean")
    return "".join([*parts, "<p></p>", table(head, rows, numbers=(2, 3, 4))])


def _name(part: LatencyPart) -> str:
    return part.part.replace("_", " ")


def _latency_row(name: str, text: str, seconds: Quantiles) -> tuple[str, ...]:
    return (name, text, duration(seconds.median), duration(seconds.p95), duration(seconds.mean))


def _shares(parts: Sequence[LatencyPart]) -> str:
    whole_s = sum(part.seconds.mean for part in parts) or 1.0
    cells, names = [], []
    for index, part in enumerate(parts):
        colour = COLOURS[index % len(COLOURS)]
        share = part.seconds.mean / whole_s
        text = f"{_name(part)}: {duration(part.seconds.mean)}"
        cells.append(
            f'<i class="{colour}" style="width:{share * 100:.2f}%" title="{escape(text)}"></i>'
        )
        names.append(f'<li class="{colour}"><i></i><span>{escape(text)}</span></li>')
    return (
        f'<div class="card share"><div class="track">{"".join(cells)}</div>'
        f"<ul>{''.join(names)}</ul></div>"
    )


def _time_note(forecast: Forecast) -> str:
    axes = f"Time axes are mission {time_unit(forecast.flight.duration_s).name}."
    bins = f"Each point is a mean over {duration(forecast.series.bin_s)}."
    if is_shaded(forecast):
        return f"{axes} {bins} Point at a plot to read the values."
    return (
        f"{axes} {bins} The flight is too long to shade each eclipse and pass: the last two plots "
        "count them by orbit."
    )


def _energy(forecast: Forecast) -> str:
    names = (
        ("generated by the array", "generated_wh"),
        ("consumed by everything", "consumed_wh"),
        ("of that, by the board", "board_wh"),
        ("of that, lost in its converter", "converter_loss_wh"),
        ("lost in the battery", "battery_loss_wh"),
        ("curtailed: nothing could take it", "curtailed_wh"),
    )

    def cell(energy: Energy, key: str) -> str:
        return f"{number(getattr(energy, key), 4)} Wh"

    energy = forecast.energy
    rows = [(text, cell(energy.per_orbit, key), cell(energy.total, key)) for text, key in names]
    return table(("Energy on the bus", "Mean orbit", "Flight"), rows, numbers=(1, 2))


def _temperatures(forecast: Forecast) -> str:
    rows = [
        (
            f"{item.node} (board)" if item.is_board else item.node,
            *(
                f"{number(value, 3)} °C"
                for value in (
                    item.temperature_c.minimum,
                    item.temperature_c.mean,
                    item.temperature_c.maximum,
                )
            ),
        )
        for item in forecast.temperatures
    ]
    return "<p></p>" + table(("Thermal node", "Lowest", "Mean", "Highest"), rows, (1, 2, 3))


def _wear(forecast: Forecast) -> str:
    rows = []
    ageing, throttling, radiation = forecast.ageing, forecast.throttling, forecast.radiation
    if ageing is not None:
        years = ageing.years_to_80_percent
        rows += [
            ("battery: equivalent full cycles a day", number(ageing.full_cycles_per_day, 3)),
            ("battery: capacity lost in a year", _percent(ageing.fade_first_year_ratio)),
            (
                "battery: years until 80 % of its rated capacity",
                "more than 100" if years is None else number(years, 3),
            ),
        ]
    if throttling is not None:
        rows += [
            ("clock: time below full speed", _percent(throttling.throttled_ratio)),
            ("clock: mean while working", _percent(throttling.running_clock_ratio)),
            ("clock: lowest", _percent(throttling.clock_ratio.minimum)),
        ]
    if radiation is not None:
        rows += [
            ("radiation: memory upsets a day", number(radiation.upsets_per_day, 3)),
            ("radiation: not corrected", number(radiation.uncorrected_upsets_per_day, 3)),
            ("radiation: functional interrupts a day", number(radiation.interrupts_per_day, 3)),
            (
                "radiation: time in the South Atlantic Anomaly",
                _percent(radiation.anomaly_time_ratio),
            ),
        ]
    return "<p></p>" + table(("Wear and limits", "Expected"), rows, (1,)) if rows else ""


def _stations(link: LinkBudget) -> str:
    rows = [
        (
            station.station,
            number(station.contacts_per_day, 3),
            f"{number(station.minutes_per_day, 3)} min",
            f"{number(station.mean_minutes, 3)} min",
            duration(station.max_gap_s),
            _use(station.up_bytes, station.uplink_capacity_bytes),
            _use(station.down_bytes, station.downlink_capacity_bytes),
        )
        for station in link.stations
    ]
    head = ("Station", "A day", "Contact a day", "Mean", "Longest gap", "Up", "Down")
    return table(head, rows, numbers=range(1, 7))


def _passes(passes: Sequence[PassRow]) -> str:
    rows = [
        (
            row.station,
            clock(row.aos_s),
            clock(row.los_s),
            f"{row.max_elevation_deg:.0f}°",
            duration(row.linked_s) if row.linked_s > 0 else "no session",
            _use(row.up_bytes, row.uplink_capacity_bytes),
            _use(row.down_bytes, row.downlink_capacity_bytes),
        )
        for row in passes[:_MAX_ROWS]
    ]
    head = ("Pass", "AOS", "LOS", "Max. el.", "Session", "Up", "Down")
    return "<p></p>" + table(head, rows, numbers=range(1, 7)) + _cut(len(passes), "passes")


def _work(forecast: Forecast) -> str:
    jobs = forecast.jobs
    states = (
        ("submitted", jobs.submitted),
        ("delivered", jobs.delivered),
        ("input still on the ground", jobs.open_on_ground),
        ("waiting or running on board", jobs.open_on_board),
        ("result still on board", jobs.open_results),
        ("rejected", jobs.rejected),
        ("expired", jobs.expired),
        ("failed", jobs.failed),
        ("lost", jobs.lost),
    )
    parts = [table(("Jobs", "Count"), [(text, number(count)) for text, count in states], (1,))]
    costs = [
        (
            cost.model,
            number(cost.runs),
            duration(cost.duration_s),
            f"{number(cost.gross_j, 4)} J",
            f"{number(cost.net_j, 4)} J",
            f"{number(cost.bus_j, 4)} J",
        )
        for cost in forecast.inference
    ]
    head = ("An inference of", "Runs", "Takes", "Board", "Above idle", "From the bus")
    parts.append(table(head, costs, range(1, 6)))
    modes = [
        (mode.mode.upper(), duration(mode.time_s), _percent(mode.ratio), number(mode.entries))
        for mode in forecast.modes
    ]
    parts.append(table(("Operating mode", "Time", "Part", "Entered"), modes, (1, 2, 3)))
    decisions = [(name, number(count)) for name, count in sorted(forecast.decisions.items())]
    if decisions:
        parts.append(table(("Decision of the governor", "Times"), decisions, (1,)))
    return "<p></p>".join(parts)


def _orbits(orbits: Sequence[OrbitRow]) -> str:
    rows = [
        (
            f"{row.number}{'' if row.whole else ' (part)'}",
            clock(row.start_s),
            f"{number(row.energy.generated_wh, 4)} Wh",
            f"{number(row.energy.consumed_wh, 4)} Wh",
            _percent(row.depth_of_discharge),
            number(row.min_state_of_charge, 3),
            duration(row.eclipse_s),
            duration(row.contact_s),
            f"{number(row.max_board_c, 3)} °C",
        )
        for row in orbits[:_MAX_ROWS]
    ]
    head = (
        *("Orbit", "From", "Generated", "Consumed", "Depth of discharge"),
        *("Lowest charge", "Eclipse", "Contact", "Board at most"),
    )
    return table(head, rows, numbers=range(1, 9)) + _cut(len(orbits), "orbits")


def _assumptions(forecast: Forecast) -> str:
    flight = forecast.flight
    note = (
        f'<p class="note">Flown with a step of {number(flight.step_s)} s: '
        f"{escape(flight.step_reason)}</p>"
    )
    if not forecast.assumptions:
        return f'{note}<p class="note">The scenario does not say where its figures come from.</p>'
    rows = [
        (entry.kind.replace("_", " "), ", ".join(entry.of), entry.text)
        for entry in forecast.assumptions
    ]
    return note + table(("Kind", "Keys of the scenario", "Source"), rows)


def _use(carried_bytes: int, capacity_bytes: int) -> str:
    return f"{quantity(carried_bytes, 'B')} of {quantity(capacity_bytes, 'B')}"


def _cut(count: int, what: str) -> str:
    if count <= _MAX_ROWS:
        return ""
    return f'<p class="note">The first {_MAX_ROWS} of {count} {what}.</p>'


def _footer(forecast: Forecast) -> str:
    profile = forecast.flight.profile
    board = "" if profile is None else f", with the board profile {profile}"
    return f"Written by orbitnode forecast {__version__}{board}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _percent(ratio: float) -> str:
    return f"{number(ratio * 100.0, 3)} %"
