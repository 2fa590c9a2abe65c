"""The ``groundlink`` command."""

from __future__ import annotations

from collections.abc import Sequence

from node.command_line import CommandLine

COMMAND_LINE = CommandLine(
    name="groundlink",
    description="The emulated radio link and the ground segment of orbitnode.",
    package="groundlink.commands",
    commands={
        "demo": "fly a whole mission on this machine, with a real model over a real scene",
        "ground": "run the ground segment: take jobs, talk with nodes, keep results",
        "relay": "carry a node's MQTT connections through its passes: rate, delay, AOS and LOS",
        "broker": "run a small embedded MQTT broker (for the demo; else take Mosquitto)",
        "submit": "hand inputs over to a node as jobs",
        "results": "list results and fetch them",
        "jobs": "list jobs and their states",
        "status": "show what the ground knows now",
        "watch": "show nodes, links and jobs in a table that follows them",
        "passes": "list a scenario's passes and what each can carry",
    },
    epilog="""\
a first session, with a broker on port 1883 and a node behind the relay:
  groundlink ground --scenario scenarios/demo.toml --state ground-state
  groundlink submit tile.npz --node node-1 --model cloud-mask --wait
  groundlink results --out results

exit codes:
  0   done
  1   the ground refused or cannot be reached; the text says why
  2   the command line is wrong
  78  a configuration file is wrong; every problem is listed with file and line
""",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status."""
    return COMMAND_LINE.main(arguments)
