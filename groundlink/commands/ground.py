"""``groundlink ground``: the daemon of the ground segment."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from groundlink.api import Api
from groundlink.commands.relay import address, clock_rate
from groundlink.ground import Ground
from groundlink.ledger import Ledger
from node._compat import TaskGroup
from node.clock import MissionClock, epoch_utc_s
from node.config.load import load_scenario
from node.errors import ConfigError, LinkError
from node.http import HttpServer
from node.log import start_logging
from node.radio.mqtt import BrokerAddress, MqttConnector

DESCRIPTION = "run the ground segment: take jobs, talk with nodes, keep results"
EPILOG = """\
It serves every node that its broker carries, and keeps jobs and results in --state, which survives
a crash or a power cut at any moment. It says READY on standard error once it takes jobs, with or
without a broker; it looks for the broker for ever.

  groundlink ground --scenario scenarios/demo.toml --state ground-state
  curl --data-binary @tile.npz 'http://127.0.0.1:9465/jobs?node=node-1&model=cloud-mask'

Anyone who reaches the HTTP port can submit jobs and read results: leave it on a loopback address,
or put something before it that asks who they are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--scenario", type=Path, required=True, metavar="FILE", help="scenario: mission time zero"
    )
    parser.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="folder for jobs and results"
    )
    parser.add_argument(
        "--broker",
        type=address,
        default=("127.0.0.1", 1883),
        metavar="HOST:PORT",
        help="MQTT broker (default 127.0.0.1:1883)",
    )
    parser.add_argument("--username", help="for the broker")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="with --username")
    parser.add_argument(
        "--http",
        type=address,
        default=("127.0.0.1", 9465),
        metavar="HOST:PORT",
        help="where jobs are taken (default 127.0.0.1:9465; "
        "port 0 takes any and writes it to http.port in the state folder)",
    )
    parser.add_argument(
        "--anchor",
        type=Path,
        metavar="FILE",
        help="mission clock shared with node and relay (default: clock.json in the state folder)",
    )
    parser.add_argument(
        "--rate",
        type=clock_rate,
        default=1.0,
        metavar="K",
        help="mission seconds a real second (default 1); the anchor must say the same",
    )
    parser.add_argument(
        "--max-bytes",
        type=byte_count,
        default=64 << 30,
        metavar="N",
        help="of inputs and results together; above it, jobs are refused (default 64 GiB)",
    )
    parser.add_argument(
        "--max-input-bytes",
        type=byte_count,
        default=256 << 20,
        metavar="N",
        help="of one input (default 256 MiB)",
    )
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    start_logging(args.log_level)
    try:
        scenario = load_scenario(args.scenario)
        clock = MissionClock.from_anchor(
            args.anchor or args.state / "clock.json",
            args.rate,
            epoch_utc_s(scenario.mission.epoch),
        )
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    host, port = args.broker
    broker = BrokerAddress(host, port, username=args.username, password_file=args.password_file)
    ledger = Ledger(args.state, max_bytes=args.max_bytes)
    try:
        connector = MqttConnector(broker, f"groundlink-ground-{os.getpid()}")
        ground = Ground(ledger, connector, clock)
        http_host, http_port = args.http
        server = HttpServer(Api(ground).routes(), http_host, http_port, args.max_input_bytes)
        asyncio.run(_until_stopped(ground, server, http_host, args.state))
    finally:
        ledger.close_now()
    return os.EX_OK


async def _until_stopped(ground: Ground, server: HttpServer, host: str, state: Path) -> None:
    """Run the daemon; SIGTERM and SIGINT end it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await ground.restore()
    try:
        port = await server.start()
    except OSError as error:
        raise LinkError(f"cannot take jobs at {host}: {error.strerror or error}") from error
    try:
        (state / "http.port").write_text(f"{port}\n")
        async with TaskGroup() as group:
            session = group.create_task(ground.serve(), name="ground.broker")
            place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            sys.stderr.write(f"groundlink ground: READY http://{place}\n")
            sys.stderr.flush()
            await stop.wait()
            session.cancel()
    finally:
        await server.close()


def byte_count(text: str) -> int:
    """Parse a number of bytes, from 1 MiB to 16 TiB."""
    if not text.isdecimal() or not 1 << 20 <= int(text) <= 1 << 44:
        raise argparse.ArgumentTypeError(f"expected bytes from 1048576 to 2^44, got {text!r}")
    return int(text)
