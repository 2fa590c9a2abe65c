"""What can hold the board to its limits here, and what each means lacks."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from node.doctor.finding import Finding, note, ok, warning
from node.doctor.patient import Patient
from node.enforcement.control_groups import GroupFiles, Place, find_place
from node.limits.client import GovernorClient, NoGovernor
from node.limits.knobs import find_knobs
from node.limits.protocol import Described
from node.limits.tree import Tree

_AREA = "enforcement"
_GROUPS = "sys/fs/cgroup"
_MEND_MEMORY = (
    "add cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt (Raspberry Pi OS) or "
    "to the kernel's command line, and reboot"
)
_MEND_GROUPS = "boot a kernel with CONFIG_CGROUP_SCHED and CONFIG_CFS_BANDWIDTH"
_MEND_MOUNT = "mkdir -p /sys/fs/cgroup/cpu && mount -t cgroup -o cpu cgroup /sys/fs/cgroup/cpu"
_MEND_DELEGATION = (
    "Delegate=cpu in the service's unit; by hand: systemd-run --user --scope -p Delegate=cpu "
    "orbitnode run"
)
_WITHOUT_QUOTA = "the worker's share of CPU time is held by stopping it for milliseconds instead"
_MEND_GOVERNOR = "systemctl enable --now orbitnode-governor.socket (docs/governor.md)"


async def check_enforcement(patient: Patient) -> list[Finding]:
    """Look at pacing, control groups and clock caps."""
    findings = [ok(_AREA, "pacing of inferences, SIGKILL of the worker: need nothing")]
    findings += control_groups(Path(patient.board.root), live=patient.is_live)
    if patient.is_live:
        client = await GovernorClient.connect(patient.helper_socket)
        if isinstance(client, NoGovernor):
            findings += absent_governor(client.reason, _knobs(patient.board.root))
        else:
            try:
                findings += present_governor(await client.describe())
            finally:
                await client.close()
    else:
        findings += absent_governor("not asked: this is no live board", _knobs(patient.board.root))
    return findings


def control_groups(root: Path, *, live: bool) -> Iterator[Finding]:
    """Look at what a quota of CPU time takes; only read, so that nothing is made or moved."""
    files = GroupFiles(root)
    listed = files.read(f"{_GROUPS}/cgroup.controllers")
    if listed is not None and "memory" not in listed.split():
        yield note(
            _AREA,
            "the kernel keeps no account of memory by group: MemoryMax= of a service does nothing",
            _MEND_MEMORY,
        )
    if not live:
        if listed is not None and "cpu" not in listed.split():
            yield warning(_AREA, f"no quota of CPU time: {_WITHOUT_QUOTA}", _MEND_GROUPS)
        return
    place = find_place(files)
    if place is None:
        yield warning(_AREA, f"no control groups: {_WITHOUT_QUOTA}", _MEND_GROUPS)
    elif not place.mounted:
        yield warning(
            _AREA,
            f"the hierarchy with the cpu controller is not mounted: {_WITHOUT_QUOTA}",
            _MEND_MOUNT,
        )
    else:
        yield _own_group(files, place)


def _own_group(files: GroupFiles, place: Place) -> Finding:
    own = f"/{place.path}"
    controllers = files.read(f"{place.path}/cgroup.controllers")
    if controllers is not None and "cpu" not in controllers.split():
        return note(
            _AREA,
            f"the cpu controller is not delegated to {own}, in which this runs: {_WITHOUT_QUOTA}",
            _MEND_DELEGATION,
        )
    if not os.access(files.root / place.path, os.W_OK):
        return note(
            _AREA,
            f"control group {own}, in which this runs, is not this user's: {_WITHOUT_QUOTA}",
            _MEND_DELEGATION,
        )
    return ok(_AREA, f"quota of CPU time below {own} (control groups, version {place.version})")


def present_governor(described: Described) -> Iterator[Finding]:
    """List what the helper can lower. Pure."""
    for knob in described.knobs:
        yield ok(
            _AREA,
            f"{knob.knob} can be lowered from {knob.baseline} to {knob.floor} {knob.unit}"
            + (f"; {knob.note}" if knob.note else ""),
        )
    if not described.knobs:
        yield note(_AREA, "orbitnode-governor runs, and this board has no clock that it can lower")
    for text in described.left_out:
        yield note(_AREA, f"not usable: {text}")
    if described.holder:
        yield note(_AREA, f"{described.holder} holds the limits now")


def absent_governor(reason: str, knobs: list[str]) -> Iterator[Finding]:
    """Say what the helper would be good for. Pure."""
    if not knobs:
        yield note(_AREA, f"no clock here can be capped (orbitnode-governor: {reason})")
        return
    yield note(
        _AREA,
        f"{', '.join(knobs)} could be lowered by orbitnode-governor: {reason}",
        _MEND_GOVERNOR,
    )


def _knobs(root: str) -> list[str]:
    """Name the kinds of knobs below a root, with how many there are of each."""
    try:
        tree = Tree(root)
    except OSError:
        return []
    try:
        kinds = Counter(knob.kind for knob in find_knobs(tree).knobs)
    finally:
        tree.close()
    return [kind if count == 1 else f"{kind} ({count})" for kind, count in kinds.items()]
