"""An input for a model from its card alone. Imports numpy: for tools, not for the daemon."""

from __future__ import annotations

import io

import numpy as np

from node.inference.model_folder import InputCard

_SEED = 7
_LARGEST_INTEGER = 127
"""Fits every type, and most tables that a network looks integers up in."""


def made_up_input(card: InputCard) -> bytes:
    """Make an ``.npz`` of a batch of one that fits: noise from a fixed seed.

    Convolutions take as long for noise as for a picture. A network whose work depends on what it
    sees (non-maximum suppression, loops) does not.
    """
    shape = [max(extent, 1) for extent in card.shape]
    dtype = np.dtype(card.dtype)
    random = np.random.default_rng(_SEED)
    if dtype.kind == "f":
        array = random.random(shape).astype(dtype)
    elif dtype.kind == "b":
        array = random.random(shape) < 0.5  # noqa: PLR2004 - as often true as false
    else:
        array = random.integers(0, _LARGEST_INTEGER, shape, dtype=dtype, endpoint=True)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{card.name: array})
    return file.getvalue()
