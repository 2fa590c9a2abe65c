"""Writes the dashboards; run it after a change and commit its output.

    python grafana/generate.py

Change this file, not the dashboard in Grafana: recent versions export another schema, which file
provisioning refuses.
"""  # noqa: INP001 - a script beside its output, no package

from __future__ import annotations

import json
from pathlib import Path

from panel_kinds import (
    BLUE,
    DATASOURCE,
    GREEN,
    GREY,
    NODE,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Json,
    bars,
    gauge,
    ground_track,
    heatmap,
    lines,
    override,
    stat,
    target,
    timeline,
    words,
)

DASHBOARDS = Path(__file__).parent / "dashboards"
SCHEMA_VERSION = 39
MODES = {
    "boot": BLUE,
    "nominal": GREEN,
    "reduced": YELLOW,
    "safe": ORANGE,
    "off": GREY,
}
"""Modes in the order of their numbers in the timeline, with their colours."""
MODE_WORDS = words({number: (name, color) for number, (name, color) in enumerate(MODES.items())})
# One row for all modes needs a number: of the products only that of the present mode is not zero.
MODE_NUMBER = "sum by (node_id) ({})".format(
    " or ".join(
        f'orbitnode_mode{{{NODE}, mode="{name}"}} * {number}' for number, name in enumerate(MODES)
    )
)
RATE = "[$__rate_interval]"


def one(name: str, matchers: str = "") -> str:
    """Select a metric of the chosen node."""
    return f"orbitnode_{name}{{{NODE}{', ' + matchers if matchers else ''}}}"


def rate(name: str, matchers: str = "") -> str:
    """Rate of a counter of the chosen node."""
    return f"rate({one(name, matchers)}{RATE})"


def quantile(ratio: float, name: str) -> str:
    """Estimate a quantile from a histogram of the chosen node."""
    return f"histogram_quantile({ratio}, sum by (le) ({rate(name + '_bucket')}))"


def of_process(expression: str) -> str:
    """Give the node's name to a metric of its process."""
    return f"{expression} * on (job, instance) group_left (node_id) {one('build_info')}"


def now_row() -> list[tuple[Json, int, int]]:
    """Panels of the first row: each with its width and height."""
    mode = stat(
        "Mode",
        "Operating mode of the node.",
        [target(MODE_NUMBER)],
        "none",
        [(None, BLUE), (1, GREEN), (2, YELLOW), (3, ORANGE), (4, GREY)],
        mappings=MODE_WORDS,
    )
    battery = gauge(
        "Battery",
        "State of charge of the emulated battery.",
        [target(one("battery_charge_ratio"))],
        "percentunit",
        [(None, RED), (0.3, ORANGE), (0.5, YELLOW), (0.7, GREEN)],
    )
    balance = stat(
        "Power balance",
        "Power into the battery; negative while it discharges.",
        [target(one("battery_power_watts"))],
        "watt",
        [(None, ORANGE), (0, GREEN)],
        decimals=1,
    )
    sun = stat(
        "Sun",
        "Share of the solar disc that the node sees.",
        [target(one("orbit_illumination_ratio"))],
        "percentunit",
        [(None, PURPLE), (0.01, ORANGE), (0.99, YELLOW)],
        mappings=words({0: ("ECLIPSE", PURPLE), 1: ("SUNLIT", YELLOW)}),
    )
    link = stat(
        "Link",
        "Whether the radio session stands.",
        [target(one("link_up"))],
        "none",
        [(None, GREY), (1, BLUE)],
        mappings=words({0: ("NO CONTACT", GREY), 1: ("UP", BLUE)}),
    )
    coming = stat(
        "Next pass",
        "Mission time until the next acquisition of signal, and over which station.",
        [target(one("link_next_aos_seconds"), "{{station}}", instant=True)],
        "dtdurations",
        [(None, BLUE)],
        with_name=True,
        decimals=0,
    )
    board = stat(
        "Board",
        "Mean power of the board over the last step, and whether it is measured or modelled.",
        [target(one("board_power_watts"), "{{source}}")],
        "watt",
        [(None, GREEN)],
        with_name=True,
        decimals=1,
    )
    clock = stat(
        "Clock rate",
        "Mission seconds in one real second. Throughput per orbit is valid only at 1.",
        [target(one("mission_clock_rate_ratio"))],
        "none",
        [(None, GREEN), (1.0001, ORANGE)],
    )
    return [(panel, 3, 5) for panel in (mode, battery, balance, sun, link, coming, board, clock)]


def orbit_row() -> list[tuple[Json, int, int]]:
    """Where the node is, in light or shadow, and which station sees it."""
    track = ground_track(
        "Ground track",
        "Positions in the time range; yellow in sunlight, purple in eclipse.",
        one("orbit_latitude_degrees"),
        one("orbit_longitude_degrees"),
        (one("orbit_illumination_ratio"), [(None, PURPLE), (0.5, YELLOW)]),
    )
    altitude = lines(
        "Altitude and latitude",
        "Height above the ellipsoid (left) and geodetic latitude (right).",
        [
            target(one("orbit_altitude_meters"), "altitude"),
            target(one("orbit_latitude_degrees"), "latitude"),
        ],
        "lengthm",
        overrides=[override("latitude", unit="degree", custom__axisPlacement="right")],
    )
    contacts = timeline(
        "Contacts and sunlight",
        "Which station sees the node, whether the radio session stands, and sunlight.",
        [
            target(one("link_contact"), "{{station}}"),
            target(one("link_up"), "session"),
            target(f"{one('orbit_illumination_ratio')} > bool 0.5", "sun"),
        ],
        words({0: ("-", "transparent"), 1: ("contact", BLUE)}),
        [
            override("session", mappings=words({0: ("-", "transparent"), 1: ("up", GREEN)})),
            override("sun", mappings=words({0: ("eclipse", PURPLE), 1: ("sunlit", YELLOW)})),
        ],
    )
    return [(track, 12, 11), (altitude, 12, 11), (contacts, 24, 8)]


def power_row() -> list[tuple[Json, int, int]]:
    """What comes in, what goes out and what is left."""
    rest = f"{one('load_power_watts')} - on (node_id) sum by (node_id) ({one('board_power_watts')})"
    flat = {"custom__stacking": {"mode": "none", "group": "B"}, "custom__fillOpacity": 0}
    array_color = {"mode": "fixed", "fixedColor": YELLOW}
    budget = lines(
        "Power budget",
        "Loads, stacked, against what the array delivers: the gap charges or drains the battery.",
        [
            target(f"sum by (node_id) ({one('board_power_watts')})", "board"),
            target(rest, "bus, radio and losses"),
            target(one("solar_power_watts"), "array"),
        ],
        "watt",
        stacked=True,
        overrides=[override("array", custom__lineWidth=2, color=array_color, **flat)],
    )
    charge = lines(
        "State of charge",
        "Of the emulated battery.",
        [target(one("battery_charge_ratio"), "charge")],
        "percentunit",
        bounds=(0, 1),
    )
    energy = bars(
        "Energy in the time range",
        "What the array delivered and what the bus and the board drew.",
        [
            target(f"increase({one(name)}[$__range])", legend, instant=True)
            for name, legend in (
                ("solar_generated_joules_total", "array"),
                ("load_consumed_joules_total", "all loads"),
                ("board_consumed_joules_total", "board"),
            )
        ],
        "joule",
    )
    return [(budget, 10, 9), (charge, 8, 9), (energy, 6, 9)]


def thermal_row() -> list[tuple[Json, int, int]]:
    """The emulated network beside the sensors of the real board."""
    emulated = lines(
        "Temperatures, emulated",
        "Nodes of the spacecraft's thermal network.",
        [target(one("temperature_celsius", 'source="emulated"'), "{{sensor}}")],
        "celsius",
    )
    physical = lines(
        "Temperatures, physical",
        "Sensors of the real board, as it stands on the desk.",
        [target(one("temperature_celsius", 'source!="emulated"'), "{{sensor}}")],
        "celsius",
    )
    return [(emulated, 12, 8), (physical, 12, 8)]


def decision_row() -> list[tuple[Json, int, int]]:
    """What the node was allowed to do, and what it decided."""
    modes = timeline(
        "Operating mode",
        "Mode over time; off is a real loss of power.",
        [target(MODE_NUMBER, "mode")],
        MODE_WORDS,
    )
    decisions = lines(
        "Governor decisions",
        "Admissions, deferrals and rejections per second, with their reasons.",
        [
            target(
                f"sum by (decision, reason) ({rate('governor_decisions_total')})",
                "{{decision}} {{reason}}",
            )
        ],
        "ops",
        stacked=True,
    )
    jobs = lines(
        "Jobs",
        "Jobs on board by state.",
        [target(f"sum by (state) ({one('jobs')})", "{{state}}")],
        "short",
        stacked=True,
    )
    return [(modes, 24, 4), (decisions, 12, 8), (jobs, 12, 8)]


def inference_row() -> list[tuple[Json, int, int]]:
    """How much is inferred, how fast and at what price."""
    throughput = lines(
        "Throughput",
        "Inferences per second by outcome.",
        [target(f"sum by (outcome) ({rate('inferences_total')})", "{{outcome}}")],
        "ops",
        stacked=True,
    )
    latency = lines(
        "Latency",
        "Quantiles of the wall time of an inference, estimated from buckets.",
        [
            target(quantile(ratio, "inference_duration_seconds"), name)
            for ratio, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
        ],
        "s",
    )
    buckets = f"sum by (le) (increase({one('inference_duration_seconds_bucket')}{RATE}))"
    heat = heatmap(
        "Latency heat map",
        "Inferences by wall time.",
        target(buckets, "{{le}}", kind="heatmap"),
        "s",
    )
    per_inference = (
        f"sum by (model) ({rate('inference_energy_joules_total')})"
        f" / (sum by (model) ({rate('inferences_total')}) > 0)"
    )
    joules = lines(
        "Energy per inference",
        "Joules above the idle draw, failed and stopped runs included.",
        [target(per_inference, "{{model}}")],
        "joule",
    )
    stops = lines(
        "Stop latency",
        "99th percentile from the decision to stop an inference to the proof that it stopped.",
        [target(quantile(0.99, "inference_stop_latency_seconds"), "p99")],
        "s",
        line_at=1.0,
    )
    return [
        (throughput, 8, 8),
        (latency, 8, 8),
        (heat, 8, 8),
        (joules, 12, 8),
        (stops, 12, 8),
    ]


def link_row() -> list[tuple[Json, int, int]]:
    """What waits for the link and what it carries."""
    queue = lines(
        "Waiting for the link",
        "Bytes of inputs that the node does not hold yet, and of results that the ground does not.",
        [target(one("link_queue_bytes"), "{{direction}}")],
        "bytes",
    )
    carried = lines(
        "Link rate and payload",
        "What the link budget gives, and what of it payload used.",
        [
            target(f"{one('link_rate_bytes_per_second')} * 8", "budget {{direction}}"),
            target(f"{rate('link_payload_bytes_total')} * 8", "payload {{direction}}"),
        ],
        "bps",
    )
    geometry = lines(
        "Range and elevation",
        "Of the node from the station that sees it; empty between passes.",
        [
            target(one("link_range_meters"), "range"),
            target(one("link_elevation_degrees"), "elevation"),
        ],
        "lengthm",
        overrides=[override("elevation", unit="degree", custom__axisPlacement="right")],
    )
    return [(queue, 8, 8), (carried, 8, 8), (geometry, 8, 8)]


def daemon_row() -> list[tuple[Json, int, int]]:
    """Whether the emulation itself is sound."""
    ticks = lines(
        "Step time",
        "99th percentile of one step of the loop, and steps per second that came late.",
        [
            target(quantile(0.99, "tick_duration_seconds"), "p99"),
            target(rate("tick_slips_total"), "late"),
        ],
        "s",
        overrides=[override("late", unit="ops", custom__axisPlacement="right")],
    )
    process = lines(
        "Daemon",
        "Processor time (left) and memory (right) of the daemon, without the worker.",
        [
            target(of_process(f'rate(process_cpu_seconds_total{{job=~"$job"}}{RATE})'), "CPU"),
            target(of_process('process_resident_memory_bytes{job=~"$job"}'), "memory"),
        ],
        "percentunit",
        overrides=[override("memory", unit="bytes", custom__axisPlacement="right")],
    )
    sensors = timeline(
        "Sensors",
        "Whether each reader of the board worked.",
        [target(one("sensor_read_success"), "{{reader}}")],
        words({0: ("failed", RED), 1: ("ok", GREEN)}),
    )
    counts = stat(
        "Boots, brown-outs, sessions",
        "Counted since the node's state was made.",
        [
            target(f"max by (node_id) ({one('boots_total')})", "boots"),
            target(f"max by (node_id) ({one('brown_outs_total')})", "brown-outs"),
            target(f"max by (node_id) ({one('link_sessions_total')})", "sessions"),
        ],
        "short",
        [(None, BLUE)],
        with_name=True,
    )
    return [(ticks, 7, 7), (process, 7, 7), (sensors, 5, 7), (counts, 5, 7)]


def annotation(name: str, expression: str, color: str, *, enable: bool) -> Json:
    """Shade the spans in which the expression is 1."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": enable,
        "iconColor": color,
        "expr": expression,
        "step": "10s",
        "titleFormat": name,
    }


def variable(name: str, label: str, query: str, *, many: bool) -> Json:
    """A choice that Prometheus fills."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "StandardVariableQuery"},
        "refresh": 2,
        "sort": 1,
        "multi": many,
        "includeAll": many,
        "allValue": ".+" if many else None,
        "current": {"text": "All", "value": "$__all"} if many else {},
        "options": [],
    }


def arrange(rows: list[tuple[str, list[tuple[Json, int, int]]]]) -> list[Json]:
    """Place the panels from left to right, row by row, and number them."""
    placed: list[Json] = []
    top = 0
    for title, panels in rows:
        header = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append({**header, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}})
        top += 1
        left = tallest = 0
        for panel, width, height in panels:
            if left + width > 24:  # noqa: PLR2004 - Grafana's grid has 24 columns
                top, left, tallest = top + tallest, 0, 0
            placed.append({**panel, "gridPos": {"x": left, "y": top, "w": width, "h": height}})
            left, tallest = left + width, max(tallest, height)
        top += tallest
    return [{"id": number, **panel} for number, panel in enumerate(placed, start=1)]


def node_detail() -> Json:
    """Everything about one node."""
    contact = annotation("Contact", f"max by (node_id) ({one('link_up')})", BLUE, enable=True)
    dark = f"{one('orbit_illumination_ratio')} <= bool 0.5"
    return {
        "uid": "orbitnode-node-detail",
        "title": "Orbital node: detail",
        "description": "One orbital node: orbit, power, heat, decisions, inference and link.",
        "tags": ["orbitnode"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "5s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                    "options": [],
                },
                variable("job", "Job", "label_values(orbitnode_build_info, job)", many=True),
                variable(
                    "node",
                    "Node",
                    'label_values(orbitnode_build_info{job=~"$job"}, node_id)',
                    many=False,
                ),
            ]
        },
        "annotations": {
            "list": [contact, annotation("Eclipse", dark, PURPLE, enable=False)],
        },
        "panels": arrange(
            [
                ("Now", now_row()),
                ("Orbit", orbit_row()),
                ("Power", power_row()),
                ("Thermal", thermal_row()),
                ("Mode and governor", decision_row()),
                ("Inference", inference_row()),
                ("Link", link_row()),
                ("Daemon", daemon_row()),
            ]
        ),
    }


def render() -> dict[str, str]:
    """Text of every dashboard by file name."""
    return {"node-detail.json": json.dumps(node_detail(), indent=2) + "\n"}


def main() -> None:
    """Write every dashboard."""
    DASHBOARDS.mkdir(exist_ok=True)
    for name, text in render().items():
        (DASHBOARDS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
