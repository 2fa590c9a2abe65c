"""Sessions on providers that no test machine has: ONNX Runtime is a fake here.

CUDA and TensorRT themselves are not run by any test.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.errors import ModelError, ProviderError
from node.inference.model_folder import InputCard, ModelCard, ModelFolder, OutputCard
from node.inference.sessions import Sessions
from node.inference.wheels import CPU, CUDA, TENSORRT

CONTENT = b"a network"


class FakeOptions(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(entries={})

    def add_session_config_entry(self, key: str, value: str) -> None:
        self.entries[key] = value


class FakeRuntime:
    """The seam: what `Sessions` takes for the module ``onnxruntime``."""

    __version__ = "0.0 fake"
    ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL=0)
    SessionOptions = FakeOptions

    def __init__(self, *available: str, starts: tuple[str, ...], used: tuple[str, ...]) -> None:
        self.available = list(available)
        self.starts = starts
        self.used = used
        self.error: Exception | None = None
        self.asked: list[dict[str, Any]] = []
        self.preloaded = 0

    def get_available_providers(self) -> list[str]:
        return self.available

    def preload_dlls(self) -> None:
        self.preloaded += 1

    def InferenceSession(self, content: bytes, **asked: Any) -> Any:  # noqa: N802 - their name
        assert content == CONTENT
        self.asked.append(asked)
        if self.error is not None and asked["providers"] != [CPU]:
            raise self.error
        tensor = {"shape": [1, 4], "type": "tensor(float)"}
        return SimpleNamespace(
            get_providers=lambda: list(self.starts),
            get_inputs=lambda: [SimpleNamespace(name="x", **tensor)],
            get_outputs=lambda: [SimpleNamespace(name="y", **tensor)],
            get_provider_graph_assignment_info=lambda: [
                SimpleNamespace(ep_name=name) for name in self.used
            ],
        )


@pytest.fixture
def model(tmp_path: Path) -> ModelFolder:
    path = tmp_path / "model.onnx"
    path.write_bytes(CONTENT)
    card = ModelCard(
        "net",
        "1",
        hashlib.sha256(CONTENT).hexdigest(),
        "Apache-2.0",
        "made by a test",
        InputCard("x", "float32", [1, 4]),
        OutputCard("y", "float32"),
    )
    return ModelFolder(card, str(path), len(CONTENT))


def sessions(
    runtime: FakeRuntime,
    model: ModelFolder,
    *providers: str,
    options: dict[str, dict[str, str]] | None = None,
) -> Sessions:
    module: Any = runtime
    return Sessions(module, [model], list(providers), options or {})


def test_options_go_to_their_provider(model: ModelFolder) -> None:
    runtime = FakeRuntime(TENSORRT, CUDA, CPU, starts=(TENSORRT, CUDA, CPU), used=(TENSORRT,))
    options = {CUDA: {"gpu_mem_limit": "1073741824"}}

    warm = sessions(runtime, model, TENSORRT, CUDA, options=options).get("net", 1)

    assert warm.provider == TENSORRT
    assert runtime.preloaded == 1
    (asked,) = runtime.asked
    assert asked["providers"] == [TENSORRT, CUDA]
    assert asked["provider_options"] == [{}, {"gpu_mem_limit": "1073741824"}]
    assert asked["sess_options"].entries["session.disable_cpu_ep_fallback"] == "1"


def test_what_ran_is_recorded_and_not_what_was_asked_for(model: ModelFolder) -> None:
    runtime = FakeRuntime(CUDA, CPU, starts=(CUDA, CPU), used=(CPU, CUDA))
    assert sessions(runtime, model, CUDA, CPU).get("net", 1).provider == f"{CUDA},{CPU}"
    assert "session.disable_cpu_ep_fallback" not in runtime.asked[0]["sess_options"].entries


def test_a_build_without_the_provider_says_what_it_has(model: ModelFolder) -> None:
    runtime = FakeRuntime(CPU, starts=(CPU,), used=(CPU,))
    with pytest.raises(ProviderError, match=f"{CUDA} is not in this build.*which has {CPU}"):
        sessions(runtime, model, CUDA)
    assert runtime.preloaded == 0


def test_a_provider_that_does_not_start_is_refused(model: ModelFolder) -> None:
    runtime = FakeRuntime(CUDA, CPU, starts=(CPU,), used=(CPU,))
    with pytest.raises(ProviderError, match="could not be started for model net"):
        sessions(runtime, model, CUDA, CPU).get("net", 1)


def test_a_session_that_is_all_on_the_cpu_is_refused(model: ModelFolder) -> None:
    runtime = FakeRuntime(CUDA, CPU, starts=(CUDA, CPU), used=(CPU,))
    with pytest.raises(ProviderError, match="nothing of it runs on CUDAExecutionProvider"):
        sessions(runtime, model, CUDA, CPU).get("net", 1)


def test_a_provider_that_fails_is_not_taken_for_a_bad_model(model: ModelFolder) -> None:
    runtime = FakeRuntime(CUDA, CPU, starts=(CUDA, CPU), used=(CUDA,))
    runtime.error = RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
    with pytest.raises(ProviderError, match=f"net cannot be loaded on {CUDA}, though on {CPU}"):
        sessions(runtime, model, CUDA).get("net", 1)
    assert runtime.asked[1]["providers"] == [CPU]


def test_a_model_that_no_provider_loads_is_a_bad_model(model: ModelFolder) -> None:
    runtime = FakeRuntime(CUDA, CPU, starts=(CUDA, CPU), used=(CUDA,))

    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise RuntimeError("invalid graph")

    runtime.InferenceSession = refuse  # type: ignore[method-assign]  # a fake of a fake
    with pytest.raises(ModelError, match="cannot be loaded: invalid graph"):
        sessions(runtime, model, CUDA).get("net", 1)
