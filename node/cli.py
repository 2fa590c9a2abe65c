"""The ``orbitnode`` command."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from node import __version__

COMMANDS = {
    "run": "run the node that an installation file describes",
    "check": "check a scenario or an installation file without starting anything",
    "simulate": "fly a scenario in virtual time, with everything simulated",
    "report": "make the HTML report of a finished run",
}

_COMMAND_LIST = "\n".join(f"  {name:10} {text}" for name, text in COMMANDS.items())
_EPILOG = f"""\
commands (each has its own --help):
{_COMMAND_LIST}

exit codes:
  0   done (for simulate: every requirement passed)
  1   it ran, but a requirement failed or something broke; the text says what
  78  a configuration file is wrong; every problem is listed with file and line
"""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser with the names and one-line helps of every subcommand."""
    parser = argparse.ArgumentParser(
        prog="orbitnode",
        description="A board as a node of an orbital data centre: real inference under emulated, "
        "enforced orbital constraints.",
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
    module = importlib.import_module(f"node.commands.{parsed.command}")
    parser = argparse.ArgumentParser(
        prog=f"orbitnode {parsed.command}",
        description=module.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    status: int = module.run(parser.parse_args(parsed.arguments))
    return status
