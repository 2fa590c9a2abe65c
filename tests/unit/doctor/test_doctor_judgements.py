"""Judgements that need no machine, each from figures made by hand."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.clock import Anchor
from node.doctor import packages
from node.doctor.broker import Sky, judge
from node.doctor.clock import check_wall_clock, judge_anchor
from node.doctor.disk import filesystem_of, judge_room
from node.doctor.enforcement import absent_governor, control_groups, present_governor
from node.doctor.finding import Examination, Finding
from node.doctor.providers import Runtime
from node.doctor.providers import judge as judge_providers
from node.doctor.text import render
from node.inference.wheels import CPU, CUDA, Machine
from node.limits.protocol import Described, KnobState

GIB = 1 << 30
JETPACK_6 = Machine("aarch64", (3, 10), 6)


def room(free_bytes: int) -> os.statvfs_result:
    made: Any = SimpleNamespace(f_bavail=free_bytes // 4096, f_frsize=4096)
    found: os.statvfs_result = made
    return found


def test_room_is_held_against_what_the_store_may_grow_to() -> None:
    (fine,) = judge_room(Path("/state"), room(8 * GIB), 2 * GIB, 8 * GIB)
    assert fine.status == "ok"
    (tight,) = judge_room(Path("/state"), room(4 * GIB), 2 * GIB, 8 * GIB)
    assert tight.status == "warning"
    assert f"max_bytes to {6 * GIB} or less" in tight.remedy


def test_the_innermost_mount_counts() -> None:
    mounts = (
        "/dev/root / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n"
        "/dev/sdb /run/my\\040disk ext4 rw 0 0\nshort line\n"
    )
    assert filesystem_of(Path("/var/lib"), mounts) == "ext4"
    assert filesystem_of(Path("/run/state"), mounts) == "tmpfs"
    assert filesystem_of(Path("/run/my disk/state"), mounts) == "ext4"
    assert filesystem_of(Path("/runaway"), mounts) == "ext4"
    assert filesystem_of(Path("/x"), "") == "unknown"


@pytest.mark.parametrize(
    ("refusal", "in_contact", "status", "words"),
    [
        ("", True, "ok", "answers MQTT CONNECT (in contact with Svalbard)"),
        ("reset", False, "ok", "as it must outside a contact: in contact with Svalbard"),
        ("reset", None, "note", "accepts TCP and refuses MQTT"),
        ("reset", True, "error", "though the node is in contact with Svalbard: reset"),
        ("[code:135] Not authorized", True, "error", "refuses this node"),
        ("[code:134] Bad user name or password", False, "error", "refuses this node"),
    ],
)
def test_a_relay_must_refuse_outside_a_contact(
    refusal: str, in_contact: bool | None, status: str, words: str
) -> None:
    found = judge("host:1884", refusal, Sky(in_contact, "in contact with Svalbard"))
    assert found.status == status
    assert words in found.text
    assert bool(found.remedy) is (status == "error")


def test_an_anchor_of_another_rate_is_an_error() -> None:
    path = Path("/run/clock.json")
    anchor = Anchor("boot", 0.0, 60.0)
    assert judge_anchor(path, 60.0, anchor, there=True).status == "ok"
    wrong = judge_anchor(path, 1.0, anchor, there=True)
    assert wrong.status == "error"
    assert "runs at 60 mission seconds a second, the installation says 1" in wrong.text
    assert "rm /run/clock.json" in wrong.remedy
    assert "earlier boot" in judge_anchor(path, 1.0, None, there=True).text
    assert "is not there" in judge_anchor(path, 1.0, None, there=False).text


@pytest.mark.parametrize(("answer", "status"), [(True, "ok"), (False, "warning"), (None, "note")])
def test_the_wall_clock_is_as_the_kernel_says(
    monkeypatch: pytest.MonkeyPatch, answer: bool | None, status: str
) -> None:
    monkeypatch.setattr("node.doctor.clock._is_synchronised", lambda: answer)
    (found,) = check_wall_clock()
    assert found.status == status


def test_a_provider_that_is_missing_names_the_build_of_this_board() -> None:
    has_cpu = Runtime("1.23.2", [CPU])
    (fine,) = judge_providers(has_cpu, [CPU], JETPACK_6)
    assert fine.status == "ok"
    (missing,) = judge_providers(has_cpu, [CUDA, CPU], JETPACK_6)
    assert missing.status == "error"
    assert f"{CUDA} is asked for, and onnxruntime 1.23.2 has {CPU}" in missing.text
    assert "Jetson AI Lab" in missing.remedy
    (broken,) = judge_providers(Runtime("", [], "no libcudart.so.12"), [CUDA], JETPACK_6)
    assert "cannot be loaded: no libcudart.so.12" in broken.text
    assert "Jetson AI Lab" in broken.remedy


def test_packages_that_are_missing_and_two_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_version", lambda name: None if name == "sgp4" else "1.0")
    found = {each.status: each for each in packages.check_packages()}
    assert found["error"].text == "sgp4 is not installed"
    assert found["error"].remedy == "pip install 'sgp4'"
    assert "overwrite each other" in found["warning"].text
    monkeypatch.setattr(packages, "_OLDEST", (9, 9))
    assert "too old" in next(packages.check_packages()).text
    monkeypatch.setattr(packages, "_OLDEST", (3, 0))
    monkeypatch.setattr(packages, "_NEWEST", (3, 1))
    assert "newer than what is tested" in next(packages.check_packages()).text


def group(root: Path, controllers: str | None, own: str = "", mount: str = "cgroup2") -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"{own or '0::/session'}\n")
    place = "" if mount == "none" else f"cgroup /sys/fs/cgroup {mount} rw,cpu 0 0\n"
    (root / "proc/self/mounts").write_text(place)
    folder = root / "sys/fs/cgroup/session"
    folder.mkdir(parents=True)
    if controllers is not None:
        for each in (folder, folder.parent):
            (each / "cgroup.controllers").write_text(controllers)
    return root


@pytest.mark.parametrize(
    ("controllers", "own", "mount", "status", "words"),
    [
        ("cpu memory", "0::/session", "cgroup2", "ok", "below /sys/fs/cgroup/session"),
        (None, "2:cpu,cpuacct:/session", "cgroup", "ok", "control groups, version 1"),
        ("memory", "0::/session", "cgroup2", "note", "is not delegated to /sys/fs/cgroup/session"),
        ("cpu memory", "0::/session", "none", "warning", "is not mounted"),
        ("cpu memory", "1:name=x:/", "cgroup2", "warning", "no control groups"),
    ],
)
def test_what_a_quota_takes(
    tmp_path: Path, controllers: str | None, own: str, mount: str, status: str, words: str
) -> None:
    (found,) = control_groups(group(tmp_path, controllers, own, mount), live=True)
    assert found.status == status
    assert words in found.text
    assert bool(found.remedy) is (status != "ok")


def test_a_raspberry_pi_keeps_no_account_of_memory_by_itself(tmp_path: Path) -> None:
    group(tmp_path, "cpuset cpu io pids")
    (found,) = control_groups(tmp_path, live=False)
    assert found.status == "note"
    assert "cgroup_enable=memory" in found.remedy
    (tmp_path / "sys/fs/cgroup/cgroup.controllers").write_text("memory")
    (no_cpu,) = control_groups(tmp_path, live=False)
    assert no_cpu.status == "warning"


def test_a_group_of_somebody_else_is_not_divided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group(tmp_path, "cpu memory")
    monkeypatch.setattr(os, "access", lambda *_: False)
    (found,) = control_groups(tmp_path, live=True)
    assert found.status == "note"
    assert "Delegate=cpu" in found.remedy


def test_the_helper_and_what_it_could_lower() -> None:
    knob = KnobState("cpu:0", "cpu", "kHz", 1800, 1800, 600, [600, 1800], False)
    findings = list(present_governor(Described([knob], ["gpu: no max_freq"], 10.0, "pid 7")))
    assert [each.text for each in findings] == [
        "cpu:0 can be lowered from 1800 to 600 kHz",
        "not usable: gpu: no max_freq",
        "pid 7 holds the limits now",
    ]
    (nothing,) = present_governor(Described([], [], 10.0))
    assert nothing.status == "note"
    (absent,) = absent_governor("not installed", ["cpu (4)"])
    assert "cpu (4) could be lowered by orbitnode-governor: not installed" in absent.text
    assert "systemctl enable" in absent.remedy
    (no_use,) = absent_governor("not installed", [])
    assert no_use.remedy == ""


def test_the_text_has_the_remedy_below_and_counts() -> None:
    findings = [
        Finding("power", "warning", "nothing tells", "put a meter there"),
        Finding("disk", "ok", "room"),
    ]
    examination = Examination(1, "0.1.0", None, "/", findings, 1, 0)
    plain = render(examination, colour=False).splitlines()
    assert plain[0] == "warning  power          nothing tells"
    assert plain[1].strip() == "-> put a meter there"
    assert plain[1].index("->") == plain[0].index("nothing")
    assert plain[2] == "ok       disk           room"
    assert plain[-1] == "no errors, 1 warning"
    assert "\033[33mwarning\033[0m  power" in render(examination, colour=True)
