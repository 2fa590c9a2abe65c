"""Warm ONNX Runtime sessions, on exactly the configured providers. Worker only."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from node.errors import ModelError, ProviderError, TensorError, WorkerError
from node.inference.model_folder import ModelCard, ModelFolder
from node.inference.placement import check_started, observed_providers, placed, used_providers
from node.inference.tensors import InputReader
from node.inference.wheels import CPU, CUDA, TENSORRT, this_machine, what_to_install

_CPU_FALLBACK_REFUSED = "assigned to the default CPU EP"
"""Part of the message of ONNX Runtime, which has no error code of its own for it."""
_ERRORS_ONLY = 3
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


def import_runtime(provider: str = CPU) -> ModuleType:
    """Import ONNX Runtime, which boards get in different builds under one name.

    Args:
        provider: the one that is wanted most, for the message where the import fails.

    Raises:
        WorkerError: it is not installed, or its libraries cannot be loaded; says what to install.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - its absence must be reported to the daemon
    except ImportError as error:
        remedy = what_to_install(provider, this_machine())
        raise WorkerError(f"onnxruntime is not there ({error}): {remedy}") from error
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
        self,
        runtime: ModuleType,
        models: list[ModelFolder],
        providers: list[str],
        provider_options: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Check the providers; nothing is loaded yet.

        Args:
            runtime: the imported module.
            models: that may be asked for.
            providers: exactly these, in this order.
            provider_options: by provider, as ONNX Runtime reads them.

        Raises:
            ProviderError: this build of ONNX Runtime lacks one of the providers.
        """
        available = runtime.get_available_providers()
        for provider in providers:
            if provider not in available:
                raise ProviderError(
                    f"{provider} is not in this build of onnxruntime {runtime.__version__}, "
                    f"which has {', '.join(available)}: {what_to_install(provider, this_machine())}"
                )
        if {CUDA, TENSORRT}.intersection(providers) and hasattr(runtime, "preload_dlls"):
            # CUDA and cuDNN that came by pip are where the loader does not look by itself.
            runtime.preload_dlls()
        self._runtime = runtime
        self._models = {model.name: model for model in models}
        self._providers = providers
        self._provider_options = [dict(provider_options.get(each, {})) for each in providers]
        self._warm: dict[tuple[str, int], WarmModel] = {}

    def get(self, name: str, thread_count: int) -> WarmModel:
        """Return a model that is ready to run.

        Raises:
            ModelError: the model cannot be loaded or is not what its card says.
            ProviderError: it does not run on what was asked for.
        """
        key = (name, thread_count)
        if key not in self._warm:
            self._warm[key] = self._load(self._models[name], thread_count)
        return self._warm[key]

    def _load(self, model: ModelFolder, thread_count: int) -> WarmModel:
        session = self._create(model, self._options(thread_count))
        remedy = what_to_install(self._providers[0], this_machine())
        check_started(session, model.name, self._providers, remedy)
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
        used = used_providers(session)
        if used is None:
            used = self._observe(model, thread_count, _NETWORK_DTYPES[network.type])
        return WarmModel(card, session, reader, placed(used, model.name, self._providers))

    def _create(self, model: ModelFolder, options: Any) -> Any:  # noqa: ANN401 - untyped library
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
                sess_options=options,
                providers=self._providers,
                provider_options=self._provider_options,
                enable_fallback=0,
            )
        # ONNX Runtime raises a dozen types of its own with no common base but Exception.
        except Exception as error:
            if _CPU_FALLBACK_REFUSED in str(error):
                raise ProviderError(
                    f"model {model.name}: parts of it would run on {CPU}, "
                    f"which is not configured: {error}"
                ) from error
            if self._loads_on_cpu(content):
                raise ProviderError(
                    f"model {model.name} cannot be loaded on {', '.join(self._providers)}, though "
                    f"on {CPU} it can: {error}"
                ) from error
            raise _wrong(model, f"cannot be loaded: {error}") from error

    def _loads_on_cpu(self, content: bytes) -> bool:
        """Whether it is the provider that fails, and not the model."""
        if self._providers == [CPU]:
            return False
        with contextlib.suppress(Exception):
            self._runtime.InferenceSession(content, sess_options=self._options(1), providers=[CPU])
            return True
        return False

    def _observe(self, model: ModelFolder, thread_count: int, dtype: str) -> set[str]:
        """Run a network of one element a batch on zeros, to see what it runs on."""
        if len(self._providers) == 1:
            # Alone it has all of the network: on another, the session would have been refused.
            return set(self._providers)
        card = model.card.input
        zeros = np.zeros([max(extent, 1) for extent in card.shape], dtype)

        def run(prefix: str) -> str:
            options = self._options(thread_count)
            options.enable_profiling = True
            options.profile_file_prefix = prefix
            session = self._create(model, options)
            session.run([model.card.output.name], {card.name: zeros})
            path: str = session.end_profiling()
            return path

        try:
            return observed_providers(run)
        except ProviderError:
            raise
        # As above: whatever a provider throws.
        except Exception as error:
            raise ProviderError(
                f"model {model.name}: what it runs on cannot be told, since it does not run on "
                f"zeros ({error}): configure {self._providers[0]} alone"
            ) from error

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
        if CPU not in self._providers:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        return options


def _wrong(model: ModelFolder, text: str) -> ModelError:
    return ModelError(f"{model.onnx_path}: {text}")


def _shapes_agree(card: list[int], network: list[int | str | None]) -> bool:
    """Tell whether every tensor that the card allows has the rank and the figures of the graph."""
    return len(card) == len(network) and all(
        not isinstance(theirs, int) or ours == theirs
        for ours, theirs in zip(card, network, strict=True)
    )
