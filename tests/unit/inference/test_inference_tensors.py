from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from model_factory import npz

from node.errors import TensorError
from node.inference.model_folder import InputCard, OutputCard
from node.inference.npz import Array
from node.inference.tensors import InputReader, reduce_output

RANDOM = np.random.default_rng(5)


def reader(network_dtype: str = "float32", **card: Any) -> InputReader:
    return InputReader(InputCard(name="x", **card), network_dtype)


def read(source: InputReader, array: Array) -> Array:
    return source.read(memoryview(npz(x=array)))


@pytest.mark.parametrize(
    ("layout", "shape", "column"),
    [("NHWC", (2, 5, 6, 3), (3,)), ("NCHW", (2, 3, 5, 6), (1, 3, 1, 1))],
)
def test_scale_mean_and_std_in_float32_and_in_this_order(
    layout: Any, shape: tuple[int, ...], column: tuple[int, ...]
) -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    source = reader(
        dtype="uint16",
        shape=[-1, *shape[1:]],
        layout=layout,
        scale=1 / 10_000,
        mean=mean,
        std=std,
    )
    given = RANDOM.integers(0, 65_536, shape, dtype=np.uint16)
    x = given.astype(np.float32) * np.float32(1 / 10_000)
    x = x - np.array(mean, np.float32).reshape(column)
    x = x / np.array(std, np.float32).reshape(column)
    found = read(source, given)
    assert found.dtype == np.float32
    assert np.array_equal(found, x)


def test_one_figure_serves_all_channels() -> None:
    source = reader(dtype="float64", shape=[3], mean=[1.5], std=[2.0])
    assert read(source, np.array([1.5, 3.5, -0.5])).tolist() == [0.0, 1.0, -1.0]


def test_the_network_gets_its_own_type() -> None:
    source = reader("float16", dtype="uint8", shape=[2], scale=0.5)
    found = read(source, np.array([1, 2], np.uint8))
    assert found.dtype == np.float16
    assert found.tolist() == [0.5, 1.0]
    tokens = reader("int64", dtype="int64", shape=[2])
    assert read(tokens, np.array([2**60 + 1, 3])).tolist() == [2**60 + 1, 3]


def test_integer_networks_take_no_arithmetic() -> None:
    with pytest.raises(TensorError, match="scale, mean and std need a real input"):
        reader("int64", dtype="int64", shape=[2], scale=0.5)
    with pytest.raises(TensorError, match="dtype is uint8, but the network takes int64"):
        reader("int64", dtype="uint8", shape=[2])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_no_float32_number_is_refused(value: float) -> None:
    source = reader(dtype="float64", shape=[3])
    with pytest.raises(TensorError, match="NaN or infinite"):
        read(source, np.array([0.0, value, 1.0]))
    assert read(source, np.array([0.0, 2.0, 1.0])).tolist() == [0.0, 2.0, 1.0]


def test_the_batch_may_change_from_run_to_run() -> None:
    source = reader(dtype="float32", shape=[-1, 2], max_batch=3)
    for batch in (1, 3, 2):
        assert read(source, np.ones((batch, 2), np.float32)).shape == (batch, 2)


def test_argmax_takes_the_first_of_equals() -> None:
    card = OutputCard("y", "uint8", "argmax", axis=1)
    output = np.array([[0.1, 0.7, 0.7], [0.9, 0.0, 0.1]], np.float32)
    found = reduce_output(card, output)
    assert list(found) == ["y"]
    assert found["y"].dtype == np.uint8
    assert found["y"].tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_top_k_gives_the_largest_first(dtype: Any) -> None:
    card = OutputCard("y", "uint16", "top_k", axis=-1, k=3)
    output = np.array([[5, 9, 9, 1, 0], [0, 1, 2, 3, 4]], dtype)
    found = reduce_output(card, output)
    assert found["y_indices"].dtype == np.uint16
    assert found["y_indices"].tolist() == [[1, 2, 0], [4, 3, 2]]
    assert found["y_values"].dtype == dtype
    assert found["y_values"].tolist() == [[9, 9, 5], [4, 3, 2]]


def test_top_k_along_another_axis() -> None:
    card = OutputCard("y", "uint8", "top_k", axis=0, k=1)
    found = reduce_output(card, np.array([[1.0, 5.0], [2.0, 4.0]], np.float32))
    assert found["y_indices"].tolist() == [[1, 0]]


def test_no_reduction_casts_to_the_type_of_the_card() -> None:
    output = np.array([0.5, 1.5], np.float32)
    assert reduce_output(OutputCard("y", "float16"), output)["y"].dtype == np.float16
    assert reduce_output(OutputCard("y", "float32"), output)["y"] is output
    counts = np.array([3, 255])
    assert reduce_output(OutputCard("y", "uint8"), counts)["y"].tolist() == [3, 255]


@pytest.mark.parametrize(
    ("card", "output", "message"),
    [
        (OutputCard("y", "uint8", "argmax", axis=2), np.zeros((2, 2)), "has 2 axes"),
        (OutputCard("y", "uint8", "argmax"), np.zeros((1, 257)), "257 entries, too many for uint8"),
        (OutputCard("y", "uint8", "top_k", k=4), np.zeros((2, 3)), "output.k is 4"),
        (OutputCard("y", "uint8"), np.zeros(3), "the network gives float64"),
        (OutputCard("y", "uint8"), np.array([256]), "goes to 256"),
        (OutputCard("y", "uint8"), np.array([-1]), "goes down to -1"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(card: OutputCard, output: Array, message: str) -> None:
    with pytest.raises(TensorError, match=message):
        reduce_output(card, output)
