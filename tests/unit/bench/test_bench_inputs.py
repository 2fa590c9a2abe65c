from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from node.bench.inputs import made_up_input
from node.inference.model_folder import InputCard


@pytest.mark.parametrize(
    ("dtype", "most"),
    [("uint16", 127), ("int64", 127), ("float16", 1), ("float64", 1), ("bool", 1)],
)
def test_it_fits_the_card_and_is_the_same_each_time(dtype: Any, most: float) -> None:
    card = InputCard("x", dtype, [-1, 3, 5])
    made = made_up_input(card)
    assert made == made_up_input(card)
    with np.load(io.BytesIO(made), allow_pickle=False) as archive:
        assert archive.files == ["x"]
        array = archive["x"]
    assert array.shape == (1, 3, 5)
    assert array.dtype == dtype
    assert 0 <= array.min() < array.max() <= most
