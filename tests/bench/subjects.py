"""The networks that are run: the demo's U-Net where it can be had, and a small one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import model_factory
import numpy as np
from model_factory import npz

from groundlink.demo.assets import MODEL, cache_folder, fetch
from groundlink.demo.model import write_demo_model
from node.errors import AssetError

_SEED = 7


@dataclass(frozen=True)
class Subject:
    """One model folder with an input that fits it."""

    models: Path
    name: str
    title: str
    input_npz: bytes


def large(folder: Path) -> Subject:
    """The U-Net of the demo; a convolutional network of similar cost where it cannot be fetched."""
    random = np.random.default_rng(_SEED)
    try:
        onnx_path = fetch(MODEL, cache_folder(), lambda _line: None)
    except AssetError:
        model_factory.tiny_cnn(folder, "stand-in", side=256, width=64)
        bands = random.integers(0, 10_000, (1, 256, 256, 4), dtype=np.uint16)
        return Subject(folder, "stand-in", "synthetic CNN (no U-Net to be had)", npz(bands=bands))
    write_demo_model(onnx_path, folder, "unet")
    tile = random.integers(0, 10_000, (1, 256, 256, 4), dtype=np.uint16)
    return Subject(folder, "unet", f"{MODEL.title}", npz(input_1=tile))


def small(folder: Path) -> Subject:
    """A network of about 2 ms."""
    model_factory.tiny_cnn(folder, "small")
    random = np.random.default_rng(_SEED)
    bands = random.integers(0, 10_000, (1, 48, 48, 4), dtype=np.uint16)
    return Subject(folder, "small", "CNN of 48 x 48 pixels", npz(bands=bands))


def write_installation(
    folder: Path, subject: Subject | None, scenario: Path, **more: str | float
) -> Path:
    """Write an installation for a node of the bench; ``more`` are keys of its sections."""
    lines = ["schema = 1", 'node = "bench"', f"scenario = {json.dumps(str(scenario))}"]
    sections: dict[str, dict[str, object]] = {
        "board": {"family": "generic"},
        "http": {"port": 0},
        "inference": {"executor": "simulated"}
        if subject is None
        else {"executor": "onnx", "models": str(subject.models)},
    }
    for key, value in more.items():
        section, _, name = key.partition("_")
        sections.setdefault(section, {})[name] = value
    for section, values in sections.items():
        lines.append(f"\n[{section}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path = folder / "node.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
