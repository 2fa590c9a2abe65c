"""``orbitnode run``: the daemon."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from node.commands.simulate import fly
from node.config.load import load_installation
from node.errors import ConfigError, OrbitnodeError, PhysicsError
from node.log import start_logging

DESCRIPTION = """\
Run the node that an installation file describes, until SIGTERM or Ctrl-C.

  orbitnode run --config /etc/orbitnode/node.toml

It says "ready" on standard error once the worker has loaded its models. Metrics are at
http://127.0.0.1:9464/metrics, the present state as JSON at /status.
"""
_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/orbitnode/node.toml"), help="installation file"
    )
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )


def run(arguments: argparse.Namespace) -> int:
    """Load, run, and turn what goes wrong into one clear message and an exit status."""
    start_logging(arguments.log_level)
    try:
        loaded = load_installation(arguments.config)
        for warning in loaded.warnings:
            _log.warning("%s", warning)
        if loaded.installation.clock.mode == "freerun":
            return fly(loaded.scenario, history=loaded.state_path / "history.jsonl", as_json=True)
        # Not before the configuration is known to be good: this loads every part of the node.
        from node.app import App  # noqa: PLC0415

        asyncio.run(App(loaded).run())
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 78
    except PhysicsError as error:
        sys.stderr.write(f"{arguments.config}: {error}\n")
        return 78
    except (OrbitnodeError, OSError) as error:
        sys.stderr.write(f"orbitnode: {error}\n")
        return 1
    return 0
