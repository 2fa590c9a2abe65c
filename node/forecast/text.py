"""A forecast as text for a terminal: clear tables, units, about a screen and a half. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from node.forecast.model import Direction, Forecast, LatencyPart, Quantiles
from node.report.axes import duration, number, quantity

_LABEL = 14
_ASSUMED = "assumed"


def render(forecast: Forecast) -> str:
    """Render the whole forecast."""
    sections = (
        _flight(forecast),
        _bottleneck(forecast),
        _power(forecast),
        _temperatures(forecast),
        _wear(forecast),
        _contacts(forecast),
        _jobs(forecast),
        _latency(forecast),
        _verdict(forecast),
        _assumptions(forecast),
    )
    return "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"


def _flight(forecast: Forecast) -> Iterator[str]:
    flight = forecast.flight
    yield (
        f"Forecast of {flight.scenario}: {duration(flight.duration_s)} from {flight.epoch_utc}, "
        f"{flight.orbits:.1f} orbits of {flight.period_s / 60.0:.1f} min. Every figure is modelled."
    )
    source = "" if flight.profile is None else f" ({flight.board_source}, {flight.profile})"
    yield _line(
        "board", f"{flight.board}{source}: {flight.idle_w:g} W at rest, {flight.active_w:g} W busy"
    )
    yield _line("workload", flight.workload_text)
    yield _line("step", f"{flight.step_s:g} s: {flight.step_reason}")


def _bottleneck(forecast: Forecast) -> Iterator[str]:
    yield f"Bottleneck: {forecast.bottleneck.text}"
    for each in forecast.constraints:
        use = "-" if each.utilisation_ratio is None else f"{each.utilisation_ratio:.0%}"
        yield f"  {each.name:10} {use:>6}  {'BINDS  ' if each.binds else ''}{each.text}"


def _power(forecast: Forecast) -> Iterator[str]:
    orbit, battery = forecast.energy.per_orbit, forecast.battery
    yield "Power"
    yield _line(
        "per orbit",
        f"generated {_number(orbit.generated_wh, 3)} Wh, "
        f"consumed {_number(orbit.consumed_wh, 3)} Wh "
        f"(board {_number(orbit.board_wh, 3)}, its converter "
        f"{_number(orbit.converter_loss_wh, 2)}), "
        f"battery loss {_number(orbit.battery_loss_wh, 2)} Wh, "
        f"curtailed {_number(orbit.curtailed_wh, 3)} Wh",
    )
    yield _line("margin", f"{forecast.energy.margin_ratio:+.0%} of what is consumed and lost")
    charge = battery.state_of_charge
    yield _line(
        "charge",
        f"min {charge.minimum:.3f}, mean {charge.mean:.3f}, end "
        f"{battery.end_state_of_charge:.3f} of {_number(battery.capacity_wh, 3)} Wh; "
        f"depth of discharge per orbit mean {battery.mean_depth_of_discharge:.3f}, "
        f"max {battery.max_depth_of_discharge:.3f}",
    )
    if battery.brown_outs:
        yield _line("brown-outs", str(battery.brown_outs))
    ageing = forecast.ageing
    if ageing is not None:
        years = ageing.years_to_80_percent
        yield _line(
            "ageing",
            f"{_number(ageing.full_cycles_per_day, 3)} full cycles a day, "
            f"{ageing.fade_first_year_ratio:.2%} fade in the first year, 80 % of capacity after "
            + ("more than 100 years" if years is None else f"{_number(years, 3)} years"),
        )
    modes = ", ".join(f"{mode.mode} {mode.ratio:.2%}" for mode in forecast.modes)
    yield _line("modes", modes)


def _temperatures(forecast: Forecast) -> Iterator[str]:
    yield from _table(
        ("Temperature, C", "min", "mean", "max"),
        [
            (each.node, *(f"{value:.1f}" for value in (low, mean, high)))
            for each in forecast.temperatures
            for low, mean, high in [
                (
                    each.temperature_c.minimum,
                    each.temperature_c.mean,
                    each.temperature_c.maximum,
                )
            ]
        ],
    )


def _wear(forecast: Forecast) -> Iterator[str]:
    throttling, radiation = forecast.throttling, forecast.radiation
    if throttling is None and radiation is None:
        return
    yield "Clock and radiation"
    if throttling is not None:
        yield _line(
            "clock",
            f"below full speed {throttling.throttled_ratio:.1%} of the time, at least "
            f"{throttling.clock_ratio.minimum:.0%}, mean of running inferences "
            f"{throttling.running_clock_ratio:.1%}",
        )
    if radiation is not None:
        yield _line(
            "radiation",
            f"expected a day: {_number(radiation.upsets_per_day, 3)} memory upsets "
            f"({_number(radiation.uncorrected_upsets_per_day, 2)} uncorrected), "
            f"{_number(radiation.interrupts_per_day, 2)} interrupts; "
            f"{radiation.anomaly_time_ratio:.1%} of the time in the South Atlantic Anomaly",
        )


def _contacts(forecast: Forecast) -> Iterator[str]:
    link = forecast.link
    days = forecast.flight.duration_s / 86_400.0
    head = ("Contacts, a day", "passes", "minutes", "longest gap", "up of possible")
    rows = [
        (
            station.station,
            f"{station.contacts_per_day:.1f}",
            f"{station.minutes_per_day:.1f}",
            duration(station.max_gap_s),
            _of(station.up_bytes / days, station.uplink_capacity_bytes / days),
            _of(station.down_bytes / days, station.downlink_capacity_bytes / days),
        )
        for station in link.stations
    ]
    whole = (
        "all",
        f"{link.contacts_per_day:.1f}",
        f"{link.minutes_per_day:.1f}",
        duration(link.max_gap_s),
        _carried(link.uplink),
        _carried(link.downlink),
    )
    yield from _table((*head, "down of possible"), [*rows, whole])


def _jobs(forecast: Forecast) -> Iterator[str]:
    jobs = forecast.jobs
    yield "Jobs"
    outcomes = {
        "delivered": jobs.delivered,
        "rejected": jobs.rejected,
        "expired": jobs.expired,
        "failed": jobs.failed,
        "still on the ground": jobs.open_on_ground,
        "on board": jobs.open_on_board,
        "results on board": jobs.open_results,
        "lost": jobs.lost,
    }
    counts = ", ".join(f"{count} {name}" for name, count in outcomes.items() if count)
    yield _line(
        "outcomes",
        f"{jobs.submitted} submitted ({_number(jobs.submitted_per_day, 4)} a day): {counts}",
    )
    decisions = ", ".join(f"{name} {count}" for name, count in forecast.decisions.items())
    yield _line("governor", decisions or "never asked")
    for cost in forecast.inference:
        yield _line(
            "inference",
            f"{cost.model}: {cost.runs} runs of {duration(cost.duration_s)}, "
            f"{_number(cost.gross_j, 3)} J gross, {_number(cost.net_j, 3)} J net, "
            f"{_number(cost.bus_j, 3)} J from the bus",
        )


def _latency(forecast: Forecast) -> Iterator[str]:
    latency = forecast.latency
    head = ("Time to result", "median", "p95", "mean")
    rows = [_latency_row(part) for part in latency.parts]
    yield from _table(head, [*rows, ("in orbit", *_times(latency.time_to_result_s))])
    ground = latency.terrestrial
    if ground is not None:
        yield ""
        yield from _table(
            (f"Data centre, {ground.distance_km:g} km", *head[1:]),
            [
                *(_latency_row(part) for part in ground.parts),
                ("over fibre", *_times(ground.time_to_result_s)),
            ],
        )
        yield _line("orbit", f"takes {_number(ground.median_ratio, 3)} times as long at the median")


def _verdict(forecast: Forecast) -> Iterator[str]:
    if not forecast.verdicts and not forecast.not_judged:
        yield "Requirements: the scenario has none"
        return
    yield f"Requirements: {'PASS' if forecast.passed else 'FAIL'}"
    for verdict in forecast.verdicts:
        actual = "missing" if verdict.actual is None else f"{verdict.actual:.6g}"
        mark = "PASS" if verdict.passed else "FAIL"
        required = f"{verdict.metric} {verdict.operator} {verdict.value:g}"
        yield f"  {mark}  {required:44} {actual}"
    for text in forecast.not_judged:
        yield f"  not judged  {text}"


def _assumptions(forecast: Forecast) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for each in forecast.assumptions:
        kinds[each.kind] = kinds.get(each.kind, 0) + len(each.of)
    if not kinds:
        yield "assumed: the scenario does not say where its figures come from ([[provenance]])"
        return
    others = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.items() if kind != _ASSUMED
    )
    yield f"assumed: {kinds.get(_ASSUMED, 0)} keys" + (f"; besides, {others}" if others else "")
    for each in forecast.assumptions:
        if each.kind == _ASSUMED:
            yield f"  {', '.join(each.of)}: {each.text}"


def _number(value: float, digits: int) -> str:
    # A terminal may know no narrow space.
    return number(value, digits).replace("\u202f", ",")


def _line(label: str, text: str) -> str:
    return f"  {label:{_LABEL}} {text}"


def _of(part: float, whole: float) -> str:
    return f"{quantity(part, 'B')} of {quantity(whole, 'B')}"


def _carried(direction: Direction) -> str:
    return _of(direction.bytes_per_day, direction.capacity_bytes_per_day)


def _latency_row(part: LatencyPart) -> tuple[str, str, str, str]:
    return (part.part.replace("_", " "), *_times(part.seconds))


def _times(seconds: Quantiles) -> tuple[str, str, str]:
    if not seconds.count:
        return ("-", "-", "-")
    return duration(seconds.median), duration(seconds.p95), duration(seconds.mean)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lay out columns: the first to the left and indented, the others to the right."""
    body = [tuple(row) for row in rows]
    widths = [max(len(row[index]) for row in (tuple(head), *body)) for index in range(len(head))]
    widths[0] = max(widths[0], _LABEL) + 2
    for row in (tuple(head), *body):
        first = row[0] if row == tuple(head) else f"  {row[0]}"
        cells = [f"{first:{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
