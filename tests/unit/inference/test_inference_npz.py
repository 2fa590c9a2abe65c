from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from model_factory import npz, unpack

from node.errors import TensorError
from node.inference.npz import Array, read_array, write_arrays

FLOAT32 = np.dtype(np.float32)
GOOD = np.arange(8, dtype=np.float32).reshape(2, 4)


def read(data: bytes, **changes: Any) -> Array:
    wanted = {"name": "x", "dtype": FLOAT32, "shape": (-1, 4), "max_batch": 4, **changes}
    return read_array(memoryview(data), **wanted)


def zipped(content: bytes, name: str = "x.npy", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def npy(array: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def test_stored_arrays_are_not_copied() -> None:
    data = npz(x=GOOD)
    array = read(data)
    assert (array == GOOD).all()
    assert not array.flags.owndata
    assert not array.flags.writeable


def test_compressed_arrays_are_read() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=GOOD)
    assert (read(file.getvalue()) == GOOD).all()


def test_archives_that_were_streamed_are_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    file = Pipe()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", npy(GOOD))
    assert (read(file.getvalue()) == GOOD).all()


def test_fortran_order_is_understood() -> None:
    array = read(npz(x=np.asfortranarray(GOOD)))
    assert (array == GOOD).all()


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x40
    return bytes(changed)


def with_directory_size(data: bytes, size: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<L", changed, data.rindex(b"PK\x01\x02") + 24, size)
    return bytes(changed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short"),
        (b"not a zip file, but long enough to be", "no directory"),
        (npz(x=GOOD)[:-5], "no directory"),
        (npz(x=GOOD)[100:], "no directory"),
        (npz(), "holds 0 arrays"),
        (npz(x=GOOD, y=GOOD), "holds 2 arrays"),
        (npz(y=GOOD), "holds 'y.npy', expected 'x.npy'"),
        (npz(x=GOOD.astype(np.float64)), "dtype is <f8, expected <f4"),
        (npz(x=GOOD.astype(">f4")), "dtype is >f4, expected <f4"),
        (npz(x=GOOD.astype(np.uint8)), "dtype is |u1"),
        (npz(x=np.array([[1, 2, 3, None]])), "dtype is |O"),
        (npz(x=GOOD[0]), r"shape is (4,), expected (-1, 4) with a batch of 1 to 4"),
        (npz(x=GOOD[:, :3]), "shape is (2, 3)"),
        (npz(x=GOOD[:0]), "shape is (0, 4)"),
        (npz(x=np.zeros((5, 4), np.float32)), "shape is (5, 4)"),
        (npz(x=np.zeros((5000, 4), np.float32)), "declares 80128 bytes, the model takes 64"),
        (flipped(npz(x=GOOD), 200), "CRC-32 is wrong"),
        (flipped(npz(x=GOOD), 1), "member is not where it should be"),
        (with_directory_size(npz(x=GOOD), 100), "another size than the 100 bytes"),
        (with_directory_size(npz(x=GOOD), 0xFFFFFFFF), "larger than 4 GiB"),
        (zipped(npy(GOOD) + b"tail"), "array has 36 bytes, its header means 32"),
        (zipped(npy(GOOD)[:-4]), "array has 28 bytes, its header means 32"),
        (zipped(b"plain text in a zip file"), "header of the input's array"),
        (zipped(b"short"), "not a whole .npz"),
        (zipped(npy(GOOD), method=zipfile.ZIP_BZIP2), "packed by a method"),
        (zipped(npy(GOOD, version=(2, 0))), "header of the input's array is corrupt"),
        (flipped(zipped(npy(GOOD)), 50), "cannot be inflated|CRC-32|another size"),
    ],
)
def test_wrong_inputs_are_refused_with_a_reason(data: bytes, message: str) -> None:
    with pytest.raises(TensorError) as caught:
        read(data)
    assert any(part in str(caught.value) for part in message.split("|"))
    assert "\n" not in str(caught.value)


def test_a_bomb_that_lies_about_its_size_is_not_inflated() -> None:
    bomb = zipped(npy(np.zeros((1 << 24, 4), np.float32)))
    with pytest.raises(TensorError, match="declares"):
        read(bomb)
    with pytest.raises(TensorError, match="another size than the 192 bytes"):
        read(with_directory_size(bomb, 192))


def test_no_byte_of_an_archive_can_break_the_reader() -> None:
    data = npz(x=GOOD)
    for at in range(len(data)):
        for cut in (flipped(data, at), data[:at]):
            try:
                array = read(cut)
            except TensorError:
                continue
            # Names, dates and attributes in the local header carry nothing that is used.
            assert (array == GOOD).all()


def test_results_are_what_numpy_reads() -> None:
    arrays: dict[str, Array] = {
        "mask": np.repeat(np.arange(4, dtype=np.uint8), 1000).reshape(2, -1),
        "score": np.linspace(0, 1, 7, dtype=np.float32),
        "none": np.array(3, np.int64),
        "turned": np.arange(6, dtype=np.float64).reshape(2, 3).T,
    }
    data = write_arrays(arrays)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        packed = archive.getinfo("mask.npy")
        assert packed.compress_size < packed.file_size / 10
    found = unpack(data)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert (found[name] == array).all()
    assert write_arrays(arrays) == data
