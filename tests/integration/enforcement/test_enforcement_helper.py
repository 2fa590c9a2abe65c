"""Clock caps through the real helper on a captured board, and what is said where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_tree import copy_board
from control_group_tree import Kernel
from governor_process import Governor

from node._compat import TaskGroup, timeout
from node.enforcement.control_groups import GroupFiles
from node.enforcement.open import open_enforcer

CLOCKS = "sys/devices/system/cpu/cpufreq"


@pytest.fixture
def governor(tmp_path: Path) -> Iterator[Governor]:
    governor = Governor(copy_board("jetson-orin-nano", tmp_path), tmp_path)
    yield governor
    governor.close()


async def test_the_clock_that_the_orbit_allows_is_that_of_the_board(governor: Governor) -> None:
    governor.start()
    enforcer = await open_enforcer(["clock"], governor.socket_path)
    assert enforcer.lacks == ()
    assert enforcer.report().available == ("pacing", "clock")
    async with timeout(20.0), TaskGroup() as group:
        task = group.create_task(enforcer.run())
        enforcer.limit_clock(0.5)
        while enforcer.report().clock_achieved == 1.0:  # noqa: ASYNC110 - the helper has no event
            await asyncio.sleep(0.01)
        achieved = enforcer.report().clock_achieved
        # Snapped down to a step of the hardware, CPU and GPU alike.
        assert 0.35 < achieved <= 0.5
        assert enforcer.report().active == ("clock",)
        assert not governor.as_found
        task.cancel()
    await enforcer.close()
    async with timeout(10.0):
        while not governor.as_found:  # noqa: ASYNC110 - files of another process tell nobody
            await asyncio.sleep(0.01)


async def test_a_board_without_helper_and_groups_says_what_would_mend_it(tmp_path: Path) -> None:
    enforcer = await open_enforcer(
        ["quota", "clock"], tmp_path / "governor.sock", GroupFiles(tmp_path)
    )
    quota, clock = enforcer.lacks
    assert (quota.means, quota.reason) == ("quota", "the kernel has no control groups")
    assert clock.means == "clock"
    assert "not installed" in clock.reason
    assert "orbitnode-governor.socket" in clock.mend
    assert enforcer.report().available == ("pacing", "duty-cycle")
    await enforcer.close()


async def test_means_that_are_not_wanted_are_not_looked_for(tmp_path: Path) -> None:
    enforcer = await open_enforcer([], tmp_path / "governor.sock")
    assert enforcer.lacks == ()
    assert not enforcer.slows_runs


async def test_a_quota_where_it_can_be_had(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 1, "/")
    enforcer = await open_enforcer(["quota"], tmp_path / "governor.sock", kernel)
    assert enforcer.report().available == ("pacing", "quota")
    await enforcer.close()


async def test_a_board_whose_helper_has_no_clock_to_cap(tmp_path: Path) -> None:
    tree = copy_board("generic-x86", tmp_path)
    for policy in (tree.root / CLOCKS).glob("policy*"):
        (policy / "scaling_max_freq").unlink()
    governor = Governor(tree, tmp_path)
    try:
        governor.start()
        enforcer = await open_enforcer(["clock"], governor.socket_path)
        [lack] = enforcer.lacks
        assert lack.reason == "the board has no clock that can be capped"
        assert not enforcer.slows_runs
    finally:
        governor.close()
