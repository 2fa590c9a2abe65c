"""Rate and delay of the relay, loosely: the tight figures are the bench's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench" / "relay_accuracy.py"


@pytest.mark.parametrize("rate_bps", [256e3, 2e6, 50e6])
def test_the_relay_keeps_its_rate_and_its_delay(rate_bps: float) -> None:
    command = [sys.executable, str(BENCH), "--seconds", "2", "--messages", "15"]
    done = subprocess.run(
        [*command, "--rates", str(rate_bps)], capture_output=True, check=True, text=True, timeout=60
    )
    result = json.loads(done.stdout)
    (rate,), (delay,) = result["rate"], result["delay"]
    print(json.dumps(result))  # noqa: T201 - shown when the test fails, or with -s
    assert abs(rate["error_ratio"]) < 0.05
    assert abs(delay["error_median_s"]) < 0.01
