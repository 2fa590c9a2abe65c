"""A command with subcommands, each a module that is imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node import __version__
from node.errors import OrbitnodeError


@dataclass(frozen=True)
class CommandLine:
    """One command: its words and where its subcommands live.

    A subcommand's module has DESCRIPTION, ``add_arguments(parser)`` and ``run(arguments) -> int``,
    and may have EPILOG.
    """

    name: str
    description: str
    package: str
    commands: Mapping[str, str]
    """One line of help by subcommand."""
    epilog: str

    def parser(self) -> argparse.ArgumentParser:
        """Make the parser with the names and one-line helps of every subcommand."""
        width = max(map(len, self.commands))
        listed = "\n".join(f"  {name:{width}}  {text}" for name, text in self.commands.items())
        parser = argparse.ArgumentParser(
            prog=self.name,
            description=self.description,
            epilog=f"commands (each has its own --help):\n{listed}\n\n{self.epilog}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--version", action="version", version=f"orbitnode {__version__}")
        parser.add_argument(
            "command", choices=self.commands, metavar="COMMAND", help="one of those below"
        )
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
        return parser

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run one subcommand and return its exit status."""
        parsed = self.parser().parse_args(arguments)
        module = importlib.import_module(f"{self.package}.{parsed.command}")
        parser = argparse.ArgumentParser(
            prog=f"{self.name} {parsed.command}",
            description=module.DESCRIPTION,
            epilog=getattr(module, "EPILOG", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        try:
            status: int = module.run(parser.parse_args(parsed.arguments))
        except OrbitnodeError as error:
            sys.stderr.write(f"{self.name} {parsed.command}: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
        return status
