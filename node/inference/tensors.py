"""What is done to a tensor before and after the network. Worker only: imports numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from node.errors import TensorError
from node.inference.model_folder import InputCard, OutputCard
from node.inference.npz import read_array

Array = npt.NDArray[Any]


class InputReader:
    """Turns a job's ``.npz`` into the tensor that the network takes.

    ``(x * scale - mean) / std``, each step in float32 and in this order, then the network's own
    type. A network that takes integers gets the array as it is.
    """

    def __init__(self, card: InputCard, network_dtype: str) -> None:
        """Prepare for one model.

        Raises:
            TensorError: the card asks for arithmetic that the network's type does not allow.
        """
        self._card = card
        self._dtype = np.dtype(card.dtype)
        self._network_dtype = np.dtype(network_dtype)
        self._shape = tuple(card.shape)
        self._scale = None if card.scale == 1 else np.float32(card.scale)
        self._mean = _by_channel(card.mean, card)
        self._std = _by_channel(card.std, card)
        self._real = self._network_dtype.kind == "f"
        if not self._real:
            if card.scale != 1 or card.mean or card.std:
                raise TensorError(f"scale, mean and std need a real input, this is {network_dtype}")
            if self._dtype != self._network_dtype:
                raise TensorError(f"dtype is {card.dtype}, but the network takes {network_dtype}")
        self._buffer: Array = np.empty(0, np.float32)

    def read(self, archive: memoryview) -> Array:
        """Return the tensor; it is valid until the next call.

        Raises:
            TensorError: the input does not fit the model.
        """
        card = self._card
        given = read_array(archive, card.name, self._dtype, self._shape, card.max_batch)
        working = np.dtype(np.float32) if self._real else self._network_dtype
        if self._buffer.shape != given.shape or self._buffer.dtype != working:
            self._buffer = np.empty(given.shape, working)
        tensor = self._buffer
        # What float64 overflows to in float32 is found below, without a warning before.
        with np.errstate(over="ignore", invalid="ignore"):
            if self._scale is None:
                # A copy in any case: an array inside an archive need not be aligned.
                np.copyto(tensor, given, casting="unsafe")
            else:
                np.multiply(given, self._scale, out=tensor, dtype=np.float32, casting="unsafe")
        # After the scale: what float32 cannot hold does not reach the network either.
        if given.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise TensorError("the input holds NaN or infinite values, or does not fit float32")
        rows = _rows(tensor, card.layout)
        if self._mean is not None:
            np.subtract(rows, self._mean, out=rows)
        if self._std is not None:
            np.divide(rows, self._std, out=rows)
        return tensor if working == self._network_dtype else tensor.astype(self._network_dtype)


def reduce_output(card: OutputCard, output: Array) -> dict[str, Array]:
    """Make the network's output as small as the card says; keys name the arrays of the result.

    ``argmax`` takes the first of equals. ``top_k`` gives ``<name>_indices`` and ``<name>_values``,
    the largest first, of equals the lower index first.

    Raises:
        TensorError: the output does not have the card's axis, or its values do not fit its type.
    """
    dtype = np.dtype(card.dtype)
    if card.reduction == "none":
        return {card.name: _as_type(output, dtype)}
    if not -output.ndim <= card.axis < output.ndim:
        raise TensorError(f"output.axis is {card.axis}, but the output has {output.ndim} axes")
    classes = output.shape[card.axis]
    if classes - 1 > np.iinfo(dtype).max:
        raise TensorError(f"the axis has {classes} entries, too many for {dtype.name}")
    if card.reduction == "argmax":
        return {card.name: np.argmax(output, card.axis).astype(dtype)}
    if card.k is None or card.k > classes:
        raise TensorError(f"output.k is {card.k}, but the axis has {classes} entries")
    # Unsigned integers and booleans have no negative to sort by.
    keys = output if output.dtype.kind == "f" else output.astype(np.int64)
    order = np.argsort(-keys, axis=card.axis, kind="stable")
    best = np.take(order, range(card.k), axis=card.axis)
    return {
        f"{card.name}_indices": best.astype(dtype),
        f"{card.name}_values": np.take_along_axis(output, best, axis=card.axis),
    }


def _by_channel(figures: list[float], card: InputCard) -> Array | None:
    """Lay one figure a channel out so that it meets what ``_rows`` returns."""
    if not figures:
        return None
    values = np.array(figures, np.float32)
    if values.size == 1:
        return values
    if card.layout == "NCHW":
        return values.reshape(1, -1, 1, 1)
    return np.tile(values, card.shape[2])


def _rows(tensor: Array, layout: str) -> Array:
    """View an image of interleaved channels as rows of width times channels.

    numpy works through the last axis in its inner loop: four channels alone are ten times slower.
    """
    if layout != "NHWC":
        return tensor
    batch, height, width, channels = tensor.shape
    return tensor.reshape(batch, height, width * channels)


def _as_type(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype == dtype:
        return array
    if dtype.kind in "iu":
        if array.dtype.kind not in "biu":
            raise TensorError(f"output.dtype is {dtype.name}, but the network gives {array.dtype}")
        limits = np.iinfo(dtype)
        if array.size and array.max() > limits.max:
            raise TensorError(f"the result goes to {array.max()}, too much for {dtype.name}")
        if array.size and array.min() < limits.min:
            raise TensorError(f"the result goes down to {array.min()}, too low for {dtype.name}")
    return array.astype(dtype)
