"""Measures orbitnode: prints a table and writes every figure into a JSON file.

  python tests/bench/run.py             some four minutes; a machine with nothing else to do
  python tests/bench/run.py --quick     under a minute, without the pass in real time

``docs/performance.md`` says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[2]))

import board_cost
import core_steps
import daemon_cost
import inference_cost
import machine
import passes
import relay_accuracy
from figures import Figure, as_json, table

Measurement = tuple[list[Figure], dict[str, object]]

_SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "demo.toml"
_GOAL_RATE_ERROR = 0.005
_GOAL_DELAY_ERROR_S = 0.001


def relay(_scenario: Path, *, quick: bool) -> Measurement:
    """Measure how well the relay keeps rate and delay."""
    rates_bps = [256e3, 2e6] if quick else [9.6e3, 256e3, 2e6, 50e6]
    found = relay_accuracy.accuracy(
        rates_bps, seconds=2.0 if quick else 5.0, messages=10 if quick else 50
    )
    rate = max(found["rate"], key=lambda each: abs(each["error_ratio"]))
    delay = max(found["delay"], key=lambda each: abs(each["error_median_s"]))
    figures = [
        Figure(
            "relay, largest error of rate",
            abs(rate["error_ratio"]),
            "ratio",
            _GOAL_RATE_ERROR,
            "lower",
            f"at {rate['rate_bps'] / 1e6:g} Mbit/s, of {len(rates_bps)} rates",
        ),
        Figure(
            "relay, largest median error of delay",
            abs(delay["error_median_s"]) * 1e3,
            "ms",
            _GOAL_DELAY_ERROR_S * 1e3,
            "lower",
            f"at {delay['rate_bps'] / 1e6:g} Mbit/s",
        ),
    ]
    return figures, found


MEASUREMENTS: dict[str, Callable[..., Measurement]] = {
    "core": core_steps.measure,
    "board": board_cost.measure,
    "inference": inference_cost.measure,
    "daemon": daemon_cost.measure,
    "passes": passes.measure,
    "relay": relay,
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no pass in real time")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="file to write")
    parser.add_argument(
        "--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), help="some alone"
    )
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    result: dict[str, object] = {
        "schema": 1,
        "quick": arguments.quick,
        "machine": machine.describe(),
    }
    figures: list[Figure] = []
    details: dict[str, object] = {}
    for name in arguments.only:
        sys.stderr.write(f"measuring {name}\n")
        found, details[name] = MEASUREMENTS[name](_SCENARIO, quick=arguments.quick)
        figures += found
    result["figures"] = [as_json(figure) for figure in figures]
    result["details"] = details
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(table(figures) + "\n")
    parts = details.get("core", {})
    if isinstance(parts, dict) and "parts_us" in parts:
        sys.stdout.write("\nmicroseconds of a core step by part\n")
        for part, part_us in parts["parts_us"].items():
            sys.stdout.write(f"  {part:30} {part_us:6.2f}\n")


if __name__ == "__main__":
    main()
