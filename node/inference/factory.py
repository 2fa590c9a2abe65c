"""Opens the worker's executor as an installation configures it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from node.board.base import Board
from node.config.installation import Inference
from node.config.providers import engine_key_of, session_options
from node.errors import WorkerError
from node.inference.executor import OnnxExecutor


def open_executor(
    settings: Inference,
    models_folder: Path,
    engine_cache: Path | None,
    engine_key: str,
    names: Sequence[str] | None = None,
    on_spawn: Callable[[int], None] | None = None,
) -> OnnxExecutor:
    """Make the executor, and the folder of its engines; nothing is read or started yet.

    Args:
        settings: ``[inference]``.
        models_folder: its subfolders are the models.
        engine_cache: where built engines are kept, where TensorRT keeps any.
        engine_key: what built engines hold for.
        names: the models to load; None for every one in the folder.
        on_spawn: told the process id of each worker before it gets any work.

    Raises:
        WorkerError: the folder cannot be made.
    """
    if engine_cache is not None:
        try:
            (engine_cache / engine_key).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkerError(
                f"{engine_cache / engine_key} cannot be made: {error.strerror}"
            ) from error
    return OnnxExecutor(
        models_folder,
        settings.providers,
        names=names,
        provider_options=session_options(settings.provider_options, engine_cache, engine_key),
        default_threads=settings.threads,
        stop_grace_s=settings.stop_grace_s,
        max_model_bytes=settings.max_model_bytes,
        on_spawn=on_spawn,
    )


def engine_key(board: Board, wall_s: float) -> str:
    """Name what built engines hold for: the module of the board and its power mode now."""
    identity = board.identity
    part = identity.module or identity.soc or identity.model
    hardware = board.read(wall_s).hardware
    mode = None if hardware is None else hardware.power_mode
    return engine_key_of(None if part is None else part.text, mode)
