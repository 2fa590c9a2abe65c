"""docs/fidelity.md says what the comparisons say.

Where it does not, ``make docs`` writes the part beside the reference files anew and
``make fidelity`` the whole page.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from comparisons.comparison import Comparison
from comparisons.families import FAMILIES
from physics_reference import REFERENCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
TOOLS = ROOT / "tests" / "fidelity"
LIVE = "## Beside tools run live"
COLUMNS = 8
# Not references: the folder's description, and the history of our own runs (test_history.py).
OWN_FILES = {"README.md", "history.json"}


def tables(text: str) -> dict[str, list[list[str]]]:
    """Rows of the tables of comparisons, by the title above them."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("### "):
            title = line[4:]
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) == COLUMNS and cells[0] not in {"what", "---"}:
            found.setdefault(title, []).append(cells)
    return found


GOLDEN, TOOLS_RUN = (tables(part) for part in PAGE.split(LIVE))


def used_files() -> set[str]:
    return {
        file
        for functions in FAMILIES.values()
        for compare in functions
        for one in compare()
        for file in one.source.split(", ")
    }


@pytest.mark.parametrize("title", FAMILIES)
def test_page_has_every_comparison_as_it_is_now(title: str) -> None:
    comparisons = [one for compare in FAMILIES[title] for one in compare()]
    assert [row[0] for row in GOLDEN[title]] == [one.what for one in comparisons]
    for row, one in zip(GOLDEN[title], comparisons, strict=True):
        assert_same_figures(row, one)


def assert_same_figures(row: list[str], one: Comparison) -> None:
    what, unit, ours, reference, _, _, passed, source = row
    assert (unit, passed) == (one.unit, "yes"), what
    assert source.startswith(one.source), what
    # Six digits are written; from machine to machine an error may move by a part of what passes.
    share = abs(one.reference) if one.kind == "relative" else 1.0
    slack = 0.1 * one.tolerance * share
    assert float(ours) == pytest.approx(one.ours, rel=1e-5, abs=slack), what
    assert float(reference) == pytest.approx(one.reference, rel=1e-5), what


def test_page_has_no_family_that_is_gone() -> None:
    assert list(GOLDEN) == list(FAMILIES)


def test_every_reference_file_is_compared_with() -> None:
    files = {path.name for path in REFERENCE.iterdir()} - OWN_FILES
    assert files <= used_files()


def test_every_reference_file_is_described() -> None:
    text = (REFERENCE / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    described = {name.strip() for row in rows[1:] for name in row.split(",")}
    assert described == {path.name for path in REFERENCE.iterdir()} - {"README.md"}


def test_everything_beside_the_live_tools_passed() -> None:
    assert len(TOOLS_RUN) == 2
    for title, rows in TOOLS_RUN.items():
        assert len(rows) > 10, title
        assert {row[6] for row in rows} == {"yes"}, title


@pytest.mark.parametrize("tool", ["skyfield", "basilisk"])
def test_page_says_which_versions_ran(tool: str) -> None:
    (ran,) = (line for line in PAGE.splitlines() if line.lower().startswith(f"| {tool} | "))
    pins = (TOOLS / f"{tool}.txt").read_text(encoding="utf-8").splitlines()
    wanted = [pin.replace("==", " ") for pin in pins if pin and not pin.startswith("#")]
    assert wanted
    for package in wanted:
        assert package in ran.split("|")[2].strip().split(", ")


def test_without_a_tool_there_is_no_page() -> None:
    folders = (".", "tests/golden", "tests/support", "tests/fidelity")
    missing = ROOT / "no-such-python"
    done = subprocess.run(
        [sys.executable, "docs/generate_fidelity.py", f"--skyfield={missing}", "--basilisk=none"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / one) for one in folders)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Skyfield did not run: ")
    assert done.stderr.endswith("no page is written\n")
    assert (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8") == PAGE
