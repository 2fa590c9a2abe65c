"""Lays the demo's model, or the user's own, into a run's model folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from groundlink.demo.assets import MODEL
from node.errors import AssetError, ModelError
from node.inference.model_folder import CARD_FILE, MODEL_FILE, ModelFolder, load_model_folder

MAX_MODEL_BYTES = 1 << 30

CARD = f"""\
# The four-band cloud and cloud-shadow U-Net of DLR: Wieland, Li, Martinis, Multi-sensor cloud and
# cloud shadow segmentation with a convolutional neural network, Remote Sensing of Environment 230
# (2019). Made for top-of-atmosphere reflectance in blue, green, red and near infrared.
# Classes: 0 cloud shadow, 1 water, 2 snow or ice, 3 land, 4 cloud.
name = "{{name}}"
version = "{MODEL.version}"
sha256 = "{MODEL.member_sha256}"
license = "{MODEL.licence}"
source = "pypi:{MODEL.package}=={MODEL.version} {MODEL.member}"

[input]
name = "input_1"
dtype = "uint16"
shape = [-1, 256, 256, 4]
layout = "NHWC"
scale = 0.0001
mean = [0.19312, 0.18659, 0.18899, 0.30362]
std = [0.16431, 0.16762, 0.18230, 0.17409]

[output]
name = "conv2d_19"
dtype = "uint8"
reduction = "argmax"
axis = -1
"""
"""Scale, mean and standard deviation are those of ``ukis_csmask/mask.py``; tensor names are the
graph's. ``mask.py`` maps class 0 to shadow and 4 to cloud; the order of the others was found by
giving the network uniform spectra of water, snow and vegetation."""


def write_demo_model(onnx_path: Path, models: Path, name: str) -> ModelFolder:
    """Make the model folder ``name`` from the fetched network."""
    folder = models / name
    folder.mkdir(parents=True)
    _link(onnx_path, folder / MODEL_FILE)
    (folder / CARD_FILE).write_text(CARD.format(name=name), encoding="utf-8")
    return load_model_folder(folder, MAX_MODEL_BYTES)


def take_own_model(given: Path, models: Path, name: str) -> ModelFolder:
    """Take a user's model folder over; its card must bear the name that the scenario flies.

    Raises:
        AssetError: the folder, its card or its model is not usable.
    """
    try:
        own = load_model_folder(given, MAX_MODEL_BYTES)
    except ModelError as error:
        raise AssetError(f"--model: {error}") from error
    if own.name != name:
        raise AssetError(f"--model: {given} is model {own.name!r}, the scenario flies {name!r}")
    folder = models / name
    folder.mkdir(parents=True)
    _link(Path(own.onnx_path), folder / MODEL_FILE)
    shutil.copyfile(given / CARD_FILE, folder / CARD_FILE)
    return load_model_folder(folder, MAX_MODEL_BYTES)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
