from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.errors import ProviderError
from node.inference.placement import check_started, observed_providers, placed, used_providers
from node.inference.wheels import CPU, CUDA, TENSORRT


def session(*present: str) -> Any:
    return SimpleNamespace(get_providers=lambda: list(present))


def test_what_was_asked_for_must_be_there_and_first() -> None:
    check_started(session(CUDA, CPU), "unet", [CUDA], "")
    with pytest.raises(
        ProviderError, match=r"CUDAExecutionProvider could not be started for model unet.*cuDNN"
    ):
        check_started(session(CPU), "unet", [CUDA, CPU], "install cuDNN")
    with pytest.raises(ProviderError, match="CPUExecutionProvider comes before CUDA"):
        check_started(session(CPU, CUDA), "unet", [CUDA, CPU], "")


def test_the_first_provider_must_run_something() -> None:
    wanted = [TENSORRT, CUDA, CPU]
    assert placed({TENSORRT}, "unet", wanted) == TENSORRT
    assert placed({CPU, TENSORRT}, "unet", wanted) == f"{TENSORRT},{CPU}"
    assert placed(set(), "unet", wanted) == TENSORRT
    with pytest.raises(ProviderError, match=f"fell back to {CUDA}; .* providers {CUDA}, {CPU}"):
        placed({CUDA}, "unet", wanted)
    with pytest.raises(ProviderError, match=f"fell back to {CPU}; .* providers {CPU}$"):
        placed({CPU}, "unet", [CUDA])


def test_a_runtime_that_cannot_tell_says_so() -> None:
    assert used_providers(session(CPU)) is None
    parts = [SimpleNamespace(ep_name=CUDA), SimpleNamespace(ep_name=CUDA)]
    known = SimpleNamespace(get_provider_graph_assignment_info=lambda: parts)
    assert used_providers(known) == {CUDA}


def test_a_profile_names_the_providers_of_its_nodes() -> None:
    events = [
        {"cat": "Session", "args": {}},
        {"cat": "Node", "args": {"provider": CUDA}},
        {"cat": "Node", "args": {"op_name": "fence"}},
        {"cat": "Node", "args": {"provider": CPU}},
    ]
    written: list[Path] = []

    def run(prefix: str) -> str:
        written.append(Path(f"{prefix}.json"))
        written[0].write_text(json.dumps(events))
        return str(written[0])

    assert observed_providers(run) == {CUDA, CPU}
    assert not written[0].exists()
