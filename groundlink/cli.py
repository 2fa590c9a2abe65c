"""The ``groundlink`` command. A subcommand's module is imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from node import __version__
from node.errors import OrbitnodeError

COMMANDS = {
    "demo": "fly a whole mission on this machine, with a real model over a real scene",
    "ground": "run the ground segment: take jobs, talk with nodes, keep results",
    "relay": "carry a node's MQTT connections through its passes: rate, delay, AOS and LOS",
    "broker": "run a small embedded MQTT broker (for the demo; an installation uses Mosquitto)",
    "submit": "hand inputs over to a node as jobs",
    "results": "list results and fetch them",
    "jobs": "list jobs and their states",
    "status": "show what the ground knows now",
    "watch": "show nodes, links and jobs in a table that follows them",
    "passes": "list a scenario's passes and what each can carry",
}
"""Each is a module of ``groundlink.commands`` with HELP, ``add_arguments`` and ``run``."""

_COMMAND_LIST = "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items())
_EPILOG = f"""\
commands (each has its own --help):
{_COMMAND_LIST}

a first session, with a broker on port 1883 and a node behind the relay:
  groundlink ground --scenario scenarios/demo.toml --state ground-state
  groundlink submit tile.npz --node node-1 --model cloud-mask --wait
  groundlink results --out results

exit codes:
  0   done
  1   the ground refused or cannot be reached; the text says why
  2   the command line is wrong
  78  a configuration file is wrong; every problem is listed with file and line
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser with the names and one-line helps of every subcommand."""
    parser = argparse.ArgumentParser(
        prog="groundlink",
        description="The emulated radio link and the ground segment of orbitnode.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"orbitnode {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status."""
    parsed = build_parser().parse_args(arguments)
    module = importlib.import_module(f"groundlink.commands.{parsed.command}")
    parser = argparse.ArgumentParser(
        prog=f"groundlink {parsed.command}",
        description=module.HELP,
        epilog=getattr(module, "EPILOG", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    try:
        status: int = module.run(parser.parse_args(parsed.arguments))
    except OrbitnodeError as error:
        sys.stderr.write(f"groundlink {parsed.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return status
