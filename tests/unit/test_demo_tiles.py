from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundlink.demo.tiles import cut, read_fetched_scene, read_own_scene, save
from node.errors import AssetError


def scene(height: int = 300, width: int = 300) -> np.ndarray:
    count = height * width * 4
    return (np.arange(count) % 10_007).astype(np.uint16).reshape(height, width, 4)


def test_nine_tiles_cover_a_scene_of_300_pixels() -> None:
    tiles = list(cut(scene()))
    offsets = [(tile.row, tile.column) for tile in tiles]
    assert offsets == [(r, c) for r in (0, 22, 44) for c in (0, 22, 44)]
    assert [tile.name for tile in tiles][:2] == ["tile-000-000", "tile-000-022"]
    for tile in tiles:
        expected = scene()[tile.row : tile.row + 256, tile.column : tile.column + 256]
        assert tile.pixels.dtype == np.uint16
        assert np.array_equal(tile.pixels, expected)


def test_no_tile_comes_twice() -> None:
    assert [(t.row, t.column) for t in cut(scene(256, 300))] == [(0, 0), (0, 22), (0, 44)]


def test_a_tile_is_saved_under_the_name_of_the_models_input(tmp_path: Path) -> None:
    tile = next(cut(scene()))
    path = save(tile, tmp_path, "input_1")
    assert path == tmp_path / "tile-000-000.npz"
    with np.load(path) as archive:
        assert archive.files == ["input_1"]
        assert archive["input_1"].shape == (1, 256, 256, 4)
        assert np.array_equal(archive["input_1"][0], tile.pixels)


def test_the_fetched_scene_has_its_bands_last(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    bands_first = np.moveaxis(scene(256, 260), -1, 0)
    path.write_text(json.dumps(bands_first.tolist()))
    assert np.array_equal(read_fetched_scene(path), scene(256, 260))


@pytest.mark.parametrize("text", ["[]", "[[1.5]]", "{", '{"a": 1}'])
def test_a_fetched_scene_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scene.json"
    path.write_text(text)
    with pytest.raises(AssetError, match=r"scene\.json"):
        read_fetched_scene(path)


def test_own_scenes_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", scene())
    np.savez_compressed(tmp_path / "b.npz", scene=scene().astype(np.int32))
    assert np.array_equal(read_own_scene(tmp_path / "a.npy"), scene())
    read = read_own_scene(tmp_path / "b.npz")
    assert read.dtype == np.uint16
    assert np.array_equal(read, scene())


@pytest.mark.parametrize(
    "array",
    [
        scene()[:, :, :3],
        scene()[:200],
        scene()[:, :, 0],
        scene().astype(np.float32),
        scene().astype(np.int32) - 5,
        scene().astype(np.int32) + 60_000,
    ],
)
def test_own_scenes_of_another_form_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "own.npy", array)
    with pytest.raises(AssetError, match=r"own\.npy"):
        read_own_scene(tmp_path / "own.npy")


def test_files_that_are_no_scene_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=scene(), b=scene())
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:1000])
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}], dtype=object))
    for name in ("two.npz", "text.npy", "cut.npz", "pickle.npy", "missing.npy"):
        with pytest.raises(AssetError, match=name.replace(".", r"\.")):
            read_own_scene(tmp_path / name)
