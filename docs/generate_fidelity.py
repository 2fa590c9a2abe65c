#!/usr/bin/env python3
"""Write docs/fidelity.md: every figure beside its reference, and beside Skyfield and Basilisk.

``make fidelity`` runs this with both tools in environments of their own. Without them, as in
``make docs``, the part beside the reference files is written anew and the part beside the tools
stays as it was run. A tool that fails or a comparison that does not pass ends it without a page.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from comparisons.comparison import Comparison
from comparisons.families import FAMILIES
from live_comparisons import BASILISK, LIVE, SKYFIELD
from live_requests import basilisk_request, skyfield_request

PAGE = Path(__file__).with_name("fidelity.md")
RUNNERS = Path(__file__).parents[1] / "tests" / "fidelity"
TOOL_LIMIT_S = 1800.0

INTRODUCTION = """\
<!-- Written by `make fidelity` (docs/generate_fidelity.py). Do not edit. -->

# Fidelity

Every figure that the physics of orbitnode is held to: ours, the reference, the error, the largest
error that passes. The first part is beside the files of `tests/golden/reference`, whose origin
stands in [their README](../tests/golden/reference/README.md); `make test` computes and asserts the
same comparisons. The second part is beside Skyfield and Basilisk, run by `make fidelity` over the
same instants. Where many rows are compared, the figure is the worst error and the reference is 0.

These are computations held to other computations: where the orbit is, when it is dark, what a panel
of a given size gives. How near a scenario is to a real spacecraft depends on its figures, most of
which are assumed and labelled so.
"""

GOLDEN_TITLE = "## Beside the reference files\n"
LIVE_TITLE = "## Beside tools run live\n"
LIVE_INTRODUCTION = """\
A day of each reference orbit and of each orbit in `scenarios/`. Skyfield gets the elements and
computes with its own frames, ephemeris (DE421) and Earth orientation; the Sun's centre sets for it
where the line to it comes down to WGS84. Basilisk's modules `eclipse`, `simpleSolarPanel`,
`simplePowerSink` and `simpleBattery` get positions from SGP4 and the Sun from Skyfield; the load is
constant, the battery without losses, a panel's efficiency that of our panel at normal incidence.
Basilisk's Earth is a sphere before a smaller Sun, ours is an ellipsoid, which moves a shadow's edge
by 6 to 22 s on an inclined orbit: each figure stands once with its sizes and once with ours.
"""


class ToolError(Exception):
    """A tool gave no answer."""


class NotPassedError(Exception):
    """An error is larger than its tolerance."""


def ask(name: str, python: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run a tool in its environment; return its answer.

    Raises:
        ToolError: It is not installed or has failed.
    """
    runner = RUNNERS / f"run_{name.lower()}.py"
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [python, runner],
            input=json.dumps(request),
            capture_output=True,
            check=False,
            text=True,
            timeout=TOOL_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{name} did not run: {error}") from error
    if done.returncode:
        raise ToolError(f"{name} failed with status {done.returncode}:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def golden_part() -> str:
    """Return the comparisons with the reference files.

    Raises:
        NotPassedError: An error is larger than its tolerance.
    """
    families = {
        title: [one for compare in functions for one in compare()]
        for title, functions in FAMILIES.items()
    }
    return "\n".join([GOLDEN_TITLE, *_families(families)])


def live_part(answers: dict[str, dict[str, Any]]) -> str:
    """Return the comparisons with the tools' answers; raises as `golden_part`."""
    families = {
        title: [one for compare in functions for one in compare(answers[tool])]
        for title, (tool, functions) in LIVE.items()
    }
    return "\n".join([LIVE_TITLE, LIVE_INTRODUCTION, _run(answers), *_families(families)])


def live_part_as_it_is() -> str:
    """Return that part of the page; raises `ToolError` where it has none."""
    said = PAGE.read_text(encoding="utf-8").partition(LIVE_TITLE)[2]
    if not said:
        raise ToolError("the page has nothing beside the tools: make fidelity")
    return LIVE_TITLE + said


def _families(families: dict[str, list[Comparison]]) -> list[str]:
    """A summary and one table a family."""
    failed = [one for comparisons in families.values() for one in comparisons if not one.passed]
    if failed:
        raise NotPassedError("\n".join(f"does not pass: {one}" for one in failed))
    return [
        _summary(families),
        *(f"### {title}\n\n{_table(comparisons)}" for title, comparisons in families.items()),
    ]


def _run(answers: dict[str, dict[str, Any]]) -> str:
    """What ran, when and by which command."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    ours = {"Python": platform.python_version(), "sgp4": version("sgp4")}
    versions = {"orbitnode": ours, **{tool: said["versions"] for tool, said in answers.items()}}
    rows = [
        f"| {name} | {', '.join(f'{package} {number}' for package, number in of.items())} |"
        for name, of in versions.items()
    ]
    constants = [
        f"| {tool}'s {name} | {value:.10g} |"
        for tool, said in answers.items()
        for name, value in said["constants"].items()
    ]
    return "\n".join(
        [
            f"Run by `make fidelity` on {date}, {platform.machine()}, with\n",
            "| | |",
            "|---|---|",
            *rows,
            *constants,
            "",
        ]
    )


def _summary(families: dict[str, list[Comparison]]) -> str:
    """One line a family, with the comparison that comes nearest to its tolerance."""
    rows = ["| family | comparisons | passed | nearest to its tolerance | used |"]
    rows.append("|---|---|---|---|---|")
    for title, comparisons in families.items():
        passed = sum(one.passed for one in comparisons)
        worst = max(comparisons, key=_used)
        rows.append(
            f"| {title} | {len(comparisons)} | {passed} | {_cell(worst.what)} "
            f"| {_used(worst):.0%} of {_size(worst, worst.tolerance)} |"
        )
    return "\n".join(rows) + "\n"


def _used(one: Comparison) -> float:
    """The part of the tolerance that the error takes."""
    return one.error / one.tolerance if one.tolerance else 0.0


def _table(comparisons: Sequence[Comparison]) -> str:
    rows = [
        "| what | unit | ours | reference | error | tolerance | passed | source, note |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in comparisons:
        source = f"{one.source}; {one.note}" if one.note else one.source
        cells = (
            one.what,
            one.unit,
            f"{one.ours:.6g}",
            f"{one.reference:.6g}",
            _size(one, one.error),
            _size(one, one.tolerance),
            "yes" if one.passed else "NO",
            source,
        )
        rows.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _size(one: Comparison, size: float) -> str:
    """An error or a tolerance, in per cent where it is a ratio."""
    if one.kind == "relative":
        return f"{100.0 * size:.2g} %"
    return f"{size:.2g} {one.unit}".rstrip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Ask the tools, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skyfield", type=Path, help="Python with Skyfield")
    parser.add_argument("--basilisk", type=Path, help="Python with Basilisk")
    arguments = parser.parse_args()
    try:
        if arguments.skyfield and arguments.basilisk:
            sky = ask(SKYFIELD, arguments.skyfield, skyfield_request())
            power = ask(BASILISK, arguments.basilisk, basilisk_request(sky))
            live = live_part({SKYFIELD: sky, BASILISK: power})
        elif arguments.skyfield or arguments.basilisk:
            parser.error("--skyfield and --basilisk belong together")
        else:
            live = live_part_as_it_is()
        text = f"{INTRODUCTION}\n{golden_part()}\n{live}"
    except (ToolError, NotPassedError) as error:
        sys.stderr.write(f"{error}\nno page is written\n")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
