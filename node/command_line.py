"""A command with subcommands, each a module that is imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import select
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from node import __version__
from node.errors import OrbitnodeError


@dataclass(frozen=True)
class CommandLine:
    """One command: its words and where its subcommands live.

    A subcommand's module has DESCRIPTION, ``add_arguments(parser)`` and ``run(arguments) -> int``,
    and may have EPILOG. Where ``run`` finds an argument wrong that only the scenario can tell, it
    raises `argparse.ArgumentTypeError`, which ends like any wrong command line. A reader of stdout
    that goes away, as ``head`` does, ends a command without a word, as SIGPIPE would.
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
            if _stdout() is not None:
                sys.stdout.flush()
        except OrbitnodeError as error:
            sys.stderr.write(f"{self.name} {parsed.command}: {error}\n")
            return 1
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
        except BrokenPipeError:
            if not _reader_has_gone():
                raise
            return 141
        except KeyboardInterrupt:
            return 130
        return status


def _reader_has_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more; if so, what is left goes nowhere."""
    stdout = _stdout()
    if stdout is None:
        return False
    poll = select.poll()
    poll.register(stdout, select.POLLOUT)
    if not any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0)):
        return False
    # The interpreter flushes once more at its end, and would complain.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stdout.fileno())
    os.close(nowhere)
    return True


def _stdout() -> TextIO | None:
    """Standard output; None where the program was started without one."""
    return sys.stdout
