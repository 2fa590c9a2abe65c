from __future__ import annotations

import pytest

from node.instants import utc_text


@pytest.mark.parametrize(
    ("utc_s", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_742_470_331.2215929, "2025-03-20T11:32:11.222Z"),
        (1_742_470_199.9996, "2025-03-20T11:30:00.000Z"),
        (1_742_470_199.9994, "2025-03-20T11:29:59.999Z"),
        (-0.25, "1969-12-31T23:59:59.750Z"),
    ],
)
def test_instants_are_rounded_to_the_millisecond(utc_s: float, text: str) -> None:
    assert utc_text(utc_s) == text
