"""Which board it is, by which file; what a family that is not there gives as the reason."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import pytest
from board_tree import open_tree_board

from node.board.identity import Fact, Identity, identify
from node.board.sysfs import SysFs
from node.errors import BoardError

COMPATIBLE = "proc/device-tree/compatible"


def machine(root: Path, files: dict[str, str]) -> SysFs:
    for path, text in {"proc/stat": "cpu  1 0 0 1 0 0 0 0 0 0\n", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return SysFs(root)


def test_every_fact_names_its_file(board_tree: Any) -> None:
    found = identify(board_tree("jetson-orin-nano").open())
    assert found == Identity(
        "jetson",
        because=Fact("nvidia,tegra234", COMPATIBLE),
        model=Fact(
            "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
            "proc/device-tree/model",
        ),
        soc=Fact("tegra234", COMPATIBLE),
        module=Fact("p3767-0005", COMPATIBLE),
        l4t=Fact("36.4.3", "etc/nv_tegra_release"),
        jetpack=Fact("6.2", "etc/nv_tegra_release"),
        system=Fact("Ubuntu 22.04.5 LTS", "etc/os-release"),
        memory=Fact(str(7789952 * 1024), "proc/meminfo"),
    )
    assert 'soc="tegra234" (proc/device-tree/compatible)' in str(found)


@pytest.mark.parametrize(
    ("files", "family", "because", "soc"),
    [
        (
            {COMPATIBLE: "nvidia,p3448-0000\0nvidia,jetson-nano\0nvidia,tegra210\0"},
            "jetson",
            "nvidia,tegra210",
            "tegra210",
        ),
        (
            {"sys/firmware/devicetree/base/compatible": "nvidia,p3834-0008\0nvidia,tegra264\0"},
            "jetson",
            "nvidia,tegra264",
            "tegra264",
        ),
        # In a container the device tree may be hidden; the release file is not.
        ({"etc/nv_tegra_release": "# R36 (release), REVISION: 4.3\n"}, "jetson", "36.4.3", None),
        (
            {COMPATIBLE: "raspberrypi,3-model-b\0brcm,bcm2837\0"},
            "raspberry-pi",
            "raspberrypi,3-model-b",
            "bcm2837",
        ),
        # The chip alone does not make it a Raspberry Pi, nor NVIDIA's name a Jetson.
        ({COMPATIBLE: "someone,board\0brcm,bcm2711\0"}, "generic", None, "bcm2711"),
        ({COMPATIBLE: "asus,grouper\0nvidia,tegra30\0"}, "generic", None, None),
        ({}, "generic", None, None),
    ],
)
def test_family_is_what_a_file_says(
    tmp_path: Path, files: dict[str, str], family: str, because: str | None, soc: str | None
) -> None:
    found = identify(machine(tmp_path, files))
    assert found.family == family
    assert (None if found.because is None else found.because.text) == because
    assert (None if found.soc is None else found.soc.text) == soc


def test_release_comes_from_the_package_where_the_file_is_missing(tmp_path: Path) -> None:
    packages = (
        "Package: nvidia-l4t-apt\nVersion: 9.9\n\n"
        "Package: nvidia-l4t-core\nStatus: install ok installed\nArchitecture: arm64\n"
        "Version: 36.4.4-20250616085344\n\nPackage: other\nVersion: 1.0\n"
    )
    files = {COMPATIBLE: "nvidia,tegra234\0", "var/lib/dpkg/status": packages}
    found = identify(machine(tmp_path, files))
    assert found.l4t == Fact("36.4.4", "var/lib/dpkg/status")
    assert found.jetpack == Fact("6.2.1", "var/lib/dpkg/status")


def test_a_release_that_is_not_known_has_no_jetpack(tmp_path: Path) -> None:
    files = {
        COMPATIBLE: "nvidia,tegra234\0",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 9.9, GCID: 1\n",
    }
    found = identify(machine(tmp_path, files))
    assert found.l4t == Fact("36.9.9", "etc/nv_tegra_release")
    assert found.jetpack is None


def test_a_pc_is_named_by_its_firmware(board_tree: Any, tmp_path: Path) -> None:
    found = identify(board_tree("generic-x86").open())
    assert found.because is None
    assert found.model == Fact(
        "Intel(R) Client Systems NUC11TNHi5", "sys/class/dmi/id/product_name"
    )
    bare = machine(tmp_path / "bare", {"sys/class/dmi/id/product_name": "Box\n"})
    assert identify(bare).model == Fact("Box", "sys/class/dmi/id/product_name")


def test_files_that_may_not_be_read_say_nothing(board_tree: Any) -> None:
    tree = board_tree("raspberry-pi-4")
    denied = dict.fromkeys(
        (COMPATIBLE, "sys/firmware/devicetree/base/compatible", "etc/os-release", "proc/meminfo"),
        errno.EACCES,
    )
    assert identify(tree.open(faults=denied)) == Identity("generic")


@pytest.mark.parametrize(
    ("name", "wanted", "instead"),
    [
        ("raspberry-pi-5", "jetson", "found a raspberry-pi board because=.*Raspberry Pi 5 Model B"),
        ("jetson-agx-orin", "raspberry-pi", "found a jetson board .*nvidia,tegra234.*compatible"),
        ("generic-x86", "jetson", "found no board that is known model=.*NUC11TNHi5"),
    ],
)
def test_a_family_that_is_not_there_is_refused_with_what_is(
    board_tree: Any, name: str, wanted: str, instead: str
) -> None:
    sysfs = board_tree(name).open()
    with pytest.raises(BoardError, match=f"no {wanted} board below .*: {instead}"):
        open_tree_board(sysfs, wanted)
    assert sysfs._descriptors == {}


def test_auto_says_what_it_found_and_why(board_tree: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    open_tree_board(board_tree("jetson-orin-nano").open()).close()
    assert (
        'board_found family=jetson because="nvidia,tegra234" (proc/device-tree/compatible)'
        in caplog.text
    )
    assert 'board_opened family=jetson because="nvidia,tegra234"' in caplog.text
    open_tree_board(board_tree("generic-x86").open()).close()
    assert "board_found family=generic because=no file says which board this is" in caplog.text


def test_a_named_family_that_is_there_opens(board_tree: Any) -> None:
    board = open_tree_board(board_tree("raspberry-pi-4").open(), "raspberry-pi")
    assert board.family == "raspberry-pi"
    board.close()
    board = open_tree_board(board_tree("raspberry-pi-5").open(), "generic")
    assert (board.family, board.identity.family) == ("generic", "raspberry-pi")
    board.close()
