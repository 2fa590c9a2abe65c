"""The scenarios that ship fly as they always did, to the last bit, on every Python version.

Where a change of the physics or of the core is meant, ``python tests/golden/update_history.py``
takes down the new history.
"""

import json
import platform

import pytest
from history_figures import NAMES, REFERENCE, fly

GOLDEN = json.loads(REFERENCE.read_text())["scenarios"]


@pytest.mark.parametrize("name", NAMES)
def test_history(name: str) -> None:
    flown, golden = fly(name), GOLDEN[name]

    assert flown["figures"] == pytest.approx(golden["figures"], rel=1e-9)
    if platform.machine() == "x86_64":
        assert flown["history_sha256"] == golden["history_sha256"]
