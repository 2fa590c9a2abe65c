"""Writes small model folders: real ONNX networks that need no download."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 17
_IR_VERSION = 8
"""Old enough for every ONNX Runtime that is supported."""
_LOOPS_PER_S = 4_000
"""Iterations of ``slow_loop`` that the fastest machine does in a second, rounded up."""

Array = npt.NDArray[Any]


def npz(**arrays: Array) -> bytes:
    """Pack arrays as a submitter does."""
    file = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(file, **named)
    return file.getvalue()


def unpack(data: bytes) -> dict[str, Array]:
    """Read a result as its receiver does."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def write_folder(
    parent: Path, graph: onnx.GraphProto, card_input: dict[str, Any], output: dict[str, Any]
) -> Path:
    """Write ``model.onnx`` and the card that fits it."""
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    onnx.checker.check_model(model)
    return write_card(parent, graph.name, model.SerializeToString(), card_input, output)


def write_card(
    parent: Path, name: str, content: bytes, card_input: dict[str, Any], output: dict[str, Any]
) -> Path:
    """Write any bytes as a model, with a card whose hash is right."""
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    top = {
        "name": name,
        "version": "1",
        "sha256": hashlib.sha256(content).hexdigest(),
        "license": "Apache-2.0",
        "source": "made by the tests",
    }
    sections = (top, {"": "input", **card_input}, {"": "output", **output})
    lines = []
    for section in sections:
        for key, value in section.items():
            lines.append(f"{key} = {json.dumps(value)}" if key else f"\n[{value}]")
    (folder / "model.toml").write_text("\n".join(lines) + "\n")
    return folder


def tiny_cnn(parent: Path, name: str = "tiny", side: int = 48, width: int = 24) -> Path:
    """Write a segmentation network for four-band images: about 2 ms on one core.

    Takes uint16 ``bands`` of shape (batch, side, side, 4), gives the class of each pixel.
    """
    random = np.random.default_rng(1)

    def weight(label: str, *shape: int) -> onnx.TensorProto:
        values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(values.astype(np.float32), label)

    nodes = [
        helper.make_node("Transpose", ["bands"], ["x0"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x0", "w0"], ["x1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["x1"], ["x2"]),
        helper.make_node("Conv", ["x2", "w1"], ["x3"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["x3"], ["x4"]),
        helper.make_node("Conv", ["x4", "w2"], ["x5"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["x5"], ["x6"]),
        helper.make_node("Conv", ["x6", "w3"], ["x7"]),
        helper.make_node("Transpose", ["x7"], ["mask"], perm=[0, 2, 3, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("bands", TensorProto.FLOAT, ["n", side, side, 4])],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", side, side, 4])],
        [
            weight("w0", width, 4, 3, 3),
            weight("w1", width, width, 3, 3),
            weight("w2", width, width, 3, 3),
            weight("w3", 4, width, 1, 1),
        ],
    )
    return write_folder(
        parent,
        graph,
        {
            "name": "bands",
            "dtype": "uint16",
            "shape": [-1, side, side, 4],
            "layout": "NHWC",
            "scale": 0.0001,
            "mean": [0.31, 0.29, 0.27, 0.42],
            "std": [0.21, 0.2, 0.19, 0.23],
            "max_batch": 4,
        },
        {"name": "mask", "dtype": "uint8", "reduction": "argmax", "axis": -1},
    )


def echo(
    parent: Path,
    name: str = "echo",
    *,
    dtype: str = "float32",
    shape: tuple[int, ...] = (-1, 4),
    output: dict[str, Any] | None = None,
    **card_input: Any,
) -> Path:
    """Write a network that gives back what it takes, as ``y``."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    extents = ["n" if extent < 0 else extent for extent in shape]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        name,
        [helper.make_tensor_value_info("x", element, extents)],
        [helper.make_tensor_value_info("y", element, extents)],
    )
    given = {"name": "x", "dtype": dtype, "shape": list(shape), "max_batch": 8, **card_input}
    return write_folder(parent, graph, given, {"name": "y", "dtype": dtype, **(output or {})})


def slow_loop(parent: Path, name: str = "slow_loop", seconds: float = 20.0) -> Path:
    """Write a network of many short nodes that runs at least this long (with one core)."""
    side = 256
    float_list = [side, side]
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["state_in", "turn"], ["state_out"]),
            helper.make_node("Identity", ["going_in"], ["going_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("going_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state_in", TensorProto.FLOAT, float_list),
        ],
        [
            helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state_out", TensorProto.FLOAT, float_list),
        ],
    )
    steps = np.array(int(seconds * _LOOPS_PER_S), np.int64)
    graph = helper.make_graph(
        [
            helper.make_node("Expand", ["x", "extent"], ["start"]),
            helper.make_node("Loop", ["steps", "going", "start"], ["end"], body=body),
            helper.make_node("ReduceMean", ["end"], ["y"], axes=[0, 1], keepdims=0),
        ],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [
            numpy_helper.from_array(np.eye(side, dtype=np.float32), "turn"),
            numpy_helper.from_array(np.array(float_list, np.int64), "extent"),
            numpy_helper.from_array(steps, "steps"),
            numpy_helper.from_array(np.array(True), "going"),
        ],
    )
    return write_folder(parent, graph, _ONE_FIGURE, {"name": "y", "dtype": "float32"})


def slow_single_node(parent: Path, name: str = "slow_node", boxes: int = 150_000) -> Path:
    """Write a network whose one node runs for many seconds and heeds no request to stop.

    Non-maximum suppression of boxes that do not touch: each is compared with all before it.
    """
    left = np.arange(boxes, dtype=np.float32) * 2
    corners = np.stack([np.zeros(boxes), left, np.ones(boxes), left + 1], axis=-1)[None]
    scores = np.linspace(0.9, 0.1, boxes, dtype=np.float32)[None, None]
    graph = helper.make_graph(
        [
            # Without the input in it, the result would be computed while the model is loaded.
            helper.make_node("Add", ["scores", "x"], ["moved"]),
            helper.make_node("NonMaxSuppression", ["boxes", "moved", "most", "overlap"], ["kept"]),
            helper.make_node("Shape", ["kept"], ["y"]),
        ],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, [2])],
        [
            numpy_helper.from_array(corners.astype(np.float32), "boxes"),
            numpy_helper.from_array(scores, "scores"),
            numpy_helper.from_array(np.array(boxes, np.int64), "most"),
            numpy_helper.from_array(np.array(0.5, np.float32), "overlap"),
        ],
    )
    return write_folder(parent, graph, _ONE_FIGURE, {"name": "y", "dtype": "int64"})


_ONE_FIGURE = {"name": "x", "dtype": "float32", "shape": [1, 1]}
ONE_FIGURE = npz(x=np.zeros((1, 1), np.float32))
"""The input of the slow networks."""
