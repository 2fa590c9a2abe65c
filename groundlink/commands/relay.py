"""``groundlink relay``: the emulated radio link of one node."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from pathlib import Path

from groundlink.relay import Relay, RelaySettings
from groundlink.window import Schedule
from node.clock import MissionClock, epoch_utc_s
from node.config.load import load_scenario
from node.errors import ConfigError, LinkError, PhysicsError
from node.icd import NODE_NAME_PATTERN
from node.log import start_logging
from node.radio.mqtt import BrokerAddress

DESCRIPTION = "carry a node's MQTT connections through its passes: rate, delay, AOS and LOS"

_log = logging.getLogger(__name__)
_ADDRESS = re.compile(r"^(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):([0-9]{1,5})$")
_NODE_NAME = re.compile(NODE_NAME_PATTERN)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--scenario", type=Path, required=True, help="scenario file (TOML)")
    parser.add_argument("--node", type=node_name, required=True, help="name of the node")
    parser.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", 1884),
        metavar="HOST:PORT",
        help="where the node connects (default 127.0.0.1:1884; port 0 takes any)",
    )
    parser.add_argument(
        "--broker",
        type=address,
        default=("127.0.0.1", 1883),
        metavar="HOST:PORT",
        help="the broker behind the link (default 127.0.0.1:1883)",
    )
    parser.add_argument(
        "--anchor",
        type=Path,
        required=True,
        metavar="FILE",
        help="mission clock shared with the node; made if it is missing",
    )
    parser.add_argument(
        "--rate",
        type=clock_rate,
        default=1.0,
        metavar="K",
        help="mission seconds a real second (default 1); the anchor must say the same",
    )
    parser.add_argument(
        "--frame-loss",
        type=loss_ratio,
        default=0.0,
        metavar="RATIO",
        help="part of the link frames that are lost and sent again (default 0)",
    )
    parser.add_argument(
        "--outage",
        type=span,
        action="append",
        default=[],
        metavar="START:STOP",
        help="black the link out between two mission times in seconds; may be repeated",
    )
    parser.add_argument(
        "--report",
        type=address,
        metavar="HOST:PORT",
        help="where the relay publishes windows and ledgers (default: the broker)",
    )
    parser.add_argument("--username", help="for the relay's own reports")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="with --username")
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )


def run(args: argparse.Namespace) -> int:
    """Relay until SIGTERM or SIGINT; return the exit status.

    Raises:
        LinkError: the port to listen on cannot be had.
    """
    start_logging(args.log_level)
    try:
        scenario = load_scenario(args.scenario)
        schedule = Schedule.from_scenario(scenario)
        clock = MissionClock.from_anchor(
            args.anchor, args.rate, epoch_utc_s(scenario.mission.epoch)
        )
    except (ConfigError, PhysicsError) as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    host, port = args.listen
    report_host, report_port = args.report or args.broker
    settings = RelaySettings(
        node_name=args.node,
        broker=args.broker,
        report=BrokerAddress(
            report_host,
            report_port,
            username=args.username,
            password_file=args.password_file,
        ),
        listen_host=host,
        listen_port=port,
        frame_loss_ratio=args.frame_loss,
        outages_s=tuple(args.outage),
        seed=scenario.mission.seed,
    )
    try:
        asyncio.run(_until_stopped(Relay(settings, schedule, clock)))
    except OSError as error:
        reason = error.strerror or error
        raise LinkError(f"cannot listen on {host}:{port}: {reason}") from error
    return os.EX_OK


async def _until_stopped(relay: Relay) -> None:
    """Run the relay; SIGTERM and SIGINT end it."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(relay.run(_say_ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        _log.info("relay=stopped")


def _say_ready(host: str, port: int) -> None:
    """Tell whoever waits on standard error that the port is open."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sys.stderr.write(f"groundlink relay: READY {place}\n")
    sys.stderr.flush()


def address(text: str) -> tuple[str, int]:
    """Parse ``host:port`` or ``[v6]:port``."""
    match = _ADDRESS.match(text)
    if match is None or int(match[3]) > 65535:  # noqa: PLR2004 - the largest port
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got {text!r}")
    return match[1] or match[2], int(match[3])


def node_name(text: str) -> str:
    """Check a node's name, which becomes part of a topic."""
    if not _NODE_NAME.match(text):
        raise argparse.ArgumentTypeError(
            f"expected up to 32 of a-z, 0-9 and -, beginning with a letter or digit; got {text!r}"
        )
    return text


def clock_rate(text: str) -> float:
    """Parse a clock rate, from above 0 to 100000."""
    rate = _number(text)
    if not 0.0 < rate <= 100_000.0:  # noqa: PLR2004 - the bound of the installation file
        raise argparse.ArgumentTypeError(f"expected a number above 0, at most 100000; got {text!r}")
    return rate


def loss_ratio(text: str) -> float:
    """Parse a ratio from 0 to 0.9: above it hardly a frame would ever arrive."""
    ratio = _number(text)
    if not 0.0 <= ratio <= 0.9:  # noqa: PLR2004 - said above
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 0.9; got {text!r}")
    return ratio


def span(text: str) -> tuple[float, float]:
    """Parse ``start:stop`` in mission seconds."""
    start, _, stop = text.partition(":")
    start_s, stop_s = _number(start), _number(stop)
    if not start_s < stop_s:
        raise argparse.ArgumentTypeError(
            f"expected START:STOP with START before STOP; got {text!r}"
        )
    return start_s, stop_s


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None
