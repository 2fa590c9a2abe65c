from __future__ import annotations

import re
from pathlib import Path

import model_factory
import pytest

from node.errors import ModelError
from node.inference.model_folder import MAX_CARD_BYTES, load_model_folder, load_models

LIMIT_BYTES = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_factory.tiny_cnn(tmp_path)


def edit(folder: Path, pattern: str, replacement: str) -> None:
    card = folder / "model.toml"
    text, count = re.subn(pattern, replacement, card.read_text(), flags=re.MULTILINE)
    assert count == 1, f"{pattern} is {count} times in the card"
    card.write_text(text)


def test_a_whole_folder_is_loaded(folder: Path) -> None:
    model = load_model_folder(folder, LIMIT_BYTES)
    assert model.name == "tiny"
    assert model.onnx_path == str(folder / "model.onnx")
    assert model.size_bytes == (folder / "model.onnx").stat().st_size
    assert model.card.input.mean == [0.31, 0.29, 0.27, 0.42]
    assert model.card.output.reduction == "argmax"


def test_the_limit_is_inclusive(folder: Path) -> None:
    size_bytes = (folder / "model.onnx").stat().st_size
    assert load_model_folder(folder, size_bytes).size_bytes == size_bytes
    with pytest.raises(ModelError, match=f"has {size_bytes} bytes, allowed are {size_bytes - 1}"):
        load_model_folder(folder, size_bytes - 1)


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"^name = \"tiny\"", 'name = "other"', "name is 'other', but the folder is 'tiny'"),
        (r"^version = .*\n", "", r"missing required field `version`"),
        (r"^license = ", 'colour = "red"\nlicense = ', "unknown field `colour`"),
        (r"^layout = ", "lay_out = ", r"unknown field `lay_out` - at `\$.input`"),
        (r"^sha256 = \".", 'sha256 = "x', r"at `\$.sha256`"),
        (r"^sha256 = \".{64}", f'sha256 = "{"0" * 64}', "SHA-256 is [0-9a-f]{64}, model.toml says"),
        (r"^dtype = \"uint16\"", 'dtype = "complex64"', r"at `\$.input.dtype`"),
        (r"^shape = .*", "shape = [-1, -1, 48, 4]", "the first may be -1"),
        (r"^shape = .*", "shape = [0, 48, 48, 4]", "each figure is 1 or more"),
        (r"^shape = .*", "shape = [48, 4]", "needs a shape of four figures"),
        (r"^scale = .*", "scale = 0", "input.scale"),
        (r"^scale = .*", "scale = nan", "input.scale"),
        (r"^mean = .*", "mean = [0.1, 0.2]", "mean has 2 figures for 4 channels"),
        (r"^mean = .*", "mean = [inf]", "input.mean"),
        (r"^std = .*", "std = [0.0]", "input.std"),
        (r"^axis = .*", "axis = -1\nk = 3", "output.k goes with"),
        (r"^reduction = .*", 'reduction = "top_k"', "output.k goes with"),
        (r"^dtype = \"uint8\"", 'dtype = "float32"', "argmax gives integers"),
        (r"^name = \"mask\"", 'name = "../mask"', r"at `\$.output.name`"),
        (r"^version = .*", "version = ", "is not TOML"),
    ],
)
def test_a_wrong_card_is_refused(
    folder: Path, pattern: str, replacement: str, message: str
) -> None:
    edit(folder, pattern, replacement)
    with pytest.raises(ModelError, match=message):
        load_model_folder(folder, LIMIT_BYTES)


def test_one_mean_for_all_channels_is_enough(folder: Path) -> None:
    edit(folder, r"^mean = .*", "mean = [0.5]")
    assert load_model_folder(folder, LIMIT_BYTES).card.input.mean == [0.5]


def test_a_changed_model_is_refused(folder: Path) -> None:
    content = bytearray((folder / "model.onnx").read_bytes())
    content[100] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256 is"):
        load_model_folder(folder, LIMIT_BYTES)


@pytest.mark.parametrize("missing", ["model.onnx", "model.toml"])
def test_both_files_are_needed(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=missing):
        load_model_folder(folder, LIMIT_BYTES)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        load_model_folder(tmp_path / "nothing", LIMIT_BYTES)


def test_an_oversize_card_is_refused(folder: Path) -> None:
    with (folder / "model.toml").open("a") as card:
        card.write("#" * MAX_CARD_BYTES)
    with pytest.raises(ModelError, match="is larger than"):
        load_model_folder(folder, LIMIT_BYTES)


def test_a_card_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "model.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="is not TOML"):
        load_model_folder(folder, LIMIT_BYTES)


def test_every_subfolder_is_a_model(tmp_path: Path) -> None:
    model_factory.tiny_cnn(tmp_path)
    model_factory.echo(tmp_path)
    (tmp_path / ".partial").mkdir()
    (tmp_path / "README").write_text("not a folder")
    assert list(load_models(tmp_path, LIMIT_BYTES)) == ["echo", "tiny"]
    assert list(load_models(tmp_path, LIMIT_BYTES, ["tiny"])) == ["tiny"]
    with pytest.raises(ModelError, match="nothing"):
        load_models(tmp_path, LIMIT_BYTES, ["nothing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="empty"):
        load_models(tmp_path, LIMIT_BYTES)


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no model"):
        load_models(tmp_path, LIMIT_BYTES)
    with pytest.raises(ModelError, match="cannot be listed"):
        load_models(tmp_path / "nothing", LIMIT_BYTES)
