"""``groundlink status``: what the ground knows now."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import msgspec

from groundlink.commands.common import add_ground_argument, client, table

DESCRIPTION = "show what the ground knows now"
EPILOG = """\
  groundlink status
  groundlink status --json | jq .nodes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    add_ground_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Show; return the exit status."""
    status = client(args).status()
    if args.json:
        text = msgspec.json.format(msgspec.json.encode(status), indent=2).decode()
    else:
        text = summary(status)
    sys.stdout.write(text + "\n")
    return 0


def summary(status: dict[str, Any]) -> str:
    """Say the status in a few lines."""
    broker = "connected" if status["broker"]["connected"] else "NOT CONNECTED"
    store = status["store"]
    lines = [
        f"mission  T+{status['mission_s']:.0f} s at rate {status['rate']:g}",
        f"broker   {broker}, {status['broker']['sessions']} sessions",
        f"store    {store['size_bytes']} of {store['max_bytes']} bytes",
        f"jobs     {_counts(status['jobs'])}",
        f"refused  {_counts(status['refused'])}",
        "",
        table(NODE_HEAD, [node_row(name, node) for name, node in status["nodes"].items()]),
    ]
    return "\n".join(lines)


NODE_HEAD = ("NODE", "RADIO", "MODE", "CHARGE", "LOAD", "BOARD", "LINK", "HEARD")


def node_row(name: str, node: dict[str, Any]) -> tuple[str, ...]:
    """Say what is known of one node, in the columns of ``NODE_HEAD``."""
    state = node["housekeeping"]
    link = node["link"]
    heard = "never" if node["heard_s"] is None else f"T+{node['heard_s']:.0f} s"
    radio = "online" if node["online"] else "away"
    if state is None:
        known = ("?", "?", "?", "?")
    else:
        board_c = state["temperatures_c"].get("board")
        known = (
            state["mode"],
            f"{100 * state['state_of_charge']:.0f} %",
            f"{state['load_w']:.1f} W",
            "?" if board_c is None else f"{board_c:.1f} C",
        )
    return (name, radio, *known, "?" if link is None else _link(link), heard)


def _link(link: dict[str, Any]) -> str:
    if not link["up"]:
        return f"down, next {link['station']} at T+{link['aos_s']:.0f} s"
    return (
        f"{link['station']} until T+{link['los_s']:.0f} s,"
        f" {link['downlink_bps'] / 1e3:.0f} kbit/s down"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
