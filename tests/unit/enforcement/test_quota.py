"""The worker's group in either version of the control groups, and what is said where none is."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from control_group_tree import NEW, OLD_CPU, Kernel

from node.enforcement.control_groups import GroupFiles, find_place
from node.enforcement.quota import CpuQuota, open_quota
from node.enforcement.share import Lack

DAEMON = 4242
SERVICE = "/system.slice/orbitnode.service"


def opened(kernel: Kernel, cores: int = 2) -> CpuQuota:
    found = open_quota(kernel, DAEMON, cores)
    assert isinstance(found, CpuQuota), found
    return found


def lacking(kernel: GroupFiles) -> Lack:
    found = open_quota(kernel, DAEMON, 2)
    assert isinstance(found, Lack)
    assert found.means == "quota"
    return found


def test_version_1(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 1, SERVICE)
    quota = opened(kernel)
    group = f"{OLD_CPU}{SERVICE}/orbitnode-{DAEMON}"
    quota.place(77)
    assert kernel.processes(group) == {77}
    quota.limit(0.25)
    assert kernel.read(f"{group}/cpu.cfs_period_us") == "10000"
    assert kernel.read(f"{group}/cpu.cfs_quota_us") == "5000"
    quota.limit(1.0)
    assert kernel.read(f"{group}/cpu.cfs_quota_us") == "-1"
    # The daemon was never moved.
    assert DAEMON not in kernel.processes(group)
    kernel.write(f"{OLD_CPU}{SERVICE}/cgroup.procs", "77")
    quota.close()
    assert not kernel.exists(group)


def test_version_2_keeps_the_daemon_outside(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 2, SERVICE)
    kernel.give(kernel.base, "cgroup.procs", f"{DAEMON}\n")
    quota = opened(kernel, cores=6)
    assert kernel.processes(f"{kernel.base}/supervisor") == {DAEMON}
    assert kernel.processes(kernel.base) == set()
    assert kernel.read(f"{kernel.base}/cgroup.subtree_control") == "cpu"
    quota.limit(0.5)
    assert kernel.read(f"{kernel.base}/worker/cpu.max") == "30000 10000"
    quota.limit(1.0)
    assert kernel.read(f"{kernel.base}/worker/cpu.max") == "max 10000"
    quota.place(77)
    assert kernel.processes(f"{kernel.base}/worker") == {77}
    # A group in use stays; closing is not an error.
    quota.close()
    assert kernel.exists(f"{kernel.base}/worker")


def test_a_service_manager_that_has_made_the_subgroup_already(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 2, f"{SERVICE}/supervisor")
    service = f"{NEW}{SERVICE}"
    kernel.give(service, "cgroup.subtree_control", "cpu")
    before = list(kernel.written)
    opened(kernel)
    assert kernel.exists(f"{service}/worker/cpu.max")
    moved = [path for path, _ in kernel.written[len(before) :] if path.endswith("subtree_control")]
    assert moved == []


def test_the_root_of_all_groups_may_hold_processes(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 2, "/")
    kernel.give(NEW, "cgroup.controllers", "cpu memory")
    kernel.give(NEW, "cgroup.procs", "1\n2\n3\n")
    assert "does not hand the cpu controller on" in lacking(kernel).reason
    kernel.give(NEW, "cgroup.subtree_control", "cpu memory")
    opened(kernel)
    assert kernel.exists(f"{NEW}/orbitnode-{DAEMON}/cpu.max")
    assert kernel.processes(NEW) == {1, 2, 3}


@pytest.mark.parametrize(
    ("share", "cores", "quota"),
    [
        (0.5, 1, "5000 10000"),
        (0.05, 2, "1000 10000"),
        # The kernel wants a millisecond: the period grows, and the share stays.
        (0.02, 2, "1000 25000"),
        (0.02, 1, "1000 50000"),
        (0.0, 1, "1000 1000000"),
        (1.5, 1, "max 10000"),
    ],
)
def test_a_quota_is_at_least_a_millisecond(
    tmp_path: Path, share: float, cores: int, quota: str
) -> None:
    kernel = Kernel(tmp_path, 2, SERVICE)
    opened(kernel, cores).limit(share)
    assert kernel.read(f"{kernel.base}/worker/cpu.max") == quota


def test_groups_that_killed_daemons_left_are_swept(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 1, "/")
    for name in ("orbitnode-11", "orbitnode-12", "orbitnode-13", "other-14"):
        kernel.make(f"{OLD_CPU}/{name}")
    (tmp_path / "proc/11").mkdir()
    kernel.give(f"{OLD_CPU}/orbitnode-13", "cgroup.procs", "99")
    opened(kernel)
    left = {name for name in kernel.children(OLD_CPU) if "-" in name}
    # The first one's daemon lives, and another's worker does.
    assert left == {"orbitnode-11", "orbitnode-13", "other-14", f"orbitnode-{DAEMON}"}


def test_a_kernel_without_groups(tmp_path: Path) -> None:
    lack = lacking(GroupFiles(tmp_path))
    assert (lack.reason, lack.mend) == (
        "the kernel has no control groups",
        "a kernel with CONFIG_CGROUPS=y",
    )
    assert "means=quota" in str(lack)
    assert GroupFiles(tmp_path).children("nowhere") == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_hierarchy_that_is_not_mounted(tmp_path: Path, version: int) -> None:
    kernel = Kernel(tmp_path, version, SERVICE)
    (tmp_path / "proc/self/mounts").write_text("proc /proc proc rw 0 0\n")
    place = find_place(kernel)
    assert place is not None
    assert not place.mounted
    assert "mount -t cgroup -o cpu" in lacking(kernel).mend


@pytest.mark.parametrize("version", [1, 2])
def test_a_kernel_without_quotas(tmp_path: Path, version: int) -> None:
    kernel = Kernel(tmp_path, version, SERVICE, quotas=False)
    assert lacking(kernel).mend == "a kernel with CONFIG_CFS_BANDWIDTH=y"
    assert not kernel.exists(f"{kernel.base}/worker")
    assert not kernel.exists(f"{kernel.base}/orbitnode-{DAEMON}")


def test_a_controller_that_was_not_delegated(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 2, SERVICE)
    kernel.give(kernel.base, "cgroup.controllers", "memory pids")
    lack = lacking(kernel)
    assert lack.reason == f"the cpu controller is not delegated to /{kernel.base}"
    assert "Delegate=cpu" in lack.mend


def test_a_group_that_others_share_is_left_alone(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 2, "/user.slice/session-1.scope")
    kernel.give(kernel.base, "cgroup.procs", f"{DAEMON}\n1000\n1001\n")
    assert "holds 2 other processes" in lacking(kernel).reason
    assert kernel.processes(kernel.base) == {DAEMON, 1000, 1001}


@pytest.mark.parametrize("version", [1, 2])
def test_a_user_who_may_not(tmp_path: Path, version: int) -> None:
    kernel = Kernel(tmp_path, version, SERVICE)
    name = f"orbitnode-{DAEMON}" if version == 1 else "supervisor"
    kernel.refused[f"{kernel.base}/{name}"] = errno.EACCES
    lack = lacking(kernel)
    assert lack.reason == f"/{kernel.base}: Permission denied"
    assert "Delegate=cpu" in lack.mend


def test_a_quota_that_is_not_taken(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, 1, SERVICE)
    group = f"{kernel.base}/orbitnode-{DAEMON}"
    kernel.refused[f"{group}/cpu.cfs_quota_us"] = errno.EINVAL
    assert lacking(kernel).reason == f"/{group}: Invalid argument"
    assert not kernel.exists(group)
