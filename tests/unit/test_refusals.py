from __future__ import annotations

import logging

import pytest

from groundlink.refusals import Refusals


def test_each_kind_is_logged_once_until_the_sender_is_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusals = Refusals()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            refusals.refuse("node-1", "malformed", "not JSON")
        refusals.refuse("node-1", "store", "full")
        refusals.refuse("node-2", "malformed", "not JSON")
        assert len(caplog.records) == 3
        refusals.accept("node-1")
        refusals.accept("node-1")
        assert len(caplog.records) == 4
        assert "after=malformed,store" in caplog.text
        refusals.refuse("node-1", "malformed", "not JSON")
        assert len(caplog.records) == 5
    assert refusals.counts == {"malformed": 5, "store": 1}
