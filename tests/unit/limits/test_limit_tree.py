from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.limits.tree import Tree

LIMIT = "sys/devices/system/cpu/limit"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sys/devices/system/cpu").mkdir(parents=True)
    (root / "sys/class/devfreq").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / LIMIT).write_text("1344000\n")
    (tmp_path / "victim").write_text("untouched")
    (root / "etc/victim").write_text("untouched")
    return root


@pytest.fixture
def tree(root: Path) -> Iterator[Tree]:
    before = len(list(Path("/proc/self/fd").iterdir()))
    tree = Tree(root)
    yield tree
    tree.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_limit_is_read_and_written(tree: Tree, root: Path) -> None:
    assert tree.number(LIMIT) == 1_344_000
    tree.write(LIMIT, 960_000)
    assert (root / LIMIT).read_text() == "960000\n"
    assert tree.text(LIMIT) == "960000"


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "+1", "1_000", "1.5", "1e6", "0x10", "٣", "9" * 20, "<unsupported>"]
)
def test_what_is_no_number_is_none(text: str, tree: Tree, root: Path) -> None:
    (root / LIMIT).write_text(text)
    assert tree.number(LIMIT) is None


def test_what_is_not_there_is_none(tree: Tree) -> None:
    assert tree.text("sys/devices/none") is None
    assert tree.text("sys/none/none") is None
    assert tree.children("sys/devices/none") == []
    assert tree.children(LIMIT) == []
    assert tree.device("sys/class/devfreq/none") is None
    assert tree.device("sys/class/none/none") is None
    with pytest.raises(FileNotFoundError):
        tree.write("sys/devices/none", 1)
    assert tree.text("sys/devices/system") is None


def test_children_are_sorted_by_their_numbers(tree: Tree, root: Path) -> None:
    for name in ("policy10", "policy4", "policy0"):
        (root / "sys/devices/system/cpu" / name).mkdir()
    assert tree.children("sys/devices/system/cpu") == ["limit", "policy0", "policy4", "policy10"]


@pytest.mark.parametrize(
    "path",
    [
        "etc/victim",
        "/etc/victim",
        "sys/class/devfreq/x",
        "sys/devices/../../etc/victim",
        "sys/devices/./system/cpu/limit",
        "sys/devices//system/cpu/limit",
        "sys/devices/",
        "sys/kernel/mm/ksm/run",
    ],
)
def test_nothing_else_is_opened_for_writing(path: str, tree: Tree, root: Path) -> None:
    with pytest.raises(OSError, match=r".+"):
        tree.write(path, 1)
    assert (root / "etc/victim").read_text() == "untouched"
    assert (root / LIMIT).read_text() == "1344000\n"


@pytest.mark.parametrize("target", ["../../../../../victim", "../../../../etc/victim", "limit"])
def test_a_file_that_is_a_link_is_not_there(target: str, tree: Tree, root: Path) -> None:
    planted = root / "sys/devices/system/cpu/planted"
    planted.symlink_to(target)
    assert tree.text("sys/devices/system/cpu/planted") is None
    with pytest.raises(OSError, match="symbolic links"):
        tree.write("sys/devices/system/cpu/planted", 1)
    assert (root / "etc/victim").read_text() == "untouched"
    assert (root.parent / "victim").read_text() == "untouched"


def test_a_folder_that_is_a_link_is_not_there(tree: Tree, root: Path) -> None:
    (root / "sys/devices/planted").symlink_to("../../etc")
    (root / "sys/devices/inside").symlink_to("system")
    assert tree.text("sys/devices/planted/victim") is None
    assert tree.text("sys/devices/inside/cpu/limit") is None
    assert tree.children("sys/devices/planted") == []
    assert tree.device("sys/devices/inside/cpu") is None
    with pytest.raises(NotADirectoryError):
        tree.write("sys/devices/planted/victim", 1)
    assert (root / "etc/victim").read_text() == "untouched"


@pytest.mark.parametrize(
    ("target", "device"),
    [
        ("../../devices/system/cpu", "sys/devices/system/cpu"),
        ("../../devices/system/../system/cpu", "sys/devices/system/cpu"),
        ("../../../etc", None),
        ("../../../../..", None),
        ("../../devices/../../etc", None),
        ("../../devices", None),
        ("/sys/devices/system/cpu", None),
        ("/etc", None),
        ("x", None),
    ],
)
def test_a_link_of_a_class_must_lead_to_a_device(
    target: str, device: str | None, tree: Tree, root: Path
) -> None:
    (root / "sys/class/devfreq/17000000.gpu").symlink_to(target)
    assert tree.device("sys/class/devfreq/17000000.gpu") == device


def test_a_pipe_is_no_limit_and_does_not_block(tree: Tree, root: Path) -> None:
    pipe = root / "sys/devices/system/cpu/pipe"
    os.mkfifo(pipe)
    assert tree.text("sys/devices/system/cpu/pipe") is None
    with pytest.raises(OSError, match=r".+"):
        tree.write("sys/devices/system/cpu/pipe", 1)


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tree(tmp_path / "none")
