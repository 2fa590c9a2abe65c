"""Does ONNX Runtime have the execution providers that are asked for?"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from node.doctor.finding import Finding, error, note, ok
from node.doctor.patient import Patient
from node.inference.wheels import Machine, this_machine, what_to_install

_AREA = "providers"
_ASK = (
    "import json, onnxruntime as o; "
    "print(json.dumps({'version': o.__version__, 'providers': o.get_available_providers()}))"
)


class Runtime(NamedTuple):
    """What ONNX Runtime says of itself."""

    version: str
    providers: list[str]
    failure: str = ""
    """Why it says nothing."""


async def ask_runtime() -> Runtime:
    """Load ONNX Runtime in a process of its own: native code may crash, and takes memory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _ASK,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=os.sep,
    )
    out, said = await process.communicate()
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines()
        return Runtime("", [], lines[-1] if lines else f"status {process.returncode}")
    answer = msgspec.json.decode(out.splitlines()[-1])
    return Runtime(answer["version"], answer["providers"])


async def check_providers(patient: Patient) -> list[Finding]:
    """Ask ONNX Runtime and compare."""
    if patient.inference.executor == "simulated":
        return [note(_AREA, "inference is simulated: ONNX Runtime is not asked")]
    machine = this_machine(patient.board.root)
    return list(judge(await ask_runtime(), patient.inference.providers, machine))


def judge(runtime: Runtime, wanted: list[str], machine: Machine) -> Iterator[Finding]:
    """Compare what is there with what is asked for. Pure."""
    if runtime.failure:
        yield error(
            _AREA,
            f"ONNX Runtime cannot be loaded: {runtime.failure}",
            what_to_install(wanted[0], machine),
        )
        return
    has = ", ".join(runtime.providers)
    missing = [provider for provider in wanted if provider not in runtime.providers]
    for provider in missing:
        yield error(
            _AREA,
            f"{provider} is asked for, and onnxruntime {runtime.version} has {has}",
            what_to_install(provider, machine),
        )
    if not missing:
        yield ok(
            _AREA,
            f"onnxruntime {runtime.version} has {has}; asked for: {', '.join(wanted)}",
        )
