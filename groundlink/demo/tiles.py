"""Cuts a scene into the overlapping tiles that the demo's jobs carry."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from node.errors import AssetError

TILE_PIXELS = 256
BANDS = 4
TILES_PER_SIDE = 3

Pixels = npt.NDArray[np.uint16]
"""Height x width x bands; reflectance x 10000."""


class Tile(NamedTuple):
    """One tile and where it lies in its scene."""

    row: int
    column: int
    pixels: Pixels

    @property
    def name(self) -> str:
        """``tile-<row>-<column>`` by the upper left pixel; serves as the job's id."""
        return f"tile-{self.row:03d}-{self.column:03d}"


def read_fetched_scene(path: Path) -> Pixels:
    """Read the fetched scene: JSON, bands first, reflectance x 10000.

    Raises:
        AssetError: the file is not that.
    """
    try:
        bands = np.asarray(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: {error}") from error
    if bands.ndim != 3 or bands.dtype.kind != "i":  # noqa: PLR2004 - band, row, column
        raise AssetError(f"{path}: expected integers by band, row and column")
    return _checked(path, np.moveaxis(bands, 0, -1))


def read_own_scene(path: Path) -> Pixels:
    """Read a user's scene: ``.npy``, or ``.npz`` with one array; H x W x 4, uint16.

    Raises:
        AssetError: the file cannot be read, or its array is of another shape or type.
    """
    try:
        # Opened here: numpy leaves a file open that turns out not to be an archive.
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _checked(path, loaded)
            with loaded as archive:
                if len(archive.files) != 1:
                    raise AssetError(f"{path}: expected one array, found {len(archive.files)}")
                return _checked(path, archive[archive.files[0]])
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise AssetError(f"{path}: not a scene (.npy or .npz): {error}") from error


def cut(scene: Pixels) -> Iterator[Tile]:
    """Yield up to nine tiles, three offsets a side, the first and the last flush with the edges.

    A scene of 300 x 300 pixels gives the offsets 0, 22 and 44.
    """
    for row in _offsets(scene.shape[0]):
        for column in _offsets(scene.shape[1]):
            window = scene[row : row + TILE_PIXELS, column : column + TILE_PIXELS]
            yield Tile(row, column, np.ascontiguousarray(window))


def save(tile: Tile, folder: Path, input_name: str) -> Path:
    """Write a tile as compressed ``.npz`` under the model's input name."""
    path = folder / f"{tile.name}.npz"
    # A leading batch axis of one: the model's first axis is free.
    arrays = {input_name: tile.pixels[np.newaxis]}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    return path


def _offsets(length: int) -> list[int]:
    spare = length - TILE_PIXELS
    # A set: a side of 256 pixels has one offset, not the same one three times.
    return sorted({spare * step // (TILES_PER_SIDE - 1) for step in range(TILES_PER_SIDE)})


def _checked(path: Path, scene: npt.NDArray[np.generic]) -> Pixels:
    height_width_bands = scene.shape
    if scene.ndim != 3 or height_width_bands[2] != BANDS:  # noqa: PLR2004 - row, column, band
        raise AssetError(f"{path}: expected H x W x {BANDS}, got shape {height_width_bands}")
    if min(height_width_bands[:2]) < TILE_PIXELS:
        raise AssetError(f"{path}: expected at least {TILE_PIXELS} x {TILE_PIXELS} pixels")
    if scene.dtype.kind not in "iu" or scene.min() < 0 or scene.max() > np.iinfo(np.uint16).max:
        raise AssetError(f"{path}: expected uint16 values (reflectance x 10000)")
    return scene.astype(np.uint16)
