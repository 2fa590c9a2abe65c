"""``groundlink watch``: nodes, links and jobs in a table that follows them."""

from __future__ import annotations

import argparse
import time
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from groundlink.commands.common import add_ground_argument, client
from groundlink.commands.status import NODE_HEAD, node_row
from node.errors import LinkError

DESCRIPTION = "show nodes, links and jobs in a table that follows them"
EPILOG = """\
  groundlink watch
  groundlink watch --ground http://127.0.0.1:9465 --every 0.5
"""
_EVENTS = 8
_MODE_STYLES = {"nominal": "green", "reduced": "yellow", "safe": "red", "off": "red"}
_SEVERITY_STYLES = {"warning": "yellow", "error": "red", "critical": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--every", type=float, default=1.0, metavar="SECONDS", help="between two looks (1)"
    )
    add_ground_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Follow until Ctrl-C; return the exit status."""
    ground = client(args)
    shown = picture(ground.status())
    with Live(shown, console=Console(), screen=False, auto_refresh=False) as live:
        while True:
            time.sleep(max(0.1, args.every))
            try:
                shown = picture(ground.status())
            except LinkError as error:
                live.update(Group(shown, Text(str(error), "red")), refresh=True)
            else:
                live.update(shown, refresh=True)


def picture(status: dict[str, Any]) -> RenderableType:
    """Draw one look. Pure."""
    connected = status["broker"]["connected"]
    head = Text.assemble(
        ("ground  ", "bold"),
        f"T+{status['mission_s']:.0f} s  rate {status['rate']:g}  broker ",
        ("connected", "green") if connected else ("away", "red"),
    )
    nodes = Table(box=None, pad_edge=False, header_style="dim")
    for title in NODE_HEAD:
        nodes.add_column(title, no_wrap=True)
    for name, node in status["nodes"].items():
        nodes.add_row(*_styled(node_row(name, node)))
    jobs = Text("jobs    ", "bold")
    for state, count in status["jobs"].items():
        jobs.append(f"{count} {state}  ", "green" if state == "delivered" else "")
    return Group(head, Text(), nodes, Text(), jobs, *_events(status["nodes"]))


def _styled(row: tuple[str, ...]) -> list[Text]:
    name, radio, mode, *rest = row
    return [
        Text(name, "bold"),
        Text(radio, "green" if radio == "online" else "dim"),
        Text(mode, _MODE_STYLES.get(mode, "")),
        *(Text(cell) for cell in rest),
    ]


def _events(nodes: dict[str, Any]) -> list[Text]:
    """Draw the last events of all nodes, the latest first."""
    found = sorted(
        (
            (event["mission_s"], name, event)
            for name, node in nodes.items()
            for event in node["events"]
        ),
        key=lambda item: item[:2],
        reverse=True,
    )
    return [
        Text(
            f"T+{mission_s:.0f} s  {name}  {event['code']}  {event['text']}",
            _SEVERITY_STYLES.get(event["severity"], "dim"),
        )
        for mission_s, name, event in found[:_EVENTS]
    ]
