"""Warm ONNX Runtime sessions, on exactly the configured providers. Worker only."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from node.errors import ModelError, ProviderError, TensorError, WorkerError
from node.inference.model_folder import ModelCard, ModelFolder
from node.inference.tensors import InputReader

_CPU_PROVIDER = "CPUExecutionProvider"
_CPU_FALLBACK_REFUSED = "assigned to the default CPU EP"
"""Part of the message of ONNX Runtime, which has no error code of its own for it."""
_ERRORS_ONLY = 3
_INSTALL_HINT = (
    "pip install 'orbitnode[cpu]', or 'orbitnode[cuda]' for an NVIDIA GPU in a server; "
    "on a Jetson with JetPack 6 the vendor's onnxruntime-gpu wheel"
)
_NETWORK_DTYPES = {
    "tensor(bool)": "bool",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(uint32)": "uint32",
    "tensor(int64)": "int64",
    "tensor(uint64)": "uint64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}


def import_runtime() -> ModuleType:
    """Import ONNX Runtime, which boards get in different builds under one name.

    Raises:
        WorkerError: it is not installed, or its libraries cannot be loaded; says what to install.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - its absence must be reported to the daemon
    except ImportError as error:
        raise WorkerError(f"onnxruntime is not there ({error}): {_INSTALL_HINT}") from error
    module: ModuleType = onnxruntime
    return module


class WarmModel(NamedTuple):
    """One model, loaded for one thread count."""

    card: ModelCard
    session: Any
    """The ``onnxruntime.InferenceSession``."""
    reader: InputReader
    provider: str
    """What its nodes really run on; more than one with a comma between."""


class Sessions:
    """One session for each model and thread count, made when first asked for and kept."""

    def __init__(
        self, runtime: ModuleType, models: list[ModelFolder], providers: list[str]
    ) -> None:
        """Check the providers; nothing is loaded yet.

        Raises:
            ProviderError: this build of ONNX Runtime lacks one of the providers.
        """
        available = runtime.get_available_providers()
        for provider in providers:
            if provider not in available:
                raise ProviderError(
                    f"{provider} is not in this build of onnxruntime {runtime.__version__}, "
                    f"which has {', '.join(available)}: {_INSTALL_HINT}"
                )
        self._runtime = runtime
        self._models = {model.name: model for model in models}
        self._providers = providers
        self._warm: dict[tuple[str, int], WarmModel] = {}

    def get(self, name: str, thread_count: int) -> WarmModel:
        """Return a model that is ready to run.

        Raises:
            ModelError: the model cannot be loaded or is not what its card says.
            ProviderError: the session does not have a provider that was asked for.
        """
        key = (name, thread_count)
        if key not in self._warm:
            self._warm[key] = self._load(self._models[name], thread_count)
        return self._warm[key]

    def _load(self, model: ModelFolder, thread_count: int) -> WarmModel:
        session = self._create(model, thread_count)
        present = session.get_providers()
        for provider in self._providers:
            if provider not in present:
                raise ProviderError(
                    f"{provider} could not be started for model {model.name}; "
                    f"onnxruntime offers {', '.join(present)}"
                )
        card = model.card
        inputs = {tensor.name: tensor for tensor in session.get_inputs()}
        outputs = {tensor.name: tensor for tensor in session.get_outputs()}
        if list(inputs) != [card.input.name]:
            raise _wrong(model, f"has the inputs {list(inputs)}, not {card.input.name!r} alone")
        if card.output.name not in outputs:
            raise _wrong(model, f"has the outputs {list(outputs)}, not {card.output.name!r}")
        network = inputs[card.input.name]
        if not _shapes_agree(card.input.shape, network.shape):
            raise _wrong(model, f"takes the shape {network.shape}, not {card.input.shape}")
        if network.type not in _NETWORK_DTYPES:
            raise _wrong(model, f"takes {network.type}, which is not supported")
        try:
            reader = InputReader(card.input, _NETWORK_DTYPES[network.type])
        except TensorError as error:
            raise _wrong(model, f"does not take this input: {error}") from error
        return WarmModel(card, session, reader, self._placement(session))

    def _create(self, model: ModelFolder, thread_count: int) -> Any:  # noqa: ANN401 - untyped library
        try:
            content = Path(model.onnx_path).read_bytes()
        except OSError as error:
            raise _wrong(model, f"cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != model.card.sha256:
            raise _wrong(model, "has changed since it was checked")
        try:
            # From memory and not from the path: what runs is what was hashed. The file is also
            # the only one: a graph that refers to others finds nothing beside it.
            return self._runtime.InferenceSession(
                content,
                sess_options=self._options(thread_count),
                providers=self._providers,
                enable_fallback=0,
            )
        # ONNX Runtime raises a dozen types of its own with no common base but Exception.
        except Exception as error:
            if _CPU_FALLBACK_REFUSED in str(error):
                raise ProviderError(
                    f"model {model.name}: parts of it would run on {_CPU_PROVIDER}, "
                    f"which is not configured: {error}"
                ) from error
            raise _wrong(model, f"cannot be loaded: {error}") from error

    def _options(self, thread_count: int) -> Any:  # noqa: ANN401 - untyped library
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = thread_count
        options.inter_op_num_threads = 1
        options.execution_mode = self._runtime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _ERRORS_ONLY
        # A spinning pool burns ten times the energy of a small inference.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        # Versions that do not know this key yet take it without effect.
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if _CPU_PROVIDER not in self._providers:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        return options

    def _placement(self, session: Any) -> str:  # noqa: ANN401 - untyped library
        if not hasattr(session, "get_provider_graph_assignment_info"):
            return ",".join(self._providers)
        used = {part.ep_name for part in session.get_provider_graph_assignment_info()}
        # A network without nodes, or all folded into constants, runs nowhere.
        return ",".join(name for name in self._providers if name in used) or self._providers[0]


def _wrong(model: ModelFolder, text: str) -> ModelError:
    return ModelError(f"{model.onnx_path}: {text}")


def _shapes_agree(card: list[int], network: list[int | str | None]) -> bool:
    """Tell whether every tensor that the card allows has the rank and the figures of the graph."""
    return len(card) == len(network) and all(
        not isinstance(theirs, int) or ours == theirs
        for ours, theirs in zip(card, network, strict=True)
    )
