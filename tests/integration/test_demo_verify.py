from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundlink.demo.assets import file_sha256
from groundlink.demo.model import take_own_model
from groundlink.demo.verify import verify
from node.errors import AssetError
from node.inference.model_folder import ModelFolder
from node.report.run import MaskCheck

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CARD = """\
name = "toy"
version = "1"
sha256 = "{sha256}"
license = "none"
source = "made by a test"
[input]
name = "x"
dtype = "uint16"
shape = [-1, 4, 4, 3]
layout = "NHWC"
scale = 0.5
mean = [1.0, 2.0, 3.0]
std = [2.0, 1.0, 4.0]
[output]
name = "y"
dtype = "uint8"
reduction = "argmax"
axis = -1
"""


def toy_model(folder: Path) -> Path:
    """A network that gives back what it gets: the card alone decides the result."""
    folder.mkdir()
    kind = onnx.TensorProto.FLOAT
    shape = ["n", 4, 4, 3]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "toy",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info("y", kind, shape)],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "model.toml").write_text(CARD.format(sha256=file_sha256(folder / "model.onnx")))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> ModelFolder:
    return take_own_model(toy_model(tmp_path / "toy"), tmp_path / "models", "toy")


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 20, (1, 4, 4, 3)).astype(np.uint16)


def mask(of: np.ndarray) -> np.ndarray:
    scaled = (of * 0.5 - np.array([1.0, 2.0, 3.0])) / np.array([2.0, 1.0, 4.0])
    return scaled.argmax(-1).astype(np.uint8)


def test_results_are_compared_element_for_element(model: ModelFolder, tmp_path: Path) -> None:
    tiles = {}
    for seed, name in enumerate(["right", "wrong", "type", "shape", "broken", "missing"]):
        tiles[name] = tmp_path / f"in-{name}.npz"
        np.savez(tiles[name], x=pixels(seed))
        np.savez_compressed(tmp_path / f"{name}.npz", y=mask(pixels(seed)))
    spoilt = mask(pixels(1))
    spoilt[0, 3, 3] ^= 1
    np.savez(tmp_path / "wrong.npz", y=spoilt)
    np.savez(tmp_path / "type.npz", y=mask(pixels(2)).astype(np.int64))
    np.savez(tmp_path / "shape.npz", y=mask(pixels(3))[0])
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    (tmp_path / "missing.npz").unlink()
    check, equal = verify(model, tiles, tmp_path)
    assert check == MaskCheck(equal=1, unequal=4, missing=1)
    assert equal == {
        "right": True,
        "wrong": False,
        "type": False,
        "shape": False,
        "broken": False,
    }


def test_an_own_model_must_bear_the_scenarios_name(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="the scenario flies 'other'"):
        take_own_model(toy_model(tmp_path / "toy"), tmp_path / "models", "other")


def test_an_own_model_that_is_damaged_is_refused(tmp_path: Path) -> None:
    folder = toy_model(tmp_path / "toy")
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(AssetError, match="SHA-256"):
        take_own_model(folder, tmp_path / "models", "toy")
