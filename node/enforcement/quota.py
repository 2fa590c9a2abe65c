"""The worker's quota of CPU time, by the kernel's control groups.

The daemon stays outside: a control loop inside a quota is stalled by what it controls. Version 2
allows no processes in a group that has groups below it, so there the daemon moves itself into
``supervisor/`` and the worker lives in ``worker/``, both below the group that was delegated to it.
Version 1 knows no such rule, and the worker's group alone is made.

The period is 10 ms: at the same share it stalls an inference for a tenth as long as the kernel's
100 ms. Everything is probed: a kernel may have the controller and not the quota.
"""

from __future__ import annotations

import contextlib
import logging
import os

from node.enforcement.control_groups import GroupFiles, Place, find_place
from node.enforcement.share import Lack, core_count

_log = logging.getLogger(__name__)
_PERIOD_US = 10_000
_LONGEST_PERIOD_US = 1_000_000
_LEAST_QUOTA_US = 1_000
_PREFIX = "orbitnode-"
_SUPERVISOR, _WORKER = "supervisor", "worker"
_UNIT = "run the daemon as a service with Delegate=cpu, or by: systemd-run --scope -p Delegate=cpu"
_KERNEL = "a kernel with CONFIG_CFS_BANDWIDTH=y"
_MOUNT = "mkdir -p /sys/fs/cgroup/cpu && mount -t cgroup -o cpu cgroup /sys/fs/cgroup/cpu"


class CpuQuota:
    """One group with a quota. Made by ``open_quota``."""

    name = "quota"

    def __init__(self, files: GroupFiles, path: str, version: int, cores: int) -> None:
        self._files = files
        self._path = path
        self._version = version
        self._cores = cores

    def place(self, pid: int) -> None:
        """Move a process, with all its threads, into the group."""
        self._files.write(f"{self._path}/cgroup.procs", str(pid))

    def limit(self, share: float) -> None:
        """Let the group have this share of every core."""
        quota_us, period_us = self._figures(share)
        if self._version == 1:
            self._files.write(f"{self._path}/cpu.cfs_period_us", str(period_us))
            self._files.write(f"{self._path}/cpu.cfs_quota_us", str(quota_us or -1))
        else:
            self._files.write(f"{self._path}/cpu.max", f"{quota_us or 'max'} {period_us}")

    def close(self) -> None:
        """Remove the group; its processes must have ended."""
        with contextlib.suppress(OSError):
            self._files.remove(self._path)

    def _figures(self, share: float) -> tuple[int | None, int]:
        """Quota and period in microseconds; the period grows where the quota would be too small."""
        if share >= 1.0:
            return None, _PERIOD_US
        time_us = share * self._cores * _PERIOD_US
        if time_us >= _LEAST_QUOTA_US:
            return round(time_us), _PERIOD_US
        period_us = _PERIOD_US * _LEAST_QUOTA_US / max(time_us, 1e-9)
        return _LEAST_QUOTA_US, min(_LONGEST_PERIOD_US, round(period_us))


def open_quota(
    files: GroupFiles, pid: int | None = None, cores: int | None = None
) -> CpuQuota | Lack:
    """Make the worker's group, or say what lacks.

    Args:
        files: the control files.
        pid: of the daemon; None: this process.
        cores: that the worker may use; None: as many as this process.
    """
    pid = os.getpid() if pid is None else pid
    cores = core_count() if cores is None else cores
    place = find_place(files)
    if place is None:
        return Lack("quota", "the kernel has no control groups", "a kernel with CONFIG_CGROUPS=y")
    if not place.mounted:
        return Lack("quota", "the hierarchy with the cpu controller is not mounted", _MOUNT)
    try:
        if place.version == 1:
            return _open_old(files, place, pid, cores)
        return _open_new(files, place, pid, cores)
    except OSError as error:
        return Lack("quota", f"/{place.path}: {error.strerror}", _UNIT)


def _open_old(files: GroupFiles, place: Place, pid: int, cores: int) -> CpuQuota | Lack:
    _sweep(files, place.path)
    path = f"{place.path}/{_PREFIX}{pid}"
    files.make(path)
    if not files.exists(f"{path}/cpu.cfs_quota_us"):
        files.remove(path)
        return Lack("quota", "the kernel has the cpu controller without quotas", _KERNEL)
    return _tried(CpuQuota(files, path, 1, cores), path)


def _open_new(files: GroupFiles, place: Place, pid: int, cores: int) -> CpuQuota | Lack:
    path = place.path
    if path.rsplit("/", 1)[-1] == _SUPERVISOR:
        # systemd's DelegateSubgroup=, or a daemon before us in the same service, has put us there.
        path = path.rsplit("/", 1)[0]
    if "cpu" not in (files.read(f"{path}/cgroup.controllers") or "").split():
        return Lack("quota", f"the cpu controller is not delegated to /{path}", _UNIT)
    if not files.exists(f"{path}/cgroup.type"):
        return _open_at_root(files, path, pid, cores)
    strangers = files.processes(path) - {pid}
    if strangers:
        text = f"/{path} holds {len(strangers)} other processes, which are not ours to move"
        return Lack("quota", text, _UNIT)
    files.make(f"{path}/{_SUPERVISOR}")
    files.write(f"{path}/{_SUPERVISOR}/cgroup.procs", str(pid))
    return _worker_group(files, path, cores, _WORKER)


def _open_at_root(files: GroupFiles, path: str, pid: int, cores: int) -> CpuQuota | Lack:
    """The root of all groups may hold processes, so nobody has to be moved."""
    if "cpu" not in (files.read(f"{path}/cgroup.subtree_control") or "").split():
        return Lack("quota", "the root group does not hand the cpu controller on", _UNIT)
    _sweep(files, path)
    return _worker_group(files, path, cores, f"{_PREFIX}{pid}")


def _worker_group(files: GroupFiles, path: str, cores: int, name: str) -> CpuQuota | Lack:
    if "cpu" not in (files.read(f"{path}/cgroup.subtree_control") or "").split():
        files.write(f"{path}/cgroup.subtree_control", "+cpu")
    worker = f"{path}/{name}"
    files.make(worker)
    if not files.exists(f"{worker}/cpu.max"):
        files.remove(worker)
        return Lack("quota", "the kernel has the cpu controller without quotas", _KERNEL)
    return _tried(CpuQuota(files, worker, 2, cores), worker)


def _tried(quota: CpuQuota, path: str) -> CpuQuota | Lack:
    """See that a quota is really taken before anyone relies on it."""
    try:
        quota.limit(0.5)
        quota.limit(1.0)
    except OSError as error:
        quota.close()
        return Lack("quota", f"/{path}: {error.strerror}", _UNIT)
    _log.info("quota=opened group=/%s", path)
    return quota


def _sweep(files: GroupFiles, path: str) -> None:
    """Remove what daemons left that were killed; a group in use refuses."""
    for name in files.children(path):
        if name.startswith(_PREFIX) and not files.exists(f"proc/{name[len(_PREFIX) :]}"):
            with contextlib.suppress(OSError):
                files.remove(f"{path}/{name}")
