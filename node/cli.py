"""The ``orbitnode`` command."""

from __future__ import annotations

from collections.abc import Sequence

from node.command_line import CommandLine

COMMAND_LINE = CommandLine(
    name="orbitnode",
    description="A board as a node of an orbital data centre: real inference under emulated, "
    "enforced orbital constraints.",
    package="node.commands",
    commands={
        "run": "run the node that an installation file describes",
        "check": "check a scenario or an installation file without starting anything",
        "simulate": "fly a scenario in virtual time, with everything simulated",
        "ephemeris": "list a scenario's orbit, eclipses and passes",
        "forecast": "say whether spacecraft, board and workload fit power, heat and contacts",
        "doctor": "say whether board and installation have everything that they need",
        "bench": "measure what a model costs on this board",
        "report": "make the HTML report of a finished run",
    },
    epilog="""\
exit codes:
  0   done (for simulate and forecast: every requirement passed)
  1   it ran, but a requirement failed or something broke; the text says what
  2   the command line is wrong
  78  a configuration file is wrong; every problem is listed with file and line
""",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status."""
    return COMMAND_LINE.main(arguments)
