"""Options of execution providers, under the names that ONNX Runtime itself gives them.

A listed set and not any key: ONNX Runtime takes an option that it does not know without a word, or
refuses the session for it, depending on the provider.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from node.config.section import Section
from node.inference.wheels import CUDA, TENSORRT

DeviceId = Annotated[int, Meta(ge=0, le=63)]
Bytes = Annotated[int, Meta(ge=1 << 20, le=1 << 40)]


class CudaOptions(Section, frozen=True):
    """What is not written is left to ONNX Runtime."""

    device_id: DeviceId | None = None
    """Which GPU."""
    gpu_mem_limit: Bytes | None = None
    """Bytes of the memory arena; CUDA's own buffers come on top."""
    arena_extend_strategy: Literal["kNextPowerOfTwo", "kSameAsRequested"] | None = None
    """``kSameAsRequested`` where CPU and GPU share their memory, as on a Jetson."""
    cudnn_conv_algo_search: Literal["EXHAUSTIVE", "HEURISTIC", "DEFAULT"] | None = None
    cudnn_conv_use_max_workspace: bool | None = None
    do_copy_in_default_stream: bool | None = None
    use_tf32: bool | None = None


class TensorrtOptions(Section, frozen=True):
    """What is not written is left to ONNX Runtime."""

    device_id: DeviceId | None = None
    """Which GPU."""
    trt_max_workspace_size: Bytes | None = None
    """Bytes."""
    trt_fp16_enable: bool | None = None
    """Results may then differ from those of the CPU."""
    trt_dla_enable: bool | None = None
    """Run on the deep-learning accelerator of a Jetson that has one."""
    trt_dla_core: Annotated[int, Meta(ge=0, le=1)] | None = None
    trt_builder_optimization_level: Annotated[int, Meta(ge=0, le=5)] | None = None
    trt_max_partition_iterations: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    trt_min_subgraph_size: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    trt_engine_cache_path: str | None = None
    """Folder for built engines; turns the caches of engines and timings on. Engines lie in a folder
    a GPU and power mode in it, since a power mode can change how many cores the GPU has. Without
    it, every start builds the engines anew, which takes minutes."""


class ProviderOptions(Section, frozen=True):
    """Options by provider; ``CPUExecutionProvider`` has none."""

    cuda: CudaOptions | None = field(default=None, name=CUDA)
    tensorrt: TensorrtOptions | None = field(default=None, name=TENSORRT)


def session_options(
    options: ProviderOptions, engine_cache: Path | None, engine_key: str
) -> dict[str, dict[str, str]]:
    """Options by provider, as text in the form that ONNX Runtime reads.

    Args:
        options: as configured.
        engine_cache: the folder of ``trt_engine_cache_path``, made absolute.
        engine_key: what an engine holds for, from `engine_key_of`.
    """
    tables: dict[str, dict[str, object] | None] = msgspec.to_builtins(options)
    ready = {
        provider: {key: _text(value) for key, value in table.items() if value is not None}
        for provider, table in tables.items()
        if table is not None
    }
    if engine_cache is not None:
        folder = str(engine_cache / engine_key)
        ready[TENSORRT] |= {
            "trt_engine_cache_path": folder,
            "trt_engine_cache_enable": "1",
            "trt_timing_cache_path": folder,
            "trt_timing_cache_enable": "1",
        }
    return ready


def engine_key_of(*parts: str | None) -> str:
    """Make the name of a folder from what an engine holds for: the GPU and its power mode.

    The model, the GPU's architecture and the versions of TensorRT and ONNX Runtime are in the names
    that ONNX Runtime gives its files.
    """
    known = [re.sub(r"[^a-z0-9.]+", "-", part.lower()).strip("-.") for part in parts if part]
    return "_".join(part for part in known if part) or "unknown"


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
