"""Which build of ONNX Runtime a machine takes for an execution provider.

Wheels as they are in 2026: ``onnxruntime`` for x86_64 and aarch64; ``onnxruntime-gpu`` with CUDA
and TensorRT for x86_64, with CUDA 13 alone for aarch64 from 1.29 on and from Python 3.11 on;
NVIDIA's own index for JetPack 6.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import NamedTuple

from node.board.identity import identify
from node.board.sysfs import SysFs

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

_JETPACK_OF_L4T = {32: 4, 35: 5, 36: 6, 38: 7, 39: 7}
_JETPACK_6 = 6
_OLDEST_PYTHON_OF_ARM_WHEELS = (3, 11)
_WITHOUT_CPU_BUILD = "pip uninstall onnxruntime; "
_VENDOR_INDEX = "NVIDIA's Jetson AI Lab package index"


class Machine(NamedTuple):
    """What decides which build a machine takes."""

    architecture: str
    """As ``uname -m`` says."""
    python: tuple[int, int]
    jetpack: int | None = None
    """Major version; None where this is no Jetson."""


def this_machine(root: str | Path = "/") -> Machine:
    """Describe the machine that runs this; its JetPack is looked for below ``root``."""
    sysfs = SysFs(root)
    l4t = identify(sysfs).l4t
    sysfs.close()
    jetpack = None if l4t is None else _JETPACK_OF_L4T.get(int(l4t.text.split(".")[0]))
    return Machine(platform.machine(), sys.version_info[:2], jetpack)


def what_to_install(provider: str, machine: Machine) -> str:
    """Say how a machine gets a build of ONNX Runtime with this provider."""
    if provider == CPU:
        return _cpu_build(machine)
    if provider not in {CUDA, TENSORRT}:
        return f"install a build of onnxruntime that has {provider}"
    if machine.architecture == "x86_64":
        libraries = ", TensorRT" if provider == TENSORRT else ""
        return (
            f"{_WITHOUT_CPU_BUILD}pip install 'orbitnode[cuda]' (onnxruntime-gpu, which needs "
            f"CUDA, cuDNN{libraries} and an NVIDIA driver)"
        )
    if machine.architecture != "aarch64":
        return f"there is no build with {provider} for {machine.architecture}"
    return _jetpack_build(machine) or _arm_build(provider, machine)


def _cpu_build(machine: Machine) -> str:
    if machine.architecture in {"x86_64", "aarch64"}:
        return "pip install 'orbitnode[cpu]'"
    return (
        f"there is no onnxruntime for {machine.architecture}: on a Raspberry Pi install the 64-bit "
        "system"
    )


def _jetpack_build(machine: Machine) -> str:
    """Up to JetPack 6; empty where the wheels of any ARM server do."""
    if machine.jetpack is None or machine.jetpack > _JETPACK_6:
        return ""
    if machine.jetpack == _JETPACK_6:
        return (
            f"{_WITHOUT_CPU_BUILD}pip install onnxruntime-gpu from {_VENDOR_INDEX} "
            "(--index-url, folder jp6/cu126)"
        )
    return (
        f"JetPack {machine.jetpack} has a Python that orbitnode does not support: update to "
        "JetPack 6, or run in a container with a newer Python and an onnxruntime-gpu for it"
    )


def _arm_build(provider: str, machine: Machine) -> str:
    """JetPack 7 and ARM servers."""
    if provider == TENSORRT:
        return (
            f"onnxruntime-gpu for aarch64 has no {TENSORRT}: take {CUDA}, or a build from "
            f"{_VENDOR_INDEX}"
        )
    if machine.python < _OLDEST_PYTHON_OF_ARM_WHEELS:
        return f"onnxruntime-gpu for aarch64 needs Python 3.11, this is 3.{machine.python[1]}"
    return (
        f"{_WITHOUT_CPU_BUILD}pip install 'orbitnode[cuda]' (onnxruntime-gpu 1.29 or newer, which "
        "needs CUDA 13 and cuDNN 9)"
    )
