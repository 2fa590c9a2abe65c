from __future__ import annotations

import runpy
from pathlib import Path

import msgspec

from node.config.installation import Installation
from node.config.scenario import Scenario

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_page_is_current() -> None:
    """Fails after a change of the structs: run ``python docs/generate_configuration.py``."""
    generated = runpy.run_path(str(DOCS / "generate_configuration.py"))["page"]()

    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == generated


def test_every_top_level_key_is_explained() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")

    for struct in (Scenario, Installation):
        for field in msgspec.structs.fields(struct):
            assert any(
                form in page
                for form in (f"`{field.name}`", f"`[{field.name}]`", f"`[[{field.name}]]`")
            ), field.name
