"""Checks delivered results against an independent computation, element for element.

Independent: plain numpy and one ``session.run`` here, none of the node's code for tensors or
results; only the model's card is shared.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from node.errors import AssetError
from node.inference.model_folder import ModelFolder
from node.report.run import MaskCheck

Array = npt.NDArray[Any]


class Verifier:
    """Computes what a model's result for an input must be."""

    def __init__(self, model: ModelFolder) -> None:
        """Load the model on the CPU.

        Raises:
            AssetError: ONNX Runtime is missing, or the card's reduction cannot be checked.
        """
        try:
            import onnxruntime  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise AssetError(
                "the demo needs ONNX Runtime: install orbitnode[cpu], or give --executor simulated"
            ) from error
        if model.card.output.reduction not in {"argmax", "none"}:
            raise AssetError(
                f"results of reduction {model.card.output.reduction!r} cannot be checked; "
                "use argmax or none"
            )
        self._card = model.card
        self._session = onnxruntime.InferenceSession(
            model.onnx_path, providers=["CPUExecutionProvider"]
        )

    def expected(self, pixels: Array) -> Array:
        """Compute the result for one input array."""
        card = self._card.input
        tensor = pixels.astype(np.float32) * np.float32(card.scale)
        if card.mean:
            tensor = tensor - _by_channel(card.mean, card.layout)
        if card.std:
            tensor = tensor / _by_channel(card.std, card.layout)
        output = np.asarray(self._session.run([self._card.output.name], {card.name: tensor})[0])
        if self._card.output.reduction == "argmax":
            output = output.argmax(axis=self._card.output.axis)
        return output.astype(self._card.output.dtype)

    def equals(self, tile: Path, result: Path) -> bool:
        """Whether a delivered result is, element for element, what the tile's result must be."""
        with np.load(tile, allow_pickle=False) as archive:
            expected = self.expected(archive[self._card.input.name])
        try:
            with result.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                delivered = archive[self._card.output.name]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return False
        return (
            delivered.dtype == expected.dtype
            and delivered.shape == expected.shape
            and bool(np.array_equal(delivered, expected))
        )


def verify(
    model: ModelFolder, tiles: Mapping[str, Path], results: Path
) -> tuple[MaskCheck, dict[str, bool]]:
    """Compare the result of every job that has one; results lie as ``<job>.npz``.

    Args:
        model: the model that the node ran.
        tiles: input file of each job.
        results: folder of the delivered results.

    Returns:
        The counts, and for each job with a result whether it is equal.

    Raises:
        AssetError: the comparison cannot be made at all.
    """
    verifier = Verifier(model)
    equal = {
        job_id: verifier.equals(tile, results / f"{job_id}.npz")
        for job_id, tile in tiles.items()
        if (results / f"{job_id}.npz").is_file()
    }
    count = sum(equal.values())
    return MaskCheck(count, len(equal) - count, len(tiles) - len(equal)), equal


def _by_channel(figures: list[float], layout: str) -> Array:
    values = np.asarray(figures, np.float32)
    return values.reshape(-1, 1, 1) if layout == "NCHW" else values
