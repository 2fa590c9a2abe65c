from __future__ import annotations

import io
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from model_factory import unpack

from node.errors import TensorError
from node.inference.npz import Array, read_array, write_arrays

DTYPES = st.sampled_from(
    [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int64, np.float16, np.float32, np.float64]
)
ARRAYS: Any = arrays.arrays(
    DTYPES, arrays.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=8)
)


@given(array=ARRAYS, compressed=st.booleans(), fortran=st.booleans())
def test_what_numpy_writes_is_read(array: Array, compressed: bool, fortran: bool) -> None:
    if fortran:
        array = np.asfortranarray(array)
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, x=array)
    found = read_array(memoryview(file.getvalue()), "x", array.dtype, array.shape, 1)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()


@given(made=st.dictionaries(st.text("abc_", min_size=1, max_size=5), ARRAYS, max_size=3))
def test_what_is_written_numpy_reads(made: dict[str, Array]) -> None:
    data = write_arrays(made)
    found = unpack(data)
    assert list(found) == list(made)
    for name, array in made.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
    assert write_arrays(made) == data


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    try:
        read_array(memoryview(data), "x", np.dtype(np.float32), (-1, 4), 4)
    except TensorError:
        return
    raise AssertionError("accepted")
