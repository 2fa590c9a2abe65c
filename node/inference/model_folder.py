"""A model on disk: a folder with ``model.onnx`` and the card ``model.toml`` that describes it.

A model is used only where the SHA-256 of its file is the card's. Weights in external files are
outside that hash and are not supported: a model is one file.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from node._compat import tomllib
from node.errors import ModelError
from node.icd import ModelName, ObjectId

MODEL_FILE = "model.onnx"
CARD_FILE = "model.toml"
MAX_CARD_BYTES = 64 * 1024
_HASH_BLOCK_BYTES = 1 << 20
_IMAGE_RANK = 4

Text = Annotated[str, Meta(min_length=1, max_length=512)]
TensorName = Annotated[str, Meta(pattern=r"^[^/\x00]{1,128}$")]
"""Name of a tensor in the graph, and of the array in the ``.npz``."""
DType = Literal[
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]


class InputCard(Struct, frozen=True, forbid_unknown_fields=True):
    """The one tensor that goes in, and what is done to it first."""

    name: TensorName
    dtype: DType
    """Type of the array in the ``.npz``; the network gets what it declares itself."""
    shape: Annotated[list[Annotated[int, Meta(ge=-1, le=1 << 31)]], Meta(max_length=8)]
    """-1 as the first figure stands for any batch from 1 to ``max_batch``."""
    layout: Literal["NHWC", "NCHW", "any"] = "any"
    """Which axis holds the channels; ``any`` has none, and one mean and one std at most."""
    scale: float = 1.0
    """Multiplied first."""
    mean: list[float] = []
    """Subtracted after the scale; one figure, or one a channel."""
    std: list[float] = []
    """Divided by last; one figure, or one a channel."""
    max_batch: Annotated[int, Meta(ge=1, le=65_536)] = 64


class OutputCard(Struct, frozen=True, forbid_unknown_fields=True):
    """The one tensor that comes out, and how it is made small enough for the downlink."""

    name: TensorName
    dtype: DType
    """Type of the array in the result; for ``top_k`` that of the indices."""
    reduction: Literal["none", "argmax", "top_k"] = "none"
    axis: Annotated[int, Meta(ge=-8, le=7)] = -1
    k: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class ModelCard(Struct, frozen=True, forbid_unknown_fields=True):
    """What ``model.toml`` says."""

    name: ModelName
    version: Text
    sha256: ObjectId
    license: Text
    source: Text
    input: InputCard
    output: OutputCard


class ModelFolder(Struct, frozen=True):
    """A model that was found whole."""

    card: ModelCard
    onnx_path: str
    """Absolute path of ``model.onnx``."""
    size_bytes: int

    @property
    def name(self) -> str:
        """Name of the model, which is the name of its folder."""
        return self.card.name


def load_model_folder(path: Path, max_bytes: int) -> ModelFolder:
    """Read the card and check the model against it.

    Raises:
        ModelError: the folder, the card or the model is missing, wrong, oversize or mis-hashed.
    """
    card_path, model_path = path / CARD_FILE, path / MODEL_FILE
    card = _read_card(card_path)
    if card.name != path.resolve().name:
        raise ModelError(f"{card_path}: name is {card.name!r}, but the folder is {path.name!r}")
    _check_input(card_path, card.input)
    _check_output(card_path, card.output)
    size_bytes = _size_of(model_path, max_bytes)
    found = _sha256_of(model_path)
    if found != card.sha256:
        raise ModelError(f"{model_path}: SHA-256 is {found}, {CARD_FILE} says {card.sha256}")
    return ModelFolder(card, str(model_path.resolve()), size_bytes)


def load_models(
    folder: Path, max_bytes: int, names: Iterable[str] | None = None
) -> dict[str, ModelFolder]:
    """Load the named models of a folder, or every subfolder whose name begins without a dot.

    Raises:
        ModelError: the folder has no models, or one of them is wrong.
    """
    if names is not None:
        chosen = sorted(set(names))
    else:
        try:
            chosen = sorted(
                entry.name
                for entry in folder.iterdir()
                if entry.is_dir() and not entry.name.startswith(".")
            )
        except OSError as error:
            raise ModelError(f"{folder}: cannot be listed: {error.strerror}") from error
    if not chosen:
        raise ModelError(f"{folder}: holds no model")
    return {name: load_model_folder(folder / name, max_bytes) for name in chosen}


def _read_card(path: Path) -> ModelCard:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_CARD_BYTES:
        raise ModelError(f"{path}: is larger than {MAX_CARD_BYTES} bytes")
    try:
        return msgspec.convert(tomllib.loads(raw.decode()), ModelCard)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_input(path: Path, card: InputCard) -> None:
    if any(extent == 0 or (extent < 0 and axis > 0) for axis, extent in enumerate(card.shape)):
        raise ModelError(
            f"{path}: input.shape is {card.shape}: each figure is 1 or more, the first may be -1"
        )
    if card.layout != "any" and len(card.shape) != _IMAGE_RANK:
        raise ModelError(f"{path}: input.layout {card.layout} needs a shape of four figures")
    if not math.isfinite(card.scale) or card.scale == 0:
        raise ModelError(f"{path}: input.scale is {card.scale}: it must be finite and not 0")
    if any(not math.isfinite(value) for value in card.mean):
        raise ModelError(f"{path}: input.mean is {card.mean}: each figure must be finite")
    if any(not math.isfinite(value) or value == 0 for value in card.std):
        raise ModelError(f"{path}: input.std is {card.std}: each must be finite and not 0")
    channels = _channel_count(card)
    for label, figures in (("mean", card.mean), ("std", card.std)):
        if len(figures) not in {0, 1, channels}:
            raise ModelError(
                f"{path}: input.{label} has {len(figures)} figures for {channels} channels"
            )


def _channel_count(card: InputCard) -> int:
    if card.layout == "any":
        return 1
    return card.shape[1 if card.layout == "NCHW" else 3]


def _check_output(path: Path, card: OutputCard) -> None:
    if (card.reduction == "top_k") != (card.k is not None):
        raise ModelError(f"{path}: output.k goes with the reduction top_k, and only with it")
    if card.reduction != "none" and not card.dtype.lstrip("u").startswith("int"):
        raise ModelError(f"{path}: output.dtype is {card.dtype}: {card.reduction} gives integers")


def _size_of(path: Path, max_bytes: int) -> int:
    if not path.is_file():
        raise ModelError(f"{path}: is missing or not a file")
    size_bytes = path.stat().st_size
    if size_bytes > max_bytes:
        raise ModelError(f"{path}: has {size_bytes} bytes, allowed are {max_bytes}")
    return size_bytes


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while block := file.read(_HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()
