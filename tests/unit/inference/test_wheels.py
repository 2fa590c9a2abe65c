from __future__ import annotations

from pathlib import Path

import pytest

from node.inference.wheels import CPU, CUDA, TENSORRT, Machine, this_machine, what_to_install

BOARDS = Path(__file__).parents[2] / "boards"
PC = Machine("x86_64", (3, 11))
ARM = Machine("aarch64", (3, 12))
JETPACK_6 = Machine("aarch64", (3, 10), 6)
JETPACK_7 = Machine("aarch64", (3, 12), 7)


@pytest.mark.parametrize(
    ("provider", "machine", "words"),
    [
        (CPU, PC, "pip install 'orbitnode[cpu]'"),
        (CPU, JETPACK_6, "pip install 'orbitnode[cpu]'"),
        (CPU, Machine("armv7l", (3, 11)), "the 64-bit system"),
        (CUDA, PC, "pip uninstall onnxruntime; pip install 'orbitnode[cuda]'"),
        (TENSORRT, PC, "TensorRT and an NVIDIA driver"),
        (CUDA, JETPACK_6, "Jetson AI Lab package index (--index-url, folder jp6/cu126)"),
        (TENSORRT, JETPACK_6, "Jetson AI Lab package index (--index-url, folder jp6/cu126)"),
        (CUDA, JETPACK_7, "onnxruntime-gpu 1.29 or newer"),
        (TENSORRT, JETPACK_7, "has no TensorrtExecutionProvider: take CUDAExecutionProvider"),
        (CUDA, ARM, "onnxruntime-gpu 1.29 or newer"),
        (CUDA, Machine("aarch64", (3, 10)), "needs Python 3.11, this is 3.10"),
        (CUDA, Machine("aarch64", (3, 10), 5), "update to JetPack 6"),
        (CUDA, Machine("riscv64", (3, 13)), "no build with CUDAExecutionProvider for riscv64"),
        ("ArmNNExecutionProvider", PC, "a build of onnxruntime that has ArmNNExecutionProvider"),
    ],
)
def test_each_machine_is_told_its_own_build(provider: str, machine: Machine, words: str) -> None:
    assert words in what_to_install(provider, machine)


@pytest.mark.parametrize(
    ("board", "jetpack"),
    [("jetson-orin-nano", 6), ("jetson-agx-orin", 6), ("raspberry-pi-5", None)],
)
def test_the_jetpack_is_read_from_the_release_file(board: str, jetpack: int | None) -> None:
    assert this_machine(BOARDS / board).jetpack == jetpack


def test_an_unknown_release_is_no_jetpack(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "nv_tegra_release").write_text("# R99 (release), REVISION: 0.0")
    assert this_machine(tmp_path).jetpack is None
