"""``groundlink broker``: an embedded broker for the demo."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from groundlink.broker import run_broker
from groundlink.commands.relay import address
from node.log import start_logging

DESCRIPTION = "run a small embedded MQTT broker (for the demo; else take Mosquitto)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", 1883),
        metavar="HOST:PORT",
        help="where clients connect, without any password "
        "(default 127.0.0.1:1883; port 0 takes any)",
    )
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status.

    Raises:
        GroundError: amqtt is not installed.
        LinkError: the port to listen on cannot be had.
    """
    start_logging(args.log_level)
    asyncio.run(_until_stopped(*args.listen))
    return os.EX_OK


async def _until_stopped(host: str, port: int) -> None:
    """Run the broker; SIGTERM and SIGINT end it."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(run_broker(host, port, _say_ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return


def _say_ready(host: str, port: int) -> None:
    """Tell whoever waits on standard error that the port is open."""
    sys.stderr.write(f"groundlink broker: READY {host}:{port}\n")
    sys.stderr.flush()
