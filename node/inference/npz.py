"""Reads and writes the ``.npz`` files of jobs and results. Worker only: imports numpy.

Reads what ``numpy.savez`` and ``numpy.savez_compressed`` write, straight from shared memory and
without unpickling anything. The directory of the archive and the header of the array are held
against what the model takes before a byte is inflated. The standard ``zipfile`` would do, at some
0.3 ms a file; a small network runs in less.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from node.errors import TensorError

Array = npt.NDArray[Any]

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_MAGIC, _CENTRAL_MAGIC, _LOCAL_MAGIC = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_ENCRYPTED = 1
_STORED, _DEFLATED = 0, 8
_VERSION = 20
_UTF8 = 1 << 11
_DOS_DATE_1980 = 33
"""The earliest date of the format: the same result has the same bytes at any time."""
_LIMIT_BYTES = 0xFFFF_FFFF
_MAX_HEADER_BYTES = 4096
_PREFIX_BYTES = 10
"""Magic, version and length of the header of an ``.npy`` of version 1."""
_MIN_DEFLATE_BYTES = 512
"""Below this the inflated form is as small, and quicker."""


class _Member(NamedTuple):
    name: str
    method: int
    crc32: int
    stored_bytes: int
    size_bytes: int
    offset: int


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]


def read_array(
    archive: memoryview, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], max_batch: int
) -> Array:
    """Return the one array of an archive; where it is stored, as a view and not a copy.

    Raises:
        TensorError: it is not an ``.npz``, or holds anything else than one array of this name,
            type and shape (-1 first: 1 to ``max_batch``).
    """
    try:
        member = _only_member(archive)
        if member.name != f"{name}.npy":
            raise TensorError(f"the input holds {member.name!r}, expected {name + '.npy'!r}")
        largest = _extent(shape, max_batch) * dtype.itemsize
        if member.size_bytes > _MAX_HEADER_BYTES + largest:
            raise TensorError(
                f"the input declares {member.size_bytes} bytes, the model takes {largest}"
            )
        raw = _payload(archive, member)
        header, data_offset = _header_of(raw)
    except struct.error as error:
        raise TensorError("the input is not a whole .npz file") from error
    _check(header, dtype, shape, max_batch)
    count = _extent(header.shape, 1)
    if len(raw) - data_offset != count * dtype.itemsize:
        raise TensorError(
            f"the input's array has {len(raw) - data_offset} bytes, "
            f"its header means {count * dtype.itemsize}"
        )
    flat = np.frombuffer(raw, dtype, count, data_offset)
    array: Array
    if header.fortran_order:
        array = flat.reshape(header.shape[::-1]).T
    else:
        array = flat.reshape(header.shape)
    return array


def write_arrays(arrays: Mapping[str, Array]) -> bytes:
    """Pack arrays so that ``numpy.load`` reads them; the same arrays give the same bytes.

    Integers (masks, classes) are deflated, since they shrink well; floats are stored, since they
    hardly do and deflating them takes longer than many an inference.

    Raises:
        TensorError: the result does not fit the format (4 GiB).
    """
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        raw = _header_bytes(array.shape, array.dtype) + array.tobytes()
        body, method = raw, _STORED
        if array.dtype.kind in "biu" and len(raw) >= _MIN_DEFLATE_BYTES:
            # Masks are runs of bytes: looking for runs alone finds them as small as looking for
            # everything does, in a sixth of the time (of a mask of clouds, 512 x 512).
            strategy = zlib.Z_RLE if array.itemsize == 1 else zlib.Z_DEFAULT_STRATEGY
            deflate = zlib.compressobj(
                6, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy
            )
            deflated = deflate.compress(raw) + deflate.flush()
            if len(deflated) < len(raw):
                body, method = deflated, _DEFLATED
        if offset + len(raw) + len(body) > _LIMIT_BYTES:
            raise TensorError("the result is larger than 4 GiB; give the model a reduction")
        label = f"{name}.npy".encode()
        common = (
            _VERSION, _UTF8, method, 0, _DOS_DATE_1980,
            zlib.crc32(raw), len(body), len(raw), len(label), 0,
        )  # fmt: skip
        directory += [_CENTRAL.pack(_CENTRAL_MAGIC, _VERSION, *common, 0, 0, 0, 0, offset), label]
        parts += [_LOCAL.pack(_LOCAL_MAGIC, *common), label, body]
        offset += _LOCAL.size + len(label) + len(body)
    size = sum(map(len, directory))
    end = _END.pack(_END_MAGIC, 0, 0, len(arrays), len(arrays), size, offset, 0)
    return b"".join([*parts, *directory, end])


def _only_member(archive: memoryview) -> _Member:
    if len(archive) < _END.size:
        raise TensorError("the input is not an .npz file: too short")
    magic, _, _, _, count, size, start, _ = _END.unpack_from(archive, len(archive) - _END.size)
    if magic != _END_MAGIC or start + size != len(archive) - _END.size:
        raise TensorError("the input is not an .npz file: no directory at its end")
    if count != 1:
        raise TensorError(f"the input holds {count} arrays, expected 1")
    fields = _CENTRAL.unpack_from(archive, start)
    _, _, _, flags, method, _, _, crc32, stored, size_bytes, name_bytes, *_, offset = fields
    if fields[0] != _CENTRAL_MAGIC:
        raise TensorError("the input is not an .npz file: its directory is corrupt")
    if flags & _ENCRYPTED or method not in {_STORED, _DEFLATED}:
        raise TensorError("the input is encrypted or packed by a method that numpy does not use")
    if _LIMIT_BYTES in {stored, size_bytes, offset}:
        raise TensorError("the input is larger than 4 GiB")
    label = bytes(archive[start + _CENTRAL.size :][:name_bytes])
    return _Member(label.decode(errors="replace"), method, crc32, stored, size_bytes, offset)


def _payload(archive: memoryview, member: _Member) -> memoryview:
    magic, *_, name_bytes, extra_bytes = _LOCAL.unpack_from(archive, member.offset)
    if magic != _LOCAL_MAGIC:
        raise TensorError("the input is not an .npz file: its member is not where it should be")
    start = member.offset + _LOCAL.size + name_bytes + extra_bytes
    raw = archive[start : start + member.stored_bytes]
    if member.method == _DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than declared: enough to see that it goes on, and no bomb.
            raw = memoryview(inflate.decompress(raw, member.size_bytes + 1))
        except zlib.error as error:
            raise TensorError(f"the input cannot be inflated: {error}") from error
    if len(raw) != member.size_bytes:
        raise TensorError(
            f"the input's array has another size than the {member.size_bytes} bytes declared"
        )
    if zlib.crc32(raw) != member.crc32:
        raise TensorError("the input is corrupt: its CRC-32 is wrong")
    return raw


def _header_of(raw: memoryview) -> tuple[_Header, int]:
    (length,) = struct.unpack_from("<H", raw, _PREFIX_BYTES - 2)
    if length > _MAX_HEADER_BYTES:
        raise TensorError(f"the header of the input's array has {length} bytes")
    end = _PREFIX_BYTES + length
    return _parse_header(bytes(raw[:end])), end


@lru_cache(maxsize=64)
def _parse_header(raw: bytes) -> _Header:
    file = io.BytesIO(raw)
    try:
        version = npy.read_magic(file)
        # Version 2 has the same beginning and longer headers, which no tensor needs.
        header = npy.read_array_header_1_0(file, max_header_size=_MAX_HEADER_BYTES)
    # numpy lets whatever its parser meets through (ValueError, TypeError, SyntaxError, ...).
    except Exception as error:
        raise TensorError(f"the header of the input's array is corrupt: {error}") from error
    if version != (1, 0):
        raise TensorError(f"the input's array is an .npy of version {version[0]}, expected 1")
    return _Header(*header)


@lru_cache(maxsize=64)
def _header_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    file = io.BytesIO()
    description = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, description)
    return file.getvalue()


def _check(header: _Header, dtype: np.dtype[Any], shape: tuple[int, ...], max_batch: int) -> None:
    if header.dtype != dtype:
        raise TensorError(f"the input's dtype is {header.dtype.str}, expected {dtype.str}")
    fits = len(header.shape) == len(shape) and all(
        1 <= got <= max_batch if want < 0 else got == want
        for got, want in zip(header.shape, shape, strict=True)
    )
    if not fits:
        batch = f" with a batch of 1 to {max_batch}" if -1 in shape else ""
        raise TensorError(f"the input's shape is {header.shape}, expected {shape}{batch}")


def _extent(shape: tuple[int, ...], batch: int) -> int:
    count = 1
    for extent in shape:
        count *= batch if extent < 0 else extent
    return count
