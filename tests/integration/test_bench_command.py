"""``orbitnode bench``, as a person calls it: through the real worker, on whatever board this is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import model_factory
import numpy as np
import pytest

from node._compat import tomllib

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "scenarios" / "demo.toml"
MODEL = "dlr-cloud-unet"
"""The name that the demo flies; the network here is a small one."""
QUICK = ("--duration", "0.6", "--idle", "0.6", "--warm-up", "0.1")
FIGURES = ("--idle-w", "4", "--active-w", "12")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "node", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_factory.tiny_cnn(tmp_path_factory.mktemp("models"), MODEL)


def installation(folder: Path, *lines: str) -> Path:
    path = folder / "node.toml"
    head = ["schema = 1", 'node = "bench"', f"scenario = {json.dumps(str(DEMO))}"]
    path.write_text("\n".join([*head, *lines]) + "\n")
    return path


def test_the_forecast_flies_the_figures_of_the_profile(model: Path, tmp_path: Path) -> None:
    profile = tmp_path / "board.toml"

    done = run("bench", model, *QUICK, *FIGURES, "--threads", "1,2", "--out", profile, "--json")

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == 1
    assert report["power"]["source"] == "modelled"
    assert [point["threads"] for point in report["points"]] == [1, 2]
    for point in report["points"]:
        assert point["inferences"] >= 3
        latency = point["latency"]
        assert 0 < latency["session_p50_s"] <= latency["p50_s"] <= latency["p95_s"]
        assert latency["p95_s"] <= latency["p99_s"]
        assert point["throughput_per_s"] == pytest.approx(
            point["inferences"] / point["window_s"], rel=1e-9
        )
        assert point["provider"] == "CPUExecutionProvider"
    assert "board at rest, 0.6 s or more" in done.stderr

    written = tomllib.loads(profile.read_text())
    fastest = min(written["point"], key=lambda point: point["duration_s"])
    flown = run("forecast", DEMO, "--profile", profile, "--json")
    assert flown.returncode == 0, flown.stderr
    forecast = json.loads(flown.stdout)
    assert forecast["flight"]["board_source"] == "modelled"
    assert forecast["flight"]["idle_w"] == written["idle_w"]
    (cost,) = forecast["inference"]
    assert cost["duration_s"] == pytest.approx(fastest["duration_s"], rel=1e-9)
    assert cost["gross_j"] == pytest.approx(fastest["gross_j"], rel=1e-5)
    assert cost["net_j"] == pytest.approx(fastest["net_j"], rel=1e-4, abs=1e-6 * cost["gross_j"])


def test_the_text_says_where_the_watts_come_from(model: Path, tmp_path: Path) -> None:
    board = installation(tmp_path, "[board]", 'family = "generic"', "idle_w = 4", "active_w = 12")

    done = run("bench", model, *QUICK, "--threads", "1", "--duty", "0.5", "--installation", board)

    assert done.returncode == 0, done.stderr
    assert f"{MODEL} 1 on" in done.stdout
    assert "modelled by installation, scope board" in done.stdout
    assert "1 thread, duty 0.5" in done.stdout
    assert "note: watts and joules are modelled (installation), not measured" in done.stdout


def test_a_board_that_tells_no_power_still_has_latencies(model: Path, tmp_path: Path) -> None:
    bare = run("bench", model, *QUICK, "--threads", "1", "--json")
    report = json.loads(bare.stdout)
    if report["power"] is not None:
        pytest.skip("this machine has a power meter")
    assert bare.returncode == 0
    assert report["idle"] is None
    assert report["points"][0]["energy"] is None
    assert report["points"][0]["latency"]["p50_s"] > 0

    profile = tmp_path / "board.toml"
    refused = run("bench", model, *QUICK, "--threads", "1", "--out", profile)
    assert refused.returncode == 1
    assert "nothing tells this board's power" in refused.stderr
    assert not profile.exists()


def test_a_share_of_the_cores_is_held(model: Path) -> None:
    done = run("bench", model, *QUICK, *FIGURES, "--threads", "1", "--share", "1,0.2", "--json")
    assert done.returncode == 0, done.stderr
    whole, share = json.loads(done.stdout)["points"]
    assert (whole["cap"]["share_ratio"], whole["cap"]["share_by"]) == (1.0, "")
    assert share["cap"]["share_ratio"] == 0.2
    assert share["cap"]["share_by"] in {"quota", "duty-cycle"}
    # On however many cores, a fifth of each; one thread on one core cannot have more than that.
    busy_ratio = share["cpu_s"] * share["throughput_per_s"]
    assert busy_ratio <= 1.3 * 0.2 * len(os.sched_getaffinity(0))


def test_an_input_of_ones_own_is_run(model: Path, tmp_path: Path) -> None:
    given = tmp_path / "tile.npz"
    np.savez(given, bands=np.full((2, 48, 48, 4), 500, np.uint16))
    done = run("bench", model, *QUICK, "--threads", "1", "--input", given, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["input"] == "given"

    np.savez(given, bands=np.zeros((1, 9, 9, 4), np.uint16))
    wrong = run("bench", model, *QUICK, "--threads", "1", "--input", given)
    assert wrong.returncode == 1
    assert "shape is (1, 9, 9, 4)" in wrong.stderr
    missing = run("bench", model, *QUICK, "--input", tmp_path / "nowhere.npz")
    assert missing.returncode == 1
    assert "nowhere.npz: No such file" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--duration", "0"], 2, "expected a number from 0.1 to 86400"),
        (["--duration", "-1"], 2, "expected a number from 0.1 to 86400"),
        (["--duration", "nan"], 2, "expected a number from 0.1 to 86400"),
        (["--idle", "0"], 2, "expected a number from 0.1 to 86400"),
        (["--threads", "0"], 2, "expected numbers from 1 to 256"),
        (["--threads", "1,x"], 2, "invalid literal"),
        (["--duty", "1.5"], 2, "expected numbers from 0.01 to 1"),
        (["--duty", "0"], 2, "expected numbers from 0.01 to 1"),
        (["--share", "0"], 2, "expected numbers from 0.05 to 1"),
        (["--idle-w", "4"], 2, "--idle-w and --active-w go together"),
        (["--idle-w", "4", "--active-w", "3"], 2, "--active-w must be at least --idle-w"),
        (["--installation", "nowhere.toml"], 78, "nowhere.toml: cannot be read"),
        (["--clock", "0.5", "--governor", "/nowhere.sock"], 1, "needs orbitnode-governor"),
    ],
)
def test_nonsense_is_refused(model: Path, arguments: list[str], status: int, words: str) -> None:
    done = run("bench", model, *QUICK, "--threads", "1", *arguments)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    done = run("bench", tmp_path / "nothing", *QUICK)
    assert done.returncode == 1
    assert "model.toml: cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_provider_that_is_missing_is_named(model: Path, tmp_path: Path) -> None:
    board = installation(
        tmp_path,
        '[board]\nfamily = "generic"',
        '[inference]\nproviders = ["CUDAExecutionProvider"]',
    )
    done = run("bench", model, *QUICK, "--installation", board)
    assert done.returncode == 1
    assert "CUDAExecutionProvider is not in this build of onnxruntime" in done.stderr
    assert "onnxruntime-gpu" in done.stderr
