"""Which boards have a published model, what it says, and how far that is from measurements."""

from __future__ import annotations

import json

import pytest
from board_tree import BOARDS

from node.board.modelled import BoardLoad
from node.board.power_models import LinearModel, published_model

MODEL_4 = "Raspberry Pi 4 Model B Rev 1.4"


def power_w(model: LinearModel, utilisation_ratio: float) -> float:
    return model.power_w(BoardLoad(utilisation_ratio, None, None))


def test_the_captured_pi_4_has_the_model_expected() -> None:
    expected = json.loads((BOARDS / "raspberry-pi-4/expected.json").read_text())
    assert expected["power_source"] == "model"
    # The device tree of the real board, as its kernel has it.
    model = published_model(MODEL_4)
    assert model is not None
    figures = expected["power_model"]
    assert figures["source"] == "PowerJoular rbp4b1.2-64"
    assert model.name == "powerjoular-rbp4b1.2-64"
    assert model.idle_w == pytest.approx(figures["idle_w"], abs=1e-4)
    assert model.active_w - model.idle_w == pytest.approx(figures["dyn_w"], abs=1e-4)


@pytest.mark.parametrize(
    ("board", "name"),
    [
        ("Raspberry Pi 4 Model B Rev 1.1", "powerjoular-rbp4b1.1-64"),
        ("Raspberry Pi 4 Model B Rev 1.2", "powerjoular-rbp4b1.2-64"),
        ("Raspberry Pi 4 Model B Rev 1.5", "powerjoular-rbp4b1.2-64"),
        ("Raspberry Pi 4 Model B", "powerjoular-rbp4b1.2-64"),
        ("Raspberry Pi 3 Model B Rev 1.2", "powerjoular-rbp3b1.2"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "powerjoular-rbp3b+1.3"),
    ],
)
def test_a_revision_without_its_own_fit_has_that_of_its_model(board: str, name: str) -> None:
    model = published_model(board)
    assert model is not None
    assert model.name == name


@pytest.mark.parametrize(
    "board",
    [
        "Raspberry Pi 5 Model B Rev 1.0",
        "Raspberry Pi 400 Rev 1.0",
        "Raspberry Pi 2 Model B Rev 1.1",
        "Raspberry Pi 3 Model A Plus Rev 1.0",
        "Raspberry Pi Compute Module 4 Rev 1.0",
        "Raspberry Pi Zero 2 W Rev 1.0",
        "Raspberry Pi 4 Model Bee",
        "NVIDIA Jetson Nano 2GB Developer Kit",
        "",
    ],
)
def test_no_model_rather_than_an_unsound_one(board: str) -> None:
    assert published_model(board) is None


@pytest.mark.parametrize(
    ("board", "idle_w", "stress_w"),
    [
        # The maker's currents at 5.1 V.
        ("Raspberry Pi 4 Model B Rev 1.1", 0.6 * 5.1, 1.2 * 5.1),
        (MODEL_4, 0.6 * 5.1, 1.2 * 5.1),
        ("Raspberry Pi 3 Model B Rev 1.2", 0.30 * 5.1, 0.85 * 5.1),
        # Raspberry Pi Dramble.
        ("Raspberry Pi 3 Model B Plus Rev 1.3", 1.9, 5.1),
    ],
)
def test_the_error_is_the_larger_deviation_from_what_others_measured(
    board: str, idle_w: float, stress_w: float
) -> None:
    model = published_model(board)
    assert model is not None
    deviations = (power_w(model, 0.0) / idle_w - 1.0, power_w(model, 1.0) / stress_w - 1.0)
    assert model.error_ratio == pytest.approx(max(map(abs, deviations)), abs=0.006)


def test_power_rises_with_the_load() -> None:
    model = LinearModel("installation", 3.0, 9.0)
    assert [power_w(model, each) for each in (0.0, 0.5, 1.0)] == [3.0, 6.0, 9.0]
    assert model.error_ratio is None
